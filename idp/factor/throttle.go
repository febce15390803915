package factor

import (
	"context"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

// Limits count password tries in windows of Window. None of them can keep a person out: past any
// limit a browser proves itself by a code to the account's own mail and then has tries of its own.
type Limits struct {
	Window  time.Duration
	Pair    int // tries per CPF and address, per CPF and known browser, and again after a mail code
	CPF     int // tries per CPF from browsers it has never been used in
	Address int // failures per address (IPv4) or /64 (IPv6)
	Global  int // failures of the whole city
	Mails   int // codes sent per CPF and address, and per destination
	Pushes  int // how often a CPF's telephone is asked to sign, in an hour
}

// DefaultLimits stay under the 100 consecutive failures of NIST SP 800-63B-4 §3.2.2.
var DefaultLimits = Limits{Window: 15 * time.Minute, Pair: 10, CPF: 40, Address: 200, Global: 20000, Mails: 5, Pushes: 5}

// Try is one attempt at a CPF's password.
type Try struct {
	CPF      brdoc.CPF
	Address  netip.Addr
	Browser  []byte // SHA-256 of the browser cookie
	Unlocked bool   // this interaction has answered a mail code for this CPF

	ClientID, Sector string // of the service it is for; "" when it is for none
}

// Verdict says how a try may go on.
type Verdict int

// The verdicts.
const (
	Go     Verdict = iota // verify the password
	Unlock                // ask for a mail code first
	Wait                  // even the proven browser has used its tries: come back after the window
)

// Account is what a CPF's sign-in needs; the zero Account is a CPF without one, which must go the
// same way.
type Account struct {
	PersonID uuid.UUID
	Hash     string // "" without an account
	Known    bool   // this browser has signed in as this person before
	Second   bool   // the password is half of it: a code of an app, or what stands in for it, comes next
	Hold     Hold   // what a recovery left behind
	// Standing is how the person stands to the service of the try. It is read for browsers that the
	// account knows alone: to anybody else a CPF with account must cost what one without does.
	Standing *consent.Standing

	tries *buckets // where [Throttle.Enter] counted; nil: it did not
}

// Throttle counts tries in PostgreSQL, so that every process counts alike.
type Throttle struct {
	db     pg.DB
	tries  *pg.Group
	box    registry.Sealer
	limits Limits
	now    func() time.Time
}

// NewThrottle counts with these limits; tries at once are counted together.
func NewThrottle(db pg.DB, tries *pg.Group, box registry.Sealer, limits Limits, now func() time.Time) *Throttle {
	return &Throttle{db: db, tries: tries, box: box, limits: limits, now: now}
}

// Enter counts a try before it is made, so that tries at once cannot slip under the limit
// together, and finds the account in the same statement.
//
// Every process sees the count at once, and no answer is given before it is durable: the disk is
// waited for with whatever the request commits next, be it the session or a wrong password's count,
// and by [Throttle.Harden] where that is nothing.
func (t *Throttle) Enter(ctx context.Context, try Try) (Account, Verdict, error) {
	b := t.buckets(try)
	a, n, err := enter(ctx, t.tries.Ordered(b.cpf), b, registry.DocumentKeys(t.box, try.CPF.Digits()), try, t.limits.Pair, t.window())
	if err != nil {
		return a, Wait, err
	}
	a.tries = &b
	switch proven := a.Known || try.Unlocked; {
	case n.pair > t.limits.Pair && try.Unlocked:
		return a, Wait, t.Harden(ctx, try, a)
	case n.pair > t.limits.Pair,
		!proven && (n.cpf > t.limits.CPF || n.address >= t.limits.Address || n.global >= t.limits.Global):
		return a, Unlock, t.Harden(ctx, try, a)
	}
	return a, Go, nil
}

// Harden makes a try's count durable, for an answer that nothing else is committed for.
func (t *Throttle) Harden(ctx context.Context, try Try, a Account) error {
	return harden(ctx, t.db, t.bucketsOf(try, a).own(), t.window())
}

// Failed counts a wrong password against the address and the city; Enter has counted it against
// the CPF. A proven browser's mistakes count for itself alone.
func (t *Throttle) Failed(ctx context.Context, try Try, a Account) error {
	if a.Known || try.Unlocked {
		return t.Harden(ctx, try, a)
	}
	b := t.bucketsOf(try, a)
	return count(ctx, t.db, [][]byte{b.address, b.global}, t.window())
}

// Succeeded forgets the tries of this pair and remembers the browser, in the transaction that
// opens the session.
func (t *Throttle) Succeeded(ctx context.Context, tx pg.DB, try Try, a Account) error {
	b := t.bucketsOf(try, a)
	if a.Known {
		return forget(ctx, tx, b.own(), t.window())
	}
	if try.Unlocked {
		b.cpf = nil // this try did not count for it
	}
	return succeed(ctx, tx, a.PersonID, try.Browser, b.own(), b.cpf, t.window(), t.now())
}

// Welcome is [Throttle.Succeeded] and the [Note] of the sign-in at once, for a browser that the
// account knows; nobody waits for it.
func (t *Throttle) Welcome(ctx context.Context, db pg.DB, try Try, a Account, e Event) error {
	e.ID = pg.NewID()
	return welcome(ctx, db, t.bucketsOf(try, a).own(), t.window(), e)
}

// Mail says whether one more code may be sent for this CPF from this address, or to this
// destination, and counts it.
func (t *Throttle) Mail(ctx context.Context, cpf brdoc.CPF, address netip.Addr, to string) (bool, error) {
	keys := [][]byte{t.key("mail-pair", cpf.Digits()+prefixOf(address)), t.key("mail-to", to)}
	most, err := countMost(ctx, t.db, keys, t.now().UTC().Truncate(time.Hour))
	return most <= t.limits.Mails, err
}

// Push says whether a telephone may be asked once more to sign in this CPF, and counts it, whatever visits,
// browsers and addresses ask: who is asked on and on agrees in the end. Whoever uses it up stops this
// way alone.
func (t *Throttle) Push(ctx context.Context, cpf brdoc.CPF) (bool, error) {
	most, err := countMost(ctx, t.db, [][]byte{t.key("push", cpf.Digits())}, t.now().UTC().Truncate(time.Hour))
	return most <= t.limits.Pushes, err
}

// MailMinutes is what a page tells whom [Throttle.Mail] makes wait.
func (t *Throttle) MailMinutes() int {
	now := t.now().UTC()
	return int(now.Truncate(time.Hour).Add(time.Hour).Sub(now)/time.Minute) + 1
}

// Minutes is what a page tells who must wait to try a password.
func (t *Throttle) Minutes() int {
	return int(t.window().Add(t.limits.Window).Sub(t.now())/time.Minute) + 1
}

// BrowserMemory is how long a browser stays known after its first sign-in as a person; then it
// counts as new once more. The browser's own cookie lives as long.
const BrowserMemory = 365 * 24 * time.Hour

// Purge forgets windows that have passed and browsers not seen for [BrowserMemory].
func (t *Throttle) Purge(ctx context.Context) error {
	if err := purgeBrowsers(ctx, t.db, t.now().Add(-BrowserMemory)); err != nil {
		return err
	}
	return purgeThrottle(ctx, t.db, t.now().Add(-2*time.Hour))
}

type buckets struct{ pair, proven, mailed, cpf, address, global []byte }

// own are those of which a try counts in one.
func (b buckets) own() [][]byte { return [][]byte{b.pair, b.proven, b.mailed} }

func (t *Throttle) bucketsOf(try Try, a Account) buckets {
	if a.tries != nil {
		return *a.tries
	}
	return t.buckets(try)
}

func (t *Throttle) buckets(try Try) buckets {
	prefix := prefixOf(try.Address)
	return buckets{
		pair:   t.key("pair", try.CPF.Digits()+prefix),
		proven: t.key("proven", try.CPF.Digits()+string(try.Browser)),
		mailed: t.key("mailed", try.CPF.Digits()+string(try.Browser)),
		cpf:    t.key("cpf", try.CPF.Digits()), address: t.key("address", prefix), global: t.key("global", ""),
	}
}

// key hides what is counted: a dump of the table names no CPF and no address.
func (t *Throttle) key(what, value string) []byte {
	return t.box.Index("throttle/"+what, []byte(value))
}

func (t *Throttle) window() time.Time { return t.now().UTC().Truncate(t.limits.Window) }

// prefixOf is the unit an address is counted by: one household has one IPv4 address, or a /64.
func prefixOf(a netip.Addr) string {
	a = a.Unmap()
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.String()
	}
	return a.String()
}
