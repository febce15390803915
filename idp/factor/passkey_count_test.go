package factor_test

import (
	"errors"
	"testing"

	vw "github.com/descope/virtualwebauthn"

	"github.com/loginunico/loginunico/idp/factor"
)

func TestACountThatDoesNotRiseIsRefusedAndNamesTheKey(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	for _, step := range []struct {
		count uint32
		want  error
	}{{0, nil}, {0, nil}, {5, nil}, {6, nil}, {6, factor.ErrCloned}, {4, factor.ErrCloned}, {0, factor.ErrCloned}, {7, nil}} {
		d.key.Counter = step.count
		person, p, err := d.login(nil)
		if !errors.Is(err, step.want) || person != d.person || p.Factor != d.row.ID || (p.AMR == nil) != (step.want != nil) {
			t.Errorf("WebAuthn §7.2 step 22 count %d: %s, %+v, %v", step.count, person, p, err)
		}
	}
}

func TestOfTwoCopiesThatSignTogetherOneIsRefused(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	d.key.Counter = 7
	responses := make([][]byte, 100)
	for n := range responses {
		responses[n] = d.signs(nil)
	}
	won := d.together(func(n int) (bool, error) {
		_, _, err := d.FinishLogin(t.Context(), d.db, d.browser, responses[n])
		if errors.Is(err, factor.ErrCloned) {
			return false, nil
		}
		return err == nil, err
	})
	if won != 1 {
		t.Errorf("%d of 100 signatures with one count were accepted", won)
	}
}

func TestTheBackupStateFollowsTheDevice(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{BackupEligible: true})
	if !d.row.BackupEligible || d.row.BackedUp {
		t.Errorf("registered as %+v", d.row)
	}
	d.Options.BackupState = true
	if _, _, err := d.login(nil); err != nil {
		t.Fatal(err)
	}
	all, err := factor.PasskeysOf(t.Context(), d.db, d.person)
	if err != nil || !all[0].BackedUp {
		t.Errorf("after the copy: %+v, %v", all, err)
	}
}
