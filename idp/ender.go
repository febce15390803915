package idp

import (
	"context"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/internal/pg"
)

// ender ends what the account of a displaced holder has opened; see factor.Ender.
type ender struct{ *flow.Dependencies }

func (e ender) EndSessions(ctx context.Context, tx pg.Tx, person uuid.UUID) error {
	return e.Sessions.EndSessions(ctx, tx, person)
}

func (e ender) EndTokens(ctx context.Context, tx pg.Tx, person uuid.UUID) error {
	return e.Tokens.EndTokens(ctx, tx, person, "displaced")
}

func (e ender) EndConsents(ctx context.Context, tx pg.Tx, person uuid.UUID) error {
	return consent.RevokeAll(ctx, tx, person, e.Now())
}

func (e ender) ForgetDeclared(ctx context.Context, tx pg.Tx, person uuid.UUID) error {
	return e.People.ForgetDeclared(ctx, tx, person, e.Now())
}
