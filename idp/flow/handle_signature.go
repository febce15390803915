package flow

import (
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/cms"
	"github.com/loginunico/loginunico/certauth/tosign"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/themes"
)

const (
	pathCertificateWays = "/entrar/certificado/outro-jeito"
	pathSignature       = "/entrar/assinatura"
	pathSignatureText   = "/entrar/assinatura/texto.txt"
)

// signCommand makes with OpenSSL what the page takes.
const signCommand = "openssl cms -sign -cades -binary -in texto.txt -signer certificado.pem -inkey chave.pem -outform PEM -out texto.p7s"

func (h *Handler) mountSignatures(e *echo.Echo) {
	if h.Signatures == nil {
		return
	}
	e.GET(pathCertificateWays, h.getCertificateWays)
	e.GET(pathSignature, h.getSignature)
	e.GET(pathSignatureText, h.getSignatureText)
	e.POST(pathSignature, h.postSignature)
	h.mountClouds(e)
}

// getCertificateWays offers the ways of a certificate that the browser does not show.
func (h *Handler) getCertificateWays(c echo.Context) error {
	v, here, err := h.at(c, certificateSteps...)
	if err != nil || !here {
		return err
	}
	return h.showCertificateWays(c, v, "", nil)
}

func (h *Handler) showCertificateWays(c echo.Context, v *visit, cpf string, p *themes.Problem) error {
	view := themes.CertificateWays{Action: v.url(pathCloud), NeedsCPF: h.signerOf(v) == "", CPF: cpf, SignURL: v.url(pathSignature), BackURL: v.url(pathContinue)}
	for _, one := range h.clouds() {
		to := themes.CloudProvider{ID: one.ID, Name: one.Name}
		if !one.Push {
			to.URL = v.url(pathCloud) + "&psc=" + one.ID
		}
		view.Providers = append(view.Providers, to)
	}
	path := ""
	if c.Request().Method == http.MethodPost {
		path = v.url(pathCertificateWays)
	}
	return h.showAt(c, v, path, p, view)
}

// getSignature gives the text to sign.
func (h *Handler) getSignature(c echo.Context) error {
	v, here, err := h.at(c, certificateSteps...)
	if err != nil || !here {
		return err
	}
	return h.showSignature(c, v, nil)
}

func (h *Handler) showSignature(c echo.Context, v *visit, p *themes.Problem) error {
	httpx.NoStore(c)
	text, err := h.Signatures.Texts.Current(c.Request().Context(), h.DB, v.ID, v.BrowserHash)
	if err != nil {
		return err
	}
	return h.show(c, v, p, themes.Signature{Action: v.url(pathSignature), Text: text, TextURL: v.url(pathSignatureText), Command: signCommand,
		BackURL: v.url(pathCertificateWays)})
}

// getSignatureText is the text as a file, to the byte.
func (h *Handler) getSignatureText(c echo.Context) error {
	v, here, err := h.at(c, certificateSteps...)
	if err != nil || !here {
		return err
	}
	httpx.NoStore(c)
	text, err := h.Signatures.Texts.Current(c.Request().Context(), h.DB, v.ID, v.BrowserHash)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="texto.txt"`)
	return c.Blob(http.StatusOK, "text/plain; charset=us-ascii", []byte(text))
}

// postSignature takes the signature. The text is used up once the certificate is accepted, before
// anybody is signed in by it.
func (h *Handler) postSignature(c echo.Context) error {
	v, here, err := h.at(c, certificateSteps...)
	if err != nil || !here {
		return err
	}
	signature, err := signatureIn(c)
	if err != nil {
		return err
	}
	if len(signature) == 0 {
		return h.showSignature(c, v, problem("signature_required", "signature", "signature_required", nil))
	}
	ctx := c.Request().Context()
	text, cert, err := h.Signatures.Texts.Answer(ctx, h.DB, v.ID, v.BrowserHash, signature)
	switch {
	case errors.Is(err, tosign.ErrGone):
		return h.showSignature(c, v, &themes.Problem{Code: "challenge_gone"})
	case errors.Is(err, tosign.ErrSignature):
		slog.InfoContext(ctx, "signature", "error", err.Error())
		return h.showSignature(c, v, problem("signature", "signature", "signature", nil))
	case err != nil:
		return err
	}
	return h.signed(c, v, cert, "challenge", func() error { return h.Signatures.Texts.Use(ctx, h.DB, v.ID, v.BrowserHash, text) })
}

// signed signs in by a certificate that has signed our text, or says why not.
//
//	use  uses the text up; of two answers one gets on
func (h *Handler) signed(c echo.Context, v *visit, cert *x509.Certificate, method string, use func() error) error {
	shown, err := h.Signatures.shows(c.Request().Context(), cert)
	if reason, refused := certauth.ReasonOf(err); refused {
		slog.InfoContext(c.Request().Context(), "certificate", "method", method, "error", err.Error())
		return h.refuseCertificate(c, v, string(reason))
	}
	if err != nil {
		return err
	}
	if err := use(); err != nil {
		return err
	}
	return h.certified(c, v, shown, method)
}

// signatureIn is the file, or what was pasted where there is none. The size of a request is bounded
// already; what is longer than any signature is none.
func signatureIn(c echo.Context) ([]byte, error) {
	file, err := c.FormFile("file")
	if long := new(http.MaxBytesError); errors.As(err, &long) {
		return nil, err
	}
	if err != nil || file.Size == 0 {
		return []byte(c.FormValue("signature")), nil // none of both is told as such
	}
	f, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 2*cms.MostBytes+1))
}
