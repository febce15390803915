package account

import (
	"context"
	"errors"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

var passwordForms = []form{{path: "/senha", view: show("password"), check: (*Handler).checkPassword, do: (*Handler).changePassword}}

// checkPassword judges and hashes what was typed, while no lock is held.
func (h *Handler) checkPassword(ctx context.Context, t *turn) (*themes.Problem, error) {
	typed := t.value("password")
	main, _ := t.e.Main()
	var policy *factor.PolicyError
	switch err := h.Breached.CheckPassword(typed, t.known.Person.CPF.Digits(), main.Address.Text()); {
	case typed == "":
		return problem("password_required", "password", nil), nil
	case errors.As(err, &policy):
		return problem(policy.Code, "password", nil), nil
	case err != nil:
		return nil, err
	}
	var err error
	t.hash, err = h.Hasher.Hash(ctx, typed)
	return nil, err
}

// changePassword ends the other sessions too: whoever knows the old password may be in one.
func (h *Handler) changePassword(ctx context.Context, tx pg.Tx, t *turn) (d done, err error) {
	if err := factor.ChangePassword(ctx, tx, t.known.PersonID, t.hash, t.e.Hold, proofs(t.known.AMR), h.Now()); err != nil {
		return d, err
	}
	d.event.Kind = factor.PasswordChanged
	return d, h.Sessions.EndOthers(ctx, tx, t.known.PersonID, t.known.ID)
}
