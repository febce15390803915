package flow

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/trust"
)

// entry is somebody who has shown all that opens a session, or strengthens the one they have.
type entry struct {
	person  uuid.UUID
	hold    factor.Hold
	proofs  []factor.Proof
	browser string // its family
	// authTime is when gov.br saw them; zero is now.
	authTime time.Time
	before   *session.Session // whose facts go on in this one; nil for a sign-in of its own
	// companies are those that what they have shown says they may act for; zero says nothing.
	companies company.Said
}

// facts are the session's amr, and what of the proofs confirms a recovery; "" when none does.
//
// A session that goes on brings what was shown in it. Under a hold it counts as recovered only where
// it says so itself, and was opened since: what was opened by something else, or before, says nothing
// of the password that was recovered last, and confirms nothing.
func (e entry) facts() (facts []string, confirmed factor.Method) {
	proofs := e.proofs
	if e.before != nil && slices.Contains(e.before.AMR, trust.Recovered) && !e.before.AuthTime.Before(e.hold.At) {
		proofs = append([]factor.Proof{{By: factor.ByPassword, AMR: without(e.before.AMR, trust.Recovered)}}, proofs...)
	}
	facts, confirms := e.hold.Facts(proofs...)
	if e.before != nil {
		facts = union(facts, without(e.before.AMR, trust.Recovered))
	}
	if confirms {
		confirmed = e.proofs[len(e.proofs)-1].By
	}
	return facts, confirmed
}

func (e entry) session() session.Entry {
	facts, _ := e.facts()
	return session.Entry{Person: e.person, AMR: facts, Browser: e.browser, AuthTime: e.signedIn(), Companies: e.companies}
}

// signedIn is when; what was shown before in a session that goes on counts too.
func (e entry) signedIn() time.Time {
	if e.before != nil && !e.authTime.IsZero() && e.before.AuthTime.After(e.authTime) {
		return e.before.AuthTime
	}
	return e.authTime
}

// entered is what a sign-in gives: the session's cookie and, where nothing else was missing, the
// answer to the service.
type entered struct {
	cookie string     // "": there is no session yet, a second step comes first
	params url.Values // nil: the visit goes on
}

// signIn checks a password. ok is false for a wrong one and for a CPF without account, which cost
// the same; verdict says when a mail code is needed before the password is even looked at.
func (d *Dependencies) signIn(ctx context.Context, v *visit, try factor.Try, password, browser string) (in entered, ok bool, verdict factor.Verdict, err error) {
	account, verdict, err := d.Throttle.Enter(ctx, try)
	if err != nil || verdict != factor.Go {
		return in, false, verdict, err
	}
	right, err := d.Hasher.Verify(ctx, account.Hash, password)
	if err != nil {
		return in, false, verdict, errors.Join(err, d.Throttle.Harden(ctx, try, account))
	}
	if !right || account.PersonID == uuid.Nil {
		return in, false, verdict, d.Throttle.Failed(ctx, try, account)
	}
	if account.Second {
		return in, true, verdict, d.half(ctx, v, account.PersonID)
	}
	e := entry{person: account.PersonID, hold: account.Hold, proofs: []factor.Proof{factor.PasswordProof()}, browser: browser}
	if in, err = d.straight(ctx, v, try, account, e); err != nil || in.params != nil {
		return in, err == nil, verdict, err
	}
	err = pg.InTx(ctx, d.DB, func(tx pg.Tx) error {
		if err := d.Throttle.Succeeded(ctx, tx, try, account); err != nil {
			return err
		}
		in, err = d.open(ctx, tx, v, e)
		return err
	})
	return in, err == nil, verdict, err
}

// half records that the password was right and a second step is to come. Tries are forgotten, and
// the browser known, only when that is done too.
func (d *Dependencies) half(ctx context.Context, v *visit, person uuid.UUID) error {
	now := d.Now()
	v.HalfPerson, v.HalfAt = &person, &now
	return pg.InTx(ctx, d.DB, func(tx pg.Tx) error {
		if err := v.settle(ctx, tx); err != nil {
			return err
		}
		return halfway(ctx, tx, v.ID, person, now)
	})
}

// straight is the way of most sign-ins: a browser that the account knows, with nobody signed in,
// to a service that nothing is missing for. What a transaction would ask in its course is known
// before, so that all of it is written in one batch, and the visit has no row: its grant says that it
// is over. It returns no params for every other sign-in, having changed nothing.
func (d *Dependencies) straight(ctx context.Context, v *visit, try factor.Try, account factor.Account, e entry) (in entered, err error) {
	if v.carried == nil || v.settled || v.known != nil || v.client == nil || account.Standing == nil {
		return in, nil
	}
	w := *v
	if w.known, err = d.Sessions.Prospect(e.session(), account.Standing); err != nil {
		return in, err
	}
	now := d.Now()
	w.authenticated(w.known.ID, now)
	if w.known.Subject == "" || w.next(now) != Issue {
		return in, nil
	}
	err = d.Shared.Writes.Together(ctx, func(db pg.DB) (err error) {
		if err := d.Throttle.Welcome(ctx, db, try, account, d.signedIn(e)); err != nil {
			return err
		}
		if in.cookie, err = d.Sessions.Open(ctx, db, w.known.Session); err != nil {
			return err
		}
		in.params, err = d.grant(ctx, db, &w)
		return err
	})
	if pg.Violates(err) { // the visit has a row, or its code: the transaction looks
		return entered{}, nil
	}
	if err == nil {
		w.settled = true
		*v = w
	}
	return in, err
}

// open starts the session, or strengthens the one there is, and records it as this interaction's, in
// v too. Where nothing is missing then, it issues: what most sign-ins are is one commit. A visitor
// who asked for it is joined before.
func (d *Dependencies) open(ctx context.Context, tx pg.Tx, v *visit, e entry) (in entered, err error) {
	if v.joining() {
		if err := d.joined(ctx, tx, v.known.PersonID, e.person); err != nil {
			return in, err
		}
	}
	if in.cookie, v.known, err = d.Sessions.Begin(ctx, tx, e.session(), v.known, v.ClientID, v.sector()); err != nil {
		return in, err
	}
	if v.known == nil {
		return in, fmt.Errorf("interaction %s: person %s is gone", v.ID, e.person)
	}
	if err := d.noted(ctx, tx, e); err != nil {
		return in, err
	}
	if err := d.lifted(ctx, tx, e); err != nil {
		return in, err
	}
	now, s := d.Now(), v.known.Session
	v.authenticated(s.ID, now)
	if v.client != nil && v.next(now) == Issue {
		in.params, err = d.finishWithGrant(ctx, tx, v)
		return in, err
	}
	if err := v.settle(ctx, tx); err != nil {
		return in, err
	}
	return in, authenticated(ctx, tx, v.ID, s.ID, now)
}

// noted keeps the sign-in for its owner to see.
func (d *Dependencies) noted(ctx context.Context, db pg.DB, e entry) error {
	_, err := factor.Note(ctx, db, d.signedIn(e))
	return err
}

func (d *Dependencies) signedIn(e entry) factor.Event {
	return factor.Event{Person: e.person, At: d.Now(), Kind: factor.SignedIn, Browser: e.browser}
}

// lifted ends the hold of a recovery that this session confirms.
func (d *Dependencies) lifted(ctx context.Context, tx pg.Tx, e entry) error {
	_, by := e.facts()
	if by == "" {
		return nil
	}
	was, err := factor.Lift(ctx, tx, e.person, e.hold, by, d.Now())
	if err != nil || !was {
		return err
	}
	_, err = factor.Note(ctx, tx, factor.Event{Person: e.person, At: d.Now(), Kind: factor.HoldLifted, Browser: e.browser})
	return err
}

// busyHasher says whether an error is the password pool's "come back later".
func busyHasher(err error) bool { return errors.Is(err, factor.ErrBusy) }

// Announce keeps an event and tells its owner at every address they have now. Where the event is a
// change of addresses, those before it must be told: [factor.Recoveries.Announce].
func (d *Dependencies) Announce(ctx context.Context, tx pg.Tx, asker notice.Asker, e factor.Event) error {
	has, err := factor.EnrolledOf(ctx, tx, d.Box, e.Person)
	if err != nil {
		return err
	}
	_, err = d.Recoveries.Announce(ctx, tx, e, append(has.Mails, has.Phones...), d.Notices.Announcer(asker))
	return err
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == one })
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
