-- The person registry. A person's current values are computed (registry/pmcc) from the records of
-- the sources, which are immutable, and stand sealed in person, one column per sensitivity class.

-- Exact look-up by CPF or CNPJ: the first 16 bytes of a keyed HMAC. It stands apart from person so
-- that a merge, a new index key and people without a document move no rows.
CREATE TABLE cpf_index (
  index       uuid NOT NULL,
  key_version smallint NOT NULL DEFAULT 1,                           -- of the HMAC key
  person_id   uuid NOT NULL,
  PRIMARY KEY (index)
);

INSERT INTO cpf_index (index, person_id)
SELECT encode(substring(cpf_index FOR 16), 'hex')::uuid, id
  FROM person
 WHERE cpf_index IS NOT NULL;

DROP VIEW known_person;
ALTER TABLE person
  DROP COLUMN cpf_index,
  ALTER COLUMN fields DROP NOT NULL,                                 -- the form before; registry.Store.Adopt empties it
  ADD COLUMN began_with uuid,                                        -- first_record with the records they began with; NULL: those are in source_record
  ADD COLUMN kind        text NOT NULL DEFAULT 'natural' CHECK (kind IN ('natural','legal')),
  ADD COLUMN identity    bytea,                                      -- sealed, registry/sealed.go
  ADD COLUMN documents   bytea,
  ADD COLUMN contact     bytea,
  ADD COLUMN family      bytea,
  ADD COLUMN complements bytea,
  ADD COLUMN declared    bytea,                                      -- the citizen's own words; NULL: none
  ADD COLUMN policy      integer,                                    -- version the values were computed by
  ADD COLUMN undocumented boolean NOT NULL DEFAULT false,            -- neither CPF nor CNPJ
  ADD COLUMN merged_into uuid CHECK (merged_into <> id);
CREATE INDEX person_merged ON person (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX person_undocumented ON person (id) WHERE undocumented AND merged_into IS NULL;
CREATE INDEX person_old_form ON person (id) WHERE fields IS NOT NULL;
-- Who changed lately, for the matching run; who is new it knows by the time in their ids, so that first
-- loads pay nothing.
CREATE INDEX person_changed ON person (updated_at) WHERE updated_at > created_at;

CREATE VIEW known_person AS
SELECT p.id, ARRAY[p.identity, p.documents, p.contact, p.family, p.complements, p.declared] AS sealed, p.updated_at, p.version,
       ev.kinds, ev.sources, ev.verified_at, ev.expires_at, ev.revoked_at
  FROM person p
  CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(e.kind), '{}') AS kinds,
              coalesce(array_agg(e.source), '{}') AS sources,
              coalesce(array_agg(e.verified_at), '{}') AS verified_at,
              coalesce(array_agg(e.expires_at), '{}') AS expires_at,
              coalesce(array_agg(e.revoked_at), '{}') AS revoked_at
         FROM evidence e
        WHERE e.person_id = p.id) ev;

-- Who a CPF or CNPJ leads to: the person, or whom they were merged into.
CREATE VIEW found_person AS
SELECT i.index, coalesce(p.merged_into, p.id) AS person_id
  FROM cpf_index i
  JOIN person p ON p.id = i.person_id;

-- Records of the sources, as they came in: a row is what came of one person at one time.
-- person_id is the person it was first filed under; a merge links people and leaves records where
-- they are. The id's time is when they were received.
CREATE TABLE source_record (
  person_id uuid NOT NULL,
  id        uuid NOT NULL,                                           -- its last byte is 0, and counts the records in it
  load_id   uuid,                                                    -- NULL: not from a load
  content   bytea NOT NULL,                                          -- sealed, registry/sealed_records.go
  PRIMARY KEY (person_id, id)
);
-- The same of several people whom a load met for the first time: a seal, a row and an index entry for
-- each of them would cost more than what they say. It is a table of its own since what comes later
-- would be put into the room its pages have left, all over them.
CREATE TABLE first_record (
  id      uuid PRIMARY KEY,
  load_id uuid NOT NULL,
  content bytea NOT NULL
) WITH (toast_tuple_target = 8160);                                  -- whole, as far as it fits into a page
-- Sealed values do not compress, and PostgreSQL need not try; nor is there anything to learn from them.
ALTER TABLE source_record ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE first_record ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE person ALTER COLUMN identity SET STORAGE EXTERNAL, ALTER COLUMN documents SET STORAGE EXTERNAL,
  ALTER COLUMN contact SET STORAGE EXTERNAL, ALTER COLUMN family SET STORAGE EXTERNAL,
  ALTER COLUMN complements SET STORAGE EXTERNAL, ALTER COLUMN declared SET STORAGE EXTERNAL;
ALTER TABLE source_record ALTER COLUMN content SET STATISTICS 0;
ALTER TABLE first_record ALTER COLUMN content SET STATISTICS 0;
ALTER TABLE person ALTER COLUMN identity SET STATISTICS 0, ALTER COLUMN documents SET STATISTICS 0,
  ALTER COLUMN contact SET STATISTICS 0, ALTER COLUMN family SET STATISTICS 0,
  ALTER COLUMN complements SET STATISTICS 0, ALTER COLUMN declared SET STATISTICS 0;

-- Where a load finds the record it delivers again: under which person, and whether it says the same.
-- Loads alone write and read it. The index is away while a first load fills an empty registry.
CREATE TABLE record_key (
  key       bigint NOT NULL,                                         -- keyed digest of source and its own key
  digest    bigint,                                                  -- keyed digest of the content; NULL: it was about somebody else
  filed     bigint NOT NULL,                                         -- the first 8 bytes of the record's row: later is larger
  person_id uuid NOT NULL
);
-- record_key_index makes the index, or takes it away if there is nothing in it yet; one at a time,
-- since two who have both looked would each keep the other from dropping it.
CREATE FUNCTION record_key_index(wanted boolean) RETURNS void LANGUAGE plpgsql SET maintenance_work_mem = '256MB' AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('record_key_index', 156));
  IF wanted AND to_regclass('record_key_key') IS NULL THEN
    CREATE INDEX record_key_key ON record_key (key);
  ELSIF NOT wanted AND NOT EXISTS (SELECT FROM record_key) THEN
    DROP INDEX IF EXISTS record_key_key;
  END IF;
END $$;
SELECT record_key_index(true);
-- Vacuum would read and write all that a load has just written once more while it is at it, only to note
-- that everybody sees it. It comes for what is updated, and where a table grows old.
ALTER TABLE person SET (autovacuum_vacuum_insert_threshold = -1);
ALTER TABLE cpf_index SET (autovacuum_vacuum_insert_threshold = -1);
ALTER TABLE source_record SET (autovacuum_vacuum_insert_threshold = -1);
ALTER TABLE first_record SET (autovacuum_vacuum_insert_threshold = -1);
ALTER TABLE record_key SET (autovacuum_vacuum_insert_threshold = -1);
-- What a row says never changes; it is only ever sealed again, under a newer key.
CREATE FUNCTION refuse_all_but_resealing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - TG_ARGV[0] = to_jsonb(OLD) - TG_ARGV[0] THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER source_record_immutable BEFORE UPDATE OR DELETE ON source_record FOR EACH ROW EXECUTE FUNCTION refuse_all_but_resealing('content');
CREATE TRIGGER first_record_immutable BEFORE UPDATE OR DELETE ON first_record FOR EACH ROW EXECUTE FUNCTION refuse_all_but_resealing('content');

-- The key of the digests above, sealed; one row for good.
CREATE TABLE registry_key (
  one    boolean PRIMARY KEY CHECK (one),
  sealed bytea NOT NULL
);

-- What a human decided about one field of one person.
CREATE TABLE person_override (
  person_id uuid NOT NULL,
  id        uuid NOT NULL,
  action    text NOT NULL CHECK (action IN ('set','remove','release','approve','refuse')),
  field     text NOT NULL,                                           -- "name", "benefit/bpc"
  value     bytea,                                                   -- sealed text of a set
  record_id uuid,                                                    -- what an approve or refuse answers
  actor     text NOT NULL,
  reason    text NOT NULL,
  PRIMARY KEY (person_id, id),
  CHECK ((action = 'set') = (value IS NOT NULL)),
  CHECK ((action IN ('approve','refuse')) = (record_id IS NOT NULL))
);
CREATE TRIGGER person_override_immutable BEFORE UPDATE OR DELETE ON person_override FOR EACH ROW EXECUTE FUNCTION refuse_all_but_resealing('value');

-- Values that wait for a human; rewritten whenever the person is computed.
CREATE TABLE pending_value (
  person_id uuid NOT NULL,
  record_id uuid NOT NULL,
  field     text NOT NULL,
  source    text NOT NULL,                                           -- of the record
  rule      integer NOT NULL,
  policy    integer NOT NULL,
  PRIMARY KEY (person_id, record_id, field)
);

-- Who is whom. Every row is kept; the state is person.merged_into.
CREATE TABLE link_decision (
  person_id  uuid NOT NULL,                                          -- who stays
  id         uuid NOT NULL,
  other_id   uuid NOT NULL CHECK (other_id <> person_id),
  kind       text NOT NULL CHECK (kind IN ('merge','unmerge','apart')),
  actor      text NOT NULL,
  reason     text NOT NULL,
  detail     jsonb NOT NULL DEFAULT '{}',                            -- score and its parts, moved look-ups
  PRIMARY KEY (person_id, id)
);
CREATE INDEX link_decision_other ON link_decision (other_id);
CREATE TRIGGER link_decision_immutable BEFORE UPDATE OR DELETE ON link_decision FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The policy, every version.
CREATE TABLE pmcc_version (
  version    integer PRIMARY KEY CHECK (version > 0),
  policy     text NOT NULL,                                          -- the YAML as applied
  digest     bytea NOT NULL CHECK (octet_length(digest) = 32),
  applied_at timestamptz NOT NULL
);
CREATE TRIGGER pmcc_version_immutable BEFORE UPDATE OR DELETE ON pmcc_version FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Batch loads and how far each has come.
CREATE TABLE registry_load (
  id          uuid PRIMARY KEY,
  sources     text[] NOT NULL,
  name        text NOT NULL,                                         -- the file's or folder's
  digest      bytea NOT NULL CHECK (octet_length(digest) = 32),      -- of the records read: the same load
  as_of       date NOT NULL,                                         -- since when a record is so that does not say it
  fresh       boolean NOT NULL,                                      -- nothing of these sources was ever filed before
  policy      integer NOT NULL,
  started_at  timestamptz NOT NULL,
  finished_at timestamptz,
  report      jsonb                                                  -- load.Report
);
CREATE UNIQUE INDEX registry_load_once ON registry_load (digest);

CREATE TABLE registry_load_chunk (
  load_id      uuid NOT NULL,
  chunk        integer NOT NULL,
  counts       jsonb NOT NULL,
  committed_at timestamptz NOT NULL,
  PRIMARY KEY (load_id, chunk)
);

-- Blocking keys (keyed, 64 bits): people who share one are compared. Filled by the matching run.
CREATE TABLE match_block (
  block     bigint NOT NULL,
  person_id uuid NOT NULL,
  PRIMARY KEY (block, person_id)
);
CREATE INDEX match_block_person ON match_block (person_id);

-- Whom the matching run has still to look at, and up to which change it has noted them.
CREATE TABLE match_todo (
  person_id    uuid PRIMARY KEY,
  undocumented boolean NOT NULL,
  blocked      boolean NOT NULL DEFAULT false,                       -- their keys are filed: they may be compared
  narrowed     smallint NOT NULL DEFAULT 0                           -- their large blocks: 1 are being looked into, 2 were
);
-- Whom they are most like in blocks too large to compare everybody with everybody.
CREATE TABLE match_near (
  person_id uuid NOT NULL,
  other_id  uuid NOT NULL,
  PRIMARY KEY (person_id, other_id)
);
CREATE TABLE match_progress (
  one  boolean PRIMARY KEY CHECK (one),
  upto timestamptz NOT NULL
);

-- Pairs that a human must judge.
CREATE TABLE match_review (
  person_id  uuid NOT NULL,                                          -- the smaller id of the two
  other_id   uuid NOT NULL CHECK (other_id > person_id),
  score      real NOT NULL,
  parts      jsonb NOT NULL,                                         -- how the score came about, without values
  found_at   timestamptz NOT NULL,
  decided_at timestamptz,
  decision   text CHECK (decision IN ('merge','apart')),
  PRIMARY KEY (person_id, other_id),
  CHECK ((decided_at IS NULL) = (decision IS NULL))
);
CREATE INDEX match_review_open ON match_review (score DESC) WHERE decided_at IS NULL;
CREATE INDEX match_review_other ON match_review (other_id);
