package factor_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	vw "github.com/descope/virtualwebauthn"
	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

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
