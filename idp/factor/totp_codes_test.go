package factor_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
)

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
