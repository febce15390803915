-- idp/token: what a service asks to have verified (OpenID Connect for Identity Assurance 1.0), as ida.Request
-- in JSON, cut to what the grant may release; values of claims that it compares with are keyed digests.
-- NULL: nothing, as in every grant of the release before.
ALTER TABLE oauth_grant ADD COLUMN verified_claims jsonb CHECK (octet_length(verified_claims::text) <= 65536);
