package tosign_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/loginunico/loginunico/certauth/cloud/psctest"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/certauth/tosign"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
)

func TestATextIsSignedOnceInItsVisitAndBrowser(t *testing.T) {
	t.Parallel()

	db, clock, ctx := testpg.New(t), testclock.At("2026-11-21T12:00:00Z"), t.Context()
	texts := tosign.New("https://id.example.org", clock.Now)
	leaf := icptest.Must(icptest.New(icptest.Options{})).Issue(icptest.ECPF("MARIA", "52998224725"))
	visit, browser := pg.NewID(), secret.Hash("browser")
	sign := func(text string) []byte {
		sum := sha256.Sum256([]byte(text))
		return icptest.Must(psctest.SignCMS(leaf, sum[:]))
	}

	text := icptest.Must(texts.Current(ctx, db, visit, browser))
	if again := icptest.Must(texts.Current(ctx, db, visit, browser)); again != text {
		t.Errorf("looked at again it is another text: %q", again)
	}
	if !strings.HasPrefix(text, "Entrar em https://id.example.org - 2026-11-21T12:00:00Z - ") || strings.ContainsAny(text, "\r\n") {
		t.Errorf("%q", text)
	}
	other := icptest.Must(texts.Current(ctx, db, pg.NewID(), browser))
	if other == text {
		t.Error("two visits have one text")
	}
	for name, c := range map[string]struct {
		signature []byte
		browser   []byte
		want      error
	}{
		"another browser":       {sign(text), secret.Hash("another"), tosign.ErrGone},
		"another visit's text":  {sign(other), browser, tosign.ErrSignature},
		"no signature":          {[]byte("Maria"), browser, tosign.ErrSignature},
		"a text that was asked": {sign(text), browser, nil},
	} {
		if _, cert, err := texts.Answer(ctx, db, visit, c.browser, c.signature); !errors.Is(err, c.want) || (cert == nil) != (c.want != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var used atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := texts.Use(ctx, db, visit, browser, text); err == nil {
				used.Add(1)
			} else if !errors.Is(err, tosign.ErrGone) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if used.Load() != 1 {
		t.Errorf("used %d times", used.Load())
	}
	if _, _, err := texts.Answer(ctx, db, visit, browser, sign(text)); !errors.Is(err, tosign.ErrGone) {
		t.Errorf("signed twice: %v", err)
	}

	second := icptest.Must(texts.Current(ctx, db, visit, browser))
	for range 10 {
		if _, _, err := texts.Answer(ctx, db, visit, browser, []byte("x")); !errors.Is(err, tosign.ErrSignature) {
			t.Fatal(err)
		}
	}
	if _, _, err := texts.Answer(ctx, db, visit, browser, sign(second)); !errors.Is(err, tosign.ErrGone) {
		t.Errorf("tried too often: %v", err)
	}
	third := icptest.Must(texts.Current(ctx, db, visit, browser))
	clock.Advance(tosign.Lifetime)
	if _, _, err := texts.Answer(ctx, db, visit, browser, sign(third)); !errors.Is(err, tosign.ErrGone) {
		t.Errorf("too late: %v", err)
	}
	if err := texts.Purge(ctx, db); err != nil {
		t.Error(err)
	}
}
