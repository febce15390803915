package factor

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
)

// What an authenticator app is set to: what all of them know. RFC 6238 §4, RFC 4226 §4.
const (
	totpPeriod = 30 // seconds of a step
	totpSecret = 20 // bytes, the length of SHA-1's output
	totpSkew   = 1  // steps before and after that are accepted too: a clock 30 s wrong
)

// EnrolLifetime is how long a new authenticator or address waits to be confirmed.
const EnrolLifetime = 10 * time.Minute

// MaxFactors of one kind is what a person may have, so that no list grows without end.
const MaxFactors = 10

var (
	// ErrFactorName: a name has 1 to 60 characters on one line.
	ErrFactorName = fail.New(fail.Invalid, "factor_name")
	// ErrTooManyFactors: there are MaxFactors already.
	ErrTooManyFactors = fail.New(fail.Conflict, "too_many_factors")
	// ErrFactorNotFound: this person has none of that id, or it waited too long to be confirmed.
	ErrFactorNotFound = fail.New(fail.NotFound, "factor_not_found")
)

// Authenticator is an authenticator app that counts.
type Authenticator struct {
	ID          uuid.UUID  `json:"id"`
	Name        string     `json:"name"`
	ConfirmedAt time.Time  `json:"confirmed_at"`
	UsedAt      *time.Time `json:"used_at"`
}

// Authenticators enrols authenticator apps and checks their codes.
type Authenticators struct {
	box      registry.Sealer
	throttle *Throttle
	issuer   string
	now      func() time.Time
}

// NewAuthenticators names the city in every app; it limits guesses by the throttle.
func NewAuthenticators(box registry.Sealer, throttle *Throttle, city string, now func() time.Time) *Authenticators {
	return &Authenticators{box: box, throttle: throttle, issuer: city, now: now}
}

// Setup is what an app needs, to be shown once and to nobody else.
type Setup struct {
	ID     uuid.UUID
	Secret string // base32 in groups of four, to be typed
	URI    string // otpauth://totp/…
	QR     string // the URI as an SVG element
}

// Enrol makes a secret for one more app, which counts once it is confirmed. What the person began
// to enrol before and did not confirm is forgotten.
//
//	account  what the app calls the account: the city's name stands beside it
//	name     what the person calls the device
//
// Errors: ErrFactorName, ErrTooManyFactors.
func (a *Authenticators) Enrol(ctx context.Context, db pg.DB, person uuid.UUID, account, name string) (Setup, error) {
	name, err := factorName(name)
	if err != nil {
		return Setup{}, err
	}
	id, key := pg.NewID(), make([]byte, totpSecret)
	_, _ = rand.Read(key) // never fails
	fresh, err := insertTOTP(ctx, db, person, id, name, a.box.Seal(key, totpAAD(person, id)), a.now())
	if err != nil || !fresh {
		return Setup{}, orElse(err, ErrTooManyFactors)
	}
	return a.setup(id, key, account)
}

// Pending is the setup again, for the page that a wrong code comes back to. Error:
// ErrFactorNotFound.
func (a *Authenticators) Pending(ctx context.Context, db pg.DB, person, id uuid.UUID, account string) (Setup, error) {
	sealed, err := pendingTOTP(ctx, db, person, id, a.now())
	if err != nil {
		return Setup{}, err
	}
	key, err := a.box.Open(sealed, totpAAD(person, id))
	if err != nil {
		return Setup{}, err
	}
	return a.setup(id, key, account)
}

func (a *Authenticators) setup(id uuid.UUID, key []byte, account string) (Setup, error) {
	k, err := totp.Generate(totp.GenerateOpts{Issuer: a.issuer, AccountName: account, Secret: key, Period: totpPeriod,
		Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return Setup{}, err
	}
	svg, err := qrSVG(k.URL())
	return Setup{ID: id, Secret: groups(k.Secret()), URI: k.URL(), QR: svg}, err
}

// Confirm makes an app count, by a code of its own, which is thereby used up; false when the code
// is wrong. Error: ErrFactorNotFound.
func (a *Authenticators) Confirm(ctx context.Context, db pg.DB, person, id uuid.UUID, typed string) (bool, error) {
	now := a.now()
	sealed, err := pendingTOTP(ctx, db, person, id, now)
	if err != nil {
		return false, err
	}
	step, ok, err := a.step(sealed, person, id, typed, now)
	if err != nil || !ok {
		return false, err
	}
	return confirmTOTP(ctx, db, person, id, step, now)
}

// Guess is one attempt at a person's code.
type Guess struct {
	Person   uuid.UUID
	Browser  []byte // SHA-256 of the browser cookie
	Unlocked bool   // this interaction has answered a mail code
}

// Limits of guesses: three codes of a million are right at any moment.
const (
	guessesUnknown = 20 // in a row, from browsers that have never signed in as this person
	guessesProven  = 10 // per hour, from one that has, or that answered a mail code
)

// Check tries a code at all of a person's apps. ok is false when it is wrong or was used before;
// verdict is not [Go] when it was not even tried: the browser has to answer a mail code first, or
// to wait for the hour's end. Nobody outside can keep the owner out by guessing.
func (a *Authenticators) Check(ctx context.Context, db pg.DB, g Guess, typed string) (p Proof, ok bool, v Verdict, err error) {
	now := a.now()
	held, known, err := guessTOTP(ctx, db, g, a.guessBucket(g), now)
	if err != nil {
		return p, false, Wait, err
	}
	if v := known.verdict(g); v != Go {
		return p, false, v, nil
	}
	for _, h := range held {
		step, ok, err := a.step(h.Secret, g.Person, h.ID, typed, now)
		if err != nil {
			return p, false, Go, err
		}
		if !ok {
			continue
		}
		ok, err = useStep(ctx, db, g.Person, h.ID, step, a.guessBucket(g), now)
		return Proof{By: ByTOTP, AMR: []string{"otp", "mfa"}, Factor: h.ID, Enrolled: h.ConfirmedAt}, ok, Go, err
	}
	return p, false, Go, nil
}

// guessed is how often the code was guessed at.
type guessed struct{ failures, proven int }

func (n guessed) verdict(g Guess) Verdict {
	switch {
	case n.proven > guessesProven && g.Unlocked:
		return Wait
	case n.proven > guessesProven, n.failures > guessesUnknown:
		return Unlock
	}
	return Go
}

// guessBucket counts for a proven browser; one that answered a mail code has tries of its own.
func (a *Authenticators) guessBucket(g Guess) []byte {
	what := "totp"
	if g.Unlocked {
		what = "totp-mailed"
	}
	return a.throttle.key(what, string(g.Person[:])+string(g.Browser))
}

// step finds which moment a typed code is of.
func (a *Authenticators) step(sealed []byte, person, id uuid.UUID, typed string, now time.Time) (step int64, ok bool, err error) {
	key, err := a.box.Open(sealed, totpAAD(person, id))
	if err != nil {
		return 0, false, err
	}
	text, typed := base32.StdEncoding.EncodeToString(key), Digits(typed)
	current := now.Unix() / totpPeriod
	for s := current - totpSkew; s <= current+totpSkew; s++ {
		code, err := hotp.GenerateCodeCustom(text, uint64(s), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, false, err
		}
		if secret.Equal([]byte(code), []byte(typed)) {
			step, ok = s, true
		}
	}
	return step, ok, nil
}

// Rename gives an app another name. Errors: ErrFactorName, ErrFactorNotFound.
func (a *Authenticators) Rename(ctx context.Context, db pg.DB, person, id uuid.UUID, name string) error {
	name, err := factorName(name)
	if err != nil {
		return err
	}
	return renameTOTP(ctx, db, person, id, name)
}

// Remove takes an app away, and with the last one its recovery codes, which only stand in for it.
// Error: ErrFactorNotFound.
func (a *Authenticators) Remove(ctx context.Context, tx pg.Tx, person, id uuid.UUID) error {
	if err := lockFactors(ctx, tx, person); err != nil {
		return err
	}
	return removeTOTP(ctx, tx, person, id)
}

// PurgeTOTP forgets apps that were not confirmed in time.
func PurgeTOTP(ctx context.Context, db pg.DB, now time.Time) error {
	return purgeTOTP(ctx, db, now.Add(-EnrolLifetime))
}

// totpAAD binds a secret to its row.
func totpAAD(person, id uuid.UUID) []byte {
	return append(append([]byte("totp"), person[:]...), id[:]...)
}

// lockFactors lets one change at a time count what a person has.
func lockFactors(ctx context.Context, tx pg.Tx, person uuid.UUID) error {
	return pg.Lock(ctx, tx, "factors", person.String())
}

// factorName is a name without space around it. Error: ErrFactorName.
func factorName(typed string) (string, error) {
	name := strings.TrimSpace(typed)
	if n := utf8.RuneCountInString(name); n < 1 || n > 60 || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrFactorName
	}
	return name, nil
}

// Digits drops what people put between the digits of a code.
func Digits(typed string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, typed)
}

// groups sets a text in groups of four.
func groups(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
