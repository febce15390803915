package idptest

import (
	"bytes"
	"crypto/sha256"
	"mime/multipart"
	"net"
	"net/http"

	"github.com/loginunico/loginunico/certauth/cloud"
	"github.com/loginunico/loginunico/certauth/cloud/psctest"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/certauth/revocation"
	"github.com/loginunico/loginunico/certauth/tosign"
	"github.com/loginunico/loginunico/idp/flow"
)

// WithSignatures makes a city [WithCertificates] that takes signatures and asks two PSCs, "nuvem" by
// redirect and "celular" by push, and whose authorities publish lists that it fetches.
func WithSignatures() Option {
	return func(o *options) { o.certificates, o.signatures = true, true }
}

// listen serves on a free port until the test ends.
func (c *City) listen(h http.Handler) (base string) {
	l := must(net.Listen("tcp", "127.0.0.1:0"))(c.t)
	server := &http.Server{Handler: h}
	go server.Serve(l) //nolint:errcheck // it ends with Close
	c.t.Cleanup(func() { _ = server.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "http://localhost:" + port
}

// openSignatures starts the PSC and gives the provider its ways.
func (c *City) openSignatures() *flow.Signatures {
	const id, secret = "vila", "segredo"
	c.PSC = psctest.New("", psctest.Client{ID: id, Secret: secret, RedirectURI: c.Issuer + flow.PathCloudBack})
	c.PSC.Base = c.listen(c.PSC)
	one := cloud.Provider{ID: "nuvem", Name: "Nuvem", Base: c.PSC.Base + "/v0", ClientID: id, Secret: secret, Hash: cloud.Base64, Format: cloud.RAW}
	push := one
	push.ID, push.Name, push.Push, push.Format, push.Authentications = "celular", "Celular", true, cloud.CMS, c.PSC.Base+"/valid/api/v1/trusted-services/authentications"
	return &flow.Signatures{Texts: tosign.New(c.Issuer, c.Now), Verifier: c.ICP.Verifier,
		Cloud: cloud.New([]cloud.Provider{one, push}, c.Issuer+flow.PathCloudBack, c.Box, c.Now)}
}

// openLists publishes what the authorities have taken back, and fetches it.
func (c *City) openLists() {
	c.Repository = icptest.NewRepository(c.Now, c.ICP.Root, c.ICP.Level1, c.ICP.Issuing)
	c.Lists = must(revocation.New(revocation.Settings{DB: c.DB, Dir: c.t.TempDir(), Private: true, Now: c.Now}))(c.t)
}

func (c *City) publish(w http.ResponseWriter, r *http.Request) { c.Repository.ServeHTTP(w, r) }

// Signed is a signature that openssl would make of a text, detached, in DER.
func Signed(leaf *icptest.Leaf, text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return icptest.Must(psctest.SignCMS(leaf, sum[:]))
}

// Upload sends a file by the form of a page.
func (b *Browser) Upload(p Page, field, name string, body []byte) Page {
	b.t.Helper()
	var buffer bytes.Buffer
	w := multipart.NewWriter(&buffer)
	part := must(w.CreateFormFile(field, name))(b.t)
	_, _ = part.Write(body) // a buffer takes all
	_ = w.Close()
	r := must(http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.absolute(p.Action()), &buffer))(b.t)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Origin", b.City.Issuer)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}
