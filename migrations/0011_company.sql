-- For whom a session acts: sealed, and gone with the row.

ALTER TABLE session ADD COLUMN company bytea;      -- company.Set: what was said, and the last choice
ALTER TABLE oauth_grant ADD COLUMN company bytea;  -- company.Company: whom this grant was given for
ALTER TABLE interaction ADD COLUMN company bytea;  -- the choice made in this visit
