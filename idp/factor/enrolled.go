package factor

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

// Enrolled is what a person has to sign in with and to get back in by.
type Enrolled struct {
	Password       bool
	PasswordAt     time.Time // when it was chosen; zero without one
	Passkeys       []Passkey
	Authenticators []Authenticator
	CodesLeft      int // recovery codes
	Mails, Phones  []Channel
	Question       bool // has a secret question
	Hold           Hold
	ChangedAt      time.Time // when any of it changed last; zero: never since the account was opened
}

// Main is the confirmed mail of the registry, which letters go to; ok is false without one.
func (e Enrolled) Main() (c Channel, ok bool) {
	return first(e.Mails, func(c Channel) bool { return c.Main })
}

// EnrolledOf reads all of it in one statement, of a person without any too.
func EnrolledOf(ctx context.Context, db pg.DB, box registry.Sealer, person uuid.UUID) (Enrolled, error) {
	row, err := enrolledOf(ctx, db, person)
	if err != nil {
		return Enrolled{}, err
	}
	e := Enrolled{CodesLeft: row.codes, Question: row.question, Hold: row.hold()}
	if row.passwordAt != nil {
		e.Password, e.PasswordAt = true, *row.passwordAt
	}
	if row.changedAt != nil {
		e.ChangedAt = *row.changedAt
	}
	if err := json.Unmarshal(row.passkeys, &e.Passkeys); err != nil {
		return e, err
	}
	if err := json.Unmarshal(row.authenticators, &e.Authenticators); err != nil {
		return e, err
	}
	channels, err := row.addresses.open(box, person)
	for _, c := range channels {
		if c.Kind == MailChannel {
			e.Mails = append(e.Mails, c)
		} else {
			e.Phones = append(e.Phones, c)
		}
	}
	return e, err
}

// hold is the zero Hold when none is live.
func (r enrolledRow) hold() Hold {
	if r.heldAt == nil {
		return Hold{}
	}
	return Hold{Way: Way(r.heldWay), Since: *r.heldSince, At: *r.heldAt}
}

// addresses are all of a person's that were confirmed, sealed: those of the registry and ours.
type addresses struct {
	sealed registry.Sealed
	kinds  []string
	ids    []uuid.UUID
	texts  [][]byte
	since  []time.Time
}

// open returns the main ones first, then ours, oldest first. Of the registry only what the person
// declared counts, as in [Find].
func (a addresses) open(box registry.Sealer, person uuid.UUID) ([]Channel, error) {
	var all []Channel
	if a.sealed != nil {
		p, err := registry.Unseal(box, person, a.sealed)
		if err != nil {
			return nil, err
		}
		for _, f := range []struct {
			field string
			kind  ChannelKind
		}{{"email", MailChannel}, {"phone_number", PhoneChannel}} {
			if v, ok := p.Declared[f.field]; ok && v.Confirmed != nil {
				all = append(all, Channel{Kind: f.kind, Main: true, Address: Address(v.Text), ConfirmedAt: *v.Confirmed})
			}
		}
	}
	for i, id := range a.ids {
		plain, err := box.Class(channelClass).Open(a.texts[i], channelAAD(person, id))
		if err != nil {
			return nil, err
		}
		all = append(all, Channel{ID: id, Kind: ChannelKind(a.kinds[i]), Address: Address(plain), ConfirmedAt: a.since[i]})
	}
	return all, nil
}

// Purge forgets what is over: ceremonies, recoveries and links, and what was never confirmed.
func Purge(ctx context.Context, db pg.DB, now time.Time) error {
	for _, purge := range []func(context.Context, pg.DB, time.Time) error{PurgeTOTP, PurgeChallenges, PurgeChannels, PurgeRecoveries, PurgeNotMe} {
		if err := purge(ctx, db, now); err != nil {
			return err
		}
	}
	return nil
}

func first[T any](all []T, fits func(T) bool) (found T, ok bool) {
	for _, one := range all {
		if fits(one) {
			return one, true
		}
	}
	return found, false
}
