-- Data keys rotate, and there is one per class of data. A purpose other than 'index' has one row:
-- a keyset, which holds its newest key and those that still open what they sealed. The index has a
-- row per version. 'legacy' is the only key that values were sealed under before there were keysets.
ALTER TABLE data_key DROP CONSTRAINT data_key_purpose_check;
ALTER TABLE data_key DROP CONSTRAINT data_key_pkey;
ALTER TABLE data_key
  ADD COLUMN version     smallint NOT NULL DEFAULT 1 CHECK (version > 0),
  ADD COLUMN active_from timestamptz NOT NULL DEFAULT now();       -- the newest key is used from then on
UPDATE data_key SET active_from = created_at;
UPDATE data_key SET purpose = 'legacy' WHERE purpose = 'seal';
ALTER TABLE data_key
  ADD PRIMARY KEY (purpose, version),
  ADD CHECK (purpose IN ('legacy','index','seal','identity','documents','contact','family','complement','record')),
  ADD CHECK (purpose = 'index' OR version = 1);

-- A new key reaches every process without a restart.
CREATE TRIGGER data_key_notify AFTER INSERT OR UPDATE OR DELETE ON data_key FOR EACH STATEMENT EXECUTE FUNCTION notify_change();
