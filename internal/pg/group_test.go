package pg_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// occupied is a group of one lane whose lane is taken until free is called or others lose patience,
// so that what is asked meanwhile makes one batch.
func occupied(t *testing.T, db *pg.Pool, patience time.Duration) (g *pg.Group, free func()) {
	t.Helper()
	g = pg.NewGroup(db, 1)
	pg.SetPatience(g, patience)
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := pg.Lock(t.Context(), tx, "group", t.Name()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := g.Exec(t.Context(), `SELECT pg_advisory_lock(hashtextextended($2, hashtext($1))), pg_advisory_unlock(hashtextextended($2, hashtext($1)))`, "group", t.Name())
		ended <- err
	}()
	awaitBlocked(t, db, "advisory")
	return g, func() {
		if err := tx.Rollback(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// atOnce asks for all while the lane is taken and returns their errors.
func atOnce(t *testing.T, db *pg.Pool, ask ...func(g *pg.Group) error) []error {
	t.Helper()
	g, free := occupied(t, db, time.Hour)
	errs := make([]error, len(ask))
	var group sync.WaitGroup
	for i, one := range ask {
		group.Go(func() { errs[i] = one(g) })
		pg.AwaitWaiting(g, i+1)
	}
	free()
	group.Wait()
	return errs
}

func inserts(t *testing.T, n int) func(g *pg.Group) error {
	return func(g *pg.Group) error {
		tag, err := g.Exec(t.Context(), insertNumber, n)
		if err == nil && tag.RowsAffected() != 1 {
			return fmt.Errorf("another statement's outcome: %s", tag)
		}
		return err
	}
}

// taken inserts a number that nobody else can.
func taken(t *testing.T, db *pg.Pool, n int) {
	t.Helper()
	if _, err := db.Exec(t.Context(), insertNumber, n); err != nil {
		t.Fatal(err)
	}
}

// returns inserts and wants its own row back, and the transaction it was in.
func returns(t *testing.T, n int, in *string) func(g *pg.Group) error {
	return func(g *pg.Group) error {
		var got int
		err := g.QueryRow(t.Context(), `INSERT INTO number (n) VALUES ($1) RETURNING n, pg_current_xact_id()::text`, n).Scan(&got, in)
		if err == nil && got != n {
			return fmt.Errorf("row of %d, not %d", got, n)
		}
		return err
	}
}

func TestStatementsAtOnceShareOneCommitAndKeepTheirOwnOutcome(t *testing.T) {
	t.Parallel()

	db, sum := numbers(t)
	var in [3]string
	none := func(g *pg.Group) error {
		var n int
		if err := g.QueryRow(t.Context(), `SELECT n FROM number WHERE n = $1`, 99).Scan(&n); !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("no row: %w", err)
		}
		return nil
	}
	for i, err := range atOnce(t, db, returns(t, 1, &in[0]), none, returns(t, 2, &in[1]), inserts(t, 3), returns(t, 4, &in[2])) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if sum() != 10 || in[0] == "" || in[0] != in[1] || in[1] != in[2] {
		t.Errorf("sum %d, transactions %v", sum(), in)
	}
}

func TestOnlyTheStatementAtFaultFails(t *testing.T) {
	t.Parallel()

	db, sum := numbers(t)
	taken(t, db, 50)
	errs := atOnce(t, db, inserts(t, 1), inserts(t, 100), inserts(t, 2), inserts(t, 50), inserts(t, 3))
	for i, wrong := range []bool{false, true, false, true, false} {
		if (errs[i] != nil) != wrong {
			t.Errorf("%d: %v", i, errs[i])
		}
	}
	if !pg.Unique(errs[3]) || sum() != 56 {
		t.Errorf("%v, sum %d", errs[3], sum())
	}
}

func TestAStatementThatCannotBeSentFailsAlone(t *testing.T) {
	t.Parallel()

	db, sum := numbers(t)
	unsendable := func(g *pg.Group) error {
		if _, err := g.Exec(t.Context(), insertNumber, struct{ int }{1}); err == nil {
			return errors.New("it was sent")
		}
		return nil
	}
	for i, err := range atOnce(t, db, inserts(t, 1), unsendable, inserts(t, 2)) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if sum() != 3 {
		t.Errorf("sum %d", sum())
	}
}

func TestABatchLetsGoOfItsRowsWhenItMeetsALock(t *testing.T) {
	t.Parallel()

	db, _ := numbers(t)
	for _, n := range []int{1, 2} {
		if _, err := db.Exec(t.Context(), insertNumber, n); err != nil {
			t.Fatal(err)
		}
	}
	other, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	move := func(tx pg.DB, from, to int) error {
		_, err := tx.Exec(t.Context(), `UPDATE number SET n = $2 WHERE n = $1`, from, to)
		return err
	}
	if err := move(other, 2, 20); err != nil {
		t.Fatal(err)
	}
	crossed := make(chan error, 1)
	go func() {
		awaitBlocked(t, db, "transactionid")
		crossed <- errors.Join(move(other, 1, 11), other.Rollback(context.Background()))
	}()
	errs := atOnce(t, db,
		func(g *pg.Group) error { return move(g, 1, 10) },
		func(g *pg.Group) error { return move(g, 2, 21) })
	if err := errors.Join(append(errs, <-crossed)...); err != nil {
		t.Error(err) // 40P01: they waited for each other
	}
}

// awaitBlocked returns when a statement waits for a lock: of this type, in this database.
func awaitBlocked(t *testing.T, db *pg.Pool, locktype string) {
	for blocked := false; !blocked; {
		err := db.QueryRow(t.Context(), `
			SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			                WHERE a.datname = current_database() AND l.locktype = $1 AND NOT l.granted)`, locktype).Scan(&blocked)
		if err != nil {
			t.Error(err)
			return
		}
	}
}

func TestABatchTakesItsLocksInTheOrderOfTheirKeys(t *testing.T) {
	t.Parallel()

	db, _ := numbers(t)
	if _, err := db.Exec(t.Context(), `CREATE TABLE went (at serial, n int)`); err != nil {
		t.Fatal(err)
	}
	goes := func(n int) func(g *pg.Group) error {
		return func(g *pg.Group) error {
			_, err := g.Ordered([]byte{byte(n)}).Exec(t.Context(), `INSERT INTO went (n) VALUES ($1)`, n)
			return err
		}
	}
	if err := errors.Join(atOnce(t, db, goes(3), goes(1), goes(2))...); err != nil {
		t.Fatal(err)
	}
	rows, _ := db.Query(t.Context(), `SELECT n FROM went ORDER BY at`)
	if all, err := pgx.CollectRows(rows, pgx.RowTo[int]); err != nil || !slices.Equal(all, []int{1, 2, 3}) {
		t.Errorf("%v %v", all, err)
	}
}

func TestWhatBelongsTogetherHappensWholeOrNotAtAll(t *testing.T) {
	t.Parallel()

	db, sum := numbers(t)
	together := func(all ...int) func(g *pg.Group) error {
		return func(g *pg.Group) error {
			return g.Together(t.Context(), func(tx pg.DB) error {
				for _, n := range all {
					if err := pg.Later(t.Context(), tx, insertNumber, n); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	var in string
	taken(t, db, 50)
	errs := atOnce(t, db, together(1, 2), inserts(t, 4), together(8, 50), together(16, 32), returns(t, 3, &in))
	for i, wrong := range []bool{false, false, true, false, false} {
		if (errs[i] != nil) != wrong {
			t.Errorf("%d: %v", i, errs[i])
		}
	}
	if !pg.Unique(errs[2]) || sum() != 50+1+2+4+16+32+3 {
		t.Errorf("%v, sum %d", errs[2], sum())
	}
	if err := together(64)(pg.NewGroup(db, 1)); err != nil || sum() != 108+64 {
		t.Errorf("alone: %v, sum %d", err, sum())
	}
	asks := func(tx pg.DB) error { _, err := tx.Exec(t.Context(), insertNumber, 5); return err }
	if err := pg.NewGroup(db, 1).Together(t.Context(), asks); err == nil || sum() != 108+64 {
		t.Errorf("an outcome was waited for: %v", err)
	}
}

func TestWhoHasLeftIsNotWaitedFor(t *testing.T) {
	t.Parallel()

	db, sum := numbers(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pg.NewGroup(db, 1).Exec(gone, insertNumber, 1); !errors.Is(err, context.Canceled) || sum() != 0 {
		t.Errorf("%v, sum %d", err, sum())
	}
}

func TestManyStatementsOnFewLanesAllArrive(t *testing.T) {
	t.Parallel()

	db, sum := numbers(t)
	g := pg.NewGroup(db, 2)
	var group sync.WaitGroup
	for n := range 100 {
		group.Go(func() {
			var in string
			if err := errors.Join(returns(t, n, &in)(g)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if sum() != 4950 {
		t.Errorf("sum %d", sum())
	}
}

func TestAStatementThatWaitsForALockHoldsNobodyUp(t *testing.T) {
	t.Parallel()

	db, sum := numbers(t)
	g, free := occupied(t, db, time.Millisecond)
	for n := range 3 {
		if err := inserts(t, n)(g); err != nil {
			t.Error(err)
		}
	}
	if sum() != 3 {
		t.Errorf("sum %d", sum())
	}
	free()
}

func TestAPanicLeavesTheLaneFree(t *testing.T) {
	t.Parallel()

	db, sum := numbers(t)
	g := pg.NewGroup(db, 1)
	func() {
		defer func() { _ = recover() }()
		_ = g.QueryRow(t.Context(), `SELECT 1`).Scan(panics{})
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := g.Exec(ctx, insertNumber, 7); err != nil || sum() != 7 {
		t.Errorf("%v, sum %d", err, sum())
	}
}

type panics struct{}

func (panics) Scan(any) error { panic("scan") }
