package recovery_test

import (
	"context"
	"regexp"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
)

// must is for what a test rests on and does not test.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// inTx runs something in a transaction of the city's database.
func inTx(t testing.TB, city *idptest.City, fn func(ctx context.Context, tx pg.Tx) error) {
	t.Helper()
	if err := pg.InTx(t.Context(), city.DB, func(tx pg.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// reach gives a person one more address that counts.
func reach(t testing.TB, city *idptest.City, person uuid.UUID, kind factor.ChannelKind, a factor.Address) {
	t.Helper()
	channels := factor.NewChannels(city.Box, city.Now)
	var id uuid.UUID
	var sent factor.Dispatch
	inTx(t, city, func(ctx context.Context, tx pg.Tx) (err error) {
		id, err = channels.Add(ctx, tx, person, kind, a, func(_ context.Context, _ pg.Tx, d factor.Dispatch) error {
			sent = d
			return nil
		})
		return err
	})
	ok, _, err := channels.Confirm(t.Context(), city.DB, person, id, sent.Code)
	if err != nil || !ok {
		t.Fatal("the address's own code does not confirm it", err)
	}
}

// whoIs is the person of a CPF.
func whoIs(t testing.TB, city *idptest.City, cpf string) uuid.UUID {
	t.Helper()
	p, ok, err := factor.Find(t.Context(), city.DB, city.Box, must(brdoc.ParseCPF(cpf))(t), city.Now())
	if err != nil || !ok {
		t.Fatalf("nobody has %s: %v", cpf, err)
	}
	return p.ID
}

// mailbox is read letter by letter.
type mailbox struct {
	city *idptest.City
	to   string
	read uint64
}

func mailboxOf(city *idptest.City, to string) *mailbox { return &mailbox{city: city, to: to} }

// next waits for the next letter that matches, and returns what its pattern's group holds.
func (m *mailbox) next(t testing.TB, pattern *regexp.Regexp) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		letter, err := m.city.Outbox.Wait(ctx, m.to, m.read)
		if err != nil {
			t.Fatalf("no letter to %s with %s: %v", m.to, pattern, err)
		}
		m.read = letter.ID
		if found := pattern.FindStringSubmatch(letter.Text); found != nil {
			return found[1]
		}
	}
}

var (
	codeIn = regexp.MustCompile(`(?m)\b(\d{6}|\d{12})\b`)
	linkIn = regexp.MustCompile(`(/recuperar/link\?t=[A-Za-z0-9_-]+)`)
)

// code is the one in the next letter that has one.
func (m *mailbox) code(t testing.TB) string { t.Helper(); return m.next(t, codeIn) }

// link is the one in the next letter that has one.
func (m *mailbox) link(t testing.TB) string { t.Helper(); return m.next(t, linkIn) }

// worked waits until every recovery that was asked for has been looked at, and every letter sent.
func worked(t testing.TB, city *idptest.City) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for waiting := 1; waiting > 0; <-tick.C {
		err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind IN ('recovery', 'mail') AND state <> 'completed'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
}
