package session

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

func listed(ctx context.Context, db pg.DB, person uuid.UUID, now time.Time) ([]Listed, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, browser, created_at, last_seen_at
		  FROM session
		 WHERE person_id = @person AND ended_at IS NULL AND expires_at > @now AND last_seen_at > @idle
		 ORDER BY last_seen_at DESC, id DESC`,
		pg.Args{"person": person, "now": now, "idle": now.Add(-Idle)})
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Listed])
}

// endOf closes a session of this person once; false when there is none to close.
func endOf(ctx context.Context, db pg.DB, person, id uuid.UUID, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE session
		   SET ended_at = @now
		 WHERE person_id = @person AND id = @id AND ended_at IS NULL`,
		pg.Args{"person": person, "id": id, "now": now})
	return err == nil && tag.RowsAffected() == 1, err
}

// endOpenedBy closes the sessions of a person with a fact and returns those that were open.
func endOpenedBy(ctx context.Context, db pg.DB, person uuid.UUID, fact string, now time.Time) ([]uuid.UUID, error) {
	rows, _ := db.Query(ctx, `
		UPDATE session
		   SET ended_at = @now
		 WHERE person_id = @person AND @fact = ANY (amr) AND ended_at IS NULL
		RETURNING id`,
		pg.Args{"person": person, "fact": fact, "now": now})
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

// hold locks a live session; false when it has ended.
func hold(ctx context.Context, db pg.DB, id uuid.UUID) (live bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT true
		  FROM session
		 WHERE id = @id AND ended_at IS NULL
		   FOR SHARE`,
		pg.Args{"id": id}).Scan(&live)
	if pg.NoRows(err) {
		return false, nil
	}
	return live, err
}
