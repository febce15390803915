package keys

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// keyRow is one row of signing_key.
type keyRow struct {
	KID        string
	Alg        string
	PrivateKey []byte // sealed PKCS #8
	CreatedAt  time.Time
	SignsFrom  time.Time
	SignsUntil *time.Time // nil: the newest of its algorithm
	GoneAt     *time.Time // nil: no end in sight
}

// signingKeys returns every key, the one that signs latest first.
func signingKeys(ctx context.Context, db pg.DB) ([]keyRow, error) {
	rows, _ := db.Query(ctx, `
		SELECT kid, alg, private_key, created_at, signs_from, signs_until, gone_at
		  FROM signing_key
		 ORDER BY signs_from DESC, signs_until DESC NULLS FIRST, kid`)
	return pgx.CollectRows(rows, pgx.RowToStructByName[keyRow])
}

// lockKeys lets one transaction at a time, of all processes, decide over keys.
func lockKeys(ctx context.Context, tx pg.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('loginunico signing_key', 0))`)
	return err
}

// insertKey stores a new key as the newest of its algorithm.
func insertKey(ctx context.Context, tx pg.Tx, k keyRow) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO signing_key (kid, alg, private_key, created_at, signs_from)
		VALUES (@kid, @alg, @private_key, @created_at, @signs_from)`,
		pgx.NamedArgs{"kid": k.KID, "alg": k.Alg, "private_key": k.PrivateKey, "created_at": k.CreatedAt, "signs_from": k.SignsFrom})
	return err
}

// endKeys gives the keys of an algorithm an end, unless they have an earlier one: the moment their
// successor signs, and the moment they leave the JWKS.
func endKeys(ctx context.Context, tx pg.Tx, alg string, until, gone time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE signing_key
		   SET signs_until = @until, gone_at = @gone
		 WHERE alg = @alg AND (signs_until IS NULL OR signs_until > @until)`,
		pgx.NamedArgs{"alg": alg, "until": until, "gone": gone})
	return err
}

// deletePending drops the keys of an algorithm that have not signed yet.
func deletePending(ctx context.Context, tx pg.Tx, alg string, now time.Time) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM signing_key
		 WHERE alg = @alg AND signs_from > @now`,
		pgx.NamedArgs{"alg": alg, "now": now})
	return err
}

// deleteKey drops one key and returns when it stopped or would stop signing; nil: no end was in
// sight. ErrKeyNotFound when there is no such key.
func deleteKey(ctx context.Context, tx pg.Tx, kid string) (signsUntil *time.Time, err error) {
	err = tx.QueryRow(ctx, `
		DELETE FROM signing_key
		 WHERE kid = @kid
		RETURNING signs_until`,
		pgx.NamedArgs{"kid": kid}).Scan(&signsUntil)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrKeyNotFound
	}
	return signsUntil, err
}

// deleteRetired drops keys that left the JWKS before a moment.
func deleteRetired(ctx context.Context, tx pg.Tx, before time.Time) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM signing_key
		 WHERE gone_at < @before`,
		pgx.NamedArgs{"before": before})
	return err
}
