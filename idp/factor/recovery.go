package factor

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
)

// Way is how somebody gets back in.
type Way string

// The ways.
const (
	WayMail            Way = "mail"
	WayAlternativeMail Way = "alternative_mail"
	WaySMS             Way = "sms"
	WayQuestion        Way = "question" // a code to the main mail, and the secret question
	WayDesk            Way = "desk"
)

// shortCodes is how many recoveries of one account a day send six digits. Each has [CodeTries], and
// whoever asks for thousands from as many addresses would guess one in the end; nobody may be kept
// from recovering either. So the code grows to twelve digits, which nobody guesses.
const (
	shortCodes   = 6
	shortCodesIn = 24 * time.Hour
)

// RecoveryLifetime is how long a code or link of a recovery works, and then how long the new
// password may take.
const RecoveryLifetime = 10 * time.Minute

var (
	// ErrWay: the city does not offer this way. It says nothing about an account.
	ErrWay = fail.New(fail.Invalid, "recovery_way")
	// ErrRecovery: it took too long, or is over, or not this browser's, or the step before is missing.
	ErrRecovery = fail.New(fail.Expired, "recovery")
)

// Recoveries lets people back in who have lost a factor.
//
//	Start ──job──► Deliver ──► code or link ──► [Answer] ──► Finish: a new password, held at level 1
//	desk: Request ──► Approve by another ──► Redeem ──► Finish: a new password
//
// Nothing of it removes another factor.
type Recoveries struct {
	box       registry.Sealer
	hasher    *Hasher
	questions bool
	now       func() time.Time
}

// NewRecoveries makes the service; questions says whether the city offers the secret question,
// which NIST SP 800-63B-4 §3.1.1.2 advises against.
func NewRecoveries(box registry.Sealer, hasher *Hasher, questions bool, now func() time.Time) *Recoveries {
	return &Recoveries{box: box, hasher: hasher, questions: questions, now: now}
}

// RecoveryRequest is the job that finds out whose recovery it is, and sends its code. The CPF is sealed,
// because jobs lie in a table.
type RecoveryRequest struct {
	ID     uuid.UUID `json:"id"`
	Sealed []byte    `json:"sealed"`
}

// Kind names the job.
func (RecoveryRequest) Kind() string { return "recovery" }

// Start begins a recovery, in a way that the city offers, and hands the rest to a job: whether there
// is such an account is not even looked up while somebody waits for the answer, so that nothing in
// it, its time included, can tell. Until the job has run, and for ever where there is no account, the
// recovery belongs to nobody and has no code. The page counts with [Throttle.Mail] before. Errors:
// ErrWay, that of enqueue.
//
//	visit  where whoever is back goes on, see [Stage]; zero: nowhere
func (r *Recoveries) Start(ctx context.Context, tx pg.Tx, cpf brdoc.CPF, way Way, browser []byte, visit uuid.UUID,
	enqueue func(context.Context, pg.Tx, RecoveryRequest) error) (uuid.UUID, error) {
	if !r.offered(way) {
		return uuid.Nil, ErrWay
	}
	id := pg.NewID()
	if err := r.insert(ctx, tx, id, browser, visit, way); err != nil {
		return uuid.Nil, err
	}
	return id, enqueue(ctx, tx, RecoveryRequest{ID: id, Sealed: r.box.Seal([]byte(cpf.Digits()), recoveryAAD(id))})
}

// Questions says whether the city offers the secret question.
func (r *Recoveries) Questions() bool { return r.questions }

func (r *Recoveries) offered(way Way) bool {
	switch way {
	case WayMail, WayAlternativeMail, WaySMS:
		return true
	}
	return way == WayQuestion && r.questions
}

// insert keeps a recovery of nobody, with a code that nobody is told.
func (r *Recoveries) insert(ctx context.Context, tx pg.Tx, id uuid.UUID, browser []byte, visit uuid.UUID, way Way) error {
	return insertRecovery(ctx, tx, id, pg.NewID(), browser, visit, way, r.hash(id, secret.Token()), r.now())
}

// Deliver works a [RecoveryRequest]: it sends the code to the person whose CPF it is, if they have an
// account and the address, and else does nothing. A job that is worked again sends nothing twice.
// Error: the courier's.
func (r *Recoveries) Deliver(ctx context.Context, tx pg.Tx, job RecoveryRequest, send Courier) error {
	way, err := wayOf(ctx, tx, job.ID, r.now())
	if err != nil || way == "" {
		return err
	}
	cpf, err := r.box.Open(job.Sealed, recoveryAAD(job.ID))
	if err != nil {
		return err
	}
	keys := registry.DocumentKeys(r.box, string(cpf))
	if err := pg.Lock(ctx, tx, "recovery", keys[0].String()); err != nil { // else many at once would all be short
		return err
	}
	person, known, err := recoverable(ctx, tx, keys, r.now().Add(-shortCodesIn))
	if err != nil {
		return err
	}
	to, ok, err := r.addressee(person, known, way)
	if err != nil || !ok {
		return err
	}
	code := secret.Code()
	if known.recoveries >= shortCodes {
		code += secret.Code()
	}
	return r.issue(ctx, tx, job.ID, person, to, code, send)
}

// addressee is where the code of a way goes to, the newest of several; false where there is none.
func (r *Recoveries) addressee(person uuid.UUID, known enrolledRow, way Way) (to Destination, ok bool, err error) {
	channels, err := known.addresses.open(r.box, person)
	if err != nil || way == WayQuestion && !known.question {
		return to, false, err
	}
	c, ok := last(channels, func(c Channel) bool { return c.Way() == reaching(way) })
	return Destination{Way: way, Address: c.Address}, ok, nil
}

// reaching is where the code of a way goes.
func reaching(way Way) Way {
	if way == WayQuestion {
		return WayMail
	}
	return way
}

// issue gives a recovery its person, and sends them its code and, by mail, its link.
func (r *Recoveries) issue(ctx context.Context, tx pg.Tx, id, person uuid.UUID, to Destination, code string, send Courier) error {
	d := Dispatch{To: to, Code: code, Token: secret.Token()}
	issued, err := issueRecovery(ctx, tx, id, person, r.hash(id, code), secret.Hash(d.Token))
	if err != nil || !issued {
		return err
	}
	if to.Way == WaySMS {
		d.Token = "" // too long for a text; nobody has this link
	}
	return send(ctx, tx, d)
}

func recoveryAAD(id uuid.UUID) []byte { return append([]byte("recovery"), id[:]...) }

// hash is keyed, as six digits need it.
func (r *Recoveries) hash(id uuid.UUID, code string) []byte {
	return r.box.Index("recovery", append(id[:], code...))
}

// Prove tries the code of a recovery once, in the browser that began it; left is how many tries
// remain. The link stays good when the code's tries are spent: nobody guesses it.
func (r *Recoveries) Prove(ctx context.Context, db pg.DB, id uuid.UUID, browser []byte, typed string) (ok bool, left int, err error) {
	return proveRecovery(ctx, db, id, browser, r.hash(id, Digits(typed)), r.now())
}

// ProveLink uses a link up, in whatever browser it was opened: the recovery goes on there. Call it
// on a POST. Error: ErrRecovery.
func (r *Recoveries) ProveLink(ctx context.Context, db pg.DB, token string, browser []byte) (uuid.UUID, error) {
	return proveByLink(ctx, db, secret.Hash(token), browser, r.now())
}

// Stage is where a recovery stands, for the page to show the right step.
type Stage struct {
	Person    uuid.UUID // whose recovery it is; zero until it is proven
	Visit     uuid.UUID // of [Recoveries.Start]; it may be over, or another browser's
	Way       Way
	Proven    bool
	Answered  bool
	ExpiresAt time.Time
}

// Ready says whether a new password may be set.
func (s Stage) Ready() bool { return s.Proven && (s.Way != WayQuestion || s.Answered) }

// Stage reads where a recovery stands. Error: ErrRecovery.
func (r *Recoveries) Stage(ctx context.Context, db pg.DB, id uuid.UUID, browser []byte) (Stage, error) {
	return stageOf(ctx, db, id, browser, r.now())
}

// Outcome is a person who is back.
type Outcome struct {
	Person uuid.UUID
	Way    Way
	Hold   Hold    // what the new password is under; zero after a desk
	Proofs []Proof // for [Hold.Facts]: what the session that opens now is made of
}

// Finish sets the new password of a recovery that is ready, once, and voids those beside it. hash
// is of [Hasher.Hash], for a password that [CheckPassword] lets pass. No other factor is touched.
// Error: ErrRecovery.
func (r *Recoveries) Finish(ctx context.Context, tx pg.Tx, id uuid.UUID, browser []byte, hash string) (Outcome, error) {
	now := r.now()
	person, err := recovering(ctx, tx, id)
	if err != nil {
		return Outcome{}, err
	}
	if err := lockFactors(ctx, tx, person); err != nil { // a displacement at this moment comes before or after
		return Outcome{}, err
	}
	o, err := finishRecovery(ctx, tx, id, browser, now)
	if err != nil {
		return o, err
	}
	if err := setPassword(ctx, tx, o.Person, hash, now); err != nil {
		return o, err
	}
	if err := voidRecoveries(ctx, tx, o.Person, id, now); err != nil {
		return o, err
	}
	o.Proofs = proofsOf(o.Way)
	if o.Way == WayDesk {
		return o, liftAny(ctx, tx, o.Person, ByDesk, now)
	}
	o.Hold, err = hold(ctx, tx, o.Person, o.Way, now)
	return o, err
}

// proofsOf is what somebody has shown who came back by a way. RFC 8176 §2: a code that travels by
// mail is mca; it must not be otp, which next to a password says that there was an app.
func proofsOf(way Way) []Proof {
	switch way {
	case WayDesk:
		return []Proof{{By: ByDesk}, PasswordProof()}
	case WaySMS:
		return []Proof{{By: ByCode, AMR: []string{"sms"}}}
	case WayQuestion:
		return []Proof{{By: ByCode, AMR: []string{"mca", "kba"}}}
	}
	return []Proof{{By: ByCode, AMR: []string{"mca"}}}
}

// ChangePassword replaces the password of somebody who is signed in and [Enrolled.MayChange], or
// gives them their first. When the session's proofs lift what is held, the password is the owner's
// own word again, and the hold ends.
func ChangePassword(ctx context.Context, tx pg.Tx, person uuid.UUID, hash string, h Hold, proofs []Proof, now time.Time) error {
	if err := setPassword(ctx, tx, person, hash, now); err != nil || !h.Live() {
		return err
	}
	if by, ok := first(proofs, h.lifts); ok {
		_, err := Lift(ctx, tx, person, h, by.By, now)
		return err
	}
	return nil
}

// PurgeRecoveries forgets recoveries that are over.
func PurgeRecoveries(ctx context.Context, db pg.DB, now time.Time) error {
	return purgeRecoveries(ctx, db, now.Add(-24*time.Hour))
}

func last[T any](all []T, fits func(T) bool) (found T, ok bool) {
	for _, one := range all {
		if fits(one) {
			found, ok = one, true
		}
	}
	return found, ok
}
