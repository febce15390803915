package evidence

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/idp/token"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/trust"
)

var (
	// ErrNotFound: this person has no evidence of that id.
	ErrNotFound = fail.New(fail.NotFound, "not_found")
	// ErrReason: a reason is a line of 1 to 500 bytes.
	ErrReason = fail.New(fail.Invalid, "reason")
)

// Enqueuer puts a job into the transaction that makes it necessary; a *jobs.Queue is one.
type Enqueuer interface {
	Insert(ctx context.Context, tx pg.Tx, args jobs.Args) error
}

// Revoker takes evidence away.
type Revoker struct {
	Sessions *session.Service
	Tokens   *token.Service
	Queue    Enqueuer
	Now      func() time.Time
}

// Revocation is one piece of evidence that shall count no more.
type Revocation struct {
	Person, Evidence uuid.UUID
	Reason           string // why, for the audit and the row; nothing personal
	Actor            audit.Actor
	// EndSessions ends what was opened by this proof too: the sessions that signed in by it, and the
	// grants that outlive sessions. It is for what somebody may hold who should not, a certificate.
	EndSessions bool
}

// ways are the facts of a session that a kind of evidence lets in by: RFC 8176 values. The others are
// no way in.
var ways = map[trust.Kind]string{trust.GovBR: "govbr", trust.ICPCertificate: "x509"}

// Revoke takes evidence away in the caller's transaction, once: false, and nothing happens, where it
// was revoked before. The level falls with it. Access tokens of the person that tell a higher one stop
// being good; their services refresh them. The citizen and services are told by [Look], which is
// enqueued. Errors: ErrNotFound, ErrReason.
func (r *Revoker) Revoke(ctx context.Context, tx pg.Tx, v Revocation) (bool, error) {
	if v.Reason != strings.TrimSpace(v.Reason) || v.Reason == "" || len(v.Reason) > 500 || strings.ContainsAny(v.Reason, "\n\r\x00") {
		return false, ErrReason
	}
	all, err := trust.Of(ctx, tx, v.Person)
	if err != nil {
		return false, err
	}
	at := slices.IndexFunc(all, func(e trust.Evidence) bool { return e.ID == v.Evidence })
	if at < 0 {
		return false, ErrNotFound
	}
	now := r.Now()
	done, err := trust.Revoke(ctx, tx, v.Person, v.Evidence, v.Reason, string(v.Actor.Kind)+":"+v.Actor.ID, now)
	if err != nil || !done {
		return false, err
	}
	before := trust.Level(all, now)
	kind := all[at].Kind
	all[at].RevokedAt = now
	if err := r.end(ctx, tx, v, kind, trust.Level(all, now) < before); err != nil {
		return false, err
	}
	err = audit.RecordTx(ctx, tx, audit.Event{At: now, Actor: v.Actor, Action: "evidence.revoke", Person: v.Person, Purpose: v.Reason,
		Detail: map[string]string{"evidence": v.Evidence.String(), "kind": string(kind)}})
	if err != nil {
		return false, err
	}
	return true, r.Queue.Insert(ctx, tx, Look{})
}

// end ends the tokens that say too much, and where it is wanted what the proof has opened.
func (r *Revoker) end(ctx context.Context, tx pg.Tx, v Revocation, kind trust.Kind, fell bool) error {
	if way := ways[kind]; v.EndSessions && way != "" {
		if err := r.Sessions.EndOpenedBy(ctx, tx, v.Person, way); err != nil {
			return err
		}
		if err := r.Tokens.EndOpenedBy(ctx, tx, v.Person, way, "evidence"); err != nil {
			return err
		}
	}
	if !fell {
		return nil
	}
	return r.Tokens.EndAccess(ctx, tx, v.Person)
}
