package flow

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/cloud"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/themes"
)

const (
	pathCloud = "/entrar/nuvem"
	// PathCloudBack is registered at PSCs: where they send browsers back to.
	PathCloudBack  = "/entrar/nuvem/retorno"
	pathCloudPhone = "/entrar/nuvem/celular"
	pathCloudWhy   = "/entrar/nuvem/aviso"
)

var cloudWhys = []string{"denied", "unavailable", "refused", "often"}

// cloudReason is the reason to tell for an error of the connector; "" for errors of ours.
func cloudReason(err error) string {
	for reason, known := range map[string]error{"denied": cloud.ErrDenied, "unavailable": cloud.ErrUnavailable, "refused": cloud.ErrRefused, "often": cloud.ErrOften} {
		if errors.Is(err, known) {
			return reason
		}
	}
	return ""
}

func (h *Handler) mountClouds(e *echo.Echo) {
	if h.Signatures.Cloud == nil {
		return
	}
	e.GET(pathCloud, h.getCloud)
	e.POST(pathCloud, h.postCloud)
	e.GET(PathCloudBack, h.getCloudBack)
	e.GET(pathCloudPhone, h.getCloudPhone)
	e.POST(pathCloudPhone, h.postCloudPhone)
	e.GET(pathCloudWhy, h.getCloudWhy)
}

// getCloud sends the browser to a PSC: a link, since a form would have every page name its host.
func (h *Handler) getCloud(c echo.Context) error {
	v, here, err := h.at(c, certificateSteps...)
	if err != nil || !here {
		return err
	}
	httpx.NoStore(c)
	to, err := h.beginCloud(c, v, c.QueryParam("psc"), h.signerOf(v), false)
	if err != nil {
		return h.refuseCloud(c, v, err)
	}
	return c.Redirect(seeOther, to)
}

// postCloud has a PSC ask the citizen's telephone.
func (h *Handler) postCloud(c echo.Context) error {
	v, here, err := h.at(c, certificateSteps...)
	if err != nil || !here {
		return err
	}
	cpf, typed := h.signerOf(v), c.FormValue("cpf")
	if cpf == "" {
		if cpf, err = brdoc.ParseCPF(typed); err != nil {
			return h.showCertificateWays(c, v, typed, problem("cpf", "cpf", "cpf", nil))
		}
	}
	if _, err := h.beginCloud(c, v, c.FormValue("provider"), cpf, true); err != nil {
		return h.refuseCloud(c, v, err)
	}
	return c.Redirect(seeOther, v.url(pathCloudPhone)+"&psc="+c.FormValue("provider"))
}

func (h *Handler) beginCloud(c echo.Context, v *visit, provider string, cpf brdoc.CPF, push bool) (string, error) {
	p, ok := h.Signatures.Cloud.Provider(provider)
	if !ok || p.Push != push {
		return "", cloud.ErrRefused
	}
	if push {
		if may, err := h.Throttle.Push(c.Request().Context(), cpf); err != nil || !may {
			return "", cmp.Or(err, error(cloud.ErrOften))
		}
	}
	text, _ := h.Signatures.Texts.Text()
	return h.Signatures.Cloud.Begin(c.Request().Context(), h.DB, p.ID, v.ID, v.BrowserHash, cpf, text)
}

// refuseCloud says why nobody was signed in by the cloud; what the PSC did is for the log.
func (h *Handler) refuseCloud(c echo.Context, v *visit, err error) error {
	reason := cloudReason(err)
	if reason == "" {
		return err
	}
	slog.WarnContext(c.Request().Context(), "certificate in the cloud", "error", err.Error())
	return c.Redirect(seeOther, v.url(pathCloudWhy)+"&motivo="+reason)
}

// getCloudBack is where PSCs send the browser. It answers by a redirect, whatever happens, because the
// address bar shows a code.
func (h *Handler) getCloudBack(c echo.Context) error {
	httpx.NoStore(c)
	ctx, q := c.Request().Context(), c.QueryParams()
	trip, err := h.Signatures.Cloud.Take(ctx, h.DB, q.Get("state"), h.browser(c))
	if err != nil {
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
	for _, values := range q { // RFC 6749 §3.1
		if len(values) != 1 {
			return h.refuseCloud(c, v, cloud.ErrRefused)
		}
	}
	code := q.Get("code")
	switch {
	case q.Get("error") != "":
		return h.refuseCloud(c, v, cloud.Refusal(q.Get("error")))
	case code == "" || len(code) > mostCode:
		return h.refuseCloud(c, v, cloud.ErrRefused)
	}
	return h.finishCloud(c, v, trip, code)
}

// finishCloud has the PSC sign and signs in by the certificate that did.
func (h *Handler) finishCloud(c echo.Context, v *visit, trip cloud.Trip, code string) error {
	cert, err := h.Signatures.Cloud.Finish(c.Request().Context(), trip, code)
	if err != nil {
		return h.refuseCloud(c, v, err)
	}
	if who, err := certauth.HolderOf(cert); err == nil && trip.Signer != "" && h.signerOf(v) == "" && who.CPF.Digits() != trip.Signer {
		return h.refuseCloud(c, v, fmt.Errorf("%w: another has signed than was asked", cloud.ErrRefused))
	}
	return h.signed(c, v, cert, "cloud", func() error { return nil }) // the trip was used up
}

// getCloudPhone says to look at the telephone.
func (h *Handler) getCloudPhone(c echo.Context) error {
	v, here, err := h.at(c, certificateSteps...)
	if err != nil || !here {
		return err
	}
	return h.showCloudPhone(c, v, nil)
}

func (h *Handler) showCloudPhone(c echo.Context, v *visit, p *themes.Problem) error {
	one, ok := h.Signatures.Cloud.Provider(c.QueryParam("psc"))
	if !ok {
		return c.Redirect(seeOther, v.url(pathCertificateWays))
	}
	return h.showAt(c, v, v.url(pathCloudPhone)+"&psc="+one.ID, p, themes.CloudWait{Action: v.url(pathCloudPhone) + "&psc=" + one.ID, Provider: one.Name,
		BackURL: v.url(pathCertificateWays)})
}

// postCloudPhone asks whether the telephone was answered, once for each press.
func (h *Handler) postCloudPhone(c echo.Context) error {
	v, here, err := h.at(c, certificateSteps...)
	if err != nil || !here {
		return err
	}
	trip, code, err := h.Signatures.Cloud.Ready(c.Request().Context(), h.DB, v.ID, v.BrowserHash)
	switch {
	case errors.Is(err, cloud.ErrWaiting):
		return h.showCloudPhone(c, v, &themes.Problem{Code: "cloud_waiting"})
	case err != nil:
		return h.refuseCloud(c, v, err)
	}
	return h.finishCloud(c, v, trip, code)
}

// getCloudWhy says why nobody was signed in.
func (h *Handler) getCloudWhy(c echo.Context) error {
	v, here, err := h.at(c, certificateSteps...)
	if err != nil || !here {
		return err
	}
	reason := c.QueryParam("motivo")
	if !contains(cloudWhys, reason) {
		return h.goOn(c, v)
	}
	return h.show(c, v, nil, themes.CloudWhy{Reason: reason, BackURL: v.url(pathCertificateWays)})
}
