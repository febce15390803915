package factor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
)

// statements notes the SQL that a context marked by it runs.
type statements struct {
	mu  sync.Mutex
	all []string
}

type marked struct{}

func (s *statements) note(ctx context.Context, sql string) {
	if ctx.Value(marked{}) != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all = append(s.all, sql)
	}
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.note(ctx, d.SQL)
	return ctx
}

func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	for _, q := range d.Batch.QueuedQueries {
		s.note(ctx, q.SQL)
	}
	return ctx
}

func (*statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (*statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (*statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// trace opens the database anew; what runs in the context it returns is noted.
func (r *rig) trace() (*statements, context.Context) {
	r.t.Helper()
	cfg, sql := r.db.Config(), new(statements)
	cfg.ConnConfig.Tracer = sql
	var err error
	r.db, err = pg.OpenConfig(r.t.Context(), cfg)
	r.must(err)
	r.t.Cleanup(r.db.Close)
	return sql, context.WithValue(r.t.Context(), marked{}, true)
}

func TestARecoveryOfAnUnknownAccountRunsTheSameStatementsAndLooksAlike(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	sql, ctx := h.trace()

	// shape tells all that somebody outside could see of a recovery, but for its code.
	shape := func(cpf brdoc.CPF, way factor.Way) string {
		sql.all = nil
		id, job := h.ask(ctx, cpf, way)
		h.must(h.inTx(func(tx pg.Tx) error { return h.Deliver(t.Context(), tx, job, h.post) }))
		seen := fmt.Sprint(len(job.Sealed))
		stage, err := h.Stage(ctx, h.db, id, h.browser)
		seen += fmt.Sprint(stage, err)
		for range factor.CodeTries + 1 {
			ok, left, err := h.Prove(ctx, h.db, id, h.browser, "not it")
			seen += fmt.Sprint(ok, left, err)
		}
		_, err = h.Question(ctx, h.db, id, h.browser)
		return seen + fmt.Sprint(err) + strings.Join(sql.all, "\n")
	}
	for _, way := range []factor.Way{factor.WayMail, factor.WaySMS, factor.WayAlternativeMail, factor.WayQuestion} {
		known, unknown := shape(maria, way), shape(joao, way)
		if known != unknown || !strings.Contains(known, "INSERT INTO recovery") || strings.Contains(known, "found_person") {
			t.Errorf("%s:\n%s\n--\n%s", way, known, unknown)
		}
	}
	if len(h.sent) != 1 || h.sent[0].To.Address != "maria@example.org" {
		t.Errorf("sent %+v", h.sent)
	}
}

func TestARecoveryOfNobodyIsNeverProven(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	for name, c := range map[string]struct {
		cpf brdoc.CPF
		way factor.Way
	}{"no account": {joao, factor.WayMail}, "no telephone": {maria, factor.WaySMS}, "no question": {maria, factor.WayQuestion}} {
		id, d := h.start(c.cpf, c.way)
		if d != (factor.Dispatch{}) {
			t.Errorf("%s: sent to %v", name, d.To.Address)
		}
		if ok, left := h.prove(id, d.Code); ok || left != 4 {
			t.Errorf("%s: proven by nothing, %d left", name, left)
		}
		if _, err := h.ProveLink(t.Context(), h.db, "", h.browser); !errors.Is(err, factor.ErrRecovery) {
			t.Errorf("%s: proven by no link: %v", name, err)
		}
	}
}

func TestAJobThatComesLateOrAgainSendsNothing(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	deliver := func(job factor.RecoveryRequest) {
		h.must(h.inTx(func(tx pg.Tx) error { return h.Deliver(t.Context(), tx, job, h.post) }))
	}
	id, job := h.ask(t.Context(), maria, factor.WayMail)
	failed := errors.New("the queue is down")
	if err := h.inTx(func(tx pg.Tx) error {
		return h.Deliver(t.Context(), tx, job, func(context.Context, pg.Tx, factor.Dispatch) error { return failed })
	}); !errors.Is(err, failed) {
		t.Errorf("a courier that fails: %v", err)
	}
	deliver(job)
	deliver(job)
	if ok, _ := h.prove(id, h.sent[0].Code); !ok {
		t.Error("the code of the second try does not work")
	}
	deliver(job)
	_, late := h.ask(t.Context(), maria, factor.WayMail)
	h.clock.Advance(factor.RecoveryLifetime)
	deliver(late)
	if len(h.sent) != 1 {
		t.Errorf("%d sent", len(h.sent))
	}
	if _, err := h.box.Open(job.Sealed, nil); err == nil || strings.Contains(string(job.Sealed), maria.Digits()) {
		t.Error("the job names the CPF")
	}
}

func TestCodesGrowWhenManyAreAskedForAndNobodyIsKeptOut(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	var mu sync.Mutex
	lengths := map[int]int{}
	jobs := make([]factor.RecoveryRequest, 100)
	for n := range jobs {
		_, jobs[n] = h.ask(t.Context(), maria, factor.WayMail)
	}
	h.together(func(n int) (bool, error) {
		return false, h.inTx(func(tx pg.Tx) error {
			return h.Deliver(t.Context(), tx, jobs[n], func(_ context.Context, _ pg.Tx, d factor.Dispatch) error {
				mu.Lock()
				defer mu.Unlock()
				lengths[len(d.Code)]++
				return nil
			})
		})
	})
	if lengths[6] != 6 || lengths[12] != 94 {
		t.Errorf("lengths of 100 codes asked for at once: %v", lengths)
	}
	id, d := h.start(maria, factor.WayMail)
	if ok, _ := h.prove(id, d.Code); !ok || len(d.Code) != 12 {
		t.Errorf("the owner's code of %d digits: %v", len(d.Code), ok)
	}
	h.clock.Advance(25 * time.Hour)
	if _, d := h.start(maria, factor.WayMail); len(d.Code) != 6 {
		t.Errorf("a day later it has %d digits", len(d.Code))
	}
}
