package audit

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// ResealKeys seals the keys of the roots again that an old data key has sealed.
func ResealKeys(ctx context.Context, db *pg.Pool, box *secret.Box) (int64, error) {
	return secret.Renew(ctx, db, box.Class(secret.General), keysAfter, replaceKey)
}

func keysAfter(ctx context.Context, tx pg.Tx, after string) ([]secret.Stored[string], error) {
	rows, _ := tx.Query(ctx, `
		SELECT kid, private_key
		  FROM audit_key
		 WHERE kid > @after
		 ORDER BY kid
		 LIMIT 100
		   FOR UPDATE`,
		pg.Args{"after": after})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s secret.Stored[string], err error) {
		err = row.Scan(&s.Key, &s.Value)
		s.AAD = sealedFor(s.Key)
		return s, err
	})
}

func replaceKey(ctx context.Context, tx pg.Tx, kid string, sealed []byte) error {
	return pg.Later(ctx, tx, `
		UPDATE audit_key
		   SET private_key = @sealed
		 WHERE kid = @kid`,
		pg.Args{"kid": kid, "sealed": sealed})
}
