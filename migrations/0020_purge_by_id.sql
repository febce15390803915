-- Every INSERT into a table with a BRIN index opens that index's map anew, and a sign-in made six. What is over is
-- found without them: an id grows with time and lifetimes are few, so the purge goes along the primary key. throttle
-- holds the tries of the last hours and is read whole by its purge, factor_event once a day.
DROP INDEX interaction_expiry, session_expiry, oauth_grant_expiry, oauth_token_expiry, throttle_expiry, factor_event_age;

-- A session's old hash, which is empty by now, costs its index nothing.
ALTER TABLE session DROP CONSTRAINT session_secret_hash_key;
CREATE UNIQUE INDEX session_secret ON session (secret_hash) WHERE secret_hash IS NOT NULL;

-- Two more CHECKs of 0019's kind: a browser's family is cut by the statement that writes it, and a count begins with one
-- and only grows.
ALTER TABLE factor_event DROP CONSTRAINT factor_event_browser_check;
ALTER TABLE throttle DROP CONSTRAINT throttle_count_check;
