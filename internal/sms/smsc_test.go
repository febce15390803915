package sms

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/testnode"
)

// smsc is an SMPP server that is not ours.
type smsc struct {
	*testnode.Program
	t    *testing.T
	addr string
	pool *x509.CertPool // nil: plain
}

func startSMSC(t *testing.T, secure bool) *smsc {
	t.Helper()
	s, first := &smsc{t: t}, map[string]string{}
	if secure {
		first["key"], first["cert"] = testnode.Certificate(t, "smsc.example")
		s.pool = x509.NewCertPool()
		s.pool.AppendCertsFromPEM([]byte(first["cert"]))
	}
	s.Program = testnode.Start(t, "smsc", first)
	var port int
	s.Wait("port", &port)
	s.addr = fmt.Sprint("127.0.0.1:", port)
	return s
}

// carrier is bound to the server, and is unbound when the test ends.
func (s *smsc) carrier(change func(*SMPPConfig), hear ...Listener) *SMPP {
	s.t.Helper()
	c := SMPPConfig{Addr: s.addr, SystemID: "cidade", Password: "segredo", SystemType: "OTP", From: "PREFEITURA", Backoff: 5 * time.Millisecond}
	if s.pool != nil {
		c.TLS = &tls.Config{RootCAs: s.pool, ServerName: "smsc.example"}
	}
	if change != nil {
		change(&c)
	}
	carrier, err := NewSMPP(c)
	if err != nil {
		s.t.Fatal(err)
	}
	hear = append(hear, func(context.Context, Status) error { return nil })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); carrier.Run(ctx, hear[0]) }()
	s.t.Cleanup(func() { cancel(); <-ended })
	return carrier
}
