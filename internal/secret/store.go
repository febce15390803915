package secret

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// keyRow is one row of data_key.
type keyRow struct {
	Purpose    Purpose
	Version    int16 // 1 but for the index
	Wrapped    []byte
	ActiveFrom time.Time // of the newest key in it
}

// dataKeys returns every row, the newest version of the index first.
func dataKeys(ctx context.Context, db pg.DB) ([]keyRow, error) {
	rows, _ := db.Query(ctx, `
		SELECT purpose, version, wrapped, active_from
		  FROM data_key
		 ORDER BY purpose, version DESC`)
	return pgx.CollectRows(rows, pgx.RowToStructByName[keyRow])
}

// lockDataKeys lets one transaction at a time, of all processes, decide over data keys.
func lockDataKeys(ctx context.Context, tx pg.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('loginunico data_key', 0))`)
	return err
}

// saveDataKey stores a row, new or changed, whose newest key is used after delay, and returns from
// when on that is.
func saveDataKey(ctx context.Context, tx pg.Tx, r keyRow, delay time.Duration) (activeFrom time.Time, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO data_key (purpose, version, wrapped, created_at, active_from)
		VALUES (@purpose, @version, @wrapped, now(), now() + @delay::interval)
		ON CONFLICT (purpose, version) DO UPDATE
		   SET wrapped = excluded.wrapped, active_from = excluded.active_from
		RETURNING active_from`,
		pgx.NamedArgs{"purpose": r.Purpose, "version": r.Version, "wrapped": r.Wrapped, "delay": delay}).Scan(&activeFrom)
	return activeFrom, err
}

// rewrapDataKey exchanges the wrapping of a row, or what it holds, but not the key in use.
func rewrapDataKey(ctx context.Context, tx pg.Tx, r keyRow) error {
	_, err := tx.Exec(ctx, `
		UPDATE data_key
		   SET wrapped = @wrapped
		 WHERE purpose = @purpose AND version = @version`,
		pgx.NamedArgs{"purpose": r.Purpose, "version": r.Version, "wrapped": r.Wrapped})
	return err
}

// deleteDataKey drops a row.
func deleteDataKey(ctx context.Context, tx pg.Tx, r keyRow) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM data_key
		 WHERE purpose = @purpose AND version = @version`,
		pgx.NamedArgs{"purpose": r.Purpose, "version": r.Version})
	return err
}

// dataKeysApart reads on a connection beside the pool's.
func dataKeysApart(ctx context.Context, pool *pg.Pool) ([]keyRow, error) {
	conn, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is left to lose on it
	return dataKeys(ctx, conn)
}
