package factor_test

import (
	"encoding/base32"
	"encoding/xml"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"github.com/loginunico/loginunico/idp/factor"
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

func TestGuessesAtOnceStayUnderTheLimit(t *testing.T) {
	t.Parallel()

	a := newRig(t).counts()
	tried := a.together(func(n int) (bool, error) {
		_, ok, v, err := a.Check(t.Context(), a.db, factor.Guess{Person: a.person, Browser: secret.Hash(string(rune(n)))}, "000-00")
		if ok {
			t.Error("a wrong code signs in")
		}
		return v == factor.Go, err
	})
	if tried != 20 {
		t.Errorf("%d of 100 guesses were tried, the limit is 20", tried)
	}
}

func TestGuessingKeepsNeitherTheOwnersBrowserNorAMailCodeOut(t *testing.T) {
	t.Parallel()

	a := newRig(t).counts()
	a.exec(`INSERT INTO known_browser (person_id, browser_hash, seen_at) VALUES ($1, $2, now())`, a.person, secret.Hash("at home"))
	for range 1000 {
		a.check("000-00")
	}
	if ok, v := a.check(a.code()); ok || v != factor.Unlock {
		t.Errorf("a browser nobody knows, after 1000 guesses: %v, verdict %d", ok, v)
	}
	if _, ok, _, err := a.Check(t.Context(), a.db, factor.Guess{Person: a.person, Browser: a.browser, Unlocked: true}, a.code()); !ok || err != nil {
		t.Errorf("the owner after a mail code: %v, %v", ok, err)
	}
	a.clock.Advance(time.Minute)
	if _, ok, _, err := a.Check(t.Context(), a.db, factor.Guess{Person: a.person, Browser: secret.Hash("at home")}, a.code()); !ok || err != nil {
		t.Errorf("the owner at home: %v, %v", ok, err)
	}
	a.clock.Advance(time.Minute)
	if ok, v := a.check(a.code()); !ok || v != factor.Go {
		t.Errorf("a success does not forget the guesses: %v, verdict %d", ok, v)
	}
}

func TestAProvenBrowserMayGuessTenTimesAnHour(t *testing.T) {
	t.Parallel()

	a := newRig(t).counts()
	for _, c := range []struct {
		guess factor.Guess
		after factor.Verdict
	}{
		{factor.Guess{Person: a.person, Browser: secret.Hash("known")}, factor.Unlock},
		{factor.Guess{Person: a.person, Browser: secret.Hash("mailed"), Unlocked: true}, factor.Wait},
	} {
		if !c.guess.Unlocked {
			a.exec(`INSERT INTO known_browser (person_id, browser_hash, seen_at) VALUES ($1, $2, now())`, a.person, c.guess.Browser)
		}
		for n := range 11 {
			want := factor.Go
			if n == 10 {
				want = c.after
			}
			if _, _, v, err := a.Check(t.Context(), a.db, c.guess, "000000x"); v != want || err != nil {
				t.Errorf("guess %d: verdict %d, want %d, %v", n, v, want, err)
			}
		}
	}
	a.clock.Advance(time.Hour)
	if _, ok, _, err := a.Check(t.Context(), a.db, factor.Guess{Person: a.person, Browser: secret.Hash("known")}, a.code()); !ok || err != nil {
		t.Errorf("an hour later: %v, %v", ok, err)
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

func TestRecoveryCodesLeaveWithTheLastApp(t *testing.T) {
	t.Parallel()

	r := newRig(t)
	first, second := r.counts(), r.counts()
	_, err := factor.RenewCodes(t.Context(), r.db, r.person, r.clock.Now())
	r.must(err)
	for n, a := range []*app{first, second} {
		r.must(r.inTx(func(tx pg.Tx) error { return a.Remove(t.Context(), tx, r.person, a.setup.ID) }))
		if left := r.count(`SELECT count(*) FROM recovery_code`); left != 10-10*n {
			t.Errorf("%d codes after removal %d", left, n)
		}
		if ok, _ := a.check(a.code()); ok {
			t.Error("a removed app signs in")
		}
	}
	err = r.inTx(func(tx pg.Tx) error { return first.Remove(t.Context(), tx, r.person, first.setup.ID) })
	if !errors.Is(err, factor.ErrFactorNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestEachRecoveryCodeWorksOnceAndNoOtherOne(t *testing.T) {
	t.Parallel()

	r := newRig(t)
	codes, err := factor.RenewCodes(t.Context(), r.db, r.person, r.clock.Now())
	r.must(err)
	if len(codes) != 10 || len(codes[0]) != len("XXXX-XXXX-XXXX-XXXX-XXXX-XXXX") {
		t.Fatalf("%d codes like %s", len(codes), codes[0])
	}
	for n, code := range codes {
		typed := strings.ToLower(strings.ReplaceAll(code, "-", " "))
		typed = strings.NewReplacer("0", "o", "1", "l").Replace(typed)
		p, ok, left, err := factor.UseCode(t.Context(), r.db, r.person, typed, r.clock.Now())
		if !ok || left != 9-n || err != nil || !p.Enrolled.Equal(r.clock.Now()) {
			t.Errorf("code %d: %v, %d left, %v", n, ok, left, err)
		}
		if _, ok, left, err := factor.UseCode(t.Context(), r.db, r.person, code, r.clock.Now()); ok || left != 9-n || err != nil {
			t.Errorf("code %d again: %v, %d left, %v", n, ok, left, err)
		}
	}
	if _, ok, _, err := factor.UseCode(t.Context(), r.db, pg.NewID(), codes[0], r.clock.Now()); ok || err != nil {
		t.Error("somebody else's code", ok, err)
	}
}

func TestARecoveryCodeWorksOnceHoweverManyTryItTogether(t *testing.T) {
	t.Parallel()

	r := newRig(t)
	codes, err := factor.RenewCodes(t.Context(), r.db, r.person, r.clock.Now())
	r.must(err)
	if won := r.together(func(int) (bool, error) {
		_, ok, _, err := factor.UseCode(t.Context(), r.db, r.person, codes[3], r.clock.Now())
		return ok, err
	}); won != 1 {
		t.Errorf("%d of 100 used the code", won)
	}
}

func TestOfTwoSetsOfRecoveryCodesAtOnceOneStandsWhole(t *testing.T) {
	t.Parallel()

	r := newRig(t)
	sets := make([][]string, 100)
	r.together(func(n int) (_ bool, err error) {
		sets[n], err = factor.RenewCodes(t.Context(), r.db, r.person, r.clock.Now())
		return false, err
	})
	whole := 0
	for _, set := range sets {
		good := 0
		for _, code := range set {
			if _, ok, _, err := factor.UseCode(t.Context(), r.db, r.person, code, r.clock.Now()); ok && err == nil {
				good++
			}
		}
		if good == 10 {
			whole++
		} else if good > 0 {
			t.Errorf("%d codes of a set work", good)
		}
	}
	if whole != 1 {
		t.Errorf("%d sets work", whole)
	}
}
