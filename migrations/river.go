package migrations

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/loginunico/loginunico/internal/pg"
)

// migrator is River's own; pool may be nil where no database is asked.
func migrator(pool *pg.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	return rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
}

// riverWanted is the last version of River's tables known to this binary.
func riverWanted() (int, error) {
	m, err := migrator(nil)
	if err != nil {
		return 0, fmt.Errorf("river: %w", err)
	}
	all := m.AllVersions()
	return all[len(all)-1].Version, nil
}

func riverUp(ctx context.Context, pool *pg.Pool) ([]string, error) {
	m, err := migrator(pool)
	if err != nil {
		return nil, fmt.Errorf("river: %w", err)
	}
	done, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if err != nil {
		return nil, fmt.Errorf("river: %w", err)
	}
	var applied []string
	for _, v := range done.Versions {
		applied = append(applied, fmt.Sprintf("river %03d %s", v.Version, v.Name))
	}
	return applied, nil
}

func riverCheck(ctx context.Context, pool *pg.Pool) error {
	wanted, err := riverWanted()
	if err != nil {
		return err
	}
	var exists bool
	if err := pool.QueryRow(ctx, `SELECT to_regclass('river_migration') IS NOT NULL`).Scan(&exists); err != nil {
		return fmt.Errorf("river_migration: %w", err)
	}
	if !exists {
		return fmt.Errorf("%w (the job tables are missing)", ErrPending)
	}
	var have int
	err = pool.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM river_migration WHERE line = 'main'`).Scan(&have)
	switch {
	case err != nil:
		return fmt.Errorf("river_migration: %w", err)
	case have > wanted:
		return fmt.Errorf("%w: job tables %d, known here %d", ErrNewer, have, wanted)
	case have < wanted:
		return fmt.Errorf("%w (job tables %d of %d)", ErrPending, have, wanted)
	}
	return nil
}
