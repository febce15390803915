package account

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/trust"
	"github.com/loginunico/loginunico/themes"
)

// errStale: the change wants a fresh sign-in, as strong as the account can give.
var errStale = fail.New(fail.Forbidden, "stale")

// turn is one request of somebody who is signed in about their own factors.
type turn struct {
	known   *session.Known
	lang    string     // of the page
	address netip.Addr // of the browser
	cookie  []byte     // SHA-256 of the browser's own cookie
	family  string     // of the browser
	id      uuid.UUID  // ?id=: what the form is about; zero: none
	value   func(field string) string

	e    factor.Enrolled // what they have before the change
	hash string          // of a new password
}

// done is what a change has come to. The zero value is: done, nothing to tell.
type done struct {
	event   factor.Event    // Kind and Factor; told to every address the person had before
	problem *themes.Problem // not done: the form is shown again, and what was counted stays counted
	next    string          // where to go on; "": the security page
	page    themes.View     // shown instead of going on
}

// change makes one change of a person's factors: under the lock of all of them, in a session that is
// still live, fresh, and as strong as the strongest they have. Error: errStale, those of do.
//
//	begun  how long ago, in the same sign-in, the change may have been begun that ends now
func (h *Handler) change(ctx context.Context, t *turn, begun time.Duration, do func(tx pg.Tx) (done, error)) (d done, err error) {
	err = pg.InTx(ctx, h.DB, func(tx pg.Tx) (err error) {
		if err := factor.Guard(ctx, tx, t.known.PersonID, t.known.AuthTime); err != nil {
			return err
		}
		if err := h.Sessions.Hold(ctx, tx, t.known.ID); err != nil {
			return err
		}
		if t.e, err = factor.EnrolledOf(ctx, tx, h.Box, t.known.PersonID); err != nil {
			return err
		}
		if !h.mayChange(t, begun) {
			return errStale
		}
		if d, err = do(tx); err != nil || d.event.Kind == "" {
			return err
		}
		d.event, err = h.announce(ctx, tx, t, d.event)
		return err
	})
	return d, err
}

// mayChange judges by what was read of the person last.
func (h *Handler) mayChange(t *turn, begun time.Duration) bool {
	return t.e.MayChange(h.Caps, t.known.AMR, t.known.AuthTime, h.Now().Add(-begun))
}

// announce tells the addresses that the person had before.
func (h *Handler) announce(ctx context.Context, tx pg.Tx, t *turn, e factor.Event) (factor.Event, error) {
	e.Person, e.At, e.Browser = t.known.PersonID, h.Now(), t.family
	return h.Recoveries.Announce(ctx, tx, e, slices.Concat(t.e.Mails, t.e.Phones), h.Notices.Announcer(t.asker()))
}

// asker has messages written in the account's language, and in the page's where it has none.
func (t *turn) asker() notice.Asker {
	return notice.Asker{Lang: themes.Match("", "", t.known.Person.Fields["locale"].Text, t.lang), Address: t.address}
}

// proofs are what a session has shown, as far as they can lift a hold. A session that says
// [trust.Recovered] has shown nothing that does, and one that does not say so nothing enrolled since.
func proofs(amr []string) (all []factor.Proof) {
	if slices.Contains(amr, trust.Recovered) {
		return nil
	}
	for fact, by := range map[string]factor.Method{"hwk": factor.ByPasskey, "swk": factor.ByPasskey, "otp": factor.ByTOTP,
		"govbr": factor.ByGovBR, "x509": factor.ByCertificate} {
		if slices.Contains(amr, fact) {
			all = append(all, factor.Proof{By: by})
		}
	}
	return all
}

// ender ends all that somebody else may have opened: what outlives sessions too.
type ender struct{ *Handler }

// EndSessions implements factor.SessionEnder.
func (e ender) EndSessions(ctx context.Context, tx pg.Tx, person uuid.UUID) error {
	if err := e.Sessions.EndSessions(ctx, tx, person); err != nil {
		return err
	}
	return e.Tokens.EndTokens(ctx, tx, person, "not_me")
}

// problem is a fault of one field, or of the form where field is "".
func problem(code, field string, args map[string]any) *themes.Problem {
	p := &themes.Problem{Code: code, Args: args}
	if field != "" {
		p.Fields = []themes.FieldProblem{{Field: field, Code: code, Args: args}}
	}
	return p
}
