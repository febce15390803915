package sms

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
)

// Settings say which carrier a city has.
type Settings struct {
	// URL is one of
	//
	//	smpp://system_id:password@host:port?tls=tls
	//	https://account:secret@host              with Provider
	//
	// tls is tls (the default, port 3550) or none (port 2775: a private line alone). Others: ca, a file
	// of certificates instead of the system's; system_type; window, submissions without an answer;
	// packed=1; ids=decimal, see SMPPConfig.
	URL           string
	Provider      string // a preset's name or a file; for https
	From          string // what the phone shows as the sender
	Issuer        string // https://host: where Webhook is mounted
	WebhookSecret string // "": no statuses by HTTP
}

var errCarrierURL = errors.New("want smpp://system_id:password@host?tls=tls or https://account:secret@host")

// Open makes the carrier; it does not reach for it yet. The error repeats no secret.
func (s Settings) Open(metrics *Metrics, log *slog.Logger) (Carrier, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Hostname() == "" {
		return nil, errCarrierURL
	}
	switch u.Scheme {
	case "smpp":
		return s.openSMPP(u, metrics, log)
	case "https", "http":
		return s.openHTTP()
	}
	return nil, errCarrierURL
}

func (s Settings) openHTTP() (Carrier, error) {
	if s.Provider == "" {
		return nil, fmt.Errorf("an https URL needs a provider: a file, or one of %v", Presets())
	}
	p, err := LoadProvider(s.Provider)
	if err != nil {
		return nil, fmt.Errorf("provider: %w", err)
	}
	if n := len(s.WebhookSecret); n > 0 && n < 24 {
		return nil, fmt.Errorf("the webhook secret has %d characters, want 24 or more", n)
	}
	return NewHTTP(HTTPConfig{Provider: p, URL: s.URL, From: s.From, StatusURL: s.Issuer + StatusPath, WebhookSecret: s.WebhookSecret})
}

func (s Settings) openSMPP(u *url.URL, metrics *Metrics, log *slog.Logger) (Carrier, error) {
	query := u.Query()
	for key := range query {
		if !slices.Contains([]string{"tls", "ca", "system_type", "window", "packed", "ids"}, key) {
			return nil, fmt.Errorf("unknown parameter %q", key)
		}
	}
	password, _ := u.User.Password()
	c := SMPPConfig{SystemID: u.User.Username(), Password: password, SystemType: query.Get("system_type"), From: s.From,
		Packed: query.Get("packed") == "1", DecimalIDs: query.Get("ids") == "decimal", Metrics: metrics, Log: log}
	if text := query.Get("window"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return nil, fmt.Errorf("window=%q, want 1 to 1000", text)
		}
		c.Window = n
	}
	port, err := c.secure(u.Hostname(), query.Get("tls"), query.Get("ca"))
	if err != nil {
		return nil, err
	}
	if u.Port() != "" {
		port = u.Port()
	}
	c.Addr = net.JoinHostPort(u.Hostname(), port)
	return NewSMPP(c)
}

// secure sets how the line is protected, and returns its usual port.
func (c *SMPPConfig) secure(host, mode, caFile string) (port string, err error) {
	switch mode {
	case "none":
		return "2775", nil
	case "", "tls":
	default:
		return "", fmt.Errorf("tls=%q, want tls or none", mode)
	}
	c.TLS = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return "3550", nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return "", err
	}
	c.TLS.RootCAs = x509.NewCertPool()
	if !c.TLS.RootCAs.AppendCertsFromPEM(pem) {
		return "", fmt.Errorf("%s: no certificates in it", caFile)
	}
	return "3550", nil
}
