package sms

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// row is one message of the table, as far as sending needs it.
type row struct {
	id      uuid.UUID
	sealed  []byte
	index   []byte
	version int16
	country string
	state   State
	tries   int
	expires time.Time
}

// insertMessage enters a message; false when its request had been made before.
func insertMessage(ctx context.Context, db pg.DB, m row, key, purpose string, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		INSERT INTO sms_message (id, request_key, purpose, number_index, index_version, country, sealed, state, created_at, expires_at)
		VALUES (@id, @key, @purpose, @index, @version, @country, @sealed, 'queued', @now, @expires)
		ON CONFLICT (request_key) DO NOTHING`,
		pg.Args{"id": m.id, "key": key, "purpose": purpose, "index": m.index, "version": m.version, "country": m.country,
			"sealed": m.sealed, "now": now, "expires": m.expires})
	return err == nil && tag.RowsAffected() == 1, err
}

func idOf(ctx context.Context, db pg.DB, key string) (id uuid.UUID, err error) {
	err = db.QueryRow(ctx, `
		SELECT id
		  FROM sms_message
		 WHERE request_key = @key`,
		pg.Args{"key": key}).Scan(&id)
	return id, err
}

// claim marks a queued message as being sent, or as expired, and returns it; the zero row when it is
// not queued. Nobody else may send it from then on.
func claim(ctx context.Context, db pg.DB, id uuid.UUID, carrier string, now time.Time) (m row, err error) {
	err = db.QueryRow(ctx, `
		UPDATE sms_message
		   SET state = CASE WHEN expires_at > @now THEN 'sending' ELSE 'expired' END,
		       sealed = CASE WHEN expires_at > @now THEN sealed END,
		       ended_at = CASE WHEN expires_at > @now THEN NULL ELSE @now::timestamptz END,
		       reason = '', carrier = @carrier, tries = tries + 1, tried_at = @now
		 WHERE id = @id AND state = 'queued'
		RETURNING id, country, sealed, state, tries, expires_at`,
		pg.Args{"id": id, "carrier": carrier, "now": now}).Scan(&m.id, &m.country, &m.sealed, &m.state, &m.tries, &m.expires)
	if pg.NoRows(err) {
		return row{}, nil
	}
	return m, err
}

// markSent notes that the carrier has a message, unless its status has come before.
func markSent(ctx context.Context, db pg.DB, id uuid.UUID, carrierID string, now time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE sms_message
		   SET state = 'sent', sealed = NULL, carrier_id = @carrier_id, tried_at = @now
		 WHERE id = @id AND state = 'sending'`,
		pg.Args{"id": id, "carrier_id": carrierID, "now": now})
	return err
}

// settle moves a message that is being sent. Its text stays only where it will be tried again.
func settle(ctx context.Context, db pg.DB, id uuid.UUID, to State, reason string, now time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE sms_message
		   SET state = @state, reason = @reason, sealed = CASE WHEN @state = 'queued' THEN sealed END,
		       ended_at = CASE WHEN @state IN ('failed','expired') THEN @now::timestamptz END
		 WHERE id = @id AND state = 'sending'`,
		pg.Args{"id": id, "state": string(to), "reason": reason, "now": now})
	return err
}

// expire ends messages whose time is over before a carrier surely had them, and returns their
// countries, one a message.
func expire(ctx context.Context, db pg.DB, now time.Time) ([]string, error) {
	rows, _ := db.Query(ctx, `
		UPDATE sms_message
		   SET state = 'expired', sealed = NULL, ended_at = @now, reason = CASE WHEN state = 'sending' THEN 'in_doubt' ELSE reason END
		 WHERE state IN ('queued','sending') AND expires_at <= @now
		RETURNING country`,
		pg.Args{"now": now})
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// purge forgets, in one round trip.
func purge(ctx context.Context, db pg.DB, trails, early, windows time.Time) error {
	b := new(pgx.Batch)
	b.Queue(`DELETE FROM sms_message WHERE created_at < @before AND state NOT IN ('queued','sending')`, pg.Args{"before": trails})
	b.Queue(`DELETE FROM sms_early WHERE at < @before`, pg.Args{"before": early})
	b.Queue(`DELETE FROM sms_count WHERE ends_at < @before`, pg.Args{"before": windows})
	return db.SendBatch(ctx, b).Close()
}
