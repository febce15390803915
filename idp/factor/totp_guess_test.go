package factor_test

import (
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/secret"
)

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
