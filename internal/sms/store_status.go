package sms

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// told is how long a carrier may repeat itself about a message; then its name may be another's.
const told = 48 * time.Hour

// hear moves the live message that a status is of to its end: one conditional UPDATE, so that of two
// statuses the first holds. moved is that message's country, nil when there was none; early says that
// none is known by the carrier's name yet and the status was kept.
func hear(ctx context.Context, db pg.DB, st Status, now time.Time) (moved *string, early bool, err error) {
	var ref *uuid.UUID
	if st.Ref != uuid.Nil {
		ref = &st.Ref
	}
	err = db.QueryRow(ctx, `
		WITH moved AS (
		     UPDATE sms_message
		        SET state = @state, reason = @reason, ended_at = @now, sealed = NULL,
		            carrier_id = CASE WHEN carrier_id = '' THEN @carrier_id ELSE carrier_id END
		      WHERE state IN ('sending','sent') AND carrier = @carrier
		        AND id = (SELECT id
		                    FROM sms_message
		                   WHERE state IN ('sending','sent') AND carrier = @carrier
		                     AND (id = @ref OR carrier_id = @carrier_id AND carrier_id <> '')
		                   ORDER BY created_at DESC
		                   LIMIT 1)
		     RETURNING country),
		     early AS (
		     INSERT INTO sms_early (carrier, carrier_id, state, reason, at)
		     SELECT @carrier, @carrier_id, @state, @reason, @now
		      WHERE @carrier_id <> '' AND NOT EXISTS (SELECT FROM moved)
		        AND NOT EXISTS (SELECT FROM sms_message
		                         WHERE carrier = @carrier AND carrier_id = @carrier_id AND carrier_id <> '' AND created_at > @recent)
		     ON CONFLICT (carrier, carrier_id) DO NOTHING
		     RETURNING 1)
		SELECT (SELECT country FROM moved), EXISTS (SELECT FROM early)`,
		pg.Args{"carrier": st.Carrier, "carrier_id": st.ID, "ref": ref, "state": string(st.State), "reason": st.Reason,
			"now": now, "recent": now.Add(-told)}).
		Scan(&moved, &early)
	return moved, early, err
}

// applyEarly moves a sent message to the end that its carrier told of too early, if it did. Whoever
// notes the later of the two, message or status, finds both. It returns the end, "" for none, and the
// message's country.
func applyEarly(ctx context.Context, db pg.DB, carrier, carrierID string) (end State, country string, err error) {
	err = db.QueryRow(ctx, `
		WITH message AS (
		     SELECT id
		       FROM sms_message
		      WHERE state = 'sent' AND carrier = @carrier AND carrier_id = @carrier_id AND carrier_id <> ''
		      ORDER BY created_at DESC
		      LIMIT 1
		        FOR UPDATE),
		     early AS (
		     DELETE FROM sms_early
		      WHERE carrier = @carrier AND carrier_id = @carrier_id AND EXISTS (SELECT FROM message)
		     RETURNING state, reason, at)
		UPDATE sms_message
		   SET state = early.state, reason = early.reason, ended_at = early.at
		  FROM early, message
		 WHERE sms_message.id = message.id
		RETURNING sms_message.state, sms_message.country`,
		pg.Args{"carrier": carrier, "carrier_id": carrierID}).Scan(&end, &country)
	if pg.NoRows(err) {
		return "", "", nil
	}
	return end, country, err
}

func trailOf(ctx context.Context, db pg.DB, key string) (Trail, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, purpose, state, reason, carrier, created_at, ended_at
		  FROM sms_message
		 WHERE request_key = @key`,
		pg.Args{"key": key})
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Trail])
}

// trailsTo returns a number's texts, newest first; none is an empty slice. Decoys are nobody's.
func trailsTo(ctx context.Context, db pg.DB, numbers [][]byte, since time.Time) ([]Trail, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, purpose, state, reason, carrier, created_at, ended_at
		  FROM sms_message
		 WHERE number_index = ANY (@numbers) AND created_at >= @since
		 ORDER BY created_at DESC
		 LIMIT 100`,
		pg.Args{"numbers": numbers, "since": since})
	return pgx.CollectRows(rows, pgx.RowToStructByName[Trail])
}
