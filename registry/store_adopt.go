package registry

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// oldForms takes some rows of the release before; those another process holds are left to it.
func oldForms(ctx context.Context, tx pg.Tx, n int) ([]oldForm, error) {
	rows, _ := tx.Query(ctx, `
		SELECT id, fields, created_at
		  FROM person
		 WHERE fields IS NOT NULL
		 ORDER BY id
		 LIMIT @n
		   FOR UPDATE SKIP LOCKED`,
		pgx.NamedArgs{"n": n})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (o oldForm, err error) {
		return o, row.Scan(&o.id, &o.fields, &o.created)
	})
}
