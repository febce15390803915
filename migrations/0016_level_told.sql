-- idp/evidence: the level of each person as those concerned were told it, and when to look again. It is
-- never where the level is read: that is computed from the evidence at the moment it is asked.
CREATE TABLE level_told (
  person_id  uuid PRIMARY KEY,
  level      smallint NOT NULL CHECK (level BETWEEN 0 AND 5),
  told_at    timestamptz NOT NULL,
  look_at    timestamptz,     -- when it may have changed; -infinity: evidence was written or revoked; NULL: nothing will end
  warned_for timestamptz      -- the end of the level that its holder was warned of
) WITH (fillfactor = 80);
CREATE INDEX level_told_due ON level_told (look_at) WHERE look_at IS NOT NULL;

CREATE FUNCTION level_of(kind text) RETURNS smallint LANGUAGE sql IMMUTABLE AS
$$ SELECT array_position(ARRAY['self_declared','govbr','registry_match','biometric_enrollment','icp_certificate'], kind)::smallint $$;

-- Whoever writes or revokes evidence has it looked at, in the same transaction.
CREATE FUNCTION look_at_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO level_told (person_id, level, told_at, look_at)
  VALUES (NEW.person_id, CASE WHEN NEW.expires_at <= now() OR NEW.revoked_at IS NOT NULL THEN 0 ELSE level_of(NEW.kind) END, now(), '-infinity')
  ON CONFLICT (person_id) DO UPDATE SET look_at = '-infinity';
  RETURN NULL;
END $$;
CREATE TRIGGER evidence_told AFTER INSERT OR UPDATE ON evidence FOR EACH ROW EXECUTE FUNCTION look_at_evidence();
