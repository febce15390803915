package session

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/page"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

// Paths of logout.
const (
	PathEnd      = "/sair"
	PathConfirm  = "/sair/confirmar"
	PathGoodbye  = "/sair/pronto" // registered at gov.br too
	maxParameter = 4096
)

// Hints verifies our own ID tokens, expired ones included.
type Hints interface {
	Verify(token, typ string) (payload []byte, alg string, err error)
}

// Handler serves RP-initiated logout.
type Handler struct {
	Sessions *Service
	Clients  Clients
	Hints    Hints
	Pages    *page.Pages
	Issuer   string
}

// Mount adds the routes.
func (h *Handler) Mount(e *echo.Echo) {
	e.GET(PathEnd, h.end)
	e.POST(PathEnd, h.end)
	e.POST(PathConfirm, h.postConfirm)
	e.GET(PathGoodbye, h.getGoodbye)
}

// request is a logout request whose redirect, if any, may be followed.
type request struct {
	client   *client.Client // nil: nobody we know asks
	redirect string         // "" none, or not trustworthy
	state    string
}

// parse checks a logout request. OpenID Connect RP-Initiated Logout 1.0 §2–3.
//
// The redirect counts only with an ID token of ours for the client that registered it; client_id
// alone proves nothing, since anybody can write it in a link.
func (h *Handler) parse(form url.Values) (r request, err error) {
	for name, values := range form {
		if len(values) > 1 || len(values[0]) > maxParameter {
			return r, fail.New(fail.Invalid, "request").With(map[string]any{"Parameter": name})
		}
	}
	r.state = form.Get("state")
	hint := form.Get("id_token_hint")
	if hint == "" {
		return r, nil
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Audience string `json:"aud"`
	}
	payload, _, err := h.Hints.Verify(hint, "JWT")
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Issuer != h.Issuer {
		return r, fail.New(fail.Invalid, "request")
	}
	c, ok := h.Clients.Get(claims.Audience)
	if asked := form.Get("client_id"); !ok || (asked != "" && asked != c.ID) {
		return r, fail.New(fail.Invalid, "request")
	}
	r.client = c
	if uri := form.Get("post_logout_redirect_uri"); uri != "" {
		if !c.MatchPostLogoutRedirect(uri) {
			return r, fail.New(fail.Invalid, "redirect_uri")
		}
		r.redirect = uri
	}
	return r, nil
}

// end asks the citizen, always: a link or an image on any page must not sign anybody out.
// With nobody signed in there is nothing to ask, and the service gets its redirect.
func (h *Handler) end(c echo.Context) error {
	form, err := form(c)
	if err != nil {
		return err
	}
	r, err := h.parse(form)
	if err != nil {
		return err
	}
	known, err := h.Sessions.Current(c.Request().Context(), c.Request(), "", "")
	if err != nil {
		return err
	}
	if known == nil && c.Request().Method == http.MethodPost {
		// A POST from the service's page brings no SameSite=Lax cookies: come again by GET with
		// them, or the service would be told of a logout that never was.
		return c.Redirect(http.StatusSeeOther, PathEnd+"?"+form.Encode())
	}
	if known == nil {
		return h.leave(c, r)
	}
	f := h.Pages.Frame(c)
	f.Path, f.SignedIn = "/conta", known.Person.DisplayName()
	if r.client != nil {
		f.Service = &themes.Service{ID: r.client.ID, Name: r.client.Name.Localized(f.Lang), Department: r.client.Department,
			Contact: r.client.Contact, PolicyURI: r.client.PolicyURI, Accent: r.client.Theme.Accent}
	}
	if origin, err := url.Parse(r.redirect); err == nil && r.redirect != "" {
		f.FormAction = []string{origin.Scheme + "://" + origin.Host}
	}
	f.FormAction = append(f.FormAction, h.Sessions.UpstreamOrigin(known)...)
	return h.Pages.Show(c, http.StatusOK, f, themes.Logout{Action: PathConfirm, Name: f.SignedIn, Hidden: carried(form)})
}

// carried are the parameters that the confirmation brings back, to be checked again.
func carried(form url.Values) map[string]string {
	hidden := map[string]string{}
	for _, name := range []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state"} {
		if v := form.Get(name); v != "" {
			hidden[name] = v
		}
	}
	return hidden
}

func (h *Handler) postConfirm(c echo.Context) error {
	posted, err := form(c)
	if err != nil {
		return err
	}
	decision := posted.Get("decision")
	posted.Del("decision")
	r, err := h.parse(posted)
	if err != nil {
		return err
	}
	if decision != "logout" {
		if r.redirect == "" {
			return c.Redirect(http.StatusSeeOther, "/conta")
		}
		return h.leave(c, r)
	}
	ctx := c.Request().Context()
	known, err := h.Sessions.Current(ctx, c.Request(), "", "")
	if err != nil {
		return err
	}
	if known != nil {
		err = pg.InTx(ctx, h.Sessions.db, func(tx pg.Tx) error { return h.Sessions.End(ctx, tx, known.Session) })
	}
	if err != nil {
		return err
	}
	c.SetCookie(h.Sessions.Cookie(""))
	return h.leaveBy(c, h.Sessions.Upstream(known), r)
}

// leaveBy goes by way of gov.br's logout, where the session was opened by it.
func (h *Handler) leaveBy(c echo.Context, upstream string, r request) error {
	if upstream == "" {
		return h.leave(c, r)
	}
	httpx.NoStore(c)
	c.SetCookie(h.Sessions.Onward(r.target()))
	return c.Redirect(http.StatusSeeOther, upstream)
}

// leave goes back to the service, or says goodbye.
func (h *Handler) leave(c echo.Context, r request) error {
	httpx.NoStore(c)
	return c.Redirect(http.StatusSeeOther, r.target())
}

// target is where the browser goes at the end.
func (r request) target() string {
	if r.redirect == "" || r.state == "" {
		return cmp.Or(r.redirect, PathGoodbye)
	}
	sep := "?"
	if strings.Contains(r.redirect, "?") {
		sep = "&"
	}
	return r.redirect + sep + url.Values{"state": {r.state}}.Encode()
}

// getGoodbye closes the visit, or goes on from gov.br's logout to where the browser was going.
func (h *Handler) getGoodbye(c echo.Context) error {
	if target := h.Sessions.goesOnward(c.Request()); target != "" {
		c.SetCookie(HostCookie(cookieOnward, "", h.Sessions.secure))
		if target != PathGoodbye {
			httpx.NoStore(c)
			return c.Redirect(http.StatusSeeOther, target)
		}
	}
	return h.Pages.Show(c, http.StatusOK, h.Pages.Frame(c), themes.LoggedOut{SignInURL: "/conta", Ended: true})
}

// form reads the query of a GET or the body of a POST.
func form(c echo.Context) (url.Values, error) {
	if c.Request().Method == http.MethodGet {
		return c.QueryParams(), nil
	}
	if err := c.Request().ParseForm(); err != nil {
		return nil, err
	}
	return c.Request().PostForm, nil
}
