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
		s.Key, s.AAD = string(index), aad(index)
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

// olderThan takes the next rows of older index keys.
func olderThan(ctx context.Context, tx pg.Tx, version int16) ([]row, error) {
	rows, _ := tx.Query(ctx, `
		SELECT number_index, person_id, number
		  FROM visitor
		 WHERE index_version < @version
		 ORDER BY number_index
		 LIMIT 500
		   FOR UPDATE`,
		pg.Args{"version": version})
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (one row, err error) {
		return one, r.Scan(&one.index, &one.person, &one.sealed)
	})
}

// replaceIndex puts a row under another index key; where its number has come in under that key
// meanwhile, the row is of the past and goes.
func replaceIndex(ctx context.Context, tx pg.Tx, old []byte, r row) error {
	return pg.Later(ctx, tx, `
		WITH gone AS (
		     DELETE FROM visitor
		      WHERE number_index = @old
		     RETURNING tries, confirmed_at, last_used_at)
		INSERT INTO visitor (number_index, index_version, person_id, number, tries, confirmed_at, last_used_at)
		SELECT @index, @version, @person, @number, tries, confirmed_at, last_used_at
		  FROM gone
		ON CONFLICT (number_index) DO NOTHING`,
		pg.Args{"old": old, "index": r.index, "version": r.version, "person": r.person, "number": r.sealed})
}
