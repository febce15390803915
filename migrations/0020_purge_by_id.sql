-- Every INSERT into a table with a BRIN index opens that index's map anew, and a sign-in made six. What is over is
-- found without them: an id grows with time and lifetimes are few, so the purge goes along the primary key. throttle
-- holds the tries of the last hours and is read whole by its purge, factor_event once a day.
DROP INDEX interaction_expiry, session_expiry, oauth_grant_expiry, oauth_token_expiry, throttle_expiry, factor_event_age;
