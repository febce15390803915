package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
)

const morning = "2026-11-21T09:00:00Z"

// house is a database with one writer and what else it takes.
type house struct {
	*testing.T
	db    *pg.Pool
	clock *testclock.Clock
	box   *secret.Box
	w     *audit.Writer
	log   *strings.Builder
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, db: testpg.New(t), clock: testclock.At(morning), log: new(strings.Builder)}
	kek, err := secret.LoadKEK(filepath.Join(t.TempDir(), "kek"), true)
	h.must(err)
	h.box, err = secret.Open(t.Context(), h.db, kek)
	h.must(err)
	h.w = h.writer()
	return h
}

// writer is one more process' writer.
func (h *house) writer() *audit.Writer {
	h.Helper()
	w, err := audit.NewWriter(h.Context(), h.db, slog.New(slog.NewTextHandler(h.log, nil)), h.clock.Now)
	h.must(err)
	h.Cleanup(w.Close)
	return w
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) exec(sql string, args ...any) {
	h.Helper()
	_, err := h.db.Exec(h.Context(), sql, args...)
	h.must(err)
}

func (h *house) count(sql string, args ...any) (n int) {
	h.Helper()
	h.must(h.db.QueryRow(h.Context(), sql, args...).Scan(&n))
	return n
}

func (h *house) verify(o audit.Options) (audit.Report, error) {
	return audit.Verify(h.Context(), h.db, o)
}

var maria = uuid.MustParse("018f0000-0000-7000-8000-000000000001")

func read(n int) audit.Event {
	return audit.Event{Actor: audit.Actor{Kind: audit.Client, ID: "saude-agenda"}, Action: "registry.read", Person: maria,
		Fields: []string{"name", "cns"}, Purpose: "Achar seu prontuário", LegalBasis: "consent", RequestID: fmt.Sprintf("r-%d", n)}
}

func TestEventIsReadBackAsWritten(t *testing.T) {
	t.Parallel()

	h := open(t)
	e := read(1)
	e.Detail = map[string]string{"grant": "x,y", "ação": "1"}
	if err := h.w.Record(t.Context(), e); !errors.Is(err, audit.ErrEvent) {
		t.Fatalf("a key that is no name: %v", err)
	}
	e.Detail = map[string]string{"grant": `a "quoted", {braced} \ text`, "b": ""}
	h.must(h.w.Record(t.Context(), e, audit.Event{Actor: audit.Actor{Kind: audit.System, ID: "load"}, Action: "load.begin"}))

	got, next, err := audit.Of(t.Context(), h.db, maria, audit.Page{})
	if err != nil || len(got) != 1 || next != (audit.Cursor{}) {
		t.Fatal(got, next, err)
	}
	e.ID, e.At, e.Fields = got[0].ID, h.clock.Now(), []string{"cns", "name"}
	if !reflect.DeepEqual(got[0], e) || e.ID.Version() != 7 {
		t.Errorf("got  %+v\nwant %+v", got[0], e)
	}
	if r, err := h.verify(audit.Options{}); err != nil || r.Events != 2 || r.Last != 1 {
		t.Error(r, err)
	}
}

func TestThousandRecordsAtOnceLoseNothingInFewCommits(t *testing.T) {
	t.Parallel()

	h := open(t)
	const calls = 1000
	var wg sync.WaitGroup
	for n := range calls {
		wg.Go(func() {
			if err := h.w.Record(t.Context(), read(n)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r, err := h.verify(audit.Options{})
	if err != nil || r.Events != calls {
		t.Fatal(r, err)
	}
	if n := h.count(`SELECT count(DISTINCT request_id) FROM audit_event`); n != calls {
		t.Errorf("%d of %d are there", n, calls)
	}
	if r.Last > calls/10 {
		t.Errorf("%d commits for %d events", r.Last, calls)
	}
}

func TestWritersOfSeveralProcessesMakeOneChain(t *testing.T) {
	t.Parallel()

	h := open(t)
	writers := []*audit.Writer{h.w, h.writer(), h.writer()}
	var wg sync.WaitGroup
	for n := range 300 {
		wg.Go(func() {
			if err := writers[n%3].Record(t.Context(), read(n), read(n)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if r, err := h.verify(audit.Options{}); err != nil || r.Events != 600 {
		t.Fatal(r, err)
	}
}

func TestWhatCannotBeWrittenFailsEveryCaller(t *testing.T) {
	t.Parallel()

	h := open(t)
	h.exec(`ALTER TABLE audit_batch RENAME TO elsewhere`)
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			if err := h.w.Record(t.Context(), read(n)); err == nil {
				t.Error("recorded without a chain")
			}
		})
	}
	wg.Wait()
	h.exec(`ALTER TABLE elsewhere RENAME TO audit_batch`)
	if n := h.count(`SELECT count(*) FROM audit_event`); n != 0 {
		t.Errorf("%d events without a batch", n)
	}
	h.must(h.w.Record(t.Context(), read(0)))
}

func TestConnectionKilledInMidBatchFailsThatBatchAlone(t *testing.T) {
	t.Parallel()

	h := open(t)
	tx, err := h.db.Begin(t.Context())
	h.must(err)
	_, err = tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock(hashtextextended('chain', hashtext('audit')))`)
	h.must(err)
	const calls = 40
	outcome := make(chan error, calls)
	for n := range calls {
		go func() { outcome <- h.w.Record(t.Context(), read(n)) }()
	}
	h.until(func() bool { // the batch waits for the lock
		return h.count(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'`) == 1
	})
	if err := <-outcome; err == nil {
		t.Error("recorded over a dead connection")
	}
	h.must(tx.Rollback(t.Context()))
	stored := 0
	for range calls - 1 {
		if err := <-outcome; err == nil {
			stored++
		}
	}
	r, err := h.verify(audit.Options{})
	if err != nil || int(r.Events) != stored {
		t.Errorf("%d events for %d callers who were told so: %v", r.Events, stored, err)
	}
	h.must(h.w.Record(t.Context(), read(calls)))
}

// until asks the database again and again.
func (h *house) until(holds func() bool) {
	h.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			h.Fatal("it does not come")
		}
	}
}

func TestRecordNeedsNoConnectionOfTheCallersPool(t *testing.T) {
	t.Parallel()

	h := open(t)
	for range h.db.Config().MaxConns {
		conn, err := h.db.Acquire(t.Context())
		h.must(err)
		t.Cleanup(conn.Release)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	h.must(h.w.Record(ctx, read(1)))
}

func TestEventOfATransactionLivesAndDiesWithIt(t *testing.T) {
	t.Parallel()

	h := open(t)
	failed := errors.New("the change did not happen")
	for _, want := range []error{failed, nil} {
		err := pg.InTx(t.Context(), h.db, func(tx pg.Tx) error {
			if err := audit.RecordTx(t.Context(), tx, read(1), read(2)); err != nil {
				return err
			}
			return want
		})
		if !errors.Is(err, want) {
			t.Fatal(err)
		}
	}
	events, _, err := audit.Of(t.Context(), h.db, maria, audit.Page{})
	if err != nil || len(events) != 2 {
		t.Fatalf("a person sees it at once: %v, %v", events, err)
	}
	h.must(h.w.Flush(t.Context()))
	if r, err := h.verify(audit.Options{}); err != nil || r.Events != 2 || r.Pending != 0 {
		t.Fatal(r, err)
	}
	if again, _, err := audit.Of(t.Context(), h.db, maria, audit.Page{}); err != nil || !reflect.DeepEqual(again, events) {
		t.Errorf("the chain changed them: %v, %v", again, err)
	}
}

func TestEventOfATransactionIsChainedByItself(t *testing.T) {
	t.Parallel()

	h := open(t)
	h.must(pg.InTx(t.Context(), h.db, func(tx pg.Tx) error { return audit.RecordTx(t.Context(), tx, read(1)) }))
	h.until(func() bool { return h.count(`SELECT count(*) FROM audit_event`) == 1 })
}

func TestMorePendingThanABatchHoldsAreAllChained(t *testing.T) {
	t.Parallel()

	h := open(t)
	many := make([]audit.Event, 2500)
	for i := range many {
		many[i] = read(i)
	}
	h.must(pg.InTx(t.Context(), h.db, func(tx pg.Tx) error { return audit.RecordTx(t.Context(), tx, many...) }))
	h.must(h.w.Flush(t.Context()))
	if r, err := h.verify(audit.Options{}); err != nil || r.Events != 2500 || r.Pending != 0 || r.Last < 3 {
		t.Fatal(r, err)
	}
}

func TestClosedWriterHasWrittenWhatWaitedAndRecordsNoMore(t *testing.T) {
	t.Parallel()

	h := open(t)
	h.must(pg.InTx(t.Context(), h.db, func(tx pg.Tx) error { return audit.RecordTx(t.Context(), tx, read(1)) }))
	h.w.Close()
	if r, err := h.verify(audit.Options{}); err != nil || r.Events != 1 {
		t.Error(r, err)
	}
	if err := h.w.Record(t.Context(), read(2)); !errors.Is(err, audit.ErrClosed) {
		t.Error(err)
	}
}

func TestEventThatSaysTooLittleOrTooMuchIsRefused(t *testing.T) {
	t.Parallel()

	h := open(t)
	for what, change := range map[string]func(*audit.Event){
		"no actor":           func(e *audit.Event) { e.Actor.ID = "" },
		"unknown kind":       func(e *audit.Event) { e.Actor.Kind = "robot" },
		"no action":          func(e *audit.Event) { e.Action = "" },
		"a value as a field": func(e *audit.Event) { e.Fields = []string{"name", "Maria Aparecida"} },
		"a comma in a field": func(e *audit.Event) { e.Fields = []string{"name,cpf"} },
		"long purpose":       func(e *audit.Event) { e.Purpose = strings.Repeat("x", 501) },
		"zero byte":          func(e *audit.Event) { e.RequestID = "a\x00" },
		"not UTF-8":          func(e *audit.Event) { e.Detail = map[string]string{"k": "\xff"} },
	} {
		e := read(1)
		change(&e)
		err := h.w.Record(t.Context(), read(2), e)
		if !errors.Is(err, audit.ErrEvent) || strings.Contains(err.Error(), "Maria") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := h.count(`SELECT count(*) FROM audit_event`); n != 0 {
		t.Errorf("%d events of refused calls", n)
	}
}

func TestTrailIsPagedNewestFirstWithinItsTimes(t *testing.T) {
	t.Parallel()

	h := open(t)
	for n := range 25 {
		if n%5 == 0 { // several of one instant
			h.clock.Advance(time.Hour)
		}
		other := read(n)
		other.Person = pg.NewID()
		h.must(h.w.Record(t.Context(), read(n), other))
	}
	var seen []string
	page := audit.Page{Limit: 4, From: h.clock.Now().Add(-3 * time.Hour), To: h.clock.Now()}
	for {
		events, next, err := audit.Of(t.Context(), h.db, maria, page)
		h.must(err)
		for _, e := range events {
			seen = append(seen, e.RequestID)
		}
		if next == (audit.Cursor{}) {
			break
		}
		page.After = next
	}
	var want []string
	for n := 19; n >= 5; n-- {
		want = append(want, fmt.Sprintf("r-%d", n))
	}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("got  %v\nwant %v", seen, want)
	}
}

func TestMonthsAreMadeAheadAndOnDemand(t *testing.T) {
	t.Parallel()

	h := open(t)
	made := func(month string) bool {
		return h.count(`SELECT count(to_regclass($1))`, "audit_event_"+month) == 1
	}
	for _, month := range []string{"202611", "202612", "202701", "202702"} {
		if !made(month) {
			t.Error(month, "is not there")
		}
	}
	e, last := read(1), read(2)
	e.At = time.Date(2031, 5, 1, 0, 0, 0, 0, time.UTC)
	last.At = e.At.Add(-time.Microsecond)
	h.must(h.w.Record(t.Context(), e, last))
	if !made("203105") || !made("203104") || h.count(`SELECT count(*) FROM audit_event_203105`) != 1 {
		t.Error("an event outside the months made ahead")
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := audit.MakeMonths(t.Context(), h.db, time.Date(2040, 11, 30, 0, 0, 0, 0, time.UTC)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if !made("204102") {
		t.Error("four processes at once made no month")
	}
}

func TestNothingIsEverChanged(t *testing.T) {
	t.Parallel()

	h := open(t)
	h.must(h.w.Record(t.Context(), read(1)))
	h.clock.Advance(24 * time.Hour)
	_, err := audit.Seal(t.Context(), h.db, h.box, h.clock.Now())
	h.must(err)
	for _, sql := range []string{
		`UPDATE audit_event SET purpose = 'other'`, `DELETE FROM audit_event`, `TRUNCATE audit_event`,
		`UPDATE audit_event_202611 SET purpose = 'other'`, `DELETE FROM audit_event_202611`, `TRUNCATE audit_event_202611`,
		`UPDATE audit_batch SET hash = prev`, `DELETE FROM audit_batch`, `TRUNCATE audit_batch`,
		`UPDATE audit_root SET jws = ''`, `DELETE FROM audit_root`, `TRUNCATE audit_root`,
		`DELETE FROM audit_key`, `TRUNCATE audit_key`, `TRUNCATE audit_pending`,
	} {
		if _, err := h.db.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
