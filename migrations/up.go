package migrations

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// lockKey is the advisory lock of Up: the bytes of "loginuni".
const lockKey = 0x6c6f67696e756e69

// Up applies every migration the database at url lacks, River's included, and returns the names
// of those it applied, in order; none is not an error. A second Up at the same time waits for the
// first and then finds nothing to do.
//
// Errors: ErrNewer and ErrDirty before anything is touched, or the failing file's name and
// PostgreSQL's message; the files before it stay applied, it leaves nothing behind.
func Up(ctx context.Context, url string) (applied []string, err error) {
	pool, err := pg.Open(ctx, url, 2) // one connection holds the lock, the other works
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	return up(ctx, pool, embedded)
}

func up(ctx context.Context, pool *pg.Pool, dir fs.FS) ([]string, error) {
	files, err := read(dir)
	if err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, pool)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := createTable(ctx, pool); err != nil {
		return nil, err
	}
	missing, err := pending(ctx, pool, files)
	if err != nil {
		return nil, err
	}
	var applied []string
	for _, f := range missing {
		if err := apply(ctx, pool, f); err != nil {
			return applied, fmt.Errorf("migration %s: %w", f.Name, err)
		}
		applied = append(applied, f.Name)
	}
	river, err := riverUp(ctx, pool)
	return append(applied, river...), err
}

// lock takes the advisory lock on a connection of its own; the returned function ends both.
func lock(ctx context.Context, pool *pg.Pool) (unlock func(), err error) {
	conn, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("migration lock: %w", err)
	}
	closeConn := func() { _ = conn.Close(context.WithoutCancel(ctx)) } // the lock ends with its session
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(lockKey)); err != nil {
		closeConn()
		return nil, fmt.Errorf("migration lock: %w", err)
	}
	return closeConn, nil
}

func createTable(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `
		CREATE TABLE IF NOT EXISTS schema_migration (
		  version    integer PRIMARY KEY CHECK (version > 0),
		  name       text NOT NULL,
		  sha256     bytea NOT NULL CHECK (octet_length(sha256) = 32),
		  applied_at timestamptz
		)`)
	if err != nil {
		return fmt.Errorf("schema_migration: %w", err)
	}
	return nil
}

func apply(ctx context.Context, pool *pg.Pool, f file) error {
	if f.alone() {
		return applyAlone(ctx, pool, f)
	}
	return pg.InTx(ctx, pool, func(tx pg.Tx) error {
		if err := begin(ctx, tx, f); err != nil {
			return err
		}
		return run(ctx, tx, f)
	})
}

// applyAlone leaves its row without applied_at when it fails half-way: that is ErrDirty from
// then on, since nobody but an operator can tell what the statement left behind.
func applyAlone(ctx context.Context, pool *pg.Pool, f file) error {
	if err := begin(ctx, pool, f); err != nil {
		return err
	}
	return run(ctx, pool, f)
}

func begin(ctx context.Context, db pg.DB, f file) error {
	_, err := db.Exec(ctx, `INSERT INTO schema_migration (version, name, sha256) VALUES ($1, $2, $3)`,
		f.Version, f.Name, f.Sum[:])
	return err
}

// run executes the whole text at once by the simple protocol, then marks the row complete.
func run(ctx context.Context, db pg.DB, f file) error {
	if _, err := db.Exec(ctx, f.SQL, pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	_, err := db.Exec(ctx, `UPDATE schema_migration SET applied_at = clock_timestamp() WHERE version = $1`, f.Version)
	return err
}
