-- internal/sms: texts, what became of them, and how many were asked for.

CREATE TABLE sms_message (
  id            uuid PRIMARY KEY,
  request_key   text NOT NULL UNIQUE CHECK (length(request_key) BETWEEN 1 AND 200), -- what it was sent for, once
  purpose       text NOT NULL CHECK (purpose <> ''),
  number_index  bytea NOT NULL CHECK (octet_length(number_index) = 32), -- keyed; finds a phone's texts
  index_version smallint NOT NULL,
  country       text NOT NULL CHECK (length(country) <= 3),       -- of the number, for the city's bill and alarms; '' of a decoy
  sealed        bytea,                                            -- number and text, as long as they are needed
  state         text NOT NULL CHECK (state IN ('queued','sending','sent','delivered','failed','expired')),
  reason        text NOT NULL DEFAULT '',                         -- a code or a word, nothing personal
  tries         smallint NOT NULL DEFAULT 0,
  carrier       text NOT NULL DEFAULT '',
  carrier_id    text NOT NULL DEFAULT '',                         -- the carrier's name for it
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL CHECK (expires_at > created_at),
  tried_at      timestamptz,                                      -- the last time it was handed over
  ended_at      timestamptz,
  CHECK (state <> 'queued' OR sealed IS NOT NULL),
  CHECK (state IN ('queued','sending') OR sealed IS NULL),
  CHECK ((state IN ('delivered','failed','expired')) = (ended_at IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX sms_message_carrier ON sms_message (carrier_id, carrier) WHERE carrier_id <> '';
CREATE INDEX sms_message_number ON sms_message (number_index, created_at);
CREATE INDEX sms_message_waiting ON sms_message (expires_at) WHERE state IN ('queued','sending');
CREATE INDEX sms_message_age ON sms_message USING brin (created_at);

-- What a carrier told of a message before it had told us the message's name.
CREATE TABLE sms_early (
  carrier    text NOT NULL,
  carrier_id text NOT NULL CHECK (carrier_id <> ''),
  state      text NOT NULL CHECK (state IN ('delivered','failed','expired')),
  reason     text NOT NULL,
  at         timestamptz NOT NULL,
  PRIMARY KEY (carrier, carrier_id)
);
CREATE INDEX sms_early_age ON sms_early (at);

-- Texts asked for, per window; rows leave when their window is over.
CREATE TABLE sms_count (
  bucket    bytea NOT NULL,                                       -- keyed hash of what is counted, and the window's length
  starts_at timestamptz NOT NULL,
  ends_at   timestamptz NOT NULL CHECK (ends_at > starts_at),
  count     integer NOT NULL CHECK (count > 0),
  PRIMARY KEY (bucket, starts_at)
) WITH (fillfactor = 70);
CREATE INDEX sms_count_expiry ON sms_count USING brin (ends_at);
