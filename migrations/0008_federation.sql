-- idp/federation: trips to gov.br. One is a visit's and a browser's, is used up by one UPDATE, and
-- leaves when it is over.

CREATE TABLE federation_trip (
  state_hash     bytea PRIMARY KEY CHECK (octet_length(state_hash) = 32),
  interaction_id uuid NOT NULL,
  browser_hash   bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
  sealed         bytea NOT NULL,                                  -- nonce and code_verifier
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL CHECK (expires_at > created_at),
  used_at        timestamptz CHECK (used_at >= created_at),
  account        bytea CHECK (account IS NULL OR used_at IS NOT NULL), -- sealed: who came back, while the citizen decides
  decided_at     timestamptz CHECK (decided_at IS NULL OR account IS NULL)
);
CREATE INDEX federation_trip_browser ON federation_trip (browser_hash);
CREATE INDEX federation_trip_expiry ON federation_trip USING brin (expires_at);
