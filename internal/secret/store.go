package secret

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// dataKeys returns the wrapped data keys by purpose; an absent row is an absent entry.
func dataKeys(ctx context.Context, db pg.DB) (map[string][]byte, error) {
	rows, _ := db.Query(ctx, `
		SELECT purpose, wrapped
		  FROM data_key
		 ORDER BY purpose`)
	keys := map[string][]byte{}
	var purpose string
	var wrapped []byte
	_, err := pgx.ForEachRow(rows, []any{&purpose, &wrapped}, func() error {
		keys[purpose] = append([]byte(nil), wrapped...)
		return nil
	})
	return keys, err
}

// insertDataKeys stores the keys that are missing. A row that exists, or that another process is
// committing now, stays. Both rows go in one statement, in one order, so no two callers deadlock.
func insertDataKeys(ctx context.Context, db pg.DB, seal, index []byte) error {
	_, err := db.Exec(ctx, `
		INSERT INTO data_key (purpose, wrapped, created_at)
		VALUES ('seal', @seal, now()), ('index', @index, now())
		ON CONFLICT (purpose) DO NOTHING`,
		pgx.NamedArgs{"seal": seal, "index": index})
	return err
}
