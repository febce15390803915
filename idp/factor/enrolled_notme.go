package factor

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// NotMeLifetime is how long the link in a message about an event works. It outlives a holiday,
// because it gives nothing by itself: it ends sessions, and asks for a new code.
const NotMeLifetime = 7 * 24 * time.Hour

// ErrNotMe: the link was used, is too old, or was never ours.
var ErrNotMe = fail.New(fail.Expired, "not_me")

// Announcement tells one of the owner's addresses about an event; Token makes its link.
type Announcement struct {
	Event Event
	To    Destination
	Token string
}

// Announcer enqueues an announcement in the caller's transaction.
type Announcer func(ctx context.Context, tx pg.Tx, a Announcement) error

// Announce keeps an event, puts it into the audit and tells every address that the owner had before it. Read the addresses
// ([EnrolledOf]) before the change: whoever exchanges the mail must not thereby silence the owner.
func (r *Recoveries) Announce(ctx context.Context, tx pg.Tx, e Event, to []Channel, tell Announcer) (Event, error) {
	e, err := Note(ctx, tx, e)
	if err != nil {
		return e, err
	}
	if err := Audit(ctx, tx, e); err != nil {
		return e, err
	}
	for _, c := range to {
		token := secret.Token()
		if c.Way() == WaySMS {
			token = secret.ShortToken() // the text has 160 characters for everything
		}
		hash := secret.Hash(token)
		sealed := r.box.Class(channelClass).Seal([]byte(c.Address.Text()), hash)
		if err := insertNotMe(ctx, tx, hash, e, c, sealed, r.now().Add(NotMeLifetime)); err != nil {
			return e, err
		}
		if err := tell(ctx, tx, Announcement{Event: e, To: Destination{Way: c.Way(), Address: c.Address}, Token: token}); err != nil {
			return e, err
		}
	}
	return e, nil
}

// SessionEnder ends all sessions of a person and their tokens.
type SessionEnder interface {
	EndSessions(ctx context.Context, tx pg.Tx, person uuid.UUID) error
}

// Disowned is what "it was not me" has done.
type Disowned struct {
	Person   uuid.UUID
	Event    uuid.UUID // what the owner says was not them
	Recovery uuid.UUID // the recovery that was begun, for [Recoveries.Prove]
	Undone   Event     // what was taken back, for [Recoveries.Announce]; no Kind: nothing
}

// NotMe ends every session of the person whom a link was sent to, voids the recoveries that are
// under way, and begins one of their own: a code goes to the address the link was sent to, even
// where that has been exchanged since. What the event has added is taken back, and a password it has
// set opens nothing any more: else whoever did it comes in again at once. That leaves no account
// weaker than it was before the event. A link works once. Errors: ErrNotMe, the ender's, the
// courier's.
//
// Call it on a POST: those who look at mail for viruses follow links.
func (r *Recoveries) NotMe(ctx context.Context, tx pg.Tx, token string, browser []byte, sessions SessionEnder, send Courier) (Disowned, error) {
	hash := secret.Hash(token)
	d, to, err := useNotMe(ctx, tx, hash, r.now())
	if err != nil {
		return d, err
	}
	address, err := r.box.Class(channelClass).Open([]byte(to.Address), hash)
	if err != nil {
		return d, err
	}
	to.Address = Address(address)
	if err := sessions.EndSessions(ctx, tx, d.Person); err != nil {
		return d, err
	}
	if err := voidRecoveries(ctx, tx, d.Person, uuid.Nil, r.now()); err != nil {
		return d, err
	}
	if _, err := Note(ctx, tx, Event{Person: d.Person, At: r.now(), Kind: SaidNotMe}); err != nil {
		return d, err
	}
	if d.Undone, err = r.undo(ctx, tx, d); err != nil {
		return d, err
	}
	d.Recovery = pg.NewID()
	if err := r.insert(ctx, tx, d.Recovery, browser, uuid.Nil, to.Way); err != nil {
		return d, err
	}
	return d, r.issue(ctx, tx, d.Recovery, d.Person, to, secret.Code(), send)
}

// undo takes back what an event has given to whoever was not the owner. What has gone since is none.
func (r *Recoveries) undo(ctx context.Context, tx pg.Tx, d Disowned) (done Event, err error) {
	if err := lockFactors(ctx, tx, d.Person); err != nil {
		return done, err
	}
	was, err := eventOf(ctx, tx, d.Person, d.Event)
	if err != nil {
		return done, err
	}
	switch was.Kind {
	case PasswordChanged, Recovered, DeskRecovered:
		return done, r.spoilPassword(ctx, tx, d.Person)
	case PasskeyAdded:
		done.Kind, err = PasskeyRemoved, deletePasskey(ctx, tx, d.Person, was.Factor)
	case TOTPAdded:
		done.Kind, err = TOTPRemoved, removeTOTP(ctx, tx, d.Person, was.Factor)
	case MailAdded:
		done.Kind, err = MailRemoved, disownChannel(ctx, tx, d.Person, was.Factor)
	case PhoneAdded:
		done.Kind, err = PhoneRemoved, disownChannel(ctx, tx, d.Person, was.Factor)
	}
	if errors.Is(err, ErrFactorNotFound) {
		return Event{}, nil
	}
	done.Factor = was.Factor
	return done, err
}

// disownChannel takes away an address that was never the owner's, and the links it was sent, which
// would let whoever reads it back in. Those to an address that is removed otherwise stay good: it may
// be the owner's.
func disownChannel(ctx context.Context, tx pg.Tx, person, id uuid.UUID) error {
	if err := deleteNotMe(ctx, tx, person, id); err != nil {
		return err
	}
	return deleteChannel(ctx, tx, person, id)
}

// spoilPassword puts one that nobody knows in its place. The row stays: an account without any
// factor would be anybody's to register.
func (r *Recoveries) spoilPassword(ctx context.Context, tx pg.Tx, person uuid.UUID) error {
	hash, err := r.hasher.Hash(ctx, secret.Token())
	if err != nil {
		return err
	}
	return setPassword(ctx, tx, person, hash, r.now())
}

// PurgeNotMe forgets links that do not work any more.
func PurgeNotMe(ctx context.Context, db pg.DB, now time.Time) error { return purgeNotMe(ctx, db, now) }
