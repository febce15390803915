package pg_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

// numbers is a table of its own, and what is committed in it.
func numbers(t *testing.T) (db *pg.Pool, sum func() int) {
	t.Helper()
	db = testpg.New(t)
	if _, err := db.Exec(t.Context(), `CREATE TABLE number (n int PRIMARY KEY CHECK (n < 100))`); err != nil {
		t.Fatal(err)
	}
	return db, func() (n int) {
		if err := db.QueryRow(t.Context(), `SELECT coalesce(sum(n), 0) FROM number`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
}

const insertNumber = `INSERT INTO number (n) VALUES ($1)`

// step does one thing in a transaction.
type step func(ctx context.Context, tx pg.Tx) error

func later(n int) step {
	return func(ctx context.Context, tx pg.Tx) error { return pg.Later(ctx, tx, insertNumber, n) }
}

func exec(n int) step {
	return func(ctx context.Context, tx pg.Tx) error {
		tag, err := tx.Exec(ctx, insertNumber, n)
		if err == nil && tag.RowsAffected() != 1 {
			return errors.New("another statement's outcome: " + tag.String())
		}
		return err
	}
}

// reads wants to see this sum.
func reads(want int) step {
	return func(ctx context.Context, tx pg.Tx) (err error) {
		var n int
		if err = tx.QueryRow(ctx, `SELECT coalesce(sum(n), 0) FROM number WHERE n > $1`, 0).Scan(&n); err == nil && n != want {
			err = errors.New("wrong sum")
		}
		return err
	}
}

func lists(want int) step {
	return func(ctx context.Context, tx pg.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT n FROM number WHERE n > $1`, 0)
		all, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err == nil && len(all) != want {
			err = errors.New("wrong number of rows")
		}
		return err
	}
}

func nested(inner step, fail bool) step {
	return func(ctx context.Context, tx pg.Tx) error {
		err := pg.InTx(ctx, tx, func(tx pg.Tx) error {
			if err := inner(ctx, tx); err != nil || !fail {
				return err
			}
			return errStep
		})
		if fail && err == errStep {
			return nil
		}
		return err
	}
}

func batch(n int) step {
	return func(ctx context.Context, tx pg.Tx) error {
		b := new(pgx.Batch)
		b.Queue(insertNumber, n)
		return tx.SendBatch(ctx, b).Close()
	}
}

var errStep = errors.New("a step failed")

func fails(context.Context, pg.Tx) error { return errStep }

func TestATransactionCommitsAllOrNothing(t *testing.T) {
	t.Parallel()
	db, sum := numbers(t)
	const clash = 1 // a key that is there
	if _, err := db.Exec(t.Context(), insertNumber, clash); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		steps []step
		adds  int // to the sum; 0: an error
	}{
		"one":                         {[]step{exec(2)}, 2},
		"one later":                   {[]step{later(2)}, 2},
		"later, then at once":         {[]step{later(2), exec(3)}, 5},
		"at once, then later":         {[]step{exec(2), later(3)}, 5},
		"later, twice":                {[]step{later(2), later(3)}, 5},
		"a read sees what is later":   {[]step{later(2), reads(3), exec(3), reads(6), later(4), lists(4)}, 9},
		"a list first":                {[]step{lists(1), later(2)}, 2},
		"nested":                      {[]step{later(2), nested(exec(3), false), later(4)}, 9},
		"nested first":                {[]step{nested(later(3), false), exec(2)}, 5},
		"nested, undone":              {[]step{exec(2), nested(exec(3), true), exec(4)}, 6},
		"a batch":                     {[]step{later(2), batch(3), later(4)}, 9},
		"clash at once":               {[]step{exec(2), exec(clash)}, 0},
		"clash later":                 {[]step{exec(2), later(clash)}, 0},
		"clash later alone":           {[]step{later(clash)}, 0},
		"clash later, then at once":   {[]step{later(2), later(clash), exec(3)}, 0},
		"clash later, then a read":    {[]step{later(clash), reads(1)}, 0},
		"clash later, then a list":    {[]step{later(clash), lists(1)}, 0},
		"clash later, then a batch":   {[]step{later(clash), batch(3)}, 0},
		"clash later, then nested":    {[]step{later(clash), nested(exec(3), false)}, 0},
		"a step fails":                {[]step{exec(2), later(3), fails}, 0},
		"a step fails, nothing sent":  {[]step{later(3), fails}, 0},
		"a step fails before any":     {[]step{fails}, 0},
		"a fault that is not noticed": {[]step{exec(2), func(ctx context.Context, tx pg.Tx) error { _ = exec(clash)(ctx, tx); return nil }}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			before := sum()
			err := pg.InTx(t.Context(), db, func(tx pg.Tx) error {
				for _, s := range c.steps {
					if err := s(t.Context(), tx); err != nil {
						return err
					}
				}
				return nil
			})
			if added := sum() - before; added != c.adds || (err == nil) != (c.adds != 0) {
				t.Errorf("added %d, want %d; %v", added, c.adds, err)
			}
			if _, err := db.Exec(t.Context(), `DELETE FROM number WHERE n <> $1`, clash); err != nil {
				t.Error(err)
			}
			if n := db.Stat().AcquiredConns(); n != 0 {
				t.Errorf("%d connections were not given back", n)
			}
		})
	}
}

func TestATransactionWithoutStatementsAsksNothing(t *testing.T) {
	t.Parallel()
	db, _ := numbers(t)
	before := db.Stat().AcquireCount()
	if err := pg.InTx(t.Context(), db, func(pg.Tx) error { return nil }); err != nil {
		t.Error(err)
	}
	if n := db.Stat().AcquireCount() - before; n != 0 {
		t.Errorf("%d connections were taken", n)
	}
}

func TestAClosedTransactionTakesNoStatements(t *testing.T) {
	t.Parallel()
	db, sum := numbers(t)
	for _, first := range []step{exec(2), func(context.Context, pg.Tx) error { return nil }} {
		var kept pg.Tx
		if err := pg.InTx(t.Context(), db, func(tx pg.Tx) error { kept = tx; return first(t.Context(), tx) }); err != nil {
			t.Fatal(err)
		}
		for _, s := range []step{exec(3), later(3), reads(0), lists(0), nested(exec(4), false), batch(5)} {
			if err := s(t.Context(), kept); !errors.Is(err, pgx.ErrTxClosed) {
				t.Errorf("%v", err)
			}
		}
	}
	if n := sum(); n != 2 {
		t.Errorf("sum %d", n)
	}
}

func TestAPanicRollsBack(t *testing.T) {
	t.Parallel()
	db, sum := numbers(t)
	func() {
		defer func() { _ = recover() }()
		_ = pg.InTx(t.Context(), db, func(tx pg.Tx) error { _ = exec(2)(t.Context(), tx); panic("x") })
	}()
	if n, conns := sum(), db.Stat().AcquiredConns(); n != 0 || conns != 0 {
		t.Errorf("sum %d, %d connections", n, conns)
	}
}

func TestATransactionEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db, sum := numbers(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := pg.InTx(ctx, db, func(tx pg.Tx) error {
		if err := exec(2)(ctx, tx); err != nil {
			return err
		}
		cancel()
		return later(3)(ctx, tx)
	})
	if n := sum(); !errors.Is(err, context.Canceled) || n != 0 {
		t.Errorf("%v: sum %d", err, n)
	}
	for range db.Stat().MaxConns() { // waits for one that is being closed, and for ever for one that was lost
		conn, err := db.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
	}
}
