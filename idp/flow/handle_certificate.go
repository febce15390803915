package flow

import (
	"errors"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

const (
	pathCertificate   = "/entrar/certificado"
	pathCertificateGo = "/entrar/certificado/ir"
	// PathCertificateBack is where the certificate host sends browsers.
	PathCertificateBack    = "/entrar/certificado/retorno"
	pathCertificateWhy     = "/entrar/certificado/aviso"
	pathCertificateAccount = "/entrar/certificado/conta"
)

// certificateSteps are those at which a certificate may be the answer.
var certificateSteps = govbrSteps

func (h *Handler) mountCertificates(e *echo.Echo) {
	if h.Certificates == nil {
		return
	}
	e.GET(pathCertificate, h.getCertificate)
	e.GET(pathCertificateGo, h.getCertificateGo)
	e.GET(PathCertificateBack, h.getCertificateBack)
	e.GET(pathCertificateWhy, h.getCertificateWhy)
	e.GET(pathCertificateAccount, h.getCertificateAccount)
	e.POST(pathCertificateAccount, h.postCertificateAccount)
}

// getCertificate says what to have at hand, and leads on.
func (h *Handler) getCertificate(c echo.Context) error {
	v, here, err := h.at(c, certificateSteps...)
	if err != nil || !here {
		return err
	}
	view := themes.Certificate{GoURL: v.url(pathCertificateGo), WaysURL: h.certificateWaysURL(v), BackURL: v.url(pathContinue)}
	if h.Certificates.Compatible() {
		view.OldURL = view.GoURL + "&antigo=1"
	}
	return h.show(c, v, nil, view)
}

// getCertificateGo sends the browser to the host that asks for a certificate: a link, since a form
// would have every page name that host in its policy. antigo goes to the listener for old tokens.
func (h *Handler) getCertificateGo(c echo.Context) error {
	v, here, err := h.at(c, certificateSteps...)
	if err != nil || !here {
		return err
	}
	httpx.NoStore(c)
	to, err := h.Certificates.Begin(c.Request().Context(), h.DB, v.ID, v.BrowserHash, c.QueryParam("antigo") != "")
	if err != nil {
		return err
	}
	return c.Redirect(seeOther, to)
}

// getCertificateBack is where the certificate host sends the browser. It answers by a redirect,
// whatever happens, because the address bar shows a code.
func (h *Handler) getCertificateBack(c echo.Context) error {
	httpx.NoStore(c)
	ctx := c.Request().Context()
	trip, shown, err := h.Certificates.Take(ctx, h.DB, c.QueryParam("c"), h.browser(c))
	reason, refused := certauth.ReasonOf(err)
	if err != nil && !refused {
		return err
	}
	v, err := h.visitAt(c, trip.Interaction, h.Shared.Reads, find)
	if err != nil {
		return err
	}
	if v.known, err = h.Sessions.Current(ctx, c.Request(), v.ClientID, v.sector()); err != nil {
		return err
	}
	if !contains(certificateSteps, v.next(h.Now())) {
		return h.goOn(c, v)
	}
	if refused {
		return h.refuseCertificate(c, v, string(reason))
	}
	return h.certified(c, v, shown, "mtls")
}

func (h *Handler) refuseCertificate(c echo.Context, v *visit, reason string) error {
	return c.Redirect(seeOther, v.url(pathCertificateWhy)+"&motivo="+reason)
}

// certified signs in who has shown a certificate, or says why not, or asks what becomes of the account
// there is. However the certificate was shown, this is where it ends.
//
//	method  "mtls", "challenge" or "cloud"
func (h *Handler) certified(c echo.Context, v *visit, shown certauth.Shown, method string) error {
	ctx := c.Request().Context()
	b, reason, err := h.meetBearer(ctx, v, shown, method)
	if err != nil {
		return err
	}
	if reason != "" {
		return h.refuseCertificate(c, v, reason)
	}
	e := entry{browser: family(c)}
	if b.mine {
		e.before = &v.known.Session
	}
	var in entered
	err = errAskFirst
	if !b.ends || !b.account {
		err = pg.InTx(ctx, h.DB, func(tx pg.Tx) (err error) {
			in, err = h.byCertificate(ctx, tx, v, b, false, h.asker(c, v), e)
			return err
		})
	}
	if errors.Is(err, errAskFirst) {
		if err := h.Certificates.Keep(ctx, h.DB, v.ID, v.BrowserHash, shown, method); err != nil {
			return err
		}
		return c.Redirect(seeOther, v.url(pathCertificateAccount))
	}
	return orShow(err, func() error { return h.enter(c, v, in) })
}

// getCertificateWhy says why nobody was signed in, and what helps.
func (h *Handler) getCertificateWhy(c echo.Context) error {
	v, here, err := h.at(c, certificateSteps...)
	if err != nil || !here {
		return err
	}
	reason := c.QueryParam("motivo")
	if !contains(certificateWhys, reason) {
		return h.goOn(c, v)
	}
	return h.show(c, v, nil, h.certificateWhy(v, reason))
}

// keptBearer is who has shown a certificate and has an account to decide about.
func (h *Handler) keptBearer(c echo.Context) (v *visit, trip certauth.Trip, b bearer, here bool, err error) {
	if v, here, err = h.at(c, certificateSteps...); err != nil || !here {
		return v, trip, b, false, err
	}
	ctx := c.Request().Context()
	trip, shown, method, err := h.Certificates.Kept(ctx, h.DB, v.ID, v.BrowserHash)
	if errors.Is(err, certauth.ErrTrip) {
		return v, trip, b, false, h.goOn(c, v)
	}
	if reason, refused := certauth.ReasonOf(err); refused {
		return v, trip, b, false, h.refuseCertificate(c, v, string(reason))
	}
	if err != nil {
		return v, trip, b, false, err
	}
	b, reason, err := h.meetBearer(ctx, v, shown, method)
	if err == nil && reason != "" {
		return v, trip, b, false, h.refuseCertificate(c, v, reason)
	}
	return v, trip, b, err == nil, err
}

// getCertificateAccount asks whether the account that a CPF has is this citizen's.
func (h *Handler) getCertificateAccount(c echo.Context) error {
	v, _, b, here, err := h.keptBearer(c)
	if err != nil || !here {
		return err
	}
	return h.showCertificateAccount(c, v, b, nil)
}

func (h *Handler) showCertificateAccount(c echo.Context, v *visit, b bearer, p *themes.Problem) error {
	return h.show(c, v, p, themes.CertificateAccount{Action: v.url(pathCertificateAccount), CPF: b.Holder.CPF.Masked(), BackURL: v.url(pathContinue),
		RecoverURL: v.url(PathRecover)})
}

// postCertificateAccount joins the certificate to the account of who knows its password, or ends it:
// the certificate says whose CPF it is, and whoever opened the account only said so.
func (h *Handler) postCertificateAccount(c echo.Context) error {
	v, trip, b, here, err := h.keptBearer(c)
	if err != nil || !here {
		return err
	}
	ctx, e, ending := c.Request().Context(), entry{browser: family(c)}, c.FormValue("account") == "end"
	if !ending {
		p, err := h.joins(ctx, h.try(c, v, b.Holder.CPF), b.person, c.FormValue("password"))
		if err != nil || p != nil {
			return orShow(err, func() error { return h.showCertificateAccount(c, v, b, p) })
		}
		b.mine, e.proofs = true, []factor.Proof{factor.PasswordProof()}
	}
	var in entered
	err = pg.InTx(ctx, h.DB, func(tx pg.Tx) (err error) {
		if err := h.Certificates.Decide(ctx, tx, trip); err != nil {
			return err
		}
		in, err = h.byCertificate(ctx, tx, v, b, ending, h.asker(c, v), e)
		return err
	})
	return orShow(err, func() error { return h.enter(c, v, in) })
}
