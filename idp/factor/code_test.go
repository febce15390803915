package factor_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/mail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
)

// post sends codes on a database of its own; letters stay in its queue.
type post struct {
	*factor.Codes
	t     *testing.T
	db    *pg.Pool
	box   *secret.Box
	clock *testclock.Clock
}

func newPost(t *testing.T) *post {
	t.Helper()
	p := &post{t: t, db: testpg.New(t), clock: testclock.At("2026-11-21T12:00:00Z")}
	var err error
	if p.box, err = secret.Open(t.Context(), p.db, secret.KEK{}); err != nil {
		t.Fatal(err)
	}
	queue := jobs.New(p.db, slog.New(slog.DiscardHandler))
	jobs.Add(queue, time.Second, func(context.Context, factor.Mail, int) error { return nil })
	if err := queue.Open(); err != nil {
		t.Fatal(err)
	}
	p.Codes = factor.NewCodes(p.box, queue, p.clock.Now)
	return p
}

// send sends a code and returns the one in the letter.
func (p *post) send(interaction uuid.UUID, decoy bool) (code string) {
	p.t.Helper()
	err := pg.InTx(p.t.Context(), p.db, func(tx pg.Tx) error {
		return p.Send(p.t.Context(), tx, interaction, factor.ForRegister, "maria@example.org", decoy, func(c string) factor.Letter {
			code = c
			return factor.Letter{To: "maria@example.org", Subject: "Código", Text: c}
		})
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

func (p *post) try(interaction uuid.UUID, purpose factor.Purpose, code string) (bool, int) {
	p.t.Helper()
	ok, left, err := p.Check(p.t.Context(), p.db, interaction, purpose, "maria@example.org", code)
	if err != nil {
		p.t.Fatal(err)
	}
	return ok, left
}

// Who has typed another address meanwhile has not proven it by the code that went to the first.
func TestACodeProvesOnlyWhatItWasSentFor(t *testing.T) {
	t.Parallel()

	p, in := newPost(t), pg.NewID()
	code := p.send(in, false)
	for about, want := range map[string]bool{"carla@example.org": false, "": false, "maria@example.org": true} {
		if ok, _, err := p.Check(t.Context(), p.db, in, factor.ForRegister, about, code); err != nil || ok && !want {
			t.Errorf("for %q: %v, %v", about, ok, err)
		}
	}
	if ok, _ := p.try(in, factor.ForRegister, code); ok {
		t.Error("for its own address it was not used up")
	}
}

func TestACodeWorksOnceHoweverManyTryItTogether(t *testing.T) {
	t.Parallel()

	for range 3 {
		p, in := newPost(t), pg.NewID()
		code := p.send(in, false)
		var right atomic.Int32
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				ok, _, err := p.Check(t.Context(), p.db, in, factor.ForRegister, "maria@example.org", code)
				if err != nil {
					t.Error(err)
				}
				if ok {
					right.Add(1)
				}
			})
		}
		wg.Wait()
		if right.Load() != 1 {
			t.Errorf("%d of 100 used the code", right.Load())
		}
	}
}

func TestACodeIsSpentAfterFiveTries(t *testing.T) {
	t.Parallel()

	p, in := newPost(t), pg.NewID()
	code := p.send(in, false)
	for n := range factor.CodeTries {
		if ok, left := p.try(in, factor.ForRegister, "not it"); ok || left != factor.CodeTries-n-1 {
			t.Errorf("try %d: %v, %d left", n, ok, left)
		}
	}
	if ok, left := p.try(in, factor.ForRegister, code); ok || left != 0 {
		t.Errorf("the sixth try: %v, %d left", ok, left)
	}
	if ok, _ := p.try(in, factor.ForRegister, p.send(in, false)); !ok {
		t.Error("the next code does not work")
	}
}

func TestGuessesAtOnceShareFiveTries(t *testing.T) {
	t.Parallel()

	p, in := newPost(t), pg.NewID()
	p.send(in, false)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if ok, _, err := p.Check(t.Context(), p.db, in, factor.ForRegister, "maria@example.org", "000-00"); ok || err != nil {
				t.Error(ok, err)
			}
		})
	}
	wg.Wait()
	var tries int
	if err := p.db.QueryRow(t.Context(), `SELECT tries FROM mail_code WHERE interaction_id = $1`, in).Scan(&tries); err != nil || tries != factor.CodeTries {
		t.Errorf("%d tries counted, %v", tries, err)
	}
}

func TestAnEarlierCodeStaysGoodAfterAnother(t *testing.T) {
	t.Parallel()

	p, in := newPost(t), pg.NewID()
	first := p.send(in, false)
	p.clock.Advance(time.Minute)
	p.send(in, false)
	if ok, _ := p.try(in, factor.ForRegister, first); !ok {
		t.Error("the first code, which may arrive last, is refused")
	}
}

func TestACodeIsForOneInteractionOnePurposeAndTenMinutes(t *testing.T) {
	t.Parallel()

	p, in := newPost(t), pg.NewID()
	code := p.send(in, false)
	if ok, _ := p.try(pg.NewID(), factor.ForRegister, code); ok {
		t.Error("another interaction used it")
	}
	if ok, _ := p.try(in, factor.ForUnlock, code); ok {
		t.Error("another purpose used it")
	}
	p.clock.Advance(factor.CodeLifetime)
	if ok, _ := p.try(in, factor.ForRegister, code); ok {
		t.Error("it worked after its time")
	}
	p.clock.Advance(2 * time.Hour)
	if err := factor.PurgeCodes(t.Context(), p.db, p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := p.db.QueryRow(t.Context(), `SELECT count(*) FROM mail_code`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d codes stay, %v", left, err)
	}
}

func TestADecoyIsACodeNobodyHas(t *testing.T) {
	t.Parallel()

	p, in := newPost(t), pg.NewID()
	if ok, left := p.try(in, factor.ForRegister, p.send(in, true)); ok || left != factor.CodeTries-1 {
		t.Errorf("%v, %d left: a decoy must look like any code", ok, left)
	}
}

func TestNeitherCodesNorLettersAreReadableInTheDatabase(t *testing.T) {
	t.Parallel()

	p, in := newPost(t), pg.NewID()
	code := p.send(in, false)
	var found bool
	err := p.db.QueryRow(t.Context(), `
		SELECT EXISTS (SELECT FROM river_job j WHERE j::text LIKE '%' || $1 || '%' OR j::text LIKE '%maria%')
		    OR EXISTS (SELECT FROM mail_code m WHERE m::text LIKE '%' || $1 || '%' OR position($1::bytea IN m.code_hash) > 0)`, code).Scan(&found)
	if err != nil || found {
		t.Errorf("found %v, %v", found, err)
	}
}

// carrier answers as it is told.
type carrier struct {
	sent []mail.Message
	err  error
}

func (c *carrier) Send(_ context.Context, m mail.Message) error {
	c.sent = append(c.sent, m)
	return c.err
}

func TestALetterIsTriedAgainUnlessItCanNeverBeSent(t *testing.T) {
	t.Parallel()

	p := newPost(t)
	down := errors.New("connection refused")
	job := factor.Mail{Sealed: p.box.Seal([]byte(`{"ID":"1","To":"maria@example.org","Subject":"s","Text":"t"}`), []byte("mail"))}
	for name, tc := range map[string]struct {
		err   error
		final bool
	}{"sent": {nil, false}, "down": {down, false}, "refused": {mail.ErrRefused, true}, "malformed": {mail.ErrMessage, true}} {
		c := &carrier{err: tc.err}
		err := factor.Deliver(p.box, c)(t.Context(), job, 1)
		if !errors.Is(err, tc.err) || errors.Is(err, &river.JobCancelError{}) != tc.final || len(c.sent) != 1 || c.sent[0].To != "maria@example.org" {
			t.Errorf("%s: %v, sent %v", name, err, c.sent)
		}
	}
	nobody := factor.Mail{Sealed: p.box.Seal([]byte(`{"ID":"1","To":""}`), []byte("mail"))}
	c := &carrier{}
	if err := factor.Deliver(p.box, c)(t.Context(), nobody, 1); err != nil || len(c.sent) != 0 {
		t.Errorf("a letter to nobody: %v, sent %v", err, c.sent)
	}
	if err := factor.Deliver(p.box, c)(t.Context(), factor.Mail{Sealed: []byte("x")}, 1); err == nil {
		t.Error("a job from elsewhere was opened")
	}
}

func TestAnAccountIsOpenedOnce(t *testing.T) {
	t.Parallel()

	p := newPost(t)
	people := registry.NewStore(p.box)
	r := factor.Registration{CPF: "52998224725", Email: "maria@example.org", Hash: "$argon2id$x"}
	var opened, refused atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := pg.InTx(t.Context(), p.db, func(tx pg.Tx) error {
				_, err := factor.Register(t.Context(), tx, people, r, p.clock.Now())
				return err
			})
			switch {
			case err == nil:
				opened.Add(1)
			case errors.Is(err, factor.ErrHasAccount):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if opened.Load() != 1 || refused.Load() != 19 {
		t.Errorf("opened %d times, refused %d times", opened.Load(), refused.Load())
	}
	var persons, passwords, evidence int
	err := p.db.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM password), (SELECT count(*) FROM evidence)`).
		Scan(&persons, &passwords, &evidence)
	if err != nil || persons != 1 || passwords != 1 || evidence != 1 {
		t.Errorf("%d people, %d passwords, %d pieces of evidence, %v", persons, passwords, evidence, err)
	}
	found, ok, err := factor.Find(t.Context(), p.db, p.box, brdoc.CPF(r.CPF), time.Now())
	if err != nil || !ok || found.Fields["email"].Text != r.Email || found.Fields["email"].Confirmed == nil {
		t.Errorf("%+v %v %v", found, ok, err)
	}
	if _, ok, err := factor.Find(t.Context(), p.db, p.box, joao, time.Now()); ok || err != nil {
		t.Errorf("an unknown CPF: %v %v", ok, err)
	}
}
