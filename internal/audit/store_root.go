package audit

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// auditKeys returns every key, newest first.
func auditKeys(ctx context.Context, db pg.DB) ([]keyRow, error) {
	rows, _ := db.Query(ctx, `SELECT kid, public_key, private_key, created_at FROM audit_key ORDER BY created_at DESC, kid`)
	return pgx.CollectRows(rows, pgx.RowToStructByName[keyRow])
}

func insertKey(ctx context.Context, tx pg.Tx, k keyRow) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO audit_key (kid, public_key, private_key, created_at)
		VALUES (@kid, @public, @private, @created_at)`,
		pg.Args{"kid": k.KID, "public": k.PublicKey, "private": k.PrivateKey, "created_at": k.CreatedAt})
	return err
}

// firstUnsealed is the day after the last root, or else that of the first batch; found is false when
// there is neither.
func firstUnsealed(ctx context.Context, tx pg.Tx) (day time.Time, found bool, err error) {
	var next *time.Time
	err = tx.QueryRow(ctx, `
		SELECT coalesce((SELECT day + 1 FROM audit_root ORDER BY day DESC LIMIT 1),
		                (SELECT (at AT TIME ZONE 'UTC')::date FROM audit_batch ORDER BY seq LIMIT 1))`).Scan(&next)
	if err != nil || next == nil {
		return day, false, err
	}
	return *next, true, nil
}

// lastBefore is the last batch before a moment; pg.NoRows(err) when there is none.
func lastBefore(ctx context.Context, db pg.DB, end time.Time) (h head, err error) {
	err = db.QueryRow(ctx, `SELECT seq, at, hash FROM audit_batch WHERE at < @end ORDER BY at DESC, seq DESC LIMIT 1`,
		pg.Args{"end": end}).Scan(&h.Seq, &h.At, &h.Hash)
	return h, err
}

func insertRoot(ctx context.Context, tx pg.Tx, day time.Time, jws string, at time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO audit_root (day, jws, signed_at) VALUES (@day, @jws, @at)`,
		pg.Args{"day": day, "jws": jws, "at": at})
	return err
}

// storedRoot is one row of audit_root.
type storedRoot struct {
	Day time.Time
	JWS string
}

// storedRoots returns the roots of the days from from on, oldest first.
func storedRoots(ctx context.Context, db pg.DB, from time.Time) ([]storedRoot, error) {
	rows, _ := db.Query(ctx, `SELECT day, jws FROM audit_root WHERE day >= @from::date ORDER BY day`, pg.Args{"from": from})
	return pgx.CollectRows(rows, pgx.RowToStructByName[storedRoot])
}
