package audit

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// bounds are the first and the last batch of from ≤ at < to, where a zero time is no limit; end <
// first when there is none. Without limits first is 1, whether that batch is there or not, and end
// the highest.
func bounds(ctx context.Context, db pg.DB, from, to time.Time) (first, end int64, err error) {
	if to.IsZero() {
		to = endOfTime
	}
	err = db.QueryRow(ctx, `
		SELECT coalesce((SELECT seq FROM audit_batch WHERE at >= @from ORDER BY at, seq LIMIT 1), 0),
		       coalesce((SELECT seq FROM audit_batch WHERE at < @to ORDER BY at DESC, seq DESC LIMIT 1), 0)`,
		pg.Args{"from": from, "to": to}).Scan(&first, &end)
	if from.IsZero() {
		first = 1
	}
	if first == 0 { // all batches are older
		first = end + 1
	}
	return first, end, err
}

// batchHead is what the next batch knows of batch seq; pg.NoRows(err) when it is not there.
func batchHead(ctx context.Context, db pg.DB, seq int64) (h head, err error) {
	err = db.QueryRow(ctx, `SELECT seq, at, hash FROM audit_batch WHERE seq = @seq`, pg.Args{"seq": seq}).Scan(&h.Seq, &h.At, &h.Hash)
	return h, err
}

// batchesBetween returns the batches first … last that are there, in order.
func batchesBetween(ctx context.Context, db pg.DB, first, last int64) ([]batch, error) {
	rows, _ := db.Query(ctx, `
		SELECT seq, at, events, marks, root, prev, hash
		  FROM audit_batch
		 WHERE seq BETWEEN @first AND @last
		 ORDER BY seq`,
		pg.Args{"first": first, "last": last})
	return pgx.CollectRows(rows, pgx.RowToStructByName[batch])
}

// eventsBetween gives each event of the batches first … last to fn, in order, and stops with fn's
// error. The event is fn's only until it returns.
func eventsBetween(ctx context.Context, db pg.DB, first, last int64, fn func(seq int64, place int, e *Event) error) error {
	rows, _ := db.Query(ctx, `
		SELECT batch, place, id, at, coalesce(person_id, '00000000-0000-0000-0000-000000000000'), actor_kind, actor_id, action, fields, purpose, legal_basis, request_id, detail
		  FROM audit_event
		 WHERE batch BETWEEN @first AND @last
		 ORDER BY batch, place, at`,
		pg.Args{"first": first, "last": last})
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var place int
		var e Event
		if err := rows.Scan(append([]any{&seq, &place}, e.into()...)...); err != nil {
			return err
		}
		if err := fn(seq, place, &e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// eventWithoutBatch is the first event after batch end that no batch has; pg.NoRows(err) when all is
// well.
func eventWithoutBatch(ctx context.Context, db pg.DB, end int64) (seq int64, place int, id uuid.UUID, err error) {
	err = db.QueryRow(ctx, `
		SELECT e.batch, e.place, e.id
		  FROM audit_event e
		 WHERE e.batch > @end AND NOT EXISTS (SELECT FROM audit_batch b WHERE b.seq = e.batch)
		 ORDER BY e.batch, e.place, e.at
		 LIMIT 1`,
		pg.Args{"end": end}).Scan(&seq, &place, &id)
	return seq, place, id, err
}

func countPending(ctx context.Context, db pg.DB) (n int64, err error) {
	err = db.QueryRow(ctx, `SELECT count(*) FROM audit_pending`).Scan(&n)
	return n, err
}
