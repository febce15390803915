package account

import (
	"context"
	"html/template"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

const pathSetup = "/aplicativo/codigo"

var appForms = []form{
	{path: "/aplicativo", view: show("app"), do: (*Handler).enrolApp},
	{path: pathSetup, begun: factor.EnrolLifetime, view: (*Handler).setupView, do: (*Handler).confirmApp},
	{path: "/aplicativo/nome", view: about("app_name", appName), do: (*Handler).renameApp},
	{path: "/aplicativo/remover", view: about("remove_app", appName), do: (*Handler).removeApp},
	{path: "/codigos", view: (*Handler).codesView, do: (*Handler).renewCodes},
}

func appName(t *turn) (string, bool) {
	return named(t.e.Authenticators, t.id, func(a factor.Authenticator) (uuid.UUID, string) { return a.ID, a.Name })
}

// enrolApp makes the secret, which the next page shows.
func (h *Handler) enrolApp(ctx context.Context, tx pg.Tx, t *turn) (done, error) {
	setup, err := h.Apps.Enrol(ctx, tx, t.known.PersonID, t.account(), t.value("name"))
	return done{next: pathSetup + "?id=" + setup.ID.String()}, err
}

// setupView shows the secret to who has just begun, and to nobody else.
func (h *Handler) setupView(ctx context.Context, t *turn) (themes.View, error) {
	setup, err := h.Apps.Pending(ctx, h.DB, t.known.PersonID, t.id, t.account())
	return themes.AppSetup{QR: template.HTML(setup.QR), Secret: setup.Secret, URI: template.URL(setup.URI),
		Minutes: int(factor.EnrolLifetime.Minutes())}, err
}

// confirmApp makes the app count; with the first one come recovery codes, to be seen once.
func (h *Handler) confirmApp(ctx context.Context, tx pg.Tx, t *turn) (d done, err error) {
	ok, err := h.Apps.Confirm(ctx, tx, t.known.PersonID, t.id, t.value("code"))
	if err != nil || !ok {
		return done{problem: problem("app_code", "code", nil)}, err
	}
	d.event = factor.Event{Kind: factor.TOTPAdded, Factor: t.id}
	if len(t.e.Authenticators) > 0 {
		return d, nil
	}
	return h.newCodes(ctx, tx, t, d)
}

func (h *Handler) newCodes(ctx context.Context, tx pg.Tx, t *turn, d done) (done, error) {
	codes, err := factor.RenewCodes(ctx, tx, t.known.PersonID, h.Now())
	d.page = themes.SpareCodes{Codes: codes, BackURL: PathSecurity}
	return d, err
}

func (h *Handler) renameApp(ctx context.Context, tx pg.Tx, t *turn) (done, error) {
	return done{}, h.Apps.Rename(ctx, tx, t.known.PersonID, t.id, t.value("name"))
}

func (h *Handler) removeApp(ctx context.Context, tx pg.Tx, t *turn) (done, error) {
	return done{event: factor.Event{Kind: factor.TOTPRemoved, Factor: t.id}}, h.Apps.Remove(ctx, tx, t.known.PersonID, t.id)
}

// codesView is for who has an app: the codes stand in for it.
func (h *Handler) codesView(_ context.Context, t *turn) (themes.View, error) {
	if len(t.e.Authenticators) == 0 {
		return nil, factor.ErrFactorNotFound
	}
	return themes.Change{Kind: "renew_codes"}, nil
}

func (h *Handler) renewCodes(ctx context.Context, tx pg.Tx, t *turn) (done, error) {
	if len(t.e.Authenticators) == 0 {
		return done{}, factor.ErrFactorNotFound
	}
	return h.newCodes(ctx, tx, t, done{event: factor.Event{Kind: factor.CodesRenewed}})
}
