package factor_test

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
)

const (
	maria = brdoc.CPF("52998224725")
	joao  = brdoc.CPF("11144477735")
)

// gate is a throttle on a database of its own, with Maria's account in it.
type gate struct {
	*factor.Throttle
	t     *testing.T
	db    *pg.Pool
	clock *testclock.Clock
	maria uuid.UUID
}

var few = factor.Limits{Window: 15 * time.Minute, Pair: 3, CPF: 6, Address: 9, Global: 12, Mails: 2, Pushes: 2}

func newGate(t *testing.T, limits factor.Limits) *gate {
	t.Helper()
	return newGateOn(t, testpg.New(t), limits)
}

func newGateOn(t *testing.T, db *pg.Pool, limits factor.Limits) *gate {
	t.Helper()
	g := &gate{t: t, db: db, clock: testclock.At("2026-11-21T12:00:00Z")}
	box, err := secret.Open(t.Context(), g.db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := registry.NewStore(box).Create(t.Context(), g.db, registry.Person{CPF: maria}, g.clock.Now())
	if err == nil {
		err = factor.SetPassword(t.Context(), g.db, p.ID, "$argon2id$x", g.clock.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	g.maria = p.ID
	g.Throttle = factor.NewThrottle(g.db, pg.NewGroup(g.db, 1), box, limits, g.clock.Now)
	return g
}

// from is a try at a CPF from the nth address and browser of the world.
func from(cpf brdoc.CPF, n int) factor.Try {
	return factor.Try{CPF: cpf, Address: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), Browser: secret.Hash(fmt.Sprint("browser ", n))}
}

func (g *gate) enter(try factor.Try) (factor.Account, factor.Verdict) {
	g.t.Helper()
	a, v, err := g.Enter(g.t.Context(), try)
	if err != nil {
		g.t.Fatal(err)
	}
	return a, v
}

// wrong makes a try with a wrong password and returns how it was met.
func (g *gate) wrong(try factor.Try) factor.Verdict {
	g.t.Helper()
	a, v := g.enter(try)
	if v == factor.Go {
		if err := g.Failed(g.t.Context(), try, a); err != nil {
			g.t.Fatal(err)
		}
	}
	return v
}

// right makes a try with the right password.
func (g *gate) right(try factor.Try) factor.Verdict {
	g.t.Helper()
	a, v := g.enter(try)
	if v == factor.Go {
		if err := g.Succeeded(g.t.Context(), g.db, try, a); err != nil {
			g.t.Fatal(err)
		}
	}
	return v
}

func (g *gate) want(what string, got, want factor.Verdict) {
	g.t.Helper()
	if got != want {
		g.t.Errorf("%s: verdict %d, want %d", what, got, want)
	}
}

func TestEachLimitAsksForAMailCode(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct {
		name  string
		limit int
		try   func(n int) factor.Try
		other factor.Try // untouched by this limit
	}{
		{"one CPF from one address", few.Pair, func(int) factor.Try { return from(maria, 1) }, from(maria, 2)},
		{"one CPF from everywhere", few.CPF, func(n int) factor.Try { return from(maria, n) }, from(joao, 99)},
		{"one address at every CPF", few.Address, func(n int) factor.Try {
			return factor.Try{CPF: brdoc.CPF(fmt.Sprintf("%011d", n)), Address: netip.MustParseAddr("10.1.1.1"), Browser: secret.Hash("b")}
		}, from(maria, 99)},
		{"one IPv6 household", few.Address, func(n int) factor.Try {
			return factor.Try{CPF: brdoc.CPF(fmt.Sprintf("%011d", n)), Address: netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", n+1)), Browser: secret.Hash("b")}
		}, factor.Try{CPF: maria, Address: netip.MustParseAddr("2001:db8:0:1::1"), Browser: secret.Hash("b")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t, few)
			for n := range tc.limit {
				g.want(fmt.Sprint("try ", n), g.wrong(tc.try(n)), factor.Go)
			}
			g.want("one more", g.wrong(tc.try(tc.limit)), factor.Unlock)
			g.want("somebody else", g.wrong(tc.other), factor.Go)
			g.clock.Advance(few.Window)
			g.want("in the next window", g.wrong(tc.try(0)), factor.Go)
		})
	}
}

func TestTheWholeCityHasALimitThatProvenBrowsersDoNotFeel(t *testing.T) {
	t.Parallel()

	g := newGate(t, few)
	g.want("the owner signs in", g.right(from(maria, 1000)), factor.Go)
	for n := range few.Global {
		g.wrong(from(brdoc.CPF(fmt.Sprintf("%011d", n)), n))
	}
	g.want("a stranger", g.wrong(from(joao, 500)), factor.Unlock)
	g.want("the owner's browser", g.right(from(maria, 1000)), factor.Go)
	unlocked := from(maria, 501)
	unlocked.Unlocked = true
	g.want("a new browser with a mail code", g.right(unlocked), factor.Go)
}

func TestNobodyOutsideCanLockAnAccount(t *testing.T) {
	t.Parallel()

	g := newGate(t, factor.DefaultLimits)
	owner := from(maria, 1)
	g.want("the owner signs in", g.right(owner), factor.Go)
	for n := range 60 {
		g.wrong(from(maria, 100+n))
	}
	g.want("an attacker from yet another address", g.wrong(from(maria, 900)), factor.Unlock)
	g.want("the owner in the usual browser", g.right(owner), factor.Go)
	elsewhere := owner
	elsewhere.Address = netip.MustParseAddr("192.0.2.7")
	g.want("the owner's browser at another address", g.right(elsewhere), factor.Go)
	fresh := from(maria, 2)
	g.want("the owner in a new browser", g.wrong(fresh), factor.Unlock)
	fresh.Unlocked = true
	g.want("and after the mail code", g.right(fresh), factor.Go)
	fresh.Unlocked = false
	g.want("which is known from then on", g.right(fresh), factor.Go)
}

func TestAProvenBrowserHasTriesOfItsOwnAndNoMore(t *testing.T) {
	t.Parallel()

	g := newGate(t, few)
	owner := from(maria, 1)
	g.want("sign-in", g.right(owner), factor.Go)
	for range few.Pair {
		g.want("a known browser's mistake", g.wrong(owner), factor.Go)
	}
	g.want("one mistake more", g.wrong(owner), factor.Unlock)
	owner.Unlocked = true
	for range few.Pair {
		g.want("after the mail code", g.wrong(owner), factor.Go)
	}
	g.want("even the owner must pause at last", g.wrong(owner), factor.Wait)
	if m := g.Minutes(); m < 1 || m > 16 {
		t.Errorf("come back in %d minutes", m)
	}
	g.clock.Advance(few.Window)
	g.want("and comes back", g.right(owner), factor.Go)
	g.clock.Advance(few.Window)
	for range few.CPF + 1 {
		g.wrong(owner)
	}
	g.want("a stranger, whom the owner's mistakes do not touch", g.wrong(from(maria, 2)), factor.Go)
}

func TestASuccessForgetsTheTriesBeforeIt(t *testing.T) {
	t.Parallel()

	g := newGate(t, few)
	for range 3 {
		g.want("a mistake", g.wrong(from(maria, 1)), factor.Go)
		g.want("another", g.wrong(from(maria, 1)), factor.Go)
		g.want("right", g.right(from(maria, 1)), factor.Go)
	}
}

// TestTriesAtOnceCannotSlipUnderALimitTogether holds for one address and for a hundred.
func TestTriesAtOnceCannotSlipUnderALimitTogether(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		try   func(n int) factor.Try
		limit int
	}{
		"one address":       {func(int) factor.Try { return from(maria, 1) }, factor.DefaultLimits.Pair},
		"a hundred of them": {func(n int) factor.Try { return from(maria, n) }, factor.DefaultLimits.CPF},
		"no such account":   {func(n int) factor.Try { return from(joao, n) }, factor.DefaultLimits.CPF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t, factor.DefaultLimits)
			var wg sync.WaitGroup
			verdicts := make([]factor.Verdict, 100)
			for n := range verdicts {
				wg.Go(func() {
					_, v, err := g.Enter(t.Context(), tc.try(n))
					if err != nil {
						t.Error(err)
					}
					verdicts[n] = v
				})
			}
			wg.Wait()
			passed := 0
			for _, v := range verdicts {
				if v == factor.Go {
					passed++
				}
			}
			if passed != tc.limit {
				t.Errorf("%d of 100 tries at once went through, the limit is %d", passed, tc.limit)
			}
		})
	}
}

func TestAKnownAndAnUnknownCPFMeetTheSameVerdicts(t *testing.T) {
	t.Parallel()

	g := newGate(t, few)
	for n := range 12 {
		if a, b := g.wrong(from(maria, n/4)), g.wrong(from(joao, 100+n/4)); a != b {
			t.Errorf("try %d: %d for an account, %d without one", n, a, b)
		}
	}
}

func TestLettersAreLimitedPerPairAndPerDestination(t *testing.T) {
	t.Parallel()

	g := newGate(t, few)
	mail := func(cpf brdoc.CPF, address, to string) bool {
		t.Helper()
		ok, err := g.Mail(t.Context(), cpf, netip.MustParseAddr(address), to)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !mail(maria, "10.0.0.1", "a") || !mail(maria, "10.0.0.1", "b") || mail(maria, "10.0.0.1", "c") {
		t.Error("per CPF and address")
	}
	if !mail(maria, "10.0.0.2", "d") || !mail(joao, "10.0.0.1", "d") || mail(joao, "10.0.0.3", "d") {
		t.Error("per destination")
	}
	g.clock.Advance(time.Hour)
	if !mail(maria, "10.0.0.1", "a") {
		t.Error("an hour later")
	}
}

func TestATelephoneIsAskedSeldomHoweverManyAskAtOnce(t *testing.T) {
	t.Parallel()

	g := newGate(t, few)
	ring := func(cpf brdoc.CPF) (rung int32) {
		var all sync.WaitGroup
		var n atomic.Int32
		for range 8 {
			all.Go(func() {
				if ok, err := g.Push(t.Context(), cpf); err != nil {
					t.Error(err)
				} else if ok {
					n.Add(1)
				}
			})
		}
		all.Wait()
		return n.Load()
	}
	if n := ring(maria); n != 2 {
		t.Errorf("rung %d times", n)
	}
	if ok, err := g.Push(t.Context(), joao); err != nil || !ok {
		t.Errorf("another's telephone: %v, %v", ok, err)
	}
	g.clock.Advance(time.Hour)
	if n := ring(maria); n != 2 {
		t.Errorf("in the next hour: %d times", n)
	}
}

func TestCountsLeaveWhenTheyAreOver(t *testing.T) {
	t.Parallel()

	g := newGate(t, few)
	g.wrong(from(maria, 1))
	g.clock.Advance(3 * time.Hour)
	g.wrong(from(maria, 2))
	if err := g.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	var old, fresh int
	err := g.db.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE starts_at < $1), count(*) FILTER (WHERE starts_at >= $1) FROM throttle`,
		g.clock.Now().Add(-time.Hour)).Scan(&old, &fresh)
	if err != nil || old != 0 || fresh == 0 {
		t.Errorf("%d old, %d fresh, %v", old, fresh, err)
	}
}

// TestNoAnswerComesBeforeItsTryIsDurable: the count itself does not wait for the disk, so something
// that comes before the answer must.
func TestNoAnswerComesBeforeItsTryIsDurable(t *testing.T) {
	t.Parallel()

	cfg, err := pg.Config(testpg.URL(t), 4)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "on" // as where it matters; other tests have it off
	db, err := pg.OpenConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	g := newGateOn(t, db, few)
	counted := func() (written string) {
		t.Helper()
		err := db.QueryRow(t.Context(), `SELECT pg_current_wal_insert_lsn()::text`).Scan(&written)
		if err != nil {
			t.Fatal(err)
		}
		return written
	}
	durable := func(what, written string) {
		t.Helper()
		var ok bool
		if err := db.QueryRow(t.Context(), `SELECT pg_current_wal_flush_lsn() >= $1::text::pg_lsn`, written).Scan(&ok); err != nil || !ok {
			t.Errorf("%s: answered before the try was durable (%v)", what, err)
		}
	}

	stranger, home := from(maria, 1), from(maria, 2)
	g.right(home)
	for what, try := range map[string]factor.Try{"a stranger's wrong password": stranger, "a known browser's": home} {
		a, _ := g.enter(try)
		written := counted()
		if err := g.Failed(t.Context(), try, a); err != nil {
			t.Fatal(err)
		}
		durable(what, written)
	}
}
