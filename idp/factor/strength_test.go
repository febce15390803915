package factor_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/trust"
)

var (
	noon   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	held   = factor.Hold{Way: factor.WaySMS, Since: noon, At: noon}
	before = noon.Add(-time.Hour)
	since  = noon.Add(time.Minute)
)

func passkeyProof(enrolled time.Time) factor.Proof {
	return factor.Proof{By: factor.ByPasskey, AMR: []string{"hwk", "user", "mfa"}, Enrolled: enrolled}
}

func appProof(enrolled time.Time) factor.Proof {
	return factor.Proof{By: factor.ByTOTP, AMR: []string{"otp", "mfa"}, Enrolled: enrolled}
}

func TestWhatIsHeldStaysAtLevelOneUntilSomethingEnrolledBeforeConfirmsIt(t *testing.T) {
	t.Parallel()

	caps, err := trust.ParseCaps(trust.DefaultCaps)
	if err != nil {
		t.Fatal(err)
	}
	pwd := factor.PasswordProof()
	sms := factor.Proof{By: factor.ByCode, AMR: []string{"sms"}}
	codes := factor.Proof{By: factor.ByRecoveryCode, AMR: []string{"otp", "mfa"}, Enrolled: before}
	govbr := factor.Proof{By: factor.ByGovBR, AMR: []string{"govbr"}}
	cert := factor.Proof{By: factor.ByCertificate, AMR: []string{"x509"}}
	desk := factor.Proof{By: factor.ByDesk}
	for name, c := range map[string]struct {
		hold     factor.Hold
		proofs   []factor.Proof
		cap      int
		confirms bool
	}{
		"nothing held: a password":                    {factor.Hold{}, []factor.Proof{pwd}, 3, false},
		"nothing held: a password and a new app":      {factor.Hold{}, []factor.Proof{pwd, appProof(since)}, 4, false},
		"nothing held: a code":                        {factor.Hold{}, []factor.Proof{sms}, 1, false},
		"the code it was recovered by":                {held, []factor.Proof{sms}, 1, false},
		"the new password":                            {held, []factor.Proof{pwd}, 1, false},
		"the new password and the old app":            {held, []factor.Proof{pwd, appProof(before)}, 4, true},
		"the new password and an old recovery code":   {held, []factor.Proof{pwd, codes}, 4, true},
		"the new password and an old passkey":         {held, []factor.Proof{pwd, passkeyProof(before)}, 4, true},
		"the new password and gov.br":                 {held, []factor.Proof{pwd, govbr}, 3, true},
		"the new password and a certificate":          {held, []factor.Proof{pwd, cert}, 5, true},
		"the new password and a desk":                 {held, []factor.Proof{pwd, desk}, 3, true},
		"the new password and an app enrolled since":  {held, []factor.Proof{pwd, appProof(since)}, 1, false},
		"a passkey enrolled since":                    {held, []factor.Proof{passkeyProof(since)}, 1, false},
		"a passkey enrolled at that moment":           {held, []factor.Proof{passkeyProof(noon)}, 1, false},
		"the old passkey alone, which says nothing":   {held, []factor.Proof{passkeyProof(before)}, 4, false},
		"a certificate alone, which says nothing":     {held, []factor.Proof{cert}, 5, false},
		"a new passkey, then the old one in its turn": {held, []factor.Proof{passkeyProof(since), passkeyProof(before)}, 4, true},
	} {
		facts, confirms := c.hold.Facts(c.proofs...)
		if got := caps.Of(facts); got != c.cap || confirms != c.confirms || c.hold.Cap(caps, c.proofs...) != c.cap {
			t.Errorf("%s: %v, cap %d, confirms %v; want %d, %v", name, facts, got, confirms, c.cap, c.confirms)
		}
		if slices.Contains(facts, trust.Recovered) && c.cap != 1 {
			t.Errorf("%s: %v", name, facts)
		}
	}
}

func TestAChangeAsksForTheStrongestThatWasEnrolled(t *testing.T) {
	t.Parallel()

	caps, err := trust.ParseCaps(trust.DefaultCaps)
	if err != nil {
		t.Fatal(err)
	}
	key := func(at time.Time) []factor.Passkey { return []factor.Passkey{{ID: uuid.Max, CreatedAt: at}} }
	apps := func(at time.Time) []factor.Authenticator {
		return []factor.Authenticator{{ID: uuid.Max, ConfirmedAt: at}}
	}
	type e = factor.Enrolled
	for name, c := range map[string]struct {
		has    factor.Enrolled
		cap    int
		ways   []factor.Method
		enough []string // a session that may
		short  []string // one that may not; nil: there is none
	}{
		"nothing":                        {e{}, 1, []factor.Method{factor.ByCode}, []string{"sms"}, nil},
		"a password":                     {e{Password: true}, 3, []factor.Method{factor.ByPassword}, []string{"pwd"}, []string{"sms"}},
		"a password and an app":          {e{Password: true, Authenticators: apps(before)}, 4, []factor.Method{factor.ByTOTP}, []string{"pwd", "otp", "mfa"}, []string{"pwd"}},
		"an app without password":        {e{Authenticators: apps(before)}, 1, []factor.Method{factor.ByCode}, []string{"sms"}, nil},
		"a passkey":                      {e{Passkeys: key(before)}, 4, []factor.Method{factor.ByPasskey}, []string{"swk", "user", "mfa"}, []string{"swk", "user"}},
		"all of them":                    {e{Password: true, Passkeys: key(before), Authenticators: apps(before)}, 4, []factor.Method{factor.ByPasskey, factor.ByTOTP}, []string{"x509"}, []string{"pwd"}},
		"recovered, with an old app":     {e{Password: true, Authenticators: apps(before), Hold: held}, 4, []factor.Method{factor.ByTOTP}, []string{"govbr", "gold"}, []string{"pwd", "recovered"}},
		"recovered, with a new app":      {e{Password: true, Authenticators: apps(since), Hold: held}, 1, []factor.Method{factor.ByPassword}, []string{"pwd", "recovered"}, nil},
		"recovered, with a new passkey":  {e{Password: true, Passkeys: key(since), Hold: held}, 1, []factor.Method{factor.ByPassword, factor.ByPasskey}, []string{"pwd", "recovered"}, nil},
		"a passkey enrolled while held":  {e{Passkeys: key(since), Hold: held}, 1, []factor.Method{factor.ByPasskey}, []string{"hwk", "user", "mfa", "recovered"}, nil},
		"an old passkey and one of then": {e{Passkeys: append(key(since), key(before)...), Hold: held}, 4, []factor.Method{factor.ByPasskey}, []string{"hwk", "user", "mfa"}, []string{"hwk", "user", "mfa", "recovered"}},
	} {
		if s := c.has.Strongest(); s.Cap != c.cap || !slices.Equal(s.Ways, c.ways) {
			t.Errorf("%s: %+v", name, s)
		}
		if !c.has.MayChange(caps, c.enough, noon, noon.Add(factor.Fresh)) || c.has.MayChange(caps, c.enough, noon, noon.Add(factor.Fresh+1)) {
			t.Errorf("%s: a session of %v may change something while it is fresh, and no longer", name, c.enough)
		}
		if c.short != nil && c.has.MayChange(caps, c.short, noon, noon) {
			t.Errorf("%s: a session of %v may change something", name, c.short)
		}
	}
}

func TestThePageIsToldWhatConfirmsARecovery(t *testing.T) {
	t.Parallel()

	open := []factor.Method{factor.ByGovBR, factor.ByCertificate, factor.ByDesk}
	for name, c := range map[string]struct {
		has  factor.Enrolled
		want []factor.Method
	}{
		"nothing else": {factor.Enrolled{Password: true, Hold: held}, open},
		"old ones": {factor.Enrolled{Passkeys: []factor.Passkey{{CreatedAt: before}}, Authenticators: []factor.Authenticator{{ConfirmedAt: before}}, Hold: held},
			append([]factor.Method{factor.ByPasskey, factor.ByTOTP}, open...)},
		"new ones": {factor.Enrolled{Passkeys: []factor.Passkey{{CreatedAt: since}}, Authenticators: []factor.Authenticator{{ConfirmedAt: since}}, Hold: held}, open},
	} {
		if got := c.has.Lifting(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAHoldIsLiftedOnceAndNotByWhatCameBeforeTheNext(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	recover := func() factor.Hold {
		id, d := h.start(maria, factor.WayMail)
		h.prove(id, d.Code)
		o, err := h.finish(id)
		h.must(err)
		return o.Hold
	}
	first := recover()
	h.clock.Advance(time.Minute)
	second := recover()
	if ok, err := factor.Lift(t.Context(), h.db, h.person, first, factor.ByTOTP, h.clock.Now()); ok || err != nil {
		t.Error("what confirms the first recovery confirms the second", err)
	}
	if won := h.together(func(int) (bool, error) {
		return factor.Lift(t.Context(), h.db, h.person, second, factor.ByTOTP, h.clock.Now())
	}); won != 1 {
		t.Errorf("%d of 100 lifted it", won)
	}
	if got, err := factor.HoldOf(t.Context(), h.db, h.person); got.Live() || err != nil {
		t.Errorf("held %+v, %v", got, err)
	}
}

func TestRecoveringTwiceFreesNothingThatWasEnrolledBetween(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	recover := func() factor.Hold {
		id, d := h.start(maria, factor.WayMail)
		h.prove(id, d.Code)
		o, err := h.finish(id)
		h.must(err)
		h.clock.Advance(time.Minute)
		return o.Hold
	}
	recover()
	between := passkeyProof(h.clock.Now())
	h.clock.Advance(time.Minute)
	for name, again := range map[string]factor.Hold{"told": recover(), "read": h.enrolled().Hold} {
		if facts, confirms := again.Facts(between); h.caps(facts) != 1 || confirms {
			t.Errorf("%s: a passkey of whoever recovered first is worth %d: %+v", name, h.caps(facts), again)
		}
	}
	h.must(h.inTx(func(tx pg.Tx) error {
		_, err := factor.Lift(t.Context(), tx, h.person, h.enrolled().Hold, factor.ByGovBR, h.clock.Now())
		return err
	}))
	if next := recover(); !next.Since.Equal(next.At) {
		t.Errorf("what was confirmed is held again: %+v", next)
	}
}

func TestANewPasswordFromAStrongSessionEndsTheHold(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		proof factor.Proof
		live  bool
	}{"an old passkey": {passkeyProof(before), false}, "the recovered password": {factor.PasswordProof(), true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			id, d := h.start(maria, factor.WayMail)
			h.prove(id, d.Code)
			o, err := h.finish(id)
			h.must(err)
			h.clock.Advance(time.Minute)
			h.must(h.inTx(func(tx pg.Tx) error {
				return factor.ChangePassword(t.Context(), tx, h.person, "$argon2id$mine", o.Hold, []factor.Proof{c.proof}, h.clock.Now())
			}))
			if e := h.enrolled(); e.Hold.Live() != c.live || h.password() != "$argon2id$mine" {
				t.Errorf("%+v", e)
			}
		})
	}
}
