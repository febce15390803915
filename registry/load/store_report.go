package load

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// Load is a load of the list, whether it has ended or not.
type Load struct {
	ID       uuid.UUID
	Name     string
	Sources  []string
	Started  time.Time
	Finished *time.Time // nil: under way, or interrupted
	Records  int64      // filed
}

// Loads lists the newest loads first.
func Loads(ctx context.Context, db pg.DB, n int) ([]Load, error) {
	rows, _ := db.Query(ctx, `
		SELECT l.id, l.name, l.sources, l.started_at AS started, l.finished_at AS finished,
		       coalesce((SELECT sum((c.counts->>'records')::bigint) FROM registry_load_chunk c WHERE c.load_id = l.id), 0)::bigint AS records
		  FROM registry_load l
		 ORDER BY l.started_at DESC, l.id DESC
		 LIMIT @n`,
		pgx.NamedArgs{"n": n})
	return pgx.CollectRows(rows, pgx.RowToStructByName[Load])
}

// Loaded says whether a load of this name has ended.
func Loaded(ctx context.Context, db pg.DB, name string) (done bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM registry_load WHERE name = @name AND finished_at IS NOT NULL)`,
		pgx.NamedArgs{"name": name}).Scan(&done)
	return done, err
}
