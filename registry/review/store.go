package review

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/record"
)

// collided recognises that another transaction was first.
func collided(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && slices.Contains([]string{"40001", "40P01"}, e.Code)
}

// onlyRun lets one run at a time look for pairs, by a session lock on a connection of its own: it
// ends with the process. It waits for whoever has it.
func onlyRun(ctx context.Context, db *pg.Pool) (unlock func(), err error) {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	unlock = func() {
		_ = conn.Conn().Close(context.WithoutCancel(ctx)) // releases the lock; the pool opens another
		conn.Release()
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtextextended('run', hashtext('registry/review')))`); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// horizon is an instant before which no change of a person will still be committed: before any
// transaction under way began, less what clocks may differ by.
func horizon(ctx context.Context, db pg.DB) (at time.Time, err error) {
	err = db.QueryRow(ctx, `
		SELECT least(now(), min(xact_start)) - interval '30 seconds'
		  FROM pg_stat_activity
		 WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()`).Scan(&at)
	return at, err
}

// progress is up to which change people were noted; the zero time: never.
func progress(ctx context.Context, db pg.DB) (upto time.Time, err error) {
	err = db.QueryRow(ctx, `
		SELECT upto
		  FROM match_progress`).Scan(&upto)
	if pg.NoRows(err) {
		return time.Time{}, nil
	}
	return upto, err
}

func setProgress(ctx context.Context, tx pg.Tx, upto time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO match_progress (one, upto)
		VALUES (true, @upto)
		ON CONFLICT (one) DO UPDATE SET upto = excluded.upto`,
		pgx.NamedArgs{"upto": upto})
	return err
}

// noteChanged notes who came or changed since an instant, and how many they are.
func noteChanged(ctx context.Context, tx pg.Tx, since time.Time) (int64, error) {
	var first registry.PersonID // of those who came since: ids begin with their time
	if !since.IsZero() {
		first = record.Floor(since)
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO match_todo (person_id, undocumented)
		SELECT id, undocumented
		  FROM person
		 WHERE id >= @first AND kind = 'natural'
		 UNION ALL
		SELECT id, undocumented
		  FROM person
		 WHERE id < @first AND updated_at >= @since AND updated_at > created_at AND kind = 'natural'
		ON CONFLICT (person_id) DO UPDATE SET blocked = false, narrowed = 0, undocumented = excluded.undocumented`,
		pgx.NamedArgs{"first": first, "since": since})
	return tag.RowsAffected(), err
}

// note notes people to be looked at; anew also those whose keys are filed have them filed again.
func note(ctx context.Context, tx pg.Tx, people []registry.PersonID, anew bool) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO match_todo (person_id, undocumented, blocked)
		SELECT id, undocumented, NOT @anew
		  FROM person
		 WHERE id = ANY(@people)
		ON CONFLICT (person_id) DO UPDATE SET blocked = match_todo.blocked AND NOT @anew, narrowed = CASE WHEN @anew THEN 0 ELSE match_todo.narrowed END`,
		pgx.NamedArgs{"people": people, "anew": anew})
	return err
}

// unfiled is a page of those whose keys are not filed yet.
func unfiled(ctx context.Context, db pg.DB, after registry.PersonID, n int) ([]registry.PersonID, error) {
	rows, _ := db.Query(ctx, `
		SELECT person_id
		  FROM match_todo
		 WHERE NOT blocked AND person_id > @after
		 ORDER BY person_id
		 LIMIT @n`,
		pgx.NamedArgs{"after": after, "n": n})
	return pgx.CollectRows(rows, pgx.RowTo[registry.PersonID])
}

// unjudged is a page of those who may be compared.
func unjudged(ctx context.Context, db pg.DB, undocumented bool, after registry.PersonID, n int) ([]registry.PersonID, error) {
	rows, _ := db.Query(ctx, `
		SELECT person_id
		  FROM match_todo
		 WHERE blocked AND undocumented = @undocumented AND person_id > @after
		 ORDER BY person_id
		 LIMIT @n`,
		pgx.NamedArgs{"undocumented": undocumented, "after": after, "n": n})
	return pgx.CollectRows(rows, pgx.RowTo[registry.PersonID])
}

func countTodo(ctx context.Context, db pg.DB) (n int64, err error) {
	err = db.QueryRow(ctx, `SELECT count(*) FROM match_todo`).Scan(&n)
	return n, err
}

// judged takes people off the list whose keys are still the ones they were compared by.
func judged(ctx context.Context, db pg.DB, people []registry.PersonID) error {
	_, err := db.Exec(ctx, `
		WITH near AS (
		     DELETE FROM match_near
		      WHERE person_id = ANY(@people))
		DELETE FROM match_todo
		 WHERE person_id = ANY(@people) AND blocked`,
		pgx.NamedArgs{"people": people})
	return err
}
