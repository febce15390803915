-- The provider's first schema. Rows are UUIDv7; hashes are SHA-256 (32 bytes); sealed columns are
-- AES-256-GCM under the data key (internal/secret). Hot tables carry no foreign keys: every one
-- of them is looked up by its own hash or by person, so that a distributed engine stays possible.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- registry ------------------------------------------------------------------------------------

CREATE TABLE person (
  id         uuid PRIMARY KEY,
  cpf_index  bytea UNIQUE CHECK (octet_length(cpf_index) = 32),   -- keyed blind index; NULL: no CPF
  fields     bytea NOT NULL,                                      -- sealed JSON, registry.Fields
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL CHECK (updated_at >= created_at),
  version    bigint NOT NULL DEFAULT 1                            -- counts every change of the person or the evidence
);
CREATE FUNCTION count_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER person_version BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION count_version();

CREATE TABLE evidence (
  person_id      uuid NOT NULL,
  id             uuid NOT NULL,
  kind           text NOT NULL CHECK (kind IN ('self_declared','govbr','registry_match','biometric_enrollment','icp_certificate')),
  source         text NOT NULL,
  method         text NOT NULL,
  verifier       text NOT NULL,
  verified_at    timestamptz NOT NULL,
  expires_at     timestamptz CHECK (expires_at > verified_at),
  attributes     jsonb NOT NULL DEFAULT '{}',
  policy_version integer NOT NULL,
  revoked_at     timestamptz,
  revoked_reason text CHECK ((revoked_reason IS NULL) = (revoked_at IS NULL)),
  revoked_by     text CHECK ((revoked_by IS NULL) = (revoked_at IS NULL)),
  PRIMARY KEY (person_id, id)
);

-- Evidence is revoked, once, and otherwise never changed.
CREATE FUNCTION refuse_all_but_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL
     AND to_jsonb(NEW) - '{revoked_at,revoked_reason,revoked_by}'::text[] = to_jsonb(OLD) - '{revoked_at,revoked_reason,revoked_by}'::text[] THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% is only ever revoked', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER evidence_revoked_once BEFORE UPDATE ON evidence FOR EACH ROW EXECUTE FUNCTION refuse_all_but_revocation();
CREATE FUNCTION count_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE person SET version = version WHERE id = NEW.person_id;
  RETURN NULL;
END $$;
CREATE TRIGGER evidence_version AFTER INSERT OR UPDATE ON evidence FOR EACH ROW EXECUTE FUNCTION count_evidence();
CREATE TRIGGER evidence_stays BEFORE DELETE ON evidence FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A person with all evidence in one row, for the statements that ask for the level beside
-- something else. Parallel arrays; see registry/trust.Columns.
CREATE VIEW known_person AS
SELECT p.id, p.fields, p.updated_at, p.version, ev.kinds, ev.sources, ev.verified_at, ev.expires_at, ev.revoked_at
  FROM person p
  CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(e.kind), '{}') AS kinds,
              coalesce(array_agg(e.source), '{}') AS sources,
              coalesce(array_agg(e.verified_at), '{}') AS verified_at,
              coalesce(array_agg(e.expires_at), '{}') AS expires_at,
              coalesce(array_agg(e.revoked_at), '{}') AS revoked_at
         FROM evidence e
        WHERE e.person_id = p.id) ev;

-- idp/client ----------------------------------------------------------------------------------

CREATE TABLE service (
  id          text PRIMARY KEY,
  version     integer NOT NULL CHECK (version > 0),
  manifest    text NOT NULL,                                      -- the YAML as applied
  digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
  secret_hash bytea CHECK (octet_length(secret_hash) = 32),       -- NULL: no shared secret
  applied_at  timestamptz NOT NULL
);

CREATE TABLE service_version (
  id         text NOT NULL,
  version    integer NOT NULL,
  manifest   text NOT NULL,
  applied_at timestamptz NOT NULL,
  PRIMARY KEY (id, version)
);
CREATE TRIGGER service_version_immutable BEFORE UPDATE OR DELETE ON service_version FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE used_assertion (                                     -- RFC 7523 §3 item 7: jti once
  client_id  text NOT NULL,
  jti_hash   bytea NOT NULL CHECK (octet_length(jti_hash) = 32),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (client_id, jti_hash)
);
CREATE INDEX used_assertion_expiry ON used_assertion USING brin (expires_at);

-- idp/keys ------------------------------------------------------------------------------------

CREATE TABLE signing_key (
  kid         text PRIMARY KEY,
  alg         text NOT NULL CHECK (alg IN ('ES256','RS256')),
  private_key bytea NOT NULL,                                     -- sealed PKCS #8
  created_at  timestamptz NOT NULL,
  signs_from  timestamptz NOT NULL,                               -- published before it signs
  signs_until timestamptz,                                        -- NULL: the newest of its alg
  gone_at     timestamptz CHECK (gone_at >= signs_until)          -- leaves the JWKS
);

CREATE TABLE data_key (
  purpose    text PRIMARY KEY CHECK (purpose IN ('seal','index')),
  wrapped    bytea NOT NULL,                                      -- under the KEK, which is never in the database
  created_at timestamptz NOT NULL
);

-- idp/factor ----------------------------------------------------------------------------------

CREATE TABLE password (
  person_id  uuid PRIMARY KEY,
  hash       text NOT NULL CHECK (hash LIKE '$argon2id$%'),
  changed_at timestamptz NOT NULL
);

CREATE TABLE known_browser (                                      -- has signed in as this person before
  person_id    uuid NOT NULL,
  browser_hash bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
  seen_at      timestamptz NOT NULL,
  PRIMARY KEY (person_id, browser_hash)
);
CREATE INDEX known_browser_age ON known_browser USING brin (seen_at);

CREATE TABLE throttle (
  bucket    bytea NOT NULL,                                       -- keyed hash of what is counted
  starts_at timestamptz NOT NULL,                                 -- start of the window
  count     integer NOT NULL CHECK (count > 0),
  PRIMARY KEY (bucket, starts_at)
) WITH (fillfactor = 70);
CREATE INDEX throttle_expiry ON throttle USING brin (starts_at);

CREATE TABLE mail_code (
  interaction_id uuid NOT NULL,
  purpose        text NOT NULL CHECK (purpose IN ('register','unlock')),
  id             uuid NOT NULL,
  code_hash      bytea NOT NULL CHECK (octet_length(code_hash) = 32),
  tries          smallint NOT NULL DEFAULT 0,
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  used_at        timestamptz,
  PRIMARY KEY (interaction_id, purpose, id)
);
CREATE INDEX mail_code_expiry ON mail_code USING brin (expires_at);

-- idp/session ---------------------------------------------------------------------------------

CREATE TABLE session (
  id           uuid PRIMARY KEY,                                  -- the sid of logout tokens
  secret_hash  bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
  person_id    uuid NOT NULL,
  auth_time    timestamptz NOT NULL,
  amr          text[] NOT NULL,
  cap          smallint NOT NULL CHECK (cap BETWEEN 1 AND 5),     -- session strength cap
  created_at   timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  ended_at     timestamptz
) WITH (fillfactor = 85);
CREATE INDEX session_person ON session (person_id);
CREATE INDEX session_expiry ON session USING brin (expires_at);

-- idp/flow ------------------------------------------------------------------------------------

CREATE TABLE interaction (
  id           uuid PRIMARY KEY,
  browser_hash bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
  client_id    text NOT NULL,
  request      jsonb NOT NULL,                                    -- flow.Request, validated
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  finished_at  timestamptz,
  -- facts: what happened, never "the current page"
  cpf          bytea,                                             -- sealed, as the citizen typed it
  session_id   uuid,
  chosen_at    timestamptz,                                       -- prompt=select_account answered
  busy_at      timestamptz,                                       -- too many tries at this CPF: a mail code is asked
  unlocked_at  timestamptz,                                       -- and was answered
  registration bytea,                                             -- sealed, waits for the mail code
  consented_at timestamptz
) WITH (fillfactor = 60);
CREATE INDEX interaction_expiry ON interaction USING brin (expires_at);

-- idp/token -----------------------------------------------------------------------------------

CREATE TABLE subject (                                            -- OIDC Core §8: pairwise, random
  person_id uuid NOT NULL,
  sector    text NOT NULL,                                        -- host, or '' for public
  sub       text NOT NULL UNIQUE,
  PRIMARY KEY (person_id, sector)
);

CREATE TABLE oauth_grant (
  id              uuid PRIMARY KEY,
  person_id       uuid NOT NULL,
  client_id       text NOT NULL,
  session_id      uuid NOT NULL,
  sub             text NOT NULL,
  scope           text NOT NULL,                                  -- space delimited, RFC 6749 §3.3
  claims          text[] NOT NULL,                                -- what this grant may release at all
  id_token_claims text[] NOT NULL,                                -- of those, asked for in the ID token
  resources       text[] NOT NULL,                                -- RFC 8707
  offline         boolean NOT NULL,                               -- survives the session
  nonce           text NOT NULL,
  auth_time       timestamptz NOT NULL,
  amr             text[] NOT NULL,
  cap             smallint NOT NULL CHECK (cap BETWEEN 1 AND 5),
  code_hash       bytea UNIQUE CHECK (octet_length(code_hash) = 32),
  code_expires_at timestamptz NOT NULL,
  code_used_at    timestamptz,
  code_challenge  text NOT NULL,
  redirect_uri    text NOT NULL,
  created_at      timestamptz NOT NULL,
  expires_at      timestamptz NOT NULL,
  revoked_at      timestamptz,
  revoked_reason  text CHECK ((revoked_reason IS NULL) = (revoked_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX oauth_grant_person ON oauth_grant (person_id, client_id);
CREATE INDEX oauth_grant_expiry ON oauth_grant USING brin (expires_at);

CREATE TABLE oauth_token (
  access_hash       bytea PRIMARY KEY CHECK (octet_length(access_hash) = 32),  -- SHA-256 of the whole JWT
  grant_id          uuid NOT NULL,
  scope             text NOT NULL,
  audience          text[] NOT NULL,
  issued_at         timestamptz NOT NULL,
  access_expires_at timestamptz NOT NULL,
  refresh_hash      bytea UNIQUE CHECK (octet_length(refresh_hash) = 32),
  refresh_used_at   timestamptz,
  revoked_at        timestamptz,                                   -- this access token alone (RFC 7009)
  answers           bytea                                          -- sealed, token.answers; NULL: made when asked
) WITH (fillfactor = 85);
CREATE INDEX oauth_token_grant ON oauth_token (grant_id);
CREATE INDEX oauth_token_expiry ON oauth_token USING brin (access_expires_at);

CREATE TABLE revoked_token (                                      -- client_credentials tokens, not stored otherwise
  jti_hash    bytea PRIMARY KEY CHECK (octet_length(jti_hash) = 32),
  expires_at  timestamptz NOT NULL
);

-- consent -------------------------------------------------------------------------------------

CREATE TABLE consent (
  person_id        uuid NOT NULL,
  client_id        text NOT NULL,
  id               uuid NOT NULL,                                 -- UUIDv7: the latest decision is the largest
  kind             text NOT NULL CHECK (kind IN ('granted','revoked')),
  claims           text[] NOT NULL,                               -- allowed, all decisions so far
  offered          text[] NOT NULL,                               -- shown, all decisions so far
  offline          boolean NOT NULL,
  purposes         jsonb NOT NULL,                                -- claim → text
  bases            jsonb NOT NULL,                                -- claim → legal basis
  manifest_version integer NOT NULL,
  text_shown       text NOT NULL,
  language         text NOT NULL,
  decided_at       timestamptz NOT NULL,
  PRIMARY KEY (person_id, client_id, id),
  CHECK (claims <@ offered),
  CHECK (kind = 'granted' OR claims = '{}')
);
CREATE TRIGGER consent_immutable BEFORE UPDATE OR DELETE ON consent FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Caches listen: a change of a service or a key reaches every process without a restart.
CREATE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('loginunico', TG_TABLE_NAME);
  RETURN NULL;
END $$;
CREATE TRIGGER service_notify AFTER INSERT OR UPDATE OR DELETE ON service FOR EACH STATEMENT EXECUTE FUNCTION notify_change();
CREATE TRIGGER signing_key_notify AFTER INSERT OR UPDATE OR DELETE ON signing_key FOR EACH STATEMENT EXECUTE FUNCTION notify_change();
