package flow

import (
	"context"
	"errors"
	"log/slog"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/federation"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/themes"
)

const (
	pathGovBR = "/entrar/govbr"
	// PathGovBRBack is registered at gov.br: where it sends browsers back to, and where it should
	// land those who have just opened an account there.
	PathGovBRBack    = "/entrar/govbr/retorno"
	pathGovBRWhy     = "/entrar/govbr/aviso"
	pathGovBRAccount = "/entrar/govbr/conta"
)

// govbrSteps are those at which gov.br may be the answer.
var govbrSteps = append([]Step{UnlockByMail, Company}, passkeySteps...)

func (h *Handler) mountGovBR(e *echo.Echo) {
	if h.GovBR == nil {
		return
	}
	e.GET(pathGovBR, h.getGovBR)
	e.GET(PathGovBRBack, h.getGovBRBack)
	e.GET(pathGovBRWhy, h.getGovBRWhy)
	e.GET(pathGovBRAccount, h.getGovBRAccount)
	e.POST(pathGovBRAccount, h.postGovBRAccount)
}

// getGovBR sends the browser to gov.br: a link, since a form would have every page name gov.br in
// its policy. trocar goes there by way of gov.br's logout, for who is signed in as somebody else.
func (h *Handler) getGovBR(c echo.Context) error {
	v, here, err := h.at(c, govbrSteps...)
	if err != nil || !here {
		return err
	}
	httpx.NoStore(c)
	to, err := h.GovBR.Begin(c.Request().Context(), h.DB, v.ID, v.BrowserHash, v.wantsCompany())
	if err != nil {
		return err
	}
	if c.QueryParam("trocar") != "" {
		c.SetCookie(h.Sessions.Onward(to))
		to = h.GovBR.LogoutURL()
	}
	return c.Redirect(seeOther, to)
}

// mostCode is the longest code taken; those of gov.br are encrypted JWTs of a kilobyte.
const mostCode = 8 << 10

// getGovBRBack is where gov.br sends the browser. It answers by a redirect, whatever happens,
// because the address bar shows a code.
func (h *Handler) getGovBRBack(c echo.Context) error {
	httpx.NoStore(c)
	ctx, q := c.Request().Context(), c.QueryParams()
	if q.Get("state") == "" {
		return h.landed(c)
	}
	trip, err := h.GovBR.Take(ctx, h.DB, q.Get("state"), h.browser(c))
	if err != nil {
		return err
	}
	v, err := h.govbrVisit(c, trip)
	if err != nil {
		return err
	}
	if !contains(govbrSteps, v.next(h.Now())) {
		return h.goOn(c, v)
	}
	account, err := h.answered(ctx, trip, q)
	if err == nil {
		return h.arrived(c, v, trip, account)
	}
	reason := why(err)
	if reason == "" {
		return err
	}
	slog.WarnContext(ctx, "gov.br", "error", err.Error())
	return c.Redirect(seeOther, v.url(pathGovBRWhy)+"&motivo="+reason)
}

// landed goes on with the visit that this browser left for gov.br: after opening an account there
// it comes to a fixed address, and no code ever comes.
func (h *Handler) landed(c echo.Context) error {
	id, err := h.GovBR.Left(c.Request().Context(), h.DB, h.browser(c))
	if errors.Is(err, federation.ErrTrip) {
		return c.Redirect(seeOther, "/conta")
	}
	if err != nil {
		return err
	}
	v := visit{Interaction: Interaction{ID: id}}
	return c.Redirect(seeOther, v.url(pathContinue))
}

// govbrVisit is the visit of a trip, if it lasts.
func (h *Handler) govbrVisit(c echo.Context, trip federation.Trip) (*visit, error) {
	v, err := h.visitAt(c, trip.Interaction, h.Shared.Reads, find)
	if err != nil {
		return nil, err
	}
	v.known, err = h.Sessions.Current(c.Request().Context(), c.Request(), v.ClientID, v.sector())
	return v, err
}

// answered reads the response of gov.br. RFC 6749 §4.1.2; a parameter twice is none (§3.1).
func (h *Handler) answered(ctx context.Context, trip federation.Trip, q url.Values) (federation.Account, error) {
	for _, values := range q {
		if len(values) != 1 {
			return federation.Account{}, federation.ErrRefused
		}
	}
	if code := q.Get("error"); code != "" {
		return federation.Account{}, federation.Refusal(code)
	}
	code := q.Get("code")
	if code == "" || len(code) > mostCode {
		return federation.Account{}, federation.ErrRefused
	}
	return h.GovBR.Finish(ctx, trip, code)
}

// arrived signs in who came back, or says why not, or asks what becomes of the account there is.
func (h *Handler) arrived(c echo.Context, v *visit, trip federation.Trip, account federation.Account) error {
	ctx := c.Request().Context()
	a, reason, err := h.meet(ctx, v, trip.At, account)
	if err != nil {
		return err
	}
	if reason != "" {
		return c.Redirect(seeOther, v.url(pathGovBRWhy)+"&motivo="+reason)
	}
	e := entry{browser: family(c)}
	if a.mine {
		e.before = &v.known.Session
	}
	var in entered
	err = errAskFirst
	if !a.ends || !a.account {
		err = pg.InTx(ctx, h.DB, func(tx pg.Tx) (err error) {
			in, err = h.byGovBR(ctx, tx, v, a, false, h.asker(c, v), e)
			return err
		})
	}
	if errors.Is(err, errAskFirst) {
		if err := h.GovBR.Keep(ctx, h.DB, trip, account); err != nil {
			return err
		}
		return c.Redirect(seeOther, v.url(pathGovBRAccount))
	}
	return orShow(err, func() error { return h.enter(c, v, in) })
}

// getGovBRWhy says why nobody was signed in, and what helps.
func (h *Handler) getGovBRWhy(c echo.Context) error {
	v, here, err := h.at(c, govbrSteps...)
	if err != nil || !here {
		return err
	}
	reason := c.QueryParam("motivo")
	if !contains(whys, reason) {
		return h.goOn(c, v)
	}
	return h.show(c, v, nil, h.govbrWhy(v, reason))
}

// kept is who came back and has an account to decide about.
func (h *Handler) kept(c echo.Context) (*visit, federation.Trip, arrival, bool, error) {
	v, here, err := h.at(c, govbrSteps...)
	if err != nil || !here {
		return v, federation.Trip{}, arrival{}, false, err
	}
	ctx := c.Request().Context()
	trip, account, err := h.GovBR.Kept(ctx, h.DB, v.ID, v.BrowserHash)
	if errors.Is(err, federation.ErrTrip) {
		return v, trip, arrival{}, false, h.goOn(c, v)
	}
	if err != nil {
		return v, trip, arrival{}, false, err
	}
	a, reason, err := h.meet(ctx, v, trip.At, account)
	if err == nil && reason != "" {
		return v, trip, a, false, c.Redirect(seeOther, v.url(pathGovBRWhy)+"&motivo="+reason)
	}
	return v, trip, a, err == nil, err
}

// getGovBRAccount asks whether the account that a CPF has is this citizen's.
func (h *Handler) getGovBRAccount(c echo.Context) error {
	v, _, a, here, err := h.kept(c)
	if err != nil || !here {
		return err
	}
	return h.showGovBRAccount(c, v, a, nil)
}

func (h *Handler) showGovBRAccount(c echo.Context, v *visit, a arrival, p *themes.Problem) error {
	return h.show(c, v, p, themes.GovBRAccount{Action: v.url(pathGovBRAccount), CPF: a.CPF.Masked(), BackURL: v.url(pathContinue),
		RecoverURL: v.url(PathRecover)})
}

// postGovBRAccount joins gov.br to the account of who knows its password, or ends it: gov.br says
// whose CPF it is, and whoever opened the account only said so.
func (h *Handler) postGovBRAccount(c echo.Context) error {
	v, trip, a, here, err := h.kept(c)
	if err != nil || !here {
		return err
	}
	ctx, e, ending := c.Request().Context(), entry{browser: family(c)}, c.FormValue("account") == "end"
	if !ending {
		p, err := h.joins(ctx, h.try(c, v, a.CPF), a.person, c.FormValue("password"))
		if err != nil || p != nil {
			return orShow(err, func() error { return h.showGovBRAccount(c, v, a, p) })
		}
		a.mine, e.proofs = true, []factor.Proof{factor.PasswordProof()}
	}
	var in entered
	err = pg.InTx(ctx, h.DB, func(tx pg.Tx) (err error) {
		if err := h.GovBR.Decide(ctx, tx, trip); err != nil {
			return err
		}
		in, err = h.byGovBR(ctx, tx, v, a, ending, h.asker(c, v), e)
		return err
	})
	return orShow(err, func() error { return h.enter(c, v, in) })
}

// joins checks the password of the account, with the tries of every sign-in.
func (h *Handler) joins(ctx context.Context, try factor.Try, of *registry.Person, password string) (*themes.Problem, error) {
	if password == "" {
		return problem("password_required", "password", "password_required", nil), nil
	}
	account, verdict, err := h.Throttle.Enter(ctx, try)
	if err != nil {
		return nil, err
	}
	if verdict != factor.Go {
		return h.waitProblem(), nil
	}
	right, err := h.Hasher.Verify(ctx, account.Hash, password)
	switch {
	case busyHasher(err):
		return h.waitProblem(), h.Throttle.Harden(ctx, try, account)
	case err != nil:
		return nil, err
	case !right || of == nil || account.PersonID != of.ID:
		return problem("govbr_password", "password", "govbr_password", nil), h.Throttle.Failed(ctx, try, account)
	}
	return nil, h.succeeded(ctx, try, account)
}

func (h *Handler) succeeded(ctx context.Context, try factor.Try, account factor.Account) error {
	return pg.InTx(ctx, h.DB, func(tx pg.Tx) error { return h.Throttle.Succeeded(ctx, tx, try, account) })
}

func parseMail(text string) (string, error) {
	mail, err := brdoc.ParseEmail(text)
	return mail.Address(), err
}
