package mail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

var letter = Message{
	ID:      "0199f3a2-code",
	To:      "maria@exemplo.org",
	Subject: "Seu código de segurança",
	Text:    "Olá,\n\nseu código é 123456. Ele vale por 10 minutos.\n",
}

func TestSentLetterArrivesAsWritten(t *testing.T) {
	t.Parallel()

	server := newServer(t)
	if err := server.sender(t).Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	got := <-server.got
	parsed, err := netmail.ReadMessage(bytes.NewReader(got.raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	if err != nil || subject != letter.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(parsed.Body))
	if err != nil || strings.ReplaceAll(string(text), "\r\n", "\n") != letter.Text {
		t.Errorf("text %q, %v", text, err)
	}
	if got.from != "nao-responda@cidade.example" || got.to != letter.To {
		t.Errorf("envelope from %q to %q", got.from, got.to)
	}
	for name, want := range map[string]string{
		"Message-Id":     "<0199f3a2-code@cidade.example>",
		"Auto-Submitted": "auto-generated",
	} {
		if value := parsed.Header.Get(name); value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
}

func TestRetryCarriesTheSameMessageID(t *testing.T) {
	t.Parallel()

	server := newServer(t)
	sender := server.sender(t)
	var ids []string
	for range 2 {
		if err := sender.Send(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
		got := <-server.got
		parsed, err := netmail.ReadMessage(bytes.NewReader(got.raw))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, parsed.Header.Get("Message-Id"))
	}
	if ids[0] != ids[1] || ids[0] == "" {
		t.Errorf("Message-IDs %q", ids)
	}
}

func TestUnsendableMessagesNeverReachTheServer(t *testing.T) {
	t.Parallel()

	server := newServer(t)
	sender := server.sender(t)
	for name, change := range map[string]func(*Message){
		"header in subject":           func(m *Message) { m.Subject = "Olá\r\nBcc: x@exemplo.org" },
		"bare line feed in subject":   func(m *Message) { m.Subject = "Olá\nBcc: x@exemplo.org" },
		"Unicode line end in subject": func(m *Message) { m.Subject = "Olá\u2028Bcc: x@exemplo.org" },
		"no subject":                  func(m *Message) { m.Subject = "" },
		"header in recipient":         func(m *Message) { m.To = "maria@exemplo.org\r\nBcc: x@exemplo.org" },
		"two recipients":              func(m *Message) { m.To = "maria@exemplo.org, x@exemplo.org" },
		"display name":                func(m *Message) { m.To = "Maria <maria@exemplo.org>" },
		"no recipient":                func(m *Message) { m.To = "" },
		"line end in ID":              func(m *Message) { m.ID = "a\r\nBcc: x@exemplo.org" },
		"angle bracket in ID":         func(m *Message) { m.ID = "a>" },
		"no ID":                       func(m *Message) { m.ID = "" },
		"NUL in text":                 func(m *Message) { m.Text = "a\x00b" },
		"invalid UTF-8":               func(m *Message) { m.Text = "\xff" },
	} {
		m := letter
		change(&m)
		if err := sender.Send(t.Context(), m); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v, want ErrMessage", name, err)
		}
	}
	if n := len(server.got); n != 0 {
		t.Errorf("%d messages arrived", n)
	}
}

// A line of a single dot ends an SMTP message; within the text it must not.
func TestDotAloneDoesNotCutTheText(t *testing.T) {
	t.Parallel()

	server := newServer(t)
	m := letter
	m.Text = "antes\n.\nRCPT TO:<x@exemplo.org>\ndepois\n"
	if err := server.sender(t).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := <-server.got; !bytes.Contains(got.raw, []byte("depois")) {
		t.Errorf("arrived %q", got.raw)
	}
}

func TestErrorsTellRetryFromRefusalAndNameNobody(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		name    string
		answer  *smtp.SMTPError
		refused bool
	}{
		{"mailbox unknown", &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<maria@exemplo.org> unknown"}, true},
		{"greylisted", &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "maria@exemplo.org: try later"}, false},
	} {
		server := newServer(t)
		server.answer = c.answer
		err := server.sender(t).Send(t.Context(), letter)
		if err == nil || errors.Is(err, ErrRefused) != c.refused {
			t.Errorf("%s: %v; final should be %v", c.name, err, c.refused)
		}
		if err != nil && strings.Contains(err.Error(), "maria") {
			t.Errorf("%s: the error names the recipient: %v", c.name, err)
		}
	}
}

func TestStartTLSIsNeverSkipped(t *testing.T) {
	t.Parallel()

	server := newServer(t) // offers no STARTTLS
	sender, err := NewSMTP("smtp://"+server.addr, "nao-responda@cidade.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), letter); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("sending without TLS: %v, want an error to retry", err)
	}
	if n := len(server.got); n != 0 {
		t.Errorf("%d messages went out in clear", n)
	}
}

func TestDeadlineEndsTheExchangeWithASilentServer(t *testing.T) {
	t.Parallel()

	server := newServer(t)
	server.hold = make(chan struct{})
	defer close(server.hold)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := server.sender(t).Send(ctx, letter); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("silent server: %v, want an error to retry", err)
	}
	if n := len(server.got); n != 0 {
		t.Errorf("the server answered %d messages before it was asked to", n)
	}
}

func TestNewSMTPRefuses(t *testing.T) {
	t.Parallel()

	const from = "nao-responda@cidade.example"
	for name, c := range map[string][2]string{
		"other scheme":          {"http://mail.example", from},
		"no host":               {"smtp://", from},
		"a path":                {"smtp://mail.example/inbox", from},
		"clear text abroad":     {"smtp://mail.example?tls=none", from},
		"clear text password":   {"smtp://u:p@127.0.0.1?tls=none", from},
		"unknown TLS mode":      {"smtp://mail.example?tls=maybe", from},
		"unknown parameter":     {"smtp://mail.example?tsl=none", from},
		"no such authorities":   {"smtp://mail.example?ca=/nowhere", from},
		"no authorities in it":  {"smtp://mail.example?ca=smtp_test.go", from},
		"port 0":                {"smtp://mail.example:0", from},
		"malformed":             {"smtp://u:secret%zz@mail.example", from},
		"sender not an address": {"smtp://mail.example", "Prefeitura"},
		"sender with a header":  {"smtp://mail.example", "a@b.example\r\nBcc: x@exemplo.org"},
	} {
		if _, err := NewSMTP(c[0], c[1]); err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the password: %v", name, err)
		}
	}
}

// server is an SMTP server of another library that keeps what it is given.
type server struct {
	addr   string
	got    chan delivery
	answer *smtp.SMTPError // to RCPT TO
	hold   chan struct{}   // the answer to DATA waits for it
}

type delivery struct {
	user, from, to string
	raw            []byte
}

func newServer(t *testing.T) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, ln, func(*smtp.Server) {}, func(s *server) smtp.Session { return &session{server: s} })
}

func serve(t *testing.T, ln net.Listener, change func(*smtp.Server), open func(*server) smtp.Session) *server {
	t.Helper()
	s := &server{addr: ln.Addr().String(), got: make(chan delivery, 4)}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return open(s), nil }))
	srv.Domain = "localhost"
	srv.ErrorLog = log.New(io.Discard, "", 0)
	change(srv)
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	t.Cleanup(func() {
		_ = srv.Close()
		_ = ln.Close() // Close before Serve has begun leaves it open
		<-done
	})
	return s
}

func (s *server) sender(t *testing.T) *SMTP {
	t.Helper()
	sender, err := NewSMTP("smtp://"+s.addr+"?tls=none", "Prefeitura de Vila Esperança <nao-responda@cidade.example>")
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

type session struct {
	server *server
	now    delivery
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error { s.now.from = from; return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.now.to = to
	if s.server.answer != nil {
		return s.server.answer
	}
	return nil
}

func (s *session) Data(r io.Reader) (err error) {
	if s.now.raw, err = io.ReadAll(r); err != nil {
		return err
	}
	if s.server.hold != nil {
		<-s.server.hold
	}
	s.server.got <- s.now
	return nil
}

func (s *session) Reset()        { s.now = delivery{} }
func (s *session) Logout() error { return nil }
