-- certauth/cloud, certauth/challenge: ways to a signature. One is a visit's and a browser's, is used up
-- by one UPDATE, and leaves when it is over.

CREATE TABLE cloud_trip (
  state_hash     bytea PRIMARY KEY CHECK (octet_length(state_hash) = 32),
  provider       text NOT NULL,
  interaction_id uuid NOT NULL,
  browser_hash   bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
  sealed         bytea NOT NULL,                                        -- code_verifier, text, code of a push
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL CHECK (expires_at > created_at),
  used_at        timestamptz CHECK (used_at >= created_at)
);
CREATE INDEX cloud_trip_browser ON cloud_trip (browser_hash);
CREATE INDEX cloud_trip_expiry ON cloud_trip USING brin (expires_at);

CREATE TABLE certificate_challenge (
  nonce_hash     bytea PRIMARY KEY CHECK (octet_length(nonce_hash) = 32),
  interaction_id uuid NOT NULL,
  browser_hash   bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
  content        text NOT NULL,                                         -- what is to be signed
  tries          smallint NOT NULL DEFAULT 0,
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL CHECK (expires_at > created_at),
  used_at        timestamptz CHECK (used_at >= created_at)
);
CREATE INDEX certificate_challenge_browser ON certificate_challenge (browser_hash);
CREATE INDEX certificate_challenge_expiry ON certificate_challenge USING brin (expires_at);
