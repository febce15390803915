package sms

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// smsc is npm's smpp running testdata/smsc/smsc.mjs.
type smsc struct {
	t      *testing.T
	in     io.WriteCloser
	events chan map[string]json.RawMessage
	addr   string
	pool   *x509.CertPool // nil: plain
}

// smscDir is made, and removed, by TestMain.
var smscDir string

// installed puts the server and its library there, once for all tests.
var installed = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(smscDir, "server")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "smsc"))); err != nil {
		return "", err
	}
	install := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm cannot install smpp: %w\n%s", err, out)
	}
	return dir, nil
})

func missing(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") != "" {
		t.Fatal(err)
	}
	t.Skipf("*** SKIPPED: the independent SMPP server is NOT tested against: %v ***", err)
}

func startSMSC(t *testing.T, secure bool) *smsc {
	t.Helper()
	dir, err := installed()
	if err != nil {
		missing(t, err)
	}
	run := exec.CommandContext(t.Context(), "node", "smsc.mjs")
	run.Dir, run.Stderr = dir, os.Stderr
	in, errIn := run.StdinPipe()
	out, errOut := run.StdoutPipe()
	if err := errors.Join(errIn, errOut, run.Start()); err != nil {
		missing(t, err)
	}
	s := &smsc{t: t, in: in, events: make(chan map[string]json.RawMessage, 100)}
	t.Cleanup(func() { _ = in.Close(); _ = run.Wait() })
	go s.read(out)
	first := map[string]string{}
	if secure {
		first["key"], first["cert"], s.pool = certificate(t)
	}
	s.line(first)
	var port int
	s.wait("port", &port)
	s.addr = fmt.Sprint("127.0.0.1:", port)
	return s
}

func (s *smsc) read(out io.Reader) {
	defer close(s.events)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var event map[string]json.RawMessage
		if json.Unmarshal(lines.Bytes(), &event) == nil {
			s.events <- event
		}
	}
}

func (s *smsc) line(v any) {
	s.t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.in.Write(append(text, '\n')); err != nil {
		s.t.Fatal(err)
	}
}

// tell gives a command and waits until the server has heard it.
func (s *smsc) tell(command string) {
	s.t.Helper()
	s.line(json.RawMessage(command))
	s.wait("done", nil)
}

// wait skips to the next event of a kind.
func (s *smsc) wait(kind string, into any) {
	s.t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case event, ok := <-s.events:
			if !ok {
				s.t.Fatalf("the server ended before %s", kind)
			}
			if raw, ok := event[kind]; ok {
				if into != nil && json.Unmarshal(raw, into) != nil {
					s.t.Fatalf("%s: %s", kind, raw)
				}
				return
			}
		case <-late:
			s.t.Fatalf("no %s from the server", kind)
		}
	}
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

func certificate(t *testing.T) (keyPEM, certPEM string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "smsc.example"}, DNSNames: []string{"smsc.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(certPEM))
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), certPEM, pool
}
