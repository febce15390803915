package account

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/idp/page"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/themes"
)

// Paths of the account.
const (
	Path             = "/conta"
	pathApplications = "/conta/aplicacoes"
	pathLevel        = flow.PathWays
	pathProve        = "/conta/nivel/provar" // ?kind= what
	pathRevoke       = "/conta/aplicacoes/revogar"
	pathSignOut      = "/conta/sair"
	pathConfirm      = "/conta/confirmar"
	pathJoin         = "/conta/cpf" // a visitor has a CPF by now
)

// Handler serves the account pages.
type Handler struct {
	*flow.Dependencies
	Flow  *flow.Handler
	Pages *page.Pages
}

// Mount adds the routes.
func (h *Handler) Mount(e *echo.Echo) {
	e.GET("/", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, Path) })
	e.GET(Path, h.signedIn(h.getAccount))
	e.GET(pathLevel, h.signedIn(h.getLevel))
	e.POST(pathLevel, h.signedIn(h.postLevel))
	e.GET(pathProve, h.signedIn(h.getProve))
	e.GET(pathApplications, h.signedIn(h.getApplications))
	e.GET(pathConfirm, h.signedIn(h.getConfirm))
	e.POST(pathRevoke, h.signedIn(h.postRevoke))
	e.POST(pathJoin, h.signedIn(h.postJoin))
	e.POST(pathSignOut, h.signedIn(h.postSignOut))
	h.mountSecurity(e)
}

type handler func(c echo.Context, known *session.Known, f themes.Frame) error

// signedIn finds who is signed in, or starts a sign-in that comes back to the page.
func (h *Handler) signedIn(next handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		known, err := h.Sessions.Current(c.Request().Context(), c.Request(), "", "")
		if err != nil {
			return err
		}
		if known == nil {
			return h.Flow.Begin(c, wanted(c))
		}
		f := h.Pages.Frame(c)
		f.SignedIn, f.FormAction = known.Person.DisplayName(), h.Sessions.UpstreamOrigin(known)
		return next(c, known, f)
	}
}

// wanted is the page that a browser asked for before it signed in.
func wanted(c echo.Context) string {
	switch path := c.Path(); {
	case strings.HasPrefix(path, PathSecurity+"/"):
		return formOf(c.Request().URL.RequestURI())
	case c.Request().Method == http.MethodGet:
		return path
	}
	return Path
}

// getAccount shows what the city knows, each value masked and with its source.
func (h *Handler) getAccount(c echo.Context, known *session.Known, f themes.Frame) error {
	view := themes.Account{CPF: known.Person.CPF.Masked(), Level: known.Level(h.Now()), LogoutURL: pathSignOut, LevelURL: pathLevel}
	held, err := h.Held(c.Request().Context(), known.Session, pathConfirm)
	if err != nil {
		return err
	}
	view.Held = held
	if known.Person.CPF == "" {
		view.JoinURL = pathJoin
	}
	if view.Office, err = h.office(c.Request().Context(), known, f.Lang); err != nil {
		return err
	}
	policy, err := h.People.Policy(c.Request().Context(), h.DB, h.Now())
	if err != nil {
		return err
	}
	for _, name := range shown() {
		if field, ok := known.Person.Fields[name]; ok && field.Text != "" {
			claim := name
			if name == "name" {
				claim = "civil_name" // the claim name would be the social one, which has its own line
			}
			view.Data = append(view.Data, themes.Datum{Name: name, Value: known.Person.Masked(claim), Source: field.Source,
				SourceName: sourceName(policy, field.Source), Since: field.At})
		}
	}
	return h.Pages.Show(c, http.StatusOK, f, view)
}

// getConfirm lets somebody whom a recovery holds back sign in with what confirms it.
func (h *Handler) getConfirm(c echo.Context, known *session.Known, _ themes.Frame) error {
	const confirms = 4 // the cap of a passkey, and of a password with an app
	return h.Flow.Again(c, known, Path, confirms)
}

// sourceName is what the city's policy calls a source of its own.
func sourceName(policy *pmcc.Policy, id string) string {
	if source, ok := policy.Source(id); ok && !slices.Contains(themes.CommonSources(), id) {
		return source.Name
	}
	return ""
}

// shown lists the fields in the order a person expects them.
func shown() []string {
	return slices.Insert(registry.Declarable(), 1, "social_name", "email")
}

// getApplications shows each authorized service: what it may see, since when, last use.
func (h *Handler) getApplications(c echo.Context, known *session.Known, f themes.Frame) error {
	ctx := c.Request().Context()
	live, err := consent.Live(ctx, h.DB, known.PersonID)
	if err != nil {
		return err
	}
	uses, err := h.Tokens.LastUses(ctx, known.PersonID)
	if err != nil {
		return err
	}
	view := themes.Applications{}
	for _, r := range live {
		item := themes.Application{ID: r.ClientID, Name: r.ClientID, Claims: r.Claims, Since: r.Since, LastUse: uses[r.ClientID],
			RevokeURL: pathRevoke + "?servico=" + r.ClientID}
		if app, ok := h.Clients.Get(r.ClientID); ok {
			item.Name, item.Department, item.PolicyURI = app.Name.Localized(f.Lang), app.Department, app.PolicyURI
		}
		view.Items = append(view.Items, item)
	}
	return h.Pages.Show(c, http.StatusOK, f, view)
}

func (h *Handler) postRevoke(c echo.Context, known *session.Known, f themes.Frame) error {
	clientID := c.QueryParam("servico")
	ctx := c.Request().Context()
	err := pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
		if err := consent.Revoke(ctx, tx, known.PersonID, clientID, f.Lang, h.Now()); err != nil {
			return err
		}
		return h.Tokens.EndOf(ctx, tx, known.PersonID, clientID, "consent")
	})
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, pathApplications)
}

// postJoin takes a visitor to the sign-in by CPF; whoever has one already stays here.
func (h *Handler) postJoin(c echo.Context, known *session.Known, _ themes.Frame) error {
	return h.Flow.BeginJoin(c, known, Path)
}

func (h *Handler) postSignOut(c echo.Context, known *session.Known, _ themes.Frame) error {
	ctx := c.Request().Context()
	err := pg.InTx(ctx, h.DB, func(tx pg.Tx) error { return h.Sessions.End(ctx, tx, known.Session) })
	if err != nil {
		return err
	}
	c.SetCookie(h.Sessions.Cookie(""))
	return c.Redirect(http.StatusSeeOther, cmp.Or(h.Sessions.Upstream(known), session.PathGoodbye))
}
