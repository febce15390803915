package evidence

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

// told is what a person's level was when those concerned were told last.
type told struct {
	person    uuid.UUID
	level     int
	warnedFor time.Time // the end that was warned of; zero: none
	displaced bool      // the account has changed hands since
}

// due takes one person who is due, the longest first; others take others meanwhile. The zero id:
// nobody is.
func due(ctx context.Context, tx pg.Tx, now time.Time) (t told, err error) {
	var warned *time.Time
	err = tx.QueryRow(ctx, `
		SELECT t.person_id, t.level, t.warned_for, EXISTS (SELECT FROM displacement d WHERE d.person_id = t.person_id AND d.at >= t.told_at)
		  FROM level_told t
		 WHERE t.look_at <= @now
		 ORDER BY t.look_at
		 LIMIT 1
		   FOR UPDATE OF t SKIP LOCKED`,
		pg.Args{"now": now}).Scan(&t.person, &t.level, &warned, &t.displaced)
	if pg.NoRows(err) {
		return told{}, nil
	}
	if warned != nil {
		t.warnedFor = *warned
	}
	return t, err
}

// settled keeps what was told, and when to look again.
func settled(ctx context.Context, tx pg.Tx, person uuid.UUID, level int, next, warned, now time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE level_told
		   SET level = @level, told_at = @now, look_at = @next, warned_for = @warned
		 WHERE person_id = @person`,
		pg.Args{"person": person, "level": level, "now": now, "next": orNull(next), "warned": orNull(warned)})
	return err
}

func postpone(ctx context.Context, db pg.DB, person uuid.UUID, until time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE level_told
		   SET look_at = @until
		 WHERE person_id = @person`,
		pg.Args{"person": person, "until": until})
	return err
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
