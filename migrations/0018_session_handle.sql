-- A session's cookie begins with its id, as codes and refresh tokens do: it is found by that and counts with the hash of
-- all of it. Sessions opened by the release before are unknown from here on, and those of this one to that: who meets
-- the other release meanwhile signs in once more. Its column stays empty until the next release takes it away: an empty
-- value always goes to one end of its index, where a hash wrote a page of it whole into the WAL.
ALTER TABLE session ADD COLUMN cookie_hash bytea;
ALTER TABLE session ALTER COLUMN secret_hash DROP NOT NULL;

-- An event's id grows with time as its moment does, so that the primary key brings a person's events in order.
DROP INDEX factor_event_at;
