package flow

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/idp/token"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

// ErrExpired: the interaction ended, timed out, or belongs to another browser.
var ErrExpired = fail.New(fail.Expired, "expired")

// Dependencies of the flows.
type Dependencies struct {
	DB         *pg.Pool
	Shared     *pg.Shared
	Box        registry.Sealer
	People     *registry.Store
	Clients    *client.Registry
	Sessions   *session.Service
	Tokens     *token.Service
	Hints      Hints
	Hasher     *factor.Hasher
	Throttle   *factor.Throttle
	Codes      *factor.Codes
	Notices    *notice.Notices
	Recoveries *factor.Recoveries
	Channels   *factor.Channels
	Issuer     string
	Secure     bool // the issuer is https
	Now        func() time.Time
}

// Hints verifies our own ID tokens, expired ones included; *keys.Ring is the one there is.
type Hints interface {
	Verify(token, typ string) (payload []byte, alg string, err error)
}

// issue ends a visit at which nothing is missing: in one transaction the interaction is finished,
// once, and the grant written. A visit that needed no page has no interaction row.
func (d *Dependencies) issue(ctx context.Context, v *visit, began bool) (url.Values, error) {
	if !began {
		return d.grant(ctx, d.Shared.Writes, v)
	}
	var params url.Values
	err := pg.InTx(ctx, d.DB, func(tx pg.Tx) (err error) {
		params, err = d.finishWithGrant(ctx, tx, v)
		return err
	})
	return params, err
}

func (d *Dependencies) finishWithGrant(ctx context.Context, tx pg.Tx, v *visit) (url.Values, error) {
	if err := v.finish(ctx, tx, d.Now()); err != nil {
		return nil, err
	}
	return d.grant(ctx, tx, v)
}

// grant writes what the citizen's decision covers of what the service asked, and its code.
func (d *Dependencies) grant(ctx context.Context, db pg.DB, v *visit) (url.Values, error) {
	now := d.Now()
	s, r := v.known.Session, v.Request
	if s.Stale(now) {
		if err := d.Sessions.Touch(ctx, db, s.ID); err != nil {
			return nil, err
		}
	}
	offline := r.Offline() && v.known.Consent != nil && v.known.Consent.Offline
	claims := consent.Allowed(v.known.Consent, v.ask(v.known.Level(now)).Claims)
	g := token.Grant{PersonID: s.PersonID, ClientID: v.client.ID, SessionID: s.ID, Subject: v.known.Subject,
		Scope: r.granted(offline), Claims: claims, IDTokenClaims: both(claims, r.InIDToken), Resources: r.Resources,
		Offline: offline, Nonce: r.Nonce, AuthTime: s.AuthTime,
		AMR: s.Methods(), Cap: s.Cap, CodeChallenge: r.CodeChallenge, RedirectURI: r.RedirectURI, ExpiresAt: s.ExpiresAt}
	if offline {
		g.ExpiresAt = now.Add(token.OfflineLifetime)
	}
	code, err := d.Tokens.Issue(ctx, db, v.client, g, token.Snapshot{Sealed: v.known.Sealed, UpdatedAt: v.known.Person.UpdatedAt,
		Version: v.known.Version, Evidence: v.known.Evidence})
	return url.Values{"code": {code}}, err
}

// leave ends an interaction without a grant: the service gets the error.
func (d *Dependencies) leave(ctx context.Context, v *visit, code, why string) (url.Values, error) {
	params := url.Values{"error": {code}, "error_description": {why}}
	return params, d.end(ctx, v)
}

// end finishes a visit by itself.
func (d *Dependencies) end(ctx context.Context, v *visit) error {
	return v.finish(ctx, d.Shared.Writes, d.Now())
}

// decide records the citizen's answer and issues, all in one transaction.
func (d *Dependencies) decide(ctx context.Context, v *visit, decision consent.Decision) (url.Values, error) {
	var params url.Values
	err := pg.InTx(ctx, d.DB, func(tx pg.Tx) error {
		if err := v.finish(ctx, tx, d.Now()); err != nil {
			return err
		}
		record, err := consent.Grant(ctx, tx, decision, d.Now())
		if err != nil {
			return err
		}
		v.known.Consent = &record
		params, err = d.grant(ctx, tx, v)
		return err
	})
	return params, err
}

// signIn checks a password. ok is false for a wrong one and for a CPF without account, which cost
// the same; verdict says when a mail code is needed before the password is even looked at.
func (d *Dependencies) signIn(ctx context.Context, v *visit, try factor.Try, password string) (in entered, ok bool, verdict factor.Verdict, err error) {
	account, verdict, err := d.Throttle.Enter(ctx, try)
	if err != nil || verdict != factor.Go {
		return in, false, verdict, err
	}
	right, err := d.Hasher.Verify(ctx, account.Hash, password)
	if err != nil {
		return in, false, verdict, err
	}
	if !right || account.PersonID == uuid.Nil {
		return in, false, verdict, d.Throttle.Failed(ctx, try, account)
	}
	if in, err = d.straight(ctx, v, try, account); err != nil || in.params != nil {
		return in, err == nil, verdict, err
	}
	err = pg.InTx(ctx, d.DB, func(tx pg.Tx) error {
		if err := d.Throttle.Succeeded(ctx, tx, try, account); err != nil {
			return err
		}
		in, err = d.open(ctx, tx, v, account.PersonID, "pwd")
		return err
	})
	return in, err == nil, verdict, err
}

// straight is the way of most sign-ins: a browser that the account knows, with nobody signed in,
// to a service that nothing is missing for. What a transaction would ask in its course is known
// before, so that all of it is written in one batch. It returns no params for every other sign-in,
// having changed nothing.
func (d *Dependencies) straight(ctx context.Context, v *visit, try factor.Try, account factor.Account) (in entered, err error) {
	if v.carried == nil || v.settled || v.known != nil || v.client == nil || !account.Known {
		return in, nil
	}
	w := *v
	if w.known, err = d.Sessions.Prospect(ctx, account.PersonID, []string{"pwd"}, v.ClientID, v.sector()); err != nil || w.known == nil {
		return in, err
	}
	now := d.Now()
	w.authenticated(w.known.ID, now)
	if w.known.Subject == "" || w.next(now) != Issue {
		return in, nil
	}
	err = d.Shared.Writes.Together(ctx, func(db pg.DB) (err error) {
		if err := d.Throttle.Succeeded(ctx, db, try, account); err != nil {
			return err
		}
		if in.cookie, err = d.Sessions.Open(ctx, db, w.known.Session); err != nil {
			return err
		}
		if err := finishFresh(ctx, db, w.Interaction, now); err != nil {
			return err
		}
		in.params, err = d.grant(ctx, db, &w)
		return err
	})
	if pg.Unique(err) { // the visit is a row, perhaps of a visit that has ended: the transaction looks
		return entered{}, nil
	}
	if err == nil {
		w.settled = true
		*v = w
	}
	return in, err
}

// entered is what a sign-in gives: the session's cookie and, where nothing else was missing, the
// answer to the service.
type entered struct {
	cookie string
	params url.Values // nil: the visit goes on
}

// open starts the session and records it as this interaction's, in v too. Where nothing is missing
// then, it issues: what most sign-ins are is one commit.
func (d *Dependencies) open(ctx context.Context, tx pg.Tx, v *visit, person uuid.UUID, amr ...string) (in entered, err error) {
	if in.cookie, v.known, err = d.Sessions.Begin(ctx, tx, person, amr, v.known, v.ClientID, v.sector()); err != nil {
		return in, err
	}
	if v.known == nil {
		return in, fmt.Errorf("interaction %s: person %s is gone", v.ID, person)
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

// Purge removes what is over; it returns how many interactions.
func (d *Dependencies) Purge(ctx context.Context, limit int) (int64, error) {
	now := d.Now()
	if err := factor.PurgeCodes(ctx, d.DB, now); err != nil {
		return 0, err
	}
	if err := d.Throttle.Purge(ctx); err != nil {
		return 0, err
	}
	return purge(ctx, d.DB, now.Add(-time.Hour), limit)
}

// both keeps what is in either list's intersection, in the first one's order.
func both(a, b []string) []string {
	out := []string{}
	for _, x := range a {
		if slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

func contains(all []string, one string) bool { return slices.Contains(all, one) }

// busyHasher says whether an error is the password pool's "come back later".
func busyHasher(err error) bool { return errors.Is(err, factor.ErrBusy) }

// signOut ends the browser's session because the citizen is somebody else.
func (d *Dependencies) signOut(ctx context.Context, v *visit) error {
	return pg.InTx(ctx, d.DB, func(tx pg.Tx) error { return d.Sessions.End(ctx, tx, v.known.Session) })
}
