package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// sendTimeout bounds each exchange with the server, and the dialling.
const sendTimeout = 15 * time.Second

// SMTP submits messages to one mail server.
type SMTP struct {
	host    string
	options []gomail.Option
	from    *netmail.Address
}

// NewSMTP reads the server from a URL; from is what the reader sees, with or without a name.
//
//	smtp://user:password@host:port?tls=starttls
//
// tls is starttls (the default: required, never opportunistic), tls (from the first byte) or
// none (loopback only, without user). The default port is 587, with tls=tls 465, with none 25. ca is a
// file of certificates that vouch for the server, instead of the system's.
func NewSMTP(rawURL, from string) (*SMTP, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("mail URL: malformed") // its error would repeat the password
	}
	if err := checkURL(u); err != nil {
		return nil, fmt.Errorf("mail URL: %w", err)
	}
	sender, err := netmail.ParseAddress(from)
	if err != nil || !oneLine(from) {
		return nil, errors.New("mail sender: not an address")
	}
	s := &SMTP{host: u.Hostname(), from: sender}
	if s.options, err = clientOptions(u); err != nil {
		return nil, fmt.Errorf("mail URL: %w", err)
	}
	_, err = gomail.NewClient(s.host, s.options...)
	return s, err
}

func checkURL(u *url.URL) error {
	if u.Scheme != "smtp" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return errors.New("want smtp://user:password@host:port?tls=starttls")
	}
	for key := range u.Query() {
		if key != "tls" && key != "ca" {
			return fmt.Errorf("unknown parameter %q", key)
		}
	}
	return nil
}

func clientOptions(u *url.URL) ([]gomail.Option, error) {
	port, security, err := transport(u)
	if err != nil {
		return nil, err
	}
	if text := u.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil || port < 1 || port > 65535 {
			return nil, fmt.Errorf("port %q", text)
		}
	}
	options := []gomail.Option{gomail.WithPort(port), gomail.WithoutNoop(), gomail.WithoutRset()}
	options = append(options, security...)
	vouched, err := authorities(u)
	if err != nil {
		return nil, err
	}
	options = append(options, vouched...)
	if u.User != nil {
		password, _ := u.User.Password()
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return options, nil
}

// transport turns the tls parameter into a port and the client's settings.
func transport(u *url.URL) (port int, security []gomail.Option, err error) {
	switch mode := u.Query().Get("tls"); mode {
	case "", "starttls":
		return 587, []gomail.Option{gomail.WithTLSPolicy(gomail.TLSMandatory)}, nil
	case "tls":
		return 465, []gomail.Option{gomail.WithSSL()}, nil
	case "none":
		if !loopback(u.Hostname()) || u.User != nil {
			return 0, nil, errors.New("tls=none is for a loopback address without user")
		}
		return 25, []gomail.Option{gomail.WithTLSPolicy(gomail.NoTLS)}, nil
	default:
		return 0, nil, fmt.Errorf("tls=%q, want starttls, tls or none", mode)
	}
}

// authorities are the city's own, where the URL names a file of them.
func authorities(u *url.URL) ([]gomail.Option, error) {
	path := u.Query().Get("ca")
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificates in it", path)
	}
	return []gomail.Option{gomail.WithTLSConfig(&tls.Config{RootCAs: roots, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12})}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// Send submits m once. The Message-ID is made of m.ID, so a letter that went out twice, because
// the answer to the first try was lost, is shown once by most readers.
//
// Errors: ErrMessage, ErrRefused; anything else may pass with time. None names the recipient.
//
// RFC 6409, RFC 5322 §3.6.4.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	letter, err := s.letter(m)
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(s.host, append(slices.Clip(s.options), timeoutOf(ctx))...)
	if err != nil {
		return fmt.Errorf("mail client: %w", err)
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	err = client.SendWithSMTPClient(conn, letter)
	// Once the server has taken the letter, a failing goodbye is no reason to send it again.
	_ = client.CloseWithSMTPClient(conn)
	return sendError(ctx, err)
}

// timeoutOf is what the context's deadline leaves for one exchange. The client heeds the context
// only while it dials, so a cancelled one waits for the server at most this long.
func timeoutOf(ctx context.Context) gomail.Option {
	left := sendTimeout
	if end, ok := ctx.Deadline(); ok {
		left = max(min(left, time.Until(end)), time.Millisecond)
	}
	return gomail.WithTimeout(left)
}

// letter builds the MIME message; every header value is either checked here or encoded there.
func (s *SMTP) letter(m Message) (*gomail.Msg, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	letter.FromMailAddress(s.from)
	letter.ToMailAddress(&netmail.Address{Address: m.To})
	letter.Subject(m.Subject)
	letter.SetDate()
	letter.SetMessageIDWithValue(m.ID + s.from.Address[strings.LastIndex(s.from.Address, "@"):])
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: no holiday replies
	letter.SetBodyString(gomail.TypeTextPlain, m.Text)
	return letter, nil
}

// sendError keeps the server's codes and drops its words, which usually repeat the address.
func sendError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("mail server: %w", ctx.Err())
	}
	var failure *gomail.SendError
	if !errors.As(err, &failure) || failure.ErrorCode() == 0 {
		return errors.New("mail server: connection lost")
	}
	kind := errors.New("not now")
	if !failure.IsTemp() {
		kind = ErrRefused
	}
	return fmt.Errorf("%w: SMTP %d %s", kind, failure.ErrorCode(), failure.EnhancedStatusCode())
}
