-- idp/factor: what a person signs in with beside the password, how they get back in, and what they
-- are told of it. Codes and tokens are kept as hashes; single use is one conditional UPDATE.

-- The user handle of WebAuthn §14.6.1: random, so that it says nothing and links to nothing.
CREATE TABLE webauthn_user (
  person_id  uuid PRIMARY KEY,
  handle     bytea NOT NULL UNIQUE CHECK (octet_length(handle) = 32),
  created_at timestamptz NOT NULL
);

CREATE TABLE passkey (
  person_id       uuid NOT NULL,
  id              uuid NOT NULL,
  credential_id   bytea NOT NULL UNIQUE CHECK (octet_length(credential_id) BETWEEN 16 AND 1023),
  public_key      bytea NOT NULL,                                 -- COSE, RFC 9052 §7
  name            text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
  sign_count      bigint NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),
  backup_eligible boolean NOT NULL,                               -- never changes
  backed_up       boolean NOT NULL CHECK (backup_eligible OR NOT backed_up),
  aaguid          uuid NOT NULL,
  transports      text[] NOT NULL,
  created_at      timestamptz NOT NULL,
  used_at         timestamptz,
  PRIMARY KEY (person_id, id)
);

CREATE TABLE webauthn_challenge (
  challenge_hash bytea PRIMARY KEY CHECK (octet_length(challenge_hash) = 32),
  purpose        text NOT NULL CHECK (purpose IN ('register','login')),
  browser_hash   bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
  person_id      uuid CHECK (person_id IS NOT NULL OR purpose = 'login'),  -- NULL: whoever it is
  session        jsonb NOT NULL,                                  -- webauthn.SessionData
  expires_at     timestamptz NOT NULL,
  used_at        timestamptz
);
CREATE INDEX webauthn_challenge_expiry ON webauthn_challenge USING brin (expires_at);

CREATE TABLE totp (
  person_id    uuid NOT NULL,
  id           uuid NOT NULL,
  name         text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
  secret       bytea NOT NULL,                                    -- sealed, RFC 6238 K, 20 bytes
  last_step    bigint NOT NULL DEFAULT 0,                         -- RFC 6238 §5.2: a step is accepted once
  failures     integer NOT NULL DEFAULT 0,                        -- tries in a row from unknown browsers
  created_at   timestamptz NOT NULL,
  confirmed_at timestamptz CHECK (confirmed_at >= created_at),    -- NULL: does not count yet
  used_at      timestamptz,
  PRIMARY KEY (person_id, id)
);
CREATE INDEX totp_unconfirmed ON totp (created_at) WHERE confirmed_at IS NULL;

-- Ten places: a new set overwrites the one before, place by place.
CREATE TABLE recovery_code (
  person_id  uuid NOT NULL,
  place      smallint NOT NULL CHECK (place BETWEEN 0 AND 9),
  code_hash  bytea NOT NULL CHECK (octet_length(code_hash) = 32),
  created_at timestamptz NOT NULL,
  used_at    timestamptz,
  PRIMARY KEY (person_id, place)
);

-- Addresses beside those of the registry: alternative mail, phones.
CREATE TABLE channel (
  person_id    uuid NOT NULL,
  id           uuid NOT NULL,
  kind         text NOT NULL CHECK (kind IN ('mail','phone')),
  address      bytea NOT NULL,                                    -- sealed
  code_hash    bytea CHECK (octet_length(code_hash) = 32),
  code_expires timestamptz,
  tries        smallint NOT NULL DEFAULT 0,
  created_at   timestamptz NOT NULL,
  confirmed_at timestamptz CHECK (confirmed_at >= created_at),    -- NULL: does not count yet
  PRIMARY KEY (person_id, id),
  CHECK ((code_hash IS NULL) = (code_expires IS NULL)),
  CHECK (confirmed_at IS NOT NULL OR code_hash IS NOT NULL)
);
CREATE INDEX channel_unconfirmed ON channel (created_at) WHERE confirmed_at IS NULL;

CREATE TABLE secret_question (
  person_id   uuid PRIMARY KEY,
  question    bytea NOT NULL,                                     -- sealed: people write about themselves
  answer_hash text NOT NULL CHECK (answer_hash LIKE '$argon2id$%'),
  changed_at  timestamptz NOT NULL
);

-- One way back in, from the request to the new password. For an account that does not exist the
-- row is there all the same, for a person who is nobody.
CREATE TABLE recovery (
  id           uuid PRIMARY KEY,
  person_id    uuid NOT NULL,
  browser_hash bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
  visit_id     uuid,                                              -- the sign-in it was begun from, to go on there
  way          text NOT NULL CHECK (way IN ('mail','alternative_mail','sms','question','desk')),
  code_hash    bytea CHECK (octet_length(code_hash) = 32),
  link_hash    bytea UNIQUE CHECK (octet_length(link_hash) = 32),
  tries        smallint NOT NULL DEFAULT 0,
  answer_tries smallint NOT NULL DEFAULT 0,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  proven_at    timestamptz,                                       -- the code or the link came back
  answered_at  timestamptz,                                       -- and the secret question was answered
  finished_at  timestamptz,                                       -- and there is a new password
  CHECK ((way = 'desk') = (code_hash IS NULL)),
  CHECK (way <> 'desk' OR proven_at IS NOT NULL),
  CHECK (answered_at IS NULL OR way = 'question' AND proven_at IS NOT NULL),
  CHECK (finished_at IS NULL OR proven_at IS NOT NULL),
  CHECK (finished_at IS NULL OR way <> 'question' OR answered_at IS NOT NULL)
);
CREATE INDEX recovery_person ON recovery (person_id);
CREATE INDEX recovery_expiry ON recovery USING brin (expires_at);

-- What a recovery leaves behind: the new password is worth level 1 until something stronger,
-- enrolled before, confirms it.
CREATE TABLE recovery_hold (
  person_id uuid PRIMARY KEY,
  way       text NOT NULL CHECK (way IN ('mail','alternative_mail','sms','question')),
  since     timestamptz NOT NULL,                                 -- of the first recovery that nothing has confirmed
  held_at   timestamptz NOT NULL CHECK (held_at >= since),        -- of the latest one
  lifted_at timestamptz CHECK (lifted_at >= held_at),
  lifted_by text CHECK ((lifted_by IS NULL) = (lifted_at IS NULL))
);

-- Recovery at a desk takes two people, neither of them the citizen.
CREATE TABLE desk_recovery (
  id           uuid PRIMARY KEY,
  person_id    uuid NOT NULL,
  requested_by uuid NOT NULL CHECK (requested_by <> person_id),
  reason       text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 500),
  requested_at timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL CHECK (expires_at > requested_at),
  approved_by  uuid CHECK (approved_by <> requested_by AND approved_by <> person_id),
  approved_at  timestamptz CHECK (approved_at >= requested_at),
  code_hash    bytea UNIQUE CHECK (octet_length(code_hash) = 32),
  used_at      timestamptz CHECK (used_at >= approved_at),
  CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
  CHECK ((approved_by IS NULL) = (code_hash IS NULL)),
  CHECK (used_at IS NULL OR approved_at IS NOT NULL)
);
CREATE INDEX desk_recovery_person ON desk_recovery (person_id);
CREATE INDEX desk_recovery_waiting ON desk_recovery (requested_at) WHERE approved_at IS NULL;

-- Sign-ins and changes as the owner is shown them: coarse, and never changed.
CREATE TABLE factor_event (
  person_id uuid NOT NULL,
  id        uuid NOT NULL,
  at        timestamptz NOT NULL,
  kind      text NOT NULL,                                        -- factor.EventKind
  factor    uuid,                                                 -- the passkey, authenticator or address it is about
  browser   text NOT NULL CHECK (char_length(browser) <= 40),     -- a family: "Firefox, Android"
  PRIMARY KEY (person_id, id)
);
CREATE INDEX factor_event_at ON factor_event (person_id, at DESC);
CREATE INDEX factor_event_age ON factor_event USING brin (at);
CREATE FUNCTION refuse_before_90_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.at < now() - interval '90 days' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER factor_event_stays BEFORE UPDATE OR DELETE ON factor_event FOR EACH ROW EXECUTE FUNCTION refuse_before_90_days();

-- "It was not me": the link in the message about an event.
CREATE TABLE not_me (
  token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
  person_id  uuid NOT NULL,
  event_id   uuid NOT NULL,
  way        text NOT NULL CHECK (way IN ('mail','alternative_mail','sms')),
  channel    uuid,                                                -- the address of ours; null: the registry's
  address    bytea NOT NULL,                                      -- sealed: where the link was sent, before any change
  expires_at timestamptz NOT NULL,
  used_at    timestamptz
);
CREATE INDEX not_me_person ON not_me (person_id);
CREATE INDEX not_me_expiry ON not_me USING brin (expires_at);

-- A stronger proof of a CPF took the account from who held it by their word alone.
CREATE TABLE displacement (
  person_id uuid NOT NULL,
  id        uuid NOT NULL,
  at        timestamptz NOT NULL,
  by_kind   text NOT NULL,                                        -- trust.Kind of the proof
  by_source text NOT NULL,
  held_by   text NOT NULL,                                        -- trust.Kind of the claim; '': none
  ended     jsonb NOT NULL,                                       -- how many of each factor
  PRIMARY KEY (person_id, id)
);
CREATE TRIGGER displacement_stays BEFORE UPDATE OR DELETE ON displacement FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- idp/visitor: people without a CPF, who come in by a telephone number. A number leads to one
-- person; when it has changed hands, to another, and the one before keeps everything but the number.
CREATE TABLE visitor (
  number_index  bytea PRIMARY KEY CHECK (octet_length(number_index) = 32), -- keyed
  index_version smallint NOT NULL,
  person_id     uuid NOT NULL,
  number        bytea NOT NULL,                                   -- sealed, E.164
  tries         smallint NOT NULL DEFAULT 0,                      -- to confirm that it is still this person's
  confirmed_at  timestamptz NOT NULL,                             -- since when it is this person's
  last_used_at  timestamptz NOT NULL CHECK (last_used_at >= confirmed_at)
);
CREATE INDEX visitor_person ON visitor (person_id);

ALTER TABLE mail_code
  DROP CONSTRAINT mail_code_purpose_check,
  ADD CONSTRAINT mail_code_purpose_check CHECK (purpose IN ('register','unlock','visitor'));
ALTER TABLE interaction
  ADD COLUMN visitor   bytea,                                     -- sealed: the number typed
  ADD COLUMN proven_at timestamptz,                               -- its code was answered, and whose it is must be confirmed
  ADD COLUMN joining   uuid;                                      -- the visitor whose record the next sign-in by CPF joins

-- A sign-in whose password was right waits for its second step.
ALTER TABLE interaction
  ADD COLUMN half_person uuid,
  ADD COLUMN half_at     timestamptz,
  ADD CHECK ((half_at IS NULL) = (half_person IS NULL));

-- What the owner recognises a session by: "Firefox, Android".
ALTER TABLE session ADD COLUMN browser text NOT NULL DEFAULT '' CHECK (char_length(browser) <= 40);
