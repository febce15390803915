package certauth

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// The header by which a proxy that ended the handshake hands on the client's certificate. RFC 9440 §2.2
const clientCert = "Client-Cert"

// mostHeader is the longest certificate taken from a header; real ones have 3 KB in base64.
const mostHeader = 16 << 10

// BehindProxy answers requests that a proxy hands on, which has done the handshake with the browser
// and seen it sign. The link to the proxy is what proves that: a unix socket that only the proxy may
// open, or TLS in which the proxy shows the pinned certificate.
//
//	own  nil for a unix socket: the config is nil then
func (l *Listener) BehindProxy(own *tls.Certificate, proxy Pin) (*http.Server, *tls.Config) {
	s := l.server(http.HandlerFunc(l.handedOn))
	if own == nil {
		return s, nil
	}
	return s, &tls.Config{Certificates: []tls.Certificate{*own}, ClientAuth: tls.RequireAnyClientCert, SessionTicketsDisabled: true,
		MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"},
		VerifyConnection: func(s tls.ConnectionState) error {
			if s.DidResume || len(s.PeerCertificates) == 0 || sha256.Sum256(s.PeerCertificates[0].Raw) != proxy {
				return errors.New("certauth: not the proxy that is pinned")
			}
			return nil
		}}
}

// handedOn reads the certificate from the header. The proxy must set it, or remove it, whatever the
// browser has sent; twice is a proxy that does not.
func (l *Listener) handedOn(w http.ResponseWriter, r *http.Request) {
	inner := r.Clone(r.Context())
	inner.TLS = nil // the name is that of the proxy's handshake
	if !l.mine(inner) {
		misdirected(w)
		return
	}
	leaf, err := certificateIn(r.Header.Values(clientCert))
	l.answer(w, r, leaf, err)
}

// certificateIn reads Client-Cert: a byte sequence of RFC 8941 §3.3.5, :base64 of DER:, or what proxies
// write that know no structured fields, PEM in percent-encoding. nil is no certificate. Error:
// Unreadable.
//
// Client-Cert-Chain is not read: a chain is built from the published authorities.
func certificateIn(values []string) (*x509.Certificate, error) {
	switch {
	case len(values) == 0 || len(values) == 1 && (values[0] == "" || values[0] == "-"):
		return nil, nil
	case len(values) > 1:
		return nil, Unreadable.because("Client-Cert twice")
	case len(values[0]) > mostHeader:
		return nil, Unreadable.because("Client-Cert is too long")
	}
	der, ok := derIn(values[0])
	if !ok {
		return nil, Unreadable.because("Client-Cert is malformed")
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, Unreadable.because("Client-Cert is no certificate") // the parser's words quote what it read
	}
	return cert, nil
}

func derIn(value string) (der []byte, ok bool) {
	if inner, found := strings.CutPrefix(value, ":"); found {
		inner, found = strings.CutSuffix(inner, ":")
		der, err := base64.StdEncoding.DecodeString(inner)
		return der, found && err == nil
	}
	text, err := url.PathUnescape(value)
	if err != nil {
		return nil, false
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, false
	}
	return block.Bytes, true
}
