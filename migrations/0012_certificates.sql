-- certauth: the authorities of ICP-Brasil, the trips to the host that asks for certificates, and who
-- has used which certificate.

CREATE TABLE icp_authority (
  fingerprint bytea PRIMARY KEY CHECK (octet_length(fingerprint) = 32), -- SHA-256 of der
  name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 300),     -- of the file it came in
  der         bytea NOT NULL CHECK (octet_length(der) <= 262144)
);

-- The one row says what is published; its change is what processes hear of.
CREATE TABLE icp_authority_set (
  one          boolean PRIMARY KEY DEFAULT true CHECK (one),
  source       text NOT NULL,
  digest       bytea NOT NULL CHECK (octet_length(digest) = 64),         -- SHA-512 of the source; of a directory, of its certificates
  authorities  integer NOT NULL CHECK (authorities > 0),
  published_at timestamptz NOT NULL,
  checked_at   timestamptz NOT NULL CHECK (checked_at >= published_at)
);
CREATE TRIGGER icp_authority_set_notify AFTER INSERT OR UPDATE OF published_at ON icp_authority_set FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

-- One is a visit's and a browser's; the ticket is used up by one UPDATE, its code by another.
CREATE TABLE certificate_trip (
  ticket_hash    bytea PRIMARY KEY CHECK (octet_length(ticket_hash) = 32),
  interaction_id uuid NOT NULL,
  browser_hash   bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL CHECK (expires_at > created_at),
  code_hash      bytea UNIQUE CHECK (octet_length(code_hash) = 32),      -- made when the host has seen the browser
  outcome        bytea CHECK (outcome IS NULL OR code_hash IS NOT NULL), -- sealed: the certificate, or why there is none
  taken_at       timestamptz CHECK (taken_at IS NULL OR code_hash IS NOT NULL),
  kept           bytea CHECK (kept IS NULL OR taken_at IS NOT NULL),     -- sealed: who came back, while the citizen decides
  decided_at     timestamptz CHECK (decided_at IS NULL OR kept IS NULL)
);
CREATE INDEX certificate_trip_browser ON certificate_trip (browser_hash);
CREATE INDEX certificate_trip_expiry ON certificate_trip USING brin (expires_at);

-- Which certificates a person has signed in with. It never says who a person is: that is the CPF.
CREATE TABLE person_certificate (
  issuer_key    bytea NOT NULL CHECK (octet_length(issuer_key) = 32),    -- SHA-256 of the issuer's SubjectPublicKeyInfo
  serial        bytea NOT NULL CHECK (octet_length(serial) BETWEEN 1 AND 64),
  person_id     uuid NOT NULL,
  fingerprint   bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
  profile       text NOT NULL,
  not_before    timestamptz NOT NULL,
  not_after     timestamptz NOT NULL CHECK (not_after > not_before),
  first_used_at timestamptz NOT NULL,
  last_used_at  timestamptz NOT NULL CHECK (last_used_at >= first_used_at),
  PRIMARY KEY (issuer_key, serial, person_id)
);
CREATE INDEX person_certificate_person ON person_certificate (person_id);
