package visitor

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

// row is whose a number is.
type row struct {
	index   []byte
	version int16
	person  uuid.UUID
	sealed  []byte
	tries   int
	usedAt  time.Time
}

// find returns the row of a number under any live index key; the zero row for nobody's.
func find(ctx context.Context, db pg.DB, keys [][]byte) (r row, err error) {
	err = db.QueryRow(ctx, `
		SELECT person_id, tries, last_used_at
		  FROM visitor
		 WHERE number_index = ANY (@keys)
		 ORDER BY last_used_at DESC
		 LIMIT 1`,
		pg.Args{"keys": keys}).Scan(&r.person, &r.tries, &r.usedAt)
	if pg.NoRows(err) {
		return row{}, nil
	}
	return r, err
}

// take writes whose a number is, in place of what any index key said before.
func take(ctx context.Context, db pg.DB, keys [][]byte, r row, now time.Time) error {
	_, err := db.Exec(ctx, `
		WITH older AS (
		     DELETE FROM visitor
		      WHERE number_index = ANY (@keys) AND number_index <> @index
		     RETURNING person_id, confirmed_at)
		INSERT INTO visitor AS v (number_index, index_version, person_id, number, confirmed_at, last_used_at)
		VALUES (@index, @version, @person, @number,
		        coalesce((SELECT min(confirmed_at) FROM older WHERE person_id = @person), @now), @now)
		ON CONFLICT (number_index) DO UPDATE
		   SET person_id = excluded.person_id, number = excluded.number, tries = 0, last_used_at = excluded.last_used_at,
		       confirmed_at = CASE WHEN v.person_id = excluded.person_id THEN v.confirmed_at ELSE excluded.confirmed_at END`,
		pg.Args{"keys": keys, "index": r.index, "version": r.version, "person": r.person, "number": r.sealed, "now": now})
	return err
}

// try counts one try and returns how many there were; 0 when there were enough.
func try(ctx context.Context, db pg.DB, keys [][]byte, most int) (tries int, err error) {
	err = db.QueryRow(ctx, `
		UPDATE visitor
		   SET tries = tries + 1
		 WHERE number_index = ANY (@keys) AND tries < @most
		RETURNING tries`,
		pg.Args{"keys": keys, "most": most}).Scan(&tries)
	if pg.NoRows(err) {
		return 0, nil
	}
	return tries, err
}

func follow(ctx context.Context, db pg.DB, from, to uuid.UUID) error {
	_, err := db.Exec(ctx, `
		UPDATE visitor
		   SET person_id = @to
		 WHERE person_id = @from`,
		pg.Args{"from": from, "to": to})
	return err
}
