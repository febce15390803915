-- The audit (internal/audit): who read or changed what of whom, when, why, and under which basis.
-- Events are kept in batches, each holding the hash of the one before; nothing here is ever changed.

-- Partitions of one month each, in UTC. (batch, place) is an event's name.
CREATE TABLE audit_event (
  batch       bigint NOT NULL,
  at          timestamptz NOT NULL,                               -- when it happened
  person_id   uuid,                                               -- whose data; NULL: nobody's
  id          uuid NOT NULL,
  place       integer NOT NULL CHECK (place >= 0),                -- in its batch, from 0
  actor_kind  text NOT NULL CHECK (actor_kind IN ('person','client','operator','system')),
  actor_id    text NOT NULL,
  action      text NOT NULL,
  fields      text[] NOT NULL,                                    -- names, never values
  purpose     text NOT NULL,
  legal_basis text NOT NULL,
  request_id  text NOT NULL,
  detail      jsonb NOT NULL,                                     -- object of strings, nothing personal
  PRIMARY KEY (batch, place, at)
) PARTITION BY RANGE (at);
CREATE INDEX audit_event_person ON audit_event (person_id, at) WHERE person_id IS NOT NULL;

-- Events that came in somebody's transaction and wait, for a second at most, to be given a batch.
CREATE TABLE audit_pending (
  id          uuid PRIMARY KEY,
  at          timestamptz NOT NULL,
  person_id   uuid,
  actor_kind  text NOT NULL CHECK (actor_kind IN ('person','client','operator','system')),
  actor_id    text NOT NULL,
  action      text NOT NULL,
  fields      text[] NOT NULL,
  purpose     text NOT NULL,
  legal_basis text NOT NULL,
  request_id  text NOT NULL,
  detail      jsonb NOT NULL
);

-- The chain: hash covers seq, at, events, prev and root, and root every event. The primary key is
-- what keeps it one chain: a second batch of the same number cannot be written.
CREATE TABLE audit_batch (
  seq    bigint PRIMARY KEY CHECK (seq > 0),
  at     timestamptz NOT NULL,
  events integer NOT NULL CHECK (events > 0),
  marks  bytea NOT NULL CHECK (octet_length(marks) = 8 * events), -- the first bytes of each event's hash
  root   bytea NOT NULL CHECK (octet_length(root) = 32),
  prev   bytea NOT NULL CHECK (octet_length(prev) = 32),          -- hash of seq - 1; zeros for the first
  hash   bytea NOT NULL CHECK (octet_length(hash) = 32)
);
CREATE INDEX audit_batch_at ON audit_batch (at, seq);

CREATE TABLE audit_key (
  kid         text PRIMARY KEY,                                   -- RFC 7638 thumbprint
  public_key  bytea NOT NULL,                                     -- PKIX
  private_key bytea NOT NULL,                                     -- sealed PKCS #8
  created_at  timestamptz NOT NULL
);

CREATE TABLE audit_root (
  day       date PRIMARY KEY,                                     -- in UTC
  jws       text NOT NULL,                                        -- compact, ES256; see audit.Root
  signed_at timestamptz NOT NULL
);

CREATE TRIGGER audit_event_stays BEFORE UPDATE OR DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_pending_stays BEFORE UPDATE ON audit_pending FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_batch_stays BEFORE UPDATE OR DELETE ON audit_batch FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_root_stays BEFORE UPDATE OR DELETE ON audit_root FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_key_stays BEFORE DELETE ON audit_key FOR EACH ROW EXECUTE FUNCTION refuse_change(); -- an UPDATE seals it anew
CREATE TRIGGER audit_event_whole BEFORE TRUNCATE ON audit_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_pending_whole BEFORE TRUNCATE ON audit_pending FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_batch_whole BEFORE TRUNCATE ON audit_batch FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_root_whole BEFORE TRUNCATE ON audit_root FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_key_whole BEFORE TRUNCATE ON audit_key FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- audit_month makes the partition that holds a day, unless it is there. ATTACH, unlike CREATE …
-- PARTITION OF, lets others write meanwhile.
CREATE FUNCTION audit_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  first timestamp := make_timestamp(extract(year FROM day)::int, extract(month FROM day)::int, 1, 0, 0, 0);
  name  text := 'audit_event_' || to_char(day, 'YYYYMM');
BEGIN
  IF to_regclass(name) IS NOT NULL THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('month', hashtext('audit')));
  IF EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = current_schema()::regnamespace) THEN
    RETURN; -- by another, while this waited; to_regclass may still remember that it was not there
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE audit_event INCLUDING CONSTRAINTS)', name);
  EXECUTE format('CREATE TRIGGER audit_event_whole BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
  EXECUTE format('ALTER TABLE audit_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
    first AT TIME ZONE 'UTC', (first + interval '1 month') AT TIME ZONE 'UTC');
END $$;
SELECT audit_month((current_date + make_interval(months => n))::date) FROM generate_series(0, 3) n;
