package mail

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	gomail "github.com/wneessen/go-mail"
)

func TestProductionServersGetTLSAndPassword(t *testing.T) {
	t.Parallel()

	certificate, roots := localCertificate(t)
	for _, mode := range []string{"starttls", "tls"} {
		s := newTLSServer(t, certificate, mode == "tls")
		sender, err := NewSMTP("smtp://prefeitura:s3nh%40@"+s.addr+"?tls="+mode, "nao-responda@cidade.example")
		if err != nil {
			t.Fatal(err)
		}
		if err := sender.Send(t.Context(), letter); err == nil || errors.Is(err, ErrRefused) {
			t.Errorf("%s: a certificate nobody vouches for: %v, want an error to retry", mode, err)
		}
		sender.options = append(sender.options, gomail.WithTLSConfig(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}))
		if err := sender.Send(t.Context(), letter); err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		if got := <-s.got; got.user != "prefeitura" || got.to != letter.To {
			t.Errorf("%s: user %q, to %q", mode, got.user, got.to)
		}
	}
}

// localCertificate is one for 127.0.0.1 and the roots that vouch for it.
func localCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	return web.TLS.Certificates[0], roots
}

// newTLSServer takes mail only after TLS and a password.
func newTLSServer(t *testing.T, certificate tls.Certificate, implicit bool) *server {
	t.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if implicit {
		ln = tls.NewListener(ln, config)
	}
	return serve(t, ln, func(srv *smtp.Server) { srv.TLSConfig = config }, func(s *server) smtp.Session {
		return &authSession{session{server: s}}
	})
}

type authSession struct{ session }

func (s *authSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "prefeitura" || password != "s3nh@" {
			return smtp.ErrAuthFailed
		}
		s.now.user = user
		return nil
	}), nil
}
