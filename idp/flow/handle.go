package flow

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/page"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/themes"
)

// Paths of the pages. The interaction travels as ?i=.
const (
	PathAuthorize = "/oauth/authorize"
	pathIdentify  = "/entrar"
	pathPassword  = "/entrar/senha"
	pathUnlock    = "/entrar/codigo"
	pathSecond    = "/entrar/segunda-etapa"
	pathStronger  = "/entrar/reforco"
	pathPasskey   = "/entrar/chave"
	pathOptions   = "/entrar/chave/opcoes"
	pathSelect    = "/entrar/conta"
	pathLevel     = "/entrar/nivel"
	pathCancel    = "/entrar/cancelar"
	pathContinue  = "/entrar/continuar"
	pathRegister  = "/cadastro"
	pathConfirm   = "/cadastro/codigo"
	pathProfile   = "/cadastro/dados"
	pathCompany   = "/entrar/empresa"
	pathConsent   = "/consentimento"
	pathCPF       = "/entrar/sem-cpf"
	pathStaff     = "/entrar/servidor"
	pathVisitor   = "/entrar/visitante"
	pathNumber    = "/entrar/visitante/codigo"
	// pathVisitorWho asks whether the visitor is who had this number.
	pathVisitorWho = "/entrar/visitante/confirmar"
	again          = "/novo" // after the path of a code: send another
)

// PathRecover is where those go who have lost their password; package recovery serves it.
const PathRecover = "/recuperar"

// PathWays says every way to a higher level; package account serves it. With ?i= of a visit it leads back
// to it.
const PathWays = "/conta/nivel"

// VisitURL goes on with a visit of this browser.
func VisitURL(visit uuid.UUID) string { return pathContinue + "?i=" + visit.String() }

var pathOf = map[Step]string{Identify: pathIdentify, ConfirmChannel: pathConfirm, ConfirmNumber: pathNumber, ConfirmVisitor: pathVisitorWho,
	UnlockByMail: pathUnlock, Authenticate: pathPassword, SecondStep: pathSecond, SelectAccount: pathSelect, WrongPerson: pathContinue,
	CPFRequired: pathCPF, NotEmployee: pathStaff, Strengthen: pathStronger, LevelTooLow: pathLevel, Company: pathCompany, Profile: pathProfile, Consent: pathConsent, Issue: pathContinue}

// Handler serves the pages of a flow.
type Handler struct {
	*Dependencies
	Pages *page.Pages

	// What the cookies of visits hold that this process has given out last, or opened: every page reads
	// the one of the page before.
	carriages lastOnes[carriage]
}

// Mount adds the routes.
func (h *Handler) Mount(e *echo.Echo) {
	e.GET(PathAuthorize, h.authorize)
	e.POST(PathAuthorize, h.authorize)
	e.GET(pathContinue, h.getContinue)
	e.GET(pathCancel, h.cancel) // a link: it ends only the visit of this browser
	e.POST(pathCancel, h.cancel)
	e.GET(pathIdentify, h.getIdentify)
	e.POST(pathIdentify, h.postIdentify)
	e.GET(pathSelect, h.getSelect)
	e.POST(pathSelect, h.postSelect)
	e.GET(pathLevel, h.getLevel)
	e.POST(pathLevel, h.postLevel)
	e.GET(pathPassword, h.getPassword)
	e.POST(pathPassword, h.postPassword)
	e.GET(pathUnlock, h.getUnlock)
	e.POST(pathUnlock, h.postUnlock)
	e.POST(pathUnlock+again, h.postUnlockAgain)
	e.GET(pathSecond, h.getSecond)
	e.POST(pathSecond, h.postSecond)
	e.GET(pathStronger, h.getStronger)
	e.POST(pathStronger, h.postStronger)
	e.POST(pathOptions, h.postOptions)
	e.POST(pathPasskey, h.postPasskey)
	e.GET(pathRegister, h.getRegister)
	e.POST(pathRegister, h.postRegister)
	e.GET(pathConfirm, h.getConfirm)
	e.POST(pathConfirm, h.postConfirm)
	e.POST(pathConfirm+again, h.postConfirmAgain)
	e.GET(pathVisitor, h.getVisitor)
	e.POST(pathVisitor, h.postVisitor)
	e.GET(pathNumber, h.getNumber)
	e.POST(pathNumber, h.postNumber)
	e.POST(pathNumber+again, h.postNumberAgain)
	e.GET(pathVisitorWho, h.getVisitorWho)
	e.POST(pathVisitorWho, h.postVisitorWho)
	e.GET(pathCPF, h.getCPF)
	e.POST(pathCPF, h.postCPF)
	e.GET(pathStaff, h.getStaff)
	e.POST(pathStaff, h.postStaff)
	e.GET(pathCompany, h.getCompany)
	e.POST(pathCompany, h.postCompany)
	e.GET(pathProfile, h.getProfile)
	e.POST(pathProfile, h.postProfile)
	e.GET(pathConsent, h.getConsent)
	e.POST(pathConsent, h.postConsent)
	h.mountGovBR(e)
	h.mountCertificates(e)
	h.mountSignatures(e)
}

const cookieBrowser = "navegador"

func (h *Handler) hasBrowser(c echo.Context) bool {
	_, err := c.Cookie(session.HostCookie(cookieBrowser, "x", h.Secure).Name)
	return err == nil
}

// browser returns the hash of the browser's own cookie, setting a new one where there is none.
func (h *Handler) browser(c echo.Context) []byte {
	name := session.HostCookie(cookieBrowser, "x", h.Secure).Name
	if cookie, err := c.Cookie(name); err == nil && len(cookie.Value) == len(secret.Token()) {
		return secret.Hash(cookie.Value)
	}
	if given, ok := c.Get(cookieBrowser).([]byte); ok {
		return given // by this answer
	}
	value := secret.Token()
	cookie := session.HostCookie(cookieBrowser, value, h.Secure)
	cookie.MaxAge = int(factor.BrowserMemory.Seconds())
	c.SetCookie(cookie)
	c.Set(cookieBrowser, secret.Hash(value))
	return secret.Hash(value)
}

// Browser is the hash of the browser's own cookie, for ceremonies and recoveries, which only the
// browser that began them may finish.
func (h *Handler) Browser(c echo.Context) []byte { return h.browser(c) }

// visit reads the interaction of ?i=, if it belongs to this browser, and who is signed in.
// Error: ErrExpired for every other id.
func (h *Handler) visit(c echo.Context) (*visit, error) {
	v, err := h.visitOf(c, h.Shared.Reads, find)
	if err != nil {
		return nil, err
	}
	v.known, err = h.Sessions.Current(c.Request().Context(), c.Request(), v.ClientID, v.sector())
	return v, err
}

// visitOf is visit without who is signed in, by a statement like [find].
func (h *Handler) visitOf(c echo.Context, db pg.DB, by func(ctx context.Context, db pg.DB, id uuid.UUID, browser []byte, now time.Time) (Interaction, error)) (*visit, error) {
	id, err := httpx.ParamUUID(c, "i")
	if err != nil {
		return nil, ErrExpired
	}
	return h.visitAt(c, id, db, by)
}

func (h *Handler) visitAt(c echo.Context, id uuid.UUID, db pg.DB, by func(ctx context.Context, db pg.DB, id uuid.UUID, browser []byte, now time.Time) (Interaction, error)) (*visit, error) {
	browser := h.browser(c)
	in, text, carried := h.carried(c, id, browser)
	var err error
	if !carried {
		in, err = by(c.Request().Context(), db, id, browser, h.Now())
	}
	if pg.NoRows(err) {
		return nil, ErrExpired
	}
	if err != nil {
		return nil, err
	}
	v := &visit{Interaction: in, lang: h.Pages.Language(c, ""), carried: text}
	if v.choice, err = v.openChoice(h.Box); err != nil {
		return nil, err
	}
	if carried {
		h.dropWhenSettled(c, v)
	}
	if in.Request.ReturnTo == "" {
		client, ok := h.Clients.Get(in.ClientID)
		if !ok || !client.MatchRedirect(in.Request.RedirectURI) {
			return nil, ErrExpired // the service, or its redirect URI, is gone since
		}
		v.client = client
	}
	return v, nil
}

// at reads the visit and makes sure that one of these steps is its next; otherwise the browser is
// sent to the step that is.
func (h *Handler) at(c echo.Context, steps ...Step) (*visit, bool, error) {
	v, err := h.visit(c)
	if err != nil {
		return nil, false, err
	}
	next := v.next(h.Now())
	for _, s := range steps {
		if s == next {
			return v, true, nil
		}
	}
	return v, false, h.goOn(c, v)
}

// goOn sends the browser to the next step, or ends the visit where nothing is missing.
func (h *Handler) goOn(c echo.Context, v *visit) error {
	switch step := v.next(h.Now()); {
	case step == LevelTooLow && v.client == nil: // they went to prove who they are, and did not
		return c.Redirect(seeOther, v.Request.ReturnTo)
	case step == WrongPerson:
		params, err := h.leave(c.Request().Context(), v, "login_required", "another person signed in than the service asked for")
		return h.over(c, v, params, err)
	case step != Issue:
		return c.Redirect(seeOther, v.url(pathOf[step]))
	case v.client == nil:
		if err := h.end(c.Request().Context(), v); err != nil {
			return err
		}
		return c.Redirect(seeOther, v.Request.ReturnTo)
	}
	params, err := h.issue(c.Request().Context(), v, true)
	return h.over(c, v, params, err)
}

// over answers the service.
func (h *Handler) over(c echo.Context, v *visit, params url.Values, err error) error {
	if err != nil {
		return err
	}
	if v.client == nil {
		return c.Redirect(seeOther, "/conta")
	}
	return h.respond(c, v.Request, params)
}

func (h *Handler) respond(c echo.Context, r Request, params url.Values) error {
	httpx.NoStore(c)
	params = complete(h.Issuer, r, params)
	if r.ResponseMode == "form_post" {
		f := h.Pages.Frame(c)
		f.FormAction = formActions(r.RedirectURI)
		return h.Pages.Show(c, http.StatusOK, f, formPost(r, params))
	}
	return c.Redirect(seeOther, respondURL(r, params))
}

// show renders a page of a visit.
func (h *Handler) show(c echo.Context, v *visit, p *themes.Problem, view themes.View) error {
	path := ""
	if c.Request().Method == http.MethodPost {
		path = v.url(strings.TrimSuffix(c.Path(), again)) // the page that the form is on
		if c.Path() == pathPasskey {
			path = v.url(pathContinue) // it is on several
		}
	}
	return h.showAt(c, v, path, p, view)
}

// showAt is show where the page's own address is known; "" is the request's.
func (h *Handler) showAt(c echo.Context, v *visit, path string, p *themes.Problem, view themes.View) error {
	f := h.Pages.Frame(c)
	f.Problem, f.Visit = p, v.ID.String()
	if path != "" {
		f.Path = path
	}
	if v.client != nil {
		f.Service = h.serviceView(v, f.Lang)
		f.FormAction = formActions(v.Request.RedirectURI)
	}
	if v.known != nil {
		f.SignedIn = v.known.Person.DisplayName()
	}
	status := http.StatusOK
	if p != nil {
		status = http.StatusUnprocessableEntity
	}
	return h.Pages.Show(c, status, f, view)
}

func (h *Handler) serviceView(v *visit, lang string) *themes.Service {
	m := v.client
	return &themes.Service{ID: m.ID, Name: m.Name.Localized(lang), Department: m.Department, Contact: m.Contact, PolicyURI: m.PolicyURI, Accent: m.Theme.Accent}
}

func (v *visit) url(path string) string { return path + "?i=" + v.ID.String() }

// cancelURL is where a citizen gives up: back to the service, where there is one.
func (v *visit) cancelURL() string {
	if v.client == nil {
		return ""
	}
	return v.url(pathCancel)
}

// problem is a summary with one field.
func problem(code, field, fieldCode string, args map[string]any) *themes.Problem {
	return &themes.Problem{Code: code, Args: args, Fields: []themes.FieldProblem{{Field: field, Code: fieldCode, Args: args}}}
}

func (h *Handler) try(c echo.Context, v *visit, cpf brdoc.CPF) factor.Try {
	return factor.Try{CPF: cpf, Address: address(c), Browser: v.BrowserHash, Unlocked: v.UnlockedAt != nil,
		ClientID: v.ClientID, Sector: v.sector()}
}

// address is the browser's.
func address(c echo.Context) netip.Addr {
	address, err := netip.ParseAddr(c.RealIP())
	if err != nil {
		return netip.IPv4Unspecified()
	}
	return address
}

// enter goes on after a sign-in, under the cookie of its session if that is open.
func (h *Handler) enter(c echo.Context, v *visit, in entered) error {
	if in.cookie != "" {
		c.SetCookie(h.Sessions.Cookie(in.cookie))
	}
	if in.params != nil {
		return h.respond(c, v.Request, in.params)
	}
	return h.goOn(c, v)
}

func (h *Handler) getContinue(c echo.Context) error {
	v, err := h.visit(c)
	if err != nil {
		return err
	}
	return h.goOn(c, v)
}

func (h *Handler) cancel(c echo.Context) error {
	v, err := h.visit(c)
	if err != nil {
		return err
	}
	params, err := h.leave(c.Request().Context(), v, "access_denied", "the citizen cancelled")
	return h.over(c, v, params, err)
}

// Begin starts a sign-in for a page of ours, such as /conta, and sends the browser to it.
func (h *Handler) Begin(c echo.Context, returnTo string, prompt ...string) error {
	return h.beginOwn(c, nil, Request{ReturnTo: returnTo, Prompt: prompt})
}

// Again asks who is signed in to sign in anew, for a page of ours that wants a fresh session of a
// strength: its cap, 1 to 5. The browser comes back to the page.
func (h *Handler) Again(c echo.Context, known *session.Known, returnTo string, strength int) error {
	return h.beginOwn(c, known, Request{ReturnTo: returnTo, Prompt: []string{"login"}, Strength: strength})
}

func (h *Handler) beginOwn(c echo.Context, known *session.Known, r Request) error {
	v := &visit{Interaction: h.fresh(c, r), known: known}
	if known != nil {
		v.SessionID = &known.ID
	}
	return h.begin(c.Request().Context(), c, v)
}

func (h *Handler) fresh(c echo.Context, r Request) Interaction {
	now := h.Now()
	return Interaction{ID: pg.NewID(), BrowserHash: h.browser(c), ClientID: r.ClientID, Request: r,
		CreatedAt: now.Truncate(time.Microsecond), ExpiresAt: now.Add(InteractionLifetime).Truncate(time.Microsecond)}
}

func (h *Handler) begin(ctx context.Context, c echo.Context, v *visit) error {
	return h.beginAt(c, v, pathOf[v.next(h.Now())])
}

// beginAt is begin with a page that is not the next step's first.
func (h *Handler) beginAt(c echo.Context, v *visit, path string) error {
	carried, err := h.carry(c, v)
	if err == nil && !carried {
		err = begin(c.Request().Context(), h.Shared.Writes, v.Interaction)
	}
	if err != nil {
		return err
	}
	return c.Redirect(seeOther, v.url(path))
}
