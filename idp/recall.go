package idp

import (
	"context"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/recall"
	"github.com/loginunico/loginunico/certauth/revocation"
	"github.com/loginunico/loginunico/idp/evidence"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
)

// Recall keeps the lists of revoked certificates on the provider's queue, and revokes the evidence of
// certificates that a list comes to name: the level falls, what they have opened ends, and those
// concerned are told. It is called before the queue is opened.
func (p *Provider) Recall(lists *revocation.Service, from certauth.Source) {
	lists.Schedule(p.Queue)
	revoker := p.Revoker()
	r := &recall.Recaller{DB: p.DB, Lists: lists, From: from, Now: p.Now,
		Revoke: func(ctx context.Context, tx pg.Tx, person, id uuid.UUID, reason string) (bool, error) {
			return revoker.Revoke(ctx, tx, evidence.Revocation{Person: person, Evidence: id, Reason: reason,
				Actor: audit.Actor{Kind: audit.System, ID: revocation.Changed{}.Kind()}, EndSessions: true})
		}}
	r.Schedule(p.Queue)
}
