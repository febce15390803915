package recovery_test

import (
	"context"
	"testing"

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
