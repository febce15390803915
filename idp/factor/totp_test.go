package factor_test

import (
	"encoding/base32"
	"encoding/xml"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
)

// app is an authenticator app that was set up from what the page showed.
type app struct {
	*rig
	*factor.Authenticators
	setup factor.Setup
}

func (r *rig) app() *app {
	r.t.Helper()
	a := &app{rig: r, Authenticators: factor.NewAuthenticators(r.box, factor.NewThrottle(r.db, pg.NewGroup(r.db, 1), r.box, few, r.clock.Now), "Vila Esperança", r.clock.Now)}
	var err error
	a.setup, err = a.Enrol(r.t.Context(), r.db, r.person, "529.***", "Celular")
	r.must(err)
	return a
}

// code is what the app shows.
func (a *app) code() string {
	a.t.Helper()
	code, err := totp.GenerateCode(strings.ReplaceAll(a.setup.Secret, " ", ""), a.clock.Now())
	a.must(err)
	return code
}

func (a *app) check(code string) (bool, factor.Verdict) {
	a.t.Helper()
	p, ok, v, err := a.Check(a.t.Context(), a.db, factor.Guess{Person: a.person, Browser: a.browser}, code)
	a.must(err)
	if ok && (p.By != factor.ByTOTP || p.Factor != a.setup.ID || p.Enrolled.IsZero()) {
		a.t.Errorf("proof %+v", p)
	}
	return ok, v
}

func TestAnAppCountsOnceItsOwnCodeConfirmedIt(t *testing.T) {
	t.Parallel()

	a := newRig(t).app()
	if ok, _ := a.check(a.code()); ok {
		t.Error("an unconfirmed app signs in")
	}
	if ok, err := a.Confirm(t.Context(), a.db, a.person, a.setup.ID, "000 000"); ok || err != nil {
		t.Error("a wrong code confirms", err)
	}
	code := a.code()
	if ok, err := a.Confirm(t.Context(), a.db, a.person, a.setup.ID, code[:3]+" "+code[3:]); !ok || err != nil {
		t.Fatal("its own code does not", err)
	}
	if ok, _ := a.check(code); ok {
		t.Error("the code that confirmed it signs in")
	}
	a.clock.Advance(30 * time.Second)
	if ok, _ := a.check(a.code()); !ok {
		t.Error("the next code does not sign in")
	}
	if _, err := a.Pending(t.Context(), a.db, a.person, a.setup.ID, "x"); !errors.Is(err, factor.ErrFactorNotFound) {
		t.Errorf("the secret of an app that counts can be shown again: %v", err)
	}
}

func TestAnAppNobodyConfirmsIsForgotten(t *testing.T) {
	t.Parallel()

	a := newRig(t).app()
	a.clock.Advance(factor.EnrolLifetime)
	if ok, err := a.Confirm(t.Context(), a.db, a.person, a.setup.ID, a.code()); ok || !errors.Is(err, factor.ErrFactorNotFound) {
		t.Errorf("confirmed after ten minutes: %v, %v", ok, err)
	}
	a.clock.Advance(time.Second)
	a.must(factor.PurgeTOTP(t.Context(), a.db, a.clock.Now()))
	if n := a.count(`SELECT count(*) FROM totp`); n != 0 {
		t.Errorf("%d rows stay", n)
	}
}

func TestASetupShowsOneSecretInThreeForms(t *testing.T) {
	t.Parallel()

	a := newRig(t).app()
	u, err := url.Parse(a.setup.URI)
	a.must(err)
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Query().Get("issuer") != "Vila Esperança" ||
		u.Query().Get("secret") != strings.ReplaceAll(a.setup.Secret, " ", "") {
		t.Errorf("URI %s", a.setup.URI)
	}
	key, err := base32.StdEncoding.DecodeString(u.Query().Get("secret"))
	if err != nil || len(key) != 20 {
		t.Errorf("RFC 4226 §4 R6: a secret of %d bytes, %v", len(key), err)
	}
	if err := xml.Unmarshal([]byte(a.setup.QR), new(struct{})); err != nil || strings.Contains(a.setup.QR, "style") {
		t.Errorf("the QR code is no SVG that a strict page may hold: %v", err)
	}
	again, err := a.Pending(t.Context(), a.db, a.person, a.setup.ID, "529.***")
	if err != nil || again != a.setup {
		t.Errorf("the same page shows another setup: %v", err)
	}
	if n := a.count(`SELECT count(*) FROM totp WHERE position($1::bytea in secret) > 0`, key); n != 0 {
		t.Error("the secret lies open")
	}
}

func TestACodeIsGoodOneStepBeforeAndAfterAndNoFurther(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		behind time.Duration // how late the app's clock is
		want   bool
	}{
		"RFC 6238 §5.2 two steps late":  {61 * time.Second, false},
		"RFC 6238 §5.2 one step late":   {30 * time.Second, true},
		"RFC 6238 §5.2 on time":         {0, true},
		"RFC 6238 §5.2 one step early":  {-30 * time.Second, true},
		"RFC 6238 §5.2 two steps early": {-61 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newRig(t).counts()
			a.clock.Advance(5 * time.Minute)
			a.clock.Advance(-c.behind)
			code := a.code()
			a.clock.Advance(c.behind)
			if ok, _ := a.check(code); ok != c.want {
				t.Errorf("accepted: %v", ok)
			}
		})
	}
}

func TestAStepIsNotAcceptedAfterALaterOne(t *testing.T) {
	t.Parallel()

	a := newRig(t).counts()
	earlier := a.code()
	a.clock.Advance(30 * time.Second)
	if ok, _ := a.check(a.code()); !ok {
		t.Fatal("the later code")
	}
	if ok, _ := a.check(earlier); ok {
		t.Error("the earlier code, seen over a shoulder, is good after the later one")
	}
}

func TestAnAppsCodeWorksOnceHoweverManyTryItTogether(t *testing.T) {
	t.Parallel()

	a := newRig(t).counts()
	a.exec(`INSERT INTO known_browser (person_id, browser_hash, seen_at) VALUES ($1, $2, now())`, a.person, a.browser)
	code := a.code()
	if won := a.together(func(int) (bool, error) {
		_, ok, _, err := a.Check(t.Context(), a.db, factor.Guess{Person: a.person, Browser: a.browser}, code)
		return ok, err
	}); won != 1 {
		t.Errorf("%d of 100 used the code", won)
	}
}

func TestConfirmingAtOnceConfirmsOnce(t *testing.T) {
	t.Parallel()

	a := newRig(t).app()
	code := a.code()
	won := a.together(func(int) (bool, error) {
		ok, err := a.Confirm(t.Context(), a.db, a.person, a.setup.ID, code)
		if errors.Is(err, factor.ErrFactorNotFound) {
			err = nil
		}
		return ok, err
	})
	if won != 1 {
		t.Errorf("%d of 100 confirmed", won)
	}
}

func TestAPersonMayHaveSeveralAppsWithNames(t *testing.T) {
	t.Parallel()

	r := newRig(t)
	first := r.counts()
	second := r.counts()
	for n, a := range []*app{first, second} {
		if ok, _ := a.check(a.code()); !ok {
			t.Errorf("app %d does not sign in", n)
		}
		r.clock.Advance(time.Minute)
	}
	r.must(first.Rename(t.Context(), r.db, r.person, first.setup.ID, "  Celular velho "))
	if n := r.count(`SELECT count(*) FROM totp WHERE name = 'Celular velho'`); n != 1 {
		t.Error("the new name is not there")
	}
	for _, name := range []string{"", " ", "a\nb", strings.Repeat("ã", 61)} {
		if err := first.Rename(t.Context(), r.db, r.person, first.setup.ID, name); !errors.Is(err, factor.ErrFactorName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := first.Rename(t.Context(), r.db, pg.NewID(), first.setup.ID, "x"); !errors.Is(err, factor.ErrFactorNotFound) {
		t.Errorf("somebody else renames it: %v", err)
	}
	for range factor.MaxFactors - 2 {
		r.counts()
	}
	if _, err := first.Enrol(t.Context(), r.db, r.person, "x", "x"); !errors.Is(err, factor.ErrTooManyFactors) {
		t.Errorf("one too many: %v", err)
	}
}
