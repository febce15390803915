package testnode

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Sink is a running SMTP server.
type Sink struct {
	*Program
	URL string // as LOGINUNICO_SMTP_URL has it: with a user, over STARTTLS
}

// Letter is what another library read of one.
type Letter struct {
	Secure      bool   // it came over TLS
	User        string // who signed in
	Envelope    []string
	From, To    string // as a reader sees them
	Subject     string
	Text        string
	ID          string // Message-ID
	Auto        string // Auto-Submitted
	HTML        bool   // it has a second body
	Attachments int
}

// StartSink runs a mail server that vouches for itself by a certificate of its own.
func StartSink(t testing.TB) *Sink {
	t.Helper()
	key, cert := Certificate(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte(cert), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Sink{Program: Start(t, "sink", map[string]string{"key": key, "cert": cert, "user": "cidade", "password": "segr@do"})}
	var port int
	s.Wait("port", &port)
	s.URL = fmt.Sprintf("smtp://cidade:segr%%40do@127.0.0.1:%d?tls=starttls&ca=%s", port, ca)
	return s
}

// Letter waits for the next one.
func (s *Sink) Letter() (l Letter) {
	s.t.Helper()
	s.Wait("letter", &l)
	return l
}
