-- Nobody is told of what was before there was anybody to tell. A migration of its own, because the trigger's lock
-- would keep evidence from being written as long as this reads.
INSERT INTO level_told (person_id, level, told_at, look_at)
SELECT person_id,
       coalesce(max(level_of(kind)) FILTER (WHERE revoked_at IS NULL AND verified_at <= now() AND (expires_at IS NULL OR expires_at > now())), 0),
       now(),
       CASE WHEN bool_or(expires_at IS NOT NULL) THEN '-infinity'::timestamptz END
  FROM evidence
 GROUP BY person_id
    ON CONFLICT (person_id) DO NOTHING;
