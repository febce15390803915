package visitor

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// Reseal seals the numbers again that an old data key has sealed.
func Reseal(ctx context.Context, db *pg.Pool, box *secret.Box) (int64, error) {
	return secret.Renew(ctx, db, box.Class(secret.Contact), numbersAfter, replaceNumber)
}

func numbersAfter(ctx context.Context, tx pg.Tx, after string) ([]secret.Stored[string], error) {
	rows, _ := tx.Query(ctx, `
		SELECT number_index, number
		  FROM visitor
		 WHERE number_index > @after
		 ORDER BY number_index
		 LIMIT 500
		   FOR UPDATE`,
		pg.Args{"after": []byte(after)})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s secret.Stored[string], err error) {
		var index []byte
		err = row.Scan(&index, &s.Value)
		s.Key, s.AAD = string(index), append([]byte("visitor/"), index...)
		return s, err
	})
}

func replaceNumber(ctx context.Context, tx pg.Tx, index string, sealed []byte) error {
	return pg.Later(ctx, tx, `
		UPDATE visitor
		   SET number = @sealed
		 WHERE number_index = @index`,
		pg.Args{"index": []byte(index), "sealed": sealed})
}
