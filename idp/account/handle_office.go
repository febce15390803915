package account

import (
	"context"
	"slices"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/registry/staff"
	"github.com/loginunico/loginunico/themes"
)

// office is what the citizen is to the city now, and who sees it: the internal services that they
// have let see it. nil for everybody else, who cost no statement.
func (h *Handler) office(ctx context.Context, known *session.Known, lang string) (*themes.Office, error) {
	now := h.Now()
	a := staff.Assess(known.Employed, now)
	if !a.Live {
		return nil, nil
	}
	view := &themes.Office{Department: a.Now.Department, From: a.Now.From}
	if until := a.Now.Until; !until.IsZero() {
		view.Until = until.Add(-1) // on its last day
	}
	for _, r := range a.Now.Roles {
		view.Roles = append(view.Roles, string(r))
	}
	live, err := consent.Live(ctx, h.DB, known.PersonID)
	for _, r := range live {
		app, ok := h.Clients.Get(r.ClientID)
		if ok && app.Internal && slices.ContainsFunc(r.Claims, client.TellsEmployment) {
			view.Services = append(view.Services, app.Name.Localized(lang))
		}
	}
	return view, err
}
