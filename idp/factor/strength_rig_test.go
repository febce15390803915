package factor_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
)

// rig is a database of its own with a person in it who has no factor yet.
type rig struct {
	t       *testing.T
	db      *pg.Pool
	box     *secret.Box
	clock   *testclock.Clock
	person  uuid.UUID
	browser []byte
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, db: testpg.New(t), clock: testclock.At("2026-11-21T12:00:00Z"), person: pg.NewID(), browser: secret.Hash("browser")}
	var err error
	if r.box, err = secret.Open(t.Context(), r.db, secret.KEK{}); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) exec(sql string, args ...any) {
	r.t.Helper()
	_, err := r.db.Exec(r.t.Context(), sql, args...)
	r.must(err)
}

func (r *rig) count(sql string, args ...any) (n int) {
	r.t.Helper()
	r.must(r.db.QueryRow(r.t.Context(), sql, args...).Scan(&n))
	return n
}

func (r *rig) inTx(fn func(tx pg.Tx) error) error {
	return pg.InTx(r.t.Context(), r.db, fn)
}

// together runs fn a hundred times at once and returns how often it was true.
func (r *rig) together(fn func(n int) (bool, error)) int {
	r.t.Helper()
	var won atomic.Int32
	var wg sync.WaitGroup
	for n := range 100 {
		wg.Go(func() {
			ok, err := fn(n)
			if err != nil {
				r.t.Error(err)
			}
			if ok {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	return int(won.Load())
}

// meanwhile runs first in a transaction and, before that commits, begins second in another. It waits
// until second waits for the first, or is over; then the first commits.
func (r *rig) meanwhile(first, second func(tx pg.Tx) error) (one, two error) {
	r.t.Helper()
	over := make(chan error, 1)
	one = r.inTx(func(tx pg.Tx) error {
		if err := first(tx); err != nil {
			close(over)
			return err
		}
		go func() { over <- r.inTx(second) }()
		for r.t.Context().Err() == nil {
			if len(over) > 0 || r.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0 {
				break
			}
		}
		return nil
	})
	return one, <-over
}

// counts is an app that was confirmed, a while ago.
func (r *rig) counts() *app {
	r.t.Helper()
	a := r.app()
	ok, err := a.Confirm(r.t.Context(), r.db, r.person, a.setup.ID, a.code())
	r.must(err)
	if !ok {
		r.t.Fatal("the app's own code does not confirm it")
	}
	r.clock.Advance(time.Minute)
	return a
}
