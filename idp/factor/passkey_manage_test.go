package factor_test

import (
	"errors"
	"testing"

	vw "github.com/descope/virtualwebauthn"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
)

func TestAKeyIsRegisteredOnceAndExcludedNextTime(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	options := d.asked()
	if !d.key.IsExcludedForAttestation(*options) {
		t.Error("the device is not told that it has a key here")
	}
	if options.UserName != "529.***.***-25" || options.UserDisplayName != "Maria" || options.UserID != string(d.handle(d.person)) {
		t.Errorf("the device is told %+v", options)
	}
	if _, err := d.FinishRegistration(t.Context(), d.db, d.browser, d.person, "x", d.made(options)); !errors.Is(err, factor.ErrPasskeyTaken) {
		t.Errorf("the same key again: %v", err)
	}
}

func TestPasskeysHaveNamesAndAnEnd(t *testing.T) {
	t.Parallel()

	r := newRig(t)
	first, second := r.device(vw.AuthenticatorOptions{}), r.device(vw.AuthenticatorOptions{})
	remove := func(d *device, evenLast bool) error {
		return r.inTx(func(tx pg.Tx) error { return factor.RemovePasskey(t.Context(), tx, r.person, d.row.ID, evenLast) })
	}
	r.must(factor.RenamePasskey(t.Context(), r.db, r.person, first.row.ID, "Chave azul"))
	if err := factor.RenamePasskey(t.Context(), r.db, pg.NewID(), first.row.ID, "x"); !errors.Is(err, factor.ErrFactorNotFound) {
		t.Errorf("somebody else renames it: %v", err)
	}
	all, err := factor.PasskeysOf(t.Context(), r.db, r.person)
	if err != nil || len(all) != 2 || all[0].Name != "Chave azul" {
		t.Errorf("%+v, %v", all, err)
	}
	r.must(remove(first, false))
	if _, _, err := first.login(nil); !errors.Is(err, factor.ErrCeremony) {
		t.Errorf("a removed key: %v", err)
	}
	if err := remove(second, false); !errors.Is(err, factor.ErrLastWayIn) {
		t.Errorf("the last way in, without a warning: %v", err)
	}
	r.must(factor.SetPassword(t.Context(), r.db, r.person, "$argon2id$x", r.clock.Now()))
	r.must(remove(second, false))
	if err := remove(second, true); !errors.Is(err, factor.ErrFactorNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestTwoRemovalsAtOnceDoNotTakeTheLastWayIn(t *testing.T) {
	t.Parallel()

	r := newRig(t)
	keys := []*device{r.device(vw.AuthenticatorOptions{}), r.device(vw.AuthenticatorOptions{})}
	remove := func(n int, evenLast bool) func(pg.Tx) error {
		return func(tx pg.Tx) error { return factor.RemovePasskey(t.Context(), tx, r.person, keys[n].row.ID, evenLast) }
	}
	first, second := r.meanwhile(remove(0, false), remove(1, false))
	if left := r.count(`SELECT count(*) FROM passkey`); first != nil || !errors.Is(second, factor.ErrLastWayIn) || left != 1 {
		t.Errorf("%v, %v, %d left", first, second, left)
	}
	r.must(r.inTx(remove(1, true)))
	if left := r.count(`SELECT count(*) FROM passkey`); left != 0 {
		t.Error("a person who was warned cannot remove the last one")
	}
}

func TestChallengesLeaveWhenTheyAreOver(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	d.signs(nil)
	d.clock.Advance(2 * factor.ChallengeLifetime)
	d.clock.Advance(60 * factor.ChallengeLifetime)
	fresh := d.signs(nil)
	d.must(factor.PurgeChallenges(t.Context(), d.db, d.clock.Now()))
	if n := d.count(`SELECT count(*) FROM webauthn_challenge`); n != 1 {
		t.Errorf("%d challenges stay", n)
	}
	if _, _, err := d.FinishLogin(t.Context(), d.db, d.browser, fresh); err != nil {
		t.Error(err)
	}
}
