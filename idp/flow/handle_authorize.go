package flow

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/httpx"
)

// Until client and redirect URI are known to be right, nobody is redirected: the citizen sees a
// page instead. RFC 6749 §4.1.2.1, RFC 9700 §4.11.
var (
	errClient      = fail.New(fail.Invalid, "client")
	errRedirectURI = fail.New(fail.Invalid, "redirect_uri")
	errRequest     = fail.New(fail.Invalid, "request")
)

// authorize is the authorization endpoint, GET and POST (OIDC Core §3.1.2.1).
func (h *Handler) authorize(c echo.Context) error {
	httpx.NoStore(c)
	form, err := parameters(c.Request())
	if err != nil {
		return err
	}
	if c.Request().Method == http.MethodPost && !h.hasBrowser(c) {
		// A POST from the service's page brings no SameSite=Lax cookies: come again by GET with
		// them, or this browser would look new and its session unknown.
		form.Del("login_hint") // it may be a CPF, which was posted to stay out of URLs
		return c.Redirect(seeOther, PathAuthorize+"?"+form.Encode())
	}
	app, err := h.redirectable(form)
	if err != nil {
		return err
	}
	r, err := parseRequest(form, app)
	r.Verified.Blind(h.Box)
	if err == nil {
		err = h.hinted(&r, form.Get("id_token_hint"), app)
	}
	if err != nil {
		return h.refuse(c, r, err)
	}
	return h.answer(c, r, app, form)
}

// parameters are the query of a GET or the body of a POST, never both mixed.
func parameters(r *http.Request) (url.Values, error) {
	if r.Method == http.MethodGet {
		form, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return nil, errRequest
		}
		return form, nil
	}
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	if r.URL.RawQuery != "" {
		return nil, errRequest
	}
	return r.PostForm, nil
}

// redirectable finds the client and compares the redirect URI as a string. RFC 9700 §4.1.3.
func (h *Handler) redirectable(form url.Values) (*client.Client, error) {
	if len(form["client_id"]) != 1 {
		return nil, errClient
	}
	app, ok := h.Clients.Get(form.Get("client_id"))
	if !ok {
		return nil, errClient
	}
	if len(form["redirect_uri"]) != 1 || !app.MatchRedirect(form.Get("redirect_uri")) {
		return nil, errRedirectURI
	}
	return app, nil
}

// hinted reads whom the service expects from an ID token of ours, of any age, for this client.
// OIDC Core §3.1.2.1: id_token_hint.
func (h *Handler) hinted(r *Request, hint string, app *client.Client) error {
	if hint == "" {
		return nil
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
	}
	payload, _, err := h.Hints.Verify(hint, "JWT")
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Issuer != h.Issuer || claims.Audience != app.ID || claims.Subject == "" {
		return refuse("invalid_request", "id_token_hint is not an ID token this provider issued to the service")
	}
	if r.Subject != "" && r.Subject != claims.Subject {
		return refuse("invalid_request", "id_token_hint and the sub claim name different people")
	}
	r.Subject = claims.Subject
	return nil
}

func (h *Handler) refuse(c echo.Context, r Request, err error) error {
	refused, ok := err.(*requestError)
	if !ok {
		return err
	}
	return h.respond(c, r, url.Values{"error": {refused.Code}, "error_description": {refused.Description}})
}

// answer gives the code at once where nothing is missing, the error of prompt=none, or begins an
// interaction. Only the last writes more than the grant.
func (h *Handler) answer(c echo.Context, r Request, app *client.Client, form url.Values) error {
	ctx := c.Request().Context()
	known, err := h.Sessions.Current(ctx, c.Request(), app.ID, app.Sector)
	if err != nil {
		return err
	}
	if r.Subject != "" {
		if r.Subject, err = h.Tokens.SubjectNow(ctx, r.Subject); err != nil {
			return err
		}
	}
	v := &visit{Interaction: h.fresh(c, r), client: app, known: known}
	if known != nil {
		v.SessionID = &known.ID
	}
	step := v.next(h.Now())
	if step == Issue {
		params, err := h.issue(ctx, v, false)
		return h.over(c, v, params, err)
	}
	if slices.Contains(r.Prompt, "none") {
		return h.refuse(c, r, refuse(step.PromptNoneError(), "the citizen must take part, and prompt=none forbids it"))
	}
	if form.Get("ui_locales") != "" {
		h.Pages.Remember(c, h.Pages.Language(c, form.Get("ui_locales")))
	}
	if cpf, err := brdoc.ParseCPF(strings.TrimSpace(form.Get("login_hint"))); err == nil && known == nil {
		v.CPF = h.Box.Seal([]byte(cpf.Digits()), v.ID[:])
	}
	return h.begin(ctx, c, v)
}
