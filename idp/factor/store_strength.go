package factor

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

func holdOf(ctx context.Context, db pg.DB, person uuid.UUID) (h Hold, err error) {
	err = db.QueryRow(ctx, `
		SELECT way, since, held_at
		  FROM recovery_hold
		 WHERE person_id = @person AND lifted_at IS NULL`,
		pg.Args{"person": person}).Scan(&h.Way, &h.Since, &h.At)
	if pg.NoRows(err) {
		return Hold{}, nil
	}
	return h, err
}

// hold puts a person under a hold. A later recovery renews it, and what was enrolled since the first
// stays held: else recovering twice would free it.
func hold(ctx context.Context, db pg.DB, person uuid.UUID, way Way, now time.Time) (h Hold, err error) {
	err = db.QueryRow(ctx, `
		INSERT INTO recovery_hold AS h (person_id, way, since, held_at)
		VALUES (@person, @way, @now, @now)
		ON CONFLICT (person_id) DO UPDATE
		   SET way = excluded.way, held_at = excluded.held_at, lifted_at = NULL, lifted_by = NULL,
		       since = CASE WHEN h.lifted_at IS NULL THEN h.since ELSE excluded.since END
		RETURNING way, since, held_at`,
		pg.Args{"person": person, "way": string(way), "now": now}).Scan(&h.Way, &h.Since, &h.At)
	return h, err
}

// liftHold ends the hold of that moment and no later one.
func liftHold(ctx context.Context, db pg.DB, person uuid.UUID, held time.Time, by Method, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE recovery_hold
		   SET lifted_at = @now, lifted_by = @by
		 WHERE person_id = @person AND held_at = @held AND lifted_at IS NULL`,
		pg.Args{"person": person, "held": held, "by": string(by), "now": now})
	return err == nil && tag.RowsAffected() == 1, err
}
