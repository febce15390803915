-- registry/staff: who works for the city, where, as what, from when until when. A row is an
-- appointment; it is ended once, by one UPDATE, and never changed otherwise. A change is its end and a
-- successor that names it.

CREATE TABLE employment (
  person_id     uuid NOT NULL,
  id            uuid NOT NULL,
  department    text NOT NULL CHECK (char_length(department) BETWEEN 1 AND 120),
  roles         text[] NOT NULL CHECK (roles <@ '{attendant,supervisor,operator,auditor}'::text[] AND cardinality(roles) > 0),
  starts_at     timestamptz NOT NULL,
  until         timestamptz CHECK (until > starts_at),              -- as planned; NULL: none
  reason        text NOT NULL CHECK (octet_length(reason) BETWEEN 1 AND 500),
  appointed_by  text NOT NULL CHECK (appointed_by <> ''),           -- the account that ran the command
  seconded_by   uuid CHECK (seconded_by <> person_id),              -- who agreed, where two people must
  appointed_at  timestamptz NOT NULL,
  replaces      uuid UNIQUE,                                        -- the appointment that this one changed
  ended_at      timestamptz CHECK (ended_at >= appointed_at),       -- when that was decided, and counts from
  ended_reason  text CHECK (octet_length(ended_reason) BETWEEN 1 AND 500),
  ended_by      text,
  PRIMARY KEY (person_id, id),
  CHECK (num_nulls(ended_at, ended_reason, ended_by) IN (0, 3))
);

-- The instant at which an appointment is over; infinity: no end in sight.
CREATE FUNCTION over_at(e employment) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
  $$ SELECT coalesce(least(e.until, e.ended_at), 'infinity') $$;

CREATE FUNCTION refuse_all_but_ending() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ending text[] := '{ended_at,ended_reason,ended_by}';
BEGIN
  IF OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND to_jsonb(NEW) - ending = to_jsonb(OLD) - ending THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% is only ever ended', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER employment_ended_once BEFORE UPDATE ON employment FOR EACH ROW EXECUTE FUNCTION refuse_all_but_ending();
CREATE TRIGGER employment_stays BEFORE DELETE ON employment FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER employment_whole BEFORE TRUNCATE ON employment FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Nobody holds two appointments at one time: a token tells one department, whose roles they are.
CREATE FUNCTION refuse_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM person WHERE id = NEW.person_id FOR UPDATE;          -- one appointment of a person after the other
  IF EXISTS (SELECT FROM employment e
              WHERE e.person_id = NEW.person_id AND e.starts_at < over_at(e)
                AND e.starts_at < over_at(NEW) AND NEW.starts_at < over_at(e)) THEN
    RAISE EXCEPTION 'appointments overlap' USING ERRCODE = 'exclusion_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER employment_alone BEFORE INSERT ON employment FOR EACH ROW EXECUTE FUNCTION refuse_overlap();

-- What is told of a person changes with their appointments.
CREATE TRIGGER employment_version AFTER INSERT OR UPDATE ON employment FOR EACH ROW EXECUTE FUNCTION count_evidence();

-- The list of everybody, and the look for whoever is left of a role.
CREATE INDEX employment_start ON employment (starts_at);

-- known_person with appointments, packed as evidence is (registry/staff.Columns reads them).
--
--   employment  per row: starts_at, over_at, 8 bytes each as timestamptz travels; roles, divided by
--               spaces; a byte 0; department
CREATE OR REPLACE VIEW known_person AS
SELECT p.id, ARRAY[p.identity, p.documents, p.contact, p.family, p.complements, p.declared] AS sealed, p.updated_at, p.version,
       ARRAY(SELECT e.kind FROM evidence e WHERE e.person_id = p.id ORDER BY e.id) AS kinds,
       ARRAY(SELECT e.source FROM evidence e WHERE e.person_id = p.id ORDER BY e.id) AS sources,
       ARRAY(SELECT e.verified_at FROM evidence e WHERE e.person_id = p.id ORDER BY e.id) AS verified_at,
       ARRAY(SELECT e.expires_at FROM evidence e WHERE e.person_id = p.id ORDER BY e.id) AS expires_at,
       ARRAY(SELECT e.revoked_at FROM evidence e WHERE e.person_id = p.id ORDER BY e.id) AS revoked_at,
       ARRAY(SELECT timestamptz_send(e.verified_at)
                    || coalesce(timestamptz_send(e.expires_at), '\x8000000000000000')
                    || coalesce(timestamptz_send(e.revoked_at), '\x8000000000000000')
                    || textsend(e.kind) || '\x00' || textsend(e.source)
               FROM evidence e
              WHERE e.person_id = p.id
              ORDER BY e.id) AS evidence,
       ARRAY(SELECT timestamptz_send(e.starts_at) || timestamptz_send(over_at(e))
                    || textsend(array_to_string(e.roles, ' ')) || '\x00' || textsend(e.department)
               FROM employment e
              WHERE e.person_id = p.id
              ORDER BY e.id) AS employment
  FROM person p;
