-- A CHECK is read, planned and compiled anew by every statement that writes its table: 3 to 5 µs of PostgreSQL each, and a
-- sign-in ran through twenty. Gone are those of the four tables that every sign-in writes which say no more than the one
-- function that makes the value: hashes are SHA-256 (secret.Hash), caps and levels come from tables that were read at the start,
-- a browser's family is cut where it is read, and verified_claims are a request that was bounded (ida.Parse). Those stay that
-- say how two columns go together.
ALTER TABLE session
  DROP CONSTRAINT session_secret_hash_check,
  DROP CONSTRAINT session_cap_check, DROP CONSTRAINT session_browser_check;
ALTER TABLE interaction
  DROP CONSTRAINT interaction_browser_hash_check;
ALTER TABLE oauth_grant
  DROP CONSTRAINT oauth_grant_cap_check, DROP CONSTRAINT oauth_grant_needs_check,
  DROP CONSTRAINT oauth_grant_code_hash_check, DROP CONSTRAINT oauth_grant_verified_claims_check;
ALTER TABLE oauth_token
  DROP CONSTRAINT oauth_token_access_hash_check, DROP CONSTRAINT oauth_token_refresh_hash_check;
