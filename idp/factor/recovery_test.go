package factor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	vw "github.com/descope/virtualwebauthn"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
)

// home is a rig whose person is Maria, with an account: a password, a confirmed mail.
type home struct {
	*rig
	*factor.Recoveries
	hasher *factor.Hasher
	sent   []factor.Dispatch
}

const phoneOfMaria = "+5541999990000"

func newHome(t *testing.T) *home { t.Helper(); return newHomeWith(t, true) }

func newHomeWith(t *testing.T, questions bool) *home {
	t.Helper()
	h := &home{rig: newRig(t), hasher: factor.NewHasher(0)}
	h.Recoveries = factor.NewRecoveries(h.box, h.hasher, questions, h.clock.Now)
	h.must(h.inTx(func(tx pg.Tx) (err error) {
		r := factor.Registration{CPF: maria.Digits(), Email: "maria@example.org", Hash: "$argon2id$old"}
		h.person, err = factor.Register(t.Context(), tx, registry.NewStore(h.box), r, h.clock.Now())
		return err
	}))
	return h
}

// post is the courier: it keeps what is sent.
func (h *home) post(_ context.Context, _ pg.Tx, d factor.Dispatch) error {
	h.sent = append(h.sent, d)
	return nil
}

func (h *home) start(cpf brdoc.CPF, way factor.Way) (uuid.UUID, factor.Dispatch) {
	h.t.Helper()
	var id uuid.UUID
	h.must(h.inTx(func(tx pg.Tx) (err error) {
		id, err = h.Start(h.t.Context(), tx, cpf, way, h.browser, h.post)
		return err
	}))
	return id, h.sent[len(h.sent)-1]
}

func (h *home) prove(id uuid.UUID, code string) (bool, int) {
	h.t.Helper()
	ok, left, err := h.Prove(h.t.Context(), h.db, id, h.browser, code)
	h.must(err)
	return ok, left
}

func (h *home) finish(id uuid.UUID) (o factor.Outcome, err error) {
	h.t.Helper()
	err = h.inTx(func(tx pg.Tx) (err error) {
		o, err = h.Finish(h.t.Context(), tx, id, h.browser, "$argon2id$new")
		return err
	})
	return o, err
}

func (h *home) password() (hash string) {
	h.t.Helper()
	h.must(h.db.QueryRow(h.t.Context(), `SELECT hash FROM password WHERE person_id = $1`, h.person).Scan(&hash))
	return hash
}

func (h *home) enrolled() factor.Enrolled {
	h.t.Helper()
	e, err := factor.EnrolledOf(h.t.Context(), h.db, h.box, h.person)
	h.must(err)
	return e
}

// reach adds a confirmed address.
func (h *home) reach(kind factor.ChannelKind, a factor.Address) uuid.UUID {
	h.t.Helper()
	channels := factor.NewChannels(h.box, h.clock.Now)
	var id uuid.UUID
	h.must(h.inTx(func(tx pg.Tx) (err error) {
		id, err = channels.Add(h.t.Context(), tx, h.person, kind, a, h.post)
		return err
	}))
	ok, _, err := channels.Confirm(h.t.Context(), h.db, h.person, id, h.sent[len(h.sent)-1].Code)
	h.must(err)
	if !ok {
		h.t.Fatal("the address's own code does not confirm it")
	}
	return id
}

func TestEachWayBackEndsInANewPasswordAtLevelOne(t *testing.T) {
	t.Parallel()

	for way, c := range map[factor.Way]struct {
		to    factor.Address
		facts []string
	}{
		factor.WayMail:            {"maria@example.org", []string{"mca", "recovered"}},
		factor.WayAlternativeMail: {"maria@example.com", []string{"mca", "recovered"}},
		factor.WaySMS:             {phoneOfMaria, []string{"sms", "recovered"}},
		factor.WayQuestion:        {"maria@example.org", []string{"mca", "kba", "recovered"}},
	} {
		t.Run(string(way), func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			h.reach(factor.MailChannel, "maria@example.com")
			h.reach(factor.PhoneChannel, phoneOfMaria)
			h.must(h.SetQuestion(t.Context(), h.db, h.person, "Nome da primeira escola?", "Grupo Escolar São José"))
			id, d := h.start(maria, way)
			if d.To.Way != way || d.To.Address != c.to || len(d.Code) != 6 || (d.Token == "") != (way == factor.WaySMS) {
				t.Errorf("sent %+v to %s", d.To, d.To.Address.Text())
			}
			if _, err := h.finish(id); !errors.Is(err, factor.ErrRecovery) {
				t.Errorf("finished before the code: %v", err)
			}
			if ok, _ := h.prove(id, d.Code[:3]+" "+d.Code[3:]); !ok {
				t.Fatal("its own code does not work")
			}
			if way == factor.WayQuestion {
				if _, err := h.finish(id); !errors.Is(err, factor.ErrRecovery) {
					t.Errorf("finished before the answer: %v", err)
				}
				if ok, _, err := h.Answer(t.Context(), h.db, id, h.browser, "grupo escolar SAO JOSE."); !ok || err != nil {
					t.Fatal("the answer", ok, err)
				}
			}
			if s, err := h.Stage(t.Context(), h.db, id, h.browser); err != nil || !s.Ready() || s.Way != way {
				t.Errorf("stage %+v, %v", s, err)
			}
			o, err := h.finish(id)
			if err != nil || o.Person != h.person || h.password() != "$argon2id$new" {
				t.Fatalf("%+v, %v", o, err)
			}
			facts, confirms := o.Hold.Facts(o.Proofs...)
			if !slices.Equal(facts, c.facts) || confirms || h.caps(facts) != 1 {
				t.Errorf("the session holds %v", facts)
			}
			if held, err := factor.HoldOf(t.Context(), h.db, h.person); err != nil || held != o.Hold {
				t.Errorf("held %+v, want %+v, %v", held, o.Hold, err)
			}
		})
	}
}

func TestALinkWorksOnceInAnyBrowser(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	id, d := h.start(maria, factor.WayMail)
	elsewhere := secret.Hash("another browser")
	if got, err := h.ProveLink(t.Context(), h.db, d.Token, elsewhere); got != id || err != nil {
		t.Fatal(got, err)
	}
	if _, err := h.ProveLink(t.Context(), h.db, d.Token, elsewhere); !errors.Is(err, factor.ErrRecovery) {
		t.Errorf("the link again: %v", err)
	}
	if _, err := h.finish(id); !errors.Is(err, factor.ErrRecovery) {
		t.Errorf("the browser that asked finishes what the link proved elsewhere: %v", err)
	}
	if ok, _ := h.prove(id, d.Code); ok {
		t.Error("the code works after the link")
	}
	h.browser = elsewhere
	if _, err := h.finish(id); err != nil {
		t.Error(err)
	}
}

func TestARecoverysCodeIsOneBrowsersForTenMinutesAndFiveTries(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	id, d := h.start(maria, factor.WayMail)
	if ok, _, err := h.Prove(t.Context(), h.db, id, secret.Hash("another"), d.Code); ok || err != nil {
		t.Error("another browser proves it", err)
	}
	for n := range factor.CodeTries {
		if ok, left := h.prove(id, "not it"); ok || left != factor.CodeTries-n-1 {
			t.Errorf("try %d: %v, %d left", n, ok, left)
		}
	}
	if ok, left := h.prove(id, d.Code); ok || left != 0 {
		t.Errorf("the sixth try: %v, %d left", ok, left)
	}
	for name, late := range map[string]func(uuid.UUID, factor.Dispatch) error{
		"code": func(id uuid.UUID, d factor.Dispatch) error {
			if ok, _ := h.prove(id, d.Code); ok {
				return nil
			}
			return factor.ErrRecovery
		},
		"link": func(_ uuid.UUID, d factor.Dispatch) error {
			_, err := h.ProveLink(t.Context(), h.db, d.Token, h.browser)
			return err
		},
	} {
		id, d := h.start(maria, factor.WayMail)
		h.clock.Advance(factor.RecoveryLifetime)
		if err := late(id, d); !errors.Is(err, factor.ErrRecovery) {
			t.Errorf("the %s after ten minutes: %v", name, err)
		}
	}
	id, d = h.start(maria, factor.WayMail)
	h.prove(id, d.Code)
	h.clock.Advance(factor.RecoveryLifetime)
	if _, err := h.finish(id); !errors.Is(err, factor.ErrRecovery) {
		t.Errorf("the new password ten minutes after the code: %v", err)
	}
}

func TestEachStepOfARecoveryHappensOnceHoweverManyTryItTogether(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	h.must(h.SetQuestion(t.Context(), h.db, h.person, "Escola?", "São José"))
	id, d := h.start(maria, factor.WayQuestion)
	linked, other := h.start(maria, factor.WayMail)
	over := func(ok bool, err error) (bool, error) {
		if errors.Is(err, factor.ErrRecovery) {
			return false, nil
		}
		return ok && err == nil, err
	}
	for _, step := range []struct {
		name string
		do   func(n int) (bool, error)
	}{
		{"code", func(int) (bool, error) {
			ok, _, err := h.Prove(t.Context(), h.db, id, h.browser, d.Code)
			return ok, err
		}},
		{"link or code", func(n int) (bool, error) {
			if n%2 == 0 {
				ok, _, err := h.Prove(t.Context(), h.db, linked, h.browser, other.Code)
				return ok, err
			}
			_, err := h.ProveLink(t.Context(), h.db, other.Token, h.browser)
			return over(true, err)
		}},
		{"answer", func(int) (bool, error) {
			ok, _, err := h.Answer(t.Context(), h.db, id, h.browser, "sao jose")
			return ok, err
		}},
		{"new password", func(int) (bool, error) {
			err := h.inTx(func(tx pg.Tx) error {
				_, err := h.Finish(t.Context(), tx, id, h.browser, "$argon2id$new")
				return err
			})
			return over(true, err)
		}},
	} {
		if won := h.together(step.do); won != 1 {
			t.Errorf("%s: %d of 100", step.name, won)
		}
	}
	if _, err := h.finish(linked); !errors.Is(err, factor.ErrRecovery) {
		t.Errorf("a recovery beside the finished one: %v", err)
	}
}

func TestGuessesOfARecoveryAtOnceShareFiveTries(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	h.must(h.SetQuestion(t.Context(), h.db, h.person, "Escola?", "São José"))
	id, d := h.start(maria, factor.WayQuestion)
	right := h.together(func(int) (bool, error) {
		ok, _, err := h.Prove(t.Context(), h.db, id, h.browser, "000-00x")
		return ok, err
	})
	if n := h.count(`SELECT tries FROM recovery WHERE id = $1`, id); right != 0 || n != factor.CodeTries {
		t.Errorf("code: %d right, %d counted", right, n)
	}
	id, d = h.start(maria, factor.WayQuestion)
	h.prove(id, d.Code)
	right = h.together(func(int) (bool, error) {
		ok, _, err := h.Answer(t.Context(), h.db, id, h.browser, "dom pedro")
		return ok, err
	})
	if n := h.count(`SELECT answer_tries FROM recovery WHERE id = $1`, id); right != 0 || n != factor.CodeTries {
		t.Errorf("answer: %d right, %d counted", right, n)
	}
}

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

func (*statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData)     {}
func (*statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (*statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

func TestARecoveryOfAnUnknownAccountRunsTheSameStatementsAndLooksAlike(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	cfg := h.db.Config()
	sql := new(statements)
	cfg.ConnConfig.Tracer = sql
	traced, err := pg.OpenConfig(t.Context(), cfg)
	h.must(err)
	t.Cleanup(traced.Close)
	h.db = traced
	ctx := context.WithValue(t.Context(), marked{}, true)

	// shape tells all that somebody outside could see of a recovery by a way.
	shape := func(cpf brdoc.CPF, way factor.Way) string {
		sql.all = nil
		var id uuid.UUID
		h.must(pg.InTx(ctx, traced, func(tx pg.Tx) (err error) {
			id, err = h.Start(ctx, tx, cpf, way, h.browser, h.post)
			return err
		}))
		d := h.sent[len(h.sent)-1]
		seen := fmt.Sprint(len(d.Code), len(d.Token), d.To.Way)
		stage, err := h.Stage(ctx, traced, id, h.browser)
		seen += fmt.Sprint(stage, err)
		for range factor.CodeTries + 1 {
			ok, left, err := h.Prove(ctx, traced, id, h.browser, "not it")
			seen += fmt.Sprint(ok, left, err)
		}
		_, err = h.Question(ctx, traced, id, h.browser)
		return seen + fmt.Sprint(err) + strings.Join(sql.all, "\n")
	}
	for _, way := range []factor.Way{factor.WayMail, factor.WaySMS, factor.WayAlternativeMail, factor.WayQuestion} {
		known, unknown := shape(maria, way), shape(joao, way)
		if known != unknown || !strings.Contains(known, "INSERT INTO recovery") {
			t.Errorf("%s:\n%s\n--\n%s", way, known, unknown)
		}
		if d := h.sent[len(h.sent)-1]; d.To.Address != "" {
			t.Errorf("%s: something is sent to %v", way, d.To.Address)
		}
	}
}

func TestTheCodeOfADecoyIsNobodys(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	for name, c := range map[string]struct {
		cpf brdoc.CPF
		way factor.Way
	}{"no account": {joao, factor.WayMail}, "no telephone": {maria, factor.WaySMS}, "no question": {maria, factor.WayQuestion}} {
		id, d := h.start(c.cpf, c.way)
		if d.To.Address != "" {
			t.Errorf("%s: sent to %v", name, d.To.Address)
		}
		if ok, _ := h.prove(id, d.Code); ok {
			t.Errorf("%s: the code that was handed over works", name)
		}
		if _, err := h.ProveLink(t.Context(), h.db, d.Token, h.browser); !errors.Is(err, factor.ErrRecovery) {
			t.Errorf("%s: the link that was handed over: %v", name, err)
		}
	}
}

func TestCodesGrowWhenManyAreAskedForAndNobodyIsKeptOut(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	var mu sync.Mutex
	lengths := map[int]int{}
	h.together(func(int) (bool, error) {
		return false, h.inTx(func(tx pg.Tx) error {
			_, err := h.Start(t.Context(), tx, maria, factor.WayMail, h.browser, func(_ context.Context, _ pg.Tx, d factor.Dispatch) error {
				mu.Lock()
				defer mu.Unlock()
				lengths[len(d.Code)]++
				return nil
			})
			return err
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

func TestARecoveryTakesNoOtherFactorAway(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	h.counts()
	h.device(vw.AuthenticatorOptions{})
	_, err := factor.RenewCodes(t.Context(), h.db, h.person, h.clock.Now())
	h.must(err)
	h.reach(factor.PhoneChannel, phoneOfMaria)
	before := h.enrolled()
	h.clock.Advance(time.Hour)
	id, d := h.start(maria, factor.WaySMS)
	h.prove(id, d.Code)
	_, err = h.finish(id)
	h.must(err)
	after := h.enrolled()
	if !after.PasswordAt.Equal(h.clock.Now()) || !after.Hold.Live() {
		t.Errorf("after: %+v", after)
	}
	after.PasswordAt, after.Hold = before.PasswordAt, before.Hold
	if fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("before %+v\nafter  %+v", before, after)
	}
}

func TestTheSecretQuestionIsOffUnlessTheCityWantsIt(t *testing.T) {
	t.Parallel()

	h := newHomeWith(t, false)
	if err := h.SetQuestion(t.Context(), h.db, h.person, "Escola?", "São José"); !errors.Is(err, factor.ErrWay) {
		t.Errorf("set: %v", err)
	}
	err := h.inTx(func(tx pg.Tx) error {
		_, err := h.Start(t.Context(), tx, maria, factor.WayQuestion, h.browser, h.post)
		return err
	})
	if !errors.Is(err, factor.ErrWay) || len(h.sent) != 0 {
		t.Errorf("started: %v, %d sent", err, len(h.sent))
	}
}

func TestTheSecretQuestionIsNeverAskedBeforeTheCode(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	h.must(h.SetQuestion(t.Context(), h.db, h.person, "  Nome da  escola? ", "São José"))
	id, d := h.start(maria, factor.WayQuestion)
	if q, err := h.Question(t.Context(), h.db, id, h.browser); !errors.Is(err, factor.ErrRecovery) {
		t.Errorf("shown as %q: %v", q, err)
	}
	if ok, _, err := h.Answer(t.Context(), h.db, id, h.browser, "São José"); ok || err != nil {
		t.Error("answered before the code", err)
	}
	h.prove(id, d.Code)
	if q, err := h.Question(t.Context(), h.db, id, h.browser); q != "Nome da escola?" || err != nil {
		t.Errorf("shown as %q: %v", q, err)
	}
	if ok, left, err := h.Answer(t.Context(), h.db, id, h.browser, "Santa Maria"); ok || left != 4 || err != nil {
		t.Errorf("a wrong answer: %v, %d left, %v", ok, left, err)
	}
	if n := h.count(`SELECT count(*) FROM secret_question WHERE position('escola' in encode(question, 'escape')) > 0 OR answer_hash !~ '^\$argon2id\$v=19\$m=19456'`); n != 0 {
		t.Error("the question lies open, or the answer is hashed otherwise")
	}
	h.must(factor.RemoveQuestion(t.Context(), h.db, h.person))
	if h.enrolled().Question {
		t.Error("it is there after its removal")
	}
}

func TestAnAnswerMayBeWrittenInManyWays(t *testing.T) {
	t.Parallel()

	const want = "grupo escolar sao jose 2"
	for _, typed := range []string{"Grupo Escolar São José 2", "GRUPO ESCOLAR SAO JOSÉ, 2.", "  grupo\tescolar  são-josé (2)", "Grupo Escolar Sa\u0303o Jose\u0301 ２"} {
		if got := factor.NormalizeAnswer(typed); got != want || factor.NormalizeAnswer(got) != want {
			t.Errorf("%q is %q", typed, got)
		}
	}
	if factor.NormalizeAnswer("Rex") == factor.NormalizeAnswer("Rex 2") || factor.NormalizeAnswer("\xff\xfe") != "" {
		t.Error("different answers are alike")
	}
}

func TestAQuestionThatGivesItsAnswerAwayIsRefused(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	for _, c := range []struct{ question, answer string }{{"", "São José"}, {strings.Repeat("a", 121), "São José"}, {"Escola?", "abc"},
		{"Escola?", ". . . ."}, {"Minha escola é São José?", "sao jose"}} {
		if err := h.SetQuestion(t.Context(), h.db, h.person, c.question, c.answer); !errors.Is(err, factor.ErrQuestion) {
			t.Errorf("%.20q, %.20q: %v", c.question, c.answer, err)
		}
	}
}

func FuzzNormalizeAnswer(f *testing.F) {
	for _, s := range []string{"São José", "", "ﬁ ½ ǅ", "\xff", "İstanbul", "ß"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := factor.NormalizeAnswer(s)
		if twice := factor.NormalizeAnswer(once); len(once) < 2000 && twice != once {
			t.Fatalf("%q becomes %q, then %q", s, once, twice)
		}
		if strings.HasPrefix(once, " ") || strings.Contains(once, "  ") {
			t.Fatalf("%q keeps spaces: %q", s, once)
		}
	})
}

func TestRecoveriesLeaveADayAfterTheyAreOver(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	h.start(maria, factor.WayMail)
	h.clock.Advance(25 * time.Hour)
	h.start(maria, factor.WayMail)
	h.must(factor.PurgeRecoveries(t.Context(), h.db, h.clock.Now()))
	if n := h.count(`SELECT count(*) FROM recovery`); n != 1 {
		t.Errorf("%d stay", n)
	}
}
