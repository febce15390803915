package flow

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/federation"
	"github.com/loginunico/loginunico/idp/ida"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/idp/token"
	"github.com/loginunico/loginunico/idp/visitor"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
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
	Breached   *factor.Breached // nil: the city has no such list
	Throttle   *factor.Throttle
	Codes      *factor.Codes
	Notices    *notice.Notices
	Visitors   *visitor.Visitors
	Recoveries *factor.Recoveries
	Channels   *factor.Channels
	Apps       *factor.Authenticators
	Passkeys   *factor.Passkeys
	Displacer  *factor.Displacer
	GovBR      *federation.Connector // nil: the city does not use gov.br
	// Certificates are the trips to the certificate host; nil: the city has none.
	Certificates *certauth.Trips
	Signatures   *Signatures // nil: no way of a certificate but the handshake
	Caps         trust.Caps
	Assurance    ida.Settings
	Issuer       string
	Secure       bool // the issuer is https
	Now          func() time.Time
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

// grant writes what the citizen's decision covers of what the service asked, and its code. It has the
// visit's id, so that no visit ever gets two.
func (d *Dependencies) grant(ctx context.Context, db pg.DB, v *visit) (url.Values, error) {
	now := d.Now()
	s, r := v.known.Session, v.Request
	if s.Stale(now) {
		if err := d.Sessions.Touch(ctx, db, s.ID); err != nil {
			return nil, err
		}
	}
	offline := r.Offline() && v.known.Consent != nil && v.known.Consent.Offline
	allowed := consent.Allowed(v.known.Consent, v.ask(now).Claims)
	claims := both(allowed, r.Claims)
	g := token.Grant{ID: v.ID, Alone: v.carried != nil && !v.settled, PersonID: s.PersonID, ClientID: v.client.ID, SessionID: s.ID, Subject: v.known.Subject,
		Scope: r.granted(offline), Claims: claims, IDTokenClaims: both(claims, r.InIDToken),
		Verified: r.Verified.Cut(func(name string) bool { return contains(allowed, name) }), Resources: r.Resources,
		Offline: offline, Nonce: r.Nonce, AuthTime: s.AuthTime,
		AMR: s.Methods(), Cap: s.Cap, Company: v.grantedCompany(claims, now), Needs: r.ACRLevel, CodeChallenge: r.CodeChallenge, RedirectURI: r.RedirectURI, ExpiresAt: s.ExpiresAt}
	if offline {
		g.ExpiresAt = now.Add(token.OfflineLifetime)
	}
	code, err := d.Tokens.Issue(ctx, db, v.client, g, token.Snapshot{Sealed: v.known.Sealed, UpdatedAt: v.known.Person.UpdatedAt,
		Version: v.known.Version, Evidence: v.known.Evidence, Employed: v.known.Employed})
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

// Purge removes what is over; it returns how many interactions.
func (d *Dependencies) Purge(ctx context.Context, limit int) (int64, error) {
	now := d.Now()
	if err := factor.PurgeCodes(ctx, d.DB, now); err != nil {
		return 0, err
	}
	if err := d.Throttle.Purge(ctx); err != nil {
		return 0, err
	}
	if d.GovBR != nil {
		if err := d.GovBR.Purge(ctx, d.DB); err != nil {
			return 0, err
		}
	}
	if d.Certificates != nil {
		if err := d.Certificates.Purge(ctx, d.DB); err != nil {
			return 0, err
		}
	}
	if d.Signatures != nil {
		if err := d.Signatures.Purge(ctx, d); err != nil {
			return 0, err
		}
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

func contains[T comparable](all []T, one T) bool { return slices.Contains(all, one) }

// signOut ends the browser's session because the citizen is somebody else.
func (d *Dependencies) signOut(ctx context.Context, v *visit) error {
	return pg.InTx(ctx, d.DB, func(tx pg.Tx) error { return d.Sessions.End(ctx, tx, v.known.Session) })
}
