package load

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// lockSources lets one load at a time touch a source, by session locks on a connection of its own:
// they end with the process. It waits for whoever has one.
func lockSources(ctx context.Context, db *pg.Pool, sources []string) (unlock func(), err error) {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	sorted := slices.Sorted(slices.Values(sources)) // in one order, so that two loads cannot wait for each other
	for _, source := range sorted {
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtextextended(@source, 156))`, pgx.NamedArgs{"source": source}); err != nil {
			_ = conn.Conn().Close(context.WithoutCancel(ctx))
			conn.Release()
			return nil, err
		}
	}
	return func() {
		_ = conn.Conn().Close(context.WithoutCancel(ctx)) // releases the locks; the pool opens another
		conn.Release()
	}, nil
}

// beginLoad finds the load of a digest, which may have been interrupted, or notes a new one. A load
// that was the first of its sources is so no more when another came in between.
func beginLoad(ctx context.Context, tx pg.Tx, sources []string, name string, digest []byte, asOf time.Time, policy int, now time.Time) (s started, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO registry_load (id, sources, name, digest, as_of, fresh, policy, started_at)
		SELECT @id, @sources, @name, @digest, @as_of, NOT EXISTS (SELECT 1 FROM registry_load WHERE sources && @sources), @policy, @now
		ON CONFLICT (digest) DO UPDATE SET name = excluded.name
		RETURNING id, fresh AND NOT EXISTS (SELECT 1 FROM registry_load o WHERE o.sources && @sources AND o.id <> registry_load.id), finished_at IS NOT NULL`,
		pgx.NamedArgs{"id": pg.NewID(), "sources": sources, "name": name, "digest": digest, "as_of": asOf, "policy": policy, "now": now}).
		Scan(&s.id, &s.fresh, &s.finished)
	return s, err
}

func finishLoad(ctx context.Context, db pg.DB, id uuid.UUID, r *Report, now time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE registry_load
		   SET finished_at = coalesce(finished_at, @now), report = coalesce(report, @report)
		 WHERE id = @id`,
		pgx.NamedArgs{"id": id, "report": r, "now": now})
	return err
}

// Reports lists the newest loads that have ended.
func Reports(ctx context.Context, db pg.DB, n int) ([]Report, error) {
	rows, _ := db.Query(ctx, `
		SELECT report
		  FROM registry_load
		 WHERE report IS NOT NULL
		 ORDER BY started_at DESC
		 LIMIT @n`,
		pgx.NamedArgs{"n": n})
	return pgx.CollectRows(rows, pgx.RowTo[Report])
}

// ReportOf returns the report of a load; pg.NoRows when there is none.
func ReportOf(ctx context.Context, db pg.DB, id uuid.UUID) (r Report, err error) {
	err = db.QueryRow(ctx, `
		SELECT report
		  FROM registry_load
		 WHERE id = @id AND report IS NOT NULL`,
		pgx.NamedArgs{"id": id}).Scan(&r)
	return r, err
}
