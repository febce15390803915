package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

// signIn writes a session that was seen some time ago.
func signIn(t *testing.T, db *pg.Pool, person uuid.UUID, browser string, seen time.Duration) (id uuid.UUID) {
	t.Helper()
	now := time.Now()
	if err := db.QueryRow(t.Context(), `
		INSERT INTO session (id, cookie_hash, person_id, auth_time, amr, cap, browser, created_at, last_seen_at, expires_at)
		VALUES ($1::uuid, sha256(($1::uuid)::text::bytea), $2, $4, '{pwd}', 3, $3, $4, $4, $5) RETURNING id`,
		pg.NewID(), person, browser, now.Add(-seen), now.Add(time.Hour)).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func newService(db *pg.Pool) *session.Service {
	return session.New(db, nil, nil, nil, nil, nil, false, time.Now)
}

func TestLiveSessionsOfOnePersonAreListedTheLatestFirst(t *testing.T) {
	t.Parallel()

	db, maria := testpg.New(t), pg.NewID()
	older := signIn(t, db, maria, "Chrome, Android", time.Hour)
	newer := signIn(t, db, maria, "Firefox, Linux", time.Minute)
	signIn(t, db, maria, "idle", session.Idle+time.Minute)
	signIn(t, db, pg.NewID(), "somebody else's", 0)
	ended := signIn(t, db, maria, "ended", 0)
	if _, err := db.Exec(t.Context(), `UPDATE session SET ended_at = now() WHERE id = $1`, ended); err != nil {
		t.Fatal(err)
	}
	all, err := newService(db).Of(t.Context(), db, maria)
	if err != nil || len(all) != 2 || all[0].ID != newer || all[1].ID != older || all[1].Browser != "Chrome, Android" {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestAHeldSessionCannotEndUntilTheTransactionDoes(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	s, id := newService(db), signIn(t, db, pg.NewID(), "", 0)
	err := pg.InTx(t.Context(), db, func(tx pg.Tx) error {
		if err := s.Hold(t.Context(), tx, id); err != nil {
			return err
		}
		err := pg.InTx(t.Context(), db, func(other pg.Tx) error {
			if _, err := other.Exec(t.Context(), `SET LOCAL lock_timeout = '50ms'`); err != nil {
				return err
			}
			_, err := other.Exec(t.Context(), `UPDATE session SET ended_at = now() WHERE id = $1`, id)
			return err
		})
		var waited *pgconn.PgError
		if !errors.As(err, &waited) || waited.Code != "55P03" { // lock_not_available
			t.Errorf("ending it meanwhile: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), `UPDATE session SET ended_at = now() WHERE id = $1`, id); err != nil {
		t.Fatal(err)
	}
	err = pg.InTx(t.Context(), db, func(tx pg.Tx) error { return s.Hold(t.Context(), tx, id) })
	if !errors.Is(err, session.ErrEnded) {
		t.Errorf("an ended session: %v", err)
	}
}
