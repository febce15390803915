package migrations

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

var (
	// ErrNewer: the database has migrations this binary does not know; use the newer release.
	ErrNewer = errors.New("the database schema is newer than this program")
	// ErrDirty: a migration did not finish, or its file was edited after it was applied.
	ErrDirty = errors.New("the database schema is dirty")
	// ErrPending: migrations wait; `loginunico migrate` applies them.
	ErrPending = errors.New("the database schema is older than this program; run: loginunico migrate")
)

// Check reports whether the schema is exactly the one this binary was built for.
// Errors, by errors.Is: ErrNewer, ErrDirty, ErrPending; anything else is the database's.
func Check(ctx context.Context, pool *pg.Pool) error {
	files, err := read(embedded)
	if err != nil {
		return err
	}
	var exists bool
	if err := pool.QueryRow(ctx, `SELECT to_regclass('schema_migration') IS NOT NULL`).Scan(&exists); err != nil {
		return fmt.Errorf("schema_migration: %w", err)
	}
	if !exists {
		return ErrPending
	}
	missing, err := pending(ctx, pool, files)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w (%s is missing)", ErrPending, missing[0].Name)
	}
	return riverCheck(ctx, pool)
}

// row is what the database says about one migration.
type row struct {
	Version   int
	Name      string
	Sum       []byte `db:"sha256"`
	AppliedAt *time.Time
}

// pending compares files with the database and returns those not applied yet, by version.
func pending(ctx context.Context, db pg.DB, files []file) ([]file, error) {
	rows, _ := db.Query(ctx, `SELECT version, name, sha256, applied_at FROM schema_migration ORDER BY version`)
	done, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return nil, fmt.Errorf("schema_migration: %w", err)
	}
	if len(done) > len(files) {
		return nil, fmt.Errorf("%w: it has %s, the last known here is number %d", ErrNewer, done[len(done)-1].Name, len(files))
	}
	for i, r := range done {
		if err := compare(r, files[i]); err != nil {
			return nil, err
		}
	}
	return files[len(done):], nil
}

func compare(r row, f file) error {
	switch {
	case r.Version != f.Version:
		return fmt.Errorf("%w: %s is applied but %s is not", ErrDirty, r.Name, f.Name)
	case r.AppliedAt == nil:
		return fmt.Errorf("%w: %s did not finish", ErrDirty, r.Name)
	case !bytes.Equal(r.Sum, f.Sum[:]):
		return fmt.Errorf("%w: %s was edited after it was applied", ErrDirty, r.Name)
	}
	return nil
}
