-- What the hot paths read of a person, cheaper: a sub-select per column costs nothing where the
-- column is not asked for, and evidence is one value of few bytes (registry/trust.Columns reads it)
-- where five aggregates were. The older columns stay for the release before.
--
--   evidence  per row: verified_at, expires_at, revoked_at, 8 bytes each as timestamptz travels
--             (0x80 and seven 0: none); kind; a byte 0; source
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
              ORDER BY e.id) AS evidence
  FROM person p;

-- Tokens of which the audit does not know yet: written with the token, in its statement, and emptied
-- every few seconds. It is read as a whole, so it has no index, and a token costs it 44 bytes.
CREATE TABLE token_unaudited (
  token_id uuid NOT NULL
);

-- Codes and tokens carry the id of their row (idp/token/handles.go), which grows with time, so that
-- what is written together lies together; their hashes need no index. A token from before this
-- carries none and counts no more: its service signs the citizen in again.
DELETE FROM oauth_token;
ALTER TABLE oauth_token DROP CONSTRAINT oauth_token_pkey, DROP CONSTRAINT oauth_token_refresh_hash_key,
  ADD COLUMN id uuid PRIMARY KEY;
ALTER TABLE oauth_grant DROP CONSTRAINT oauth_grant_code_hash_key;
