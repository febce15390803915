package idptest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/idp/flow"
)

// ICP is the ICP-Brasil of a city's tests, and its certificate host.
type ICP struct {
	*icptest.PKI
	URL      string
	Trust    *x509.CertPool // of the host's own certificate
	Web      []byte         // the root of it, DER
	Verifier *certauth.Verifier
	set      *certauth.Authorities
	revoked  sync.Map // serial number to the error that its check gives
}

// WithCertificates makes a city that asks for certificates, of an ICP-Brasil of its own.
func WithCertificates() Option { return func(o *options) { o.certificates = true } }

// Authorities are those of the hierarchy.
func (i *ICP) Authorities() *certauth.Authorities { return i.set }

// Check is good but for what [ICP.Refuse] has named.
func (i *ICP) Check(_ context.Context, chain []*x509.Certificate) error {
	if why, ok := i.revoked.Load(chain[0].SerialNumber.String()); ok {
		return why.(error)
	}
	return nil
}

// Refuse has every later check of a certificate end in an error, such as certauth.Revoked.
func (i *ICP) Refuse(leaf *icptest.Leaf, why error) {
	i.revoked.Store(leaf.Cert.SerialNumber.String(), why)
}

// openCertificates starts the certificate host of the city, whose clock is the city's.
func (c *City) openCertificates(log *slog.Logger, o options) *certauth.Trips {
	made := icptest.Options{Now: c.Now(), PersonBits: 2048} // browsers and their stores know RSA best
	if o.signatures {
		made.CRL = []string{c.listen(http.HandlerFunc(c.publish)) + "/{ca}.crl"}
	}
	pki := must(icptest.New(made))(c.t)
	c.ICP = &ICP{PKI: pki}
	var from []certauth.Candidate
	for _, ca := range pki.Authorities() {
		from = append(from, certauth.Candidate{Name: ca.Subject.CommonName, Cert: ca})
	}
	c.ICP.set, _ = certauth.NewAuthorities([]certauth.Pin{pki.Pin()}, from, c.Now())
	c.ICP.Verifier = &certauth.Verifier{From: c.ICP, Revocation: c.ICP, Now: c.Now}
	if o.signatures {
		c.openLists()
		c.ICP.Verifier.Revocation = c.Lists
	}
	web := must(icptest.New(icptest.Options{Name: " da Web"}))(c.t)
	c.ICP.Trust, c.ICP.Web = x509.NewCertPool(), web.Root.Cert.Raw
	c.ICP.Trust.AddCert(web.Root.Cert)
	l := must(net.Listen("tcp", "127.0.0.1:0"))(c.t)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	c.ICP.URL = "https://localhost:" + port
	trips := certauth.NewTrips(c.Box, c.ICP.Verifier, c.ICP.URL, "", c.Now)
	host := &certauth.Listener{URL: c.ICP.URL, Return: c.Issuer + flow.PathCertificateBack, Trips: trips, Verifier: c.ICP.Verifier, DB: c.DB, Log: log}
	server, config := host.Server(web.Issue(icptest.SSL("localhost")).TLS(true), certauth.HintAll, false)
	go server.Serve(tls.NewListener(l, config)) //nolint:errcheck // it ends with Close
	c.t.Cleanup(func() { _ = server.Close() })
	return trips
}

// ToCertificates follows this page's way to the certificate host and returns the address there.
func (b *Browser) ToCertificates(p Page) string {
	b.t.Helper()
	_, rest, _ := strings.Cut(p.Body, `id="certificate" href="`)
	link, _, ok := strings.Cut(rest, `"`)
	if !ok {
		b.t.Fatalf("no way to sign in by certificate on %s\n%s", p.URL, p.Main())
	}
	page := b.Get(strings.ReplaceAll(link, "&amp;", "&"))
	out := b.Get(strings.Replace(page.URL.RequestURI(), "/certificado?", "/certificado/ir?", 1))
	if out.Location == nil {
		b.t.Fatalf("not sent to the certificate host: %d %s\n%s", out.Status, out.URL, out.Main())
	}
	return out.Location.String()
}

// Shows is a handshake with the certificate host by a certificate, nil for none, and returns where it
// sends the browser.
func (c *City) Shows(at string, leaf *icptest.Leaf) string {
	c.t.Helper()
	config := &tls.Config{RootCAs: c.ICP.Trust}
	if leaf != nil {
		config.Certificates = []tls.Certificate{leaf.TLS(false)}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	answer := must(client.Get(at))(c.t)
	_ = answer.Body.Close()
	to := answer.Header.Get("Location")
	if _, code, ok := strings.Cut(to, "?c="); ok {
		used.add(code)
	}
	return to
}

// ByCertificate goes from this page to the certificate host, shows a certificate there, and comes back.
func (b *Browser) ByCertificate(p Page, leaf *icptest.Leaf) Page {
	b.t.Helper()
	return b.Get(b.City.Shows(b.ToCertificates(p), leaf))
}
