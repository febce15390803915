-- The acr that the service asked for, below which this grant gives nothing; 0: whatever is reached.
ALTER TABLE oauth_grant ADD COLUMN needs smallint NOT NULL DEFAULT 0 CHECK (needs BETWEEN 0 AND 5);
