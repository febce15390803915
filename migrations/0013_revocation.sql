-- certauth/revocation: where CAs say what they have taken back, and what they said last. A list is
-- replaced whole and never by an older one. No row is about a person.

CREATE TABLE crl (
  point         bytea PRIMARY KEY CHECK (octet_length(point) = 32),      -- SHA-256 of CA's key and addresses
  issuer_key    bytea NOT NULL CHECK (octet_length(issuer_key) = 32),    -- SHA-256 of its SubjectPublicKeyInfo
  issuer        bytea NOT NULL,                                          -- its certificate, DER
  ca            text NOT NULL,                                           -- its common name, to read
  urls          text[] NOT NULL CHECK (cardinality(urls) > 0),
  seen_at       timestamptz NOT NULL,                                    -- a certificate named it, within a day
  due_at        timestamptz NOT NULL,                                    -- when it is fetched next
  tried_at      timestamptz,
  fetched_at    timestamptz,
  failures      int NOT NULL DEFAULT 0,                                  -- since the last list
  fault         text,                                                    -- of the last try
  fetched       text,                                                    -- the address that gave the list,
  etag          text,                                                    -- and what it said of it
  last_modified text,
  number        numeric,                                                 -- RFC 5280 §5.2.3
  this_update   timestamptz,
  next_update   timestamptz CHECK (next_update > this_update),
  entries       int,
  sum           bytea CHECK (octet_length(sum) = 32),                    -- SHA-256 of compact
  compact       bytea,                                                   -- certauth/revocation, list.go
  CHECK (num_nulls(number, this_update, next_update, entries, sum, compact) IN (0, 6))
);
CREATE INDEX crl_issuer ON crl (issuer_key);
CREATE INDEX crl_due ON crl (due_at);
ALTER TABLE crl ALTER COLUMN compact SET STORAGE EXTERNAL;               -- hashes do not compress

CREATE TRIGGER crl_notify AFTER UPDATE OF sum ON crl
  FOR EACH ROW WHEN (OLD.sum IS DISTINCT FROM NEW.sum) EXECUTE FUNCTION notify_change();
