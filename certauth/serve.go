package certauth

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
)

// Hints are which names of authorities a listener sends, by which browsers choose what certificates to
// offer: RFC 8446 §4.2.4, RFC 5246 §7.4.4.
type Hints string

// The hints. All names take 20 KB of every handshake, and are right where the browser does not know
// the authorities between; roots and level 1 take 5.
const (
	HintAll   Hints = "all"
	HintRoots Hints = "roots"
	HintNone  Hints = "none" // the browser offers every certificate it has
)

// ParseHints reads a setting.
func ParseHints(text string) (Hints, error) {
	switch h := Hints(text); h {
	case HintAll, HintRoots, HintNone:
		return h, nil
	}
	return "", fmt.Errorf("%q is not all, roots or none", text)
}

// Listener is the host that asks for a certificate: a name of its own, so that no browser brings other
// requests over its connections. Every connection answers one request.
type Listener struct {
	URL      string // where browsers reach it: https://host[:port]
	Return   string // where it sends them: the provider's address of the way back
	Trips    *Trips
	Verifier *Verifier
	DB       *pg.Pool
	Log      *slog.Logger
	Metrics  *Metrics
}

type tlsOptions struct {
	own   tls.Certificate
	hints Hints
	most  uint16 // highest version; 0 for no limit
}

// Server answers browsers directly.
//
//	hints  which authorities are named in the handshake, always those of now
//	old    TLS 1.2 at most: tokens that cannot sign RSA-PSS fail with TLS 1.3
func (l *Listener) Server(own tls.Certificate, hints Hints, old bool) (*http.Server, *tls.Config) {
	o := tlsOptions{own: own, hints: hints}
	if old {
		o.most = tls.VersionTLS12
	}
	s := l.server(http.HandlerFunc(l.direct))
	s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout = choosing, choosing, choosing // the least of them ends a handshake
	return s, l.config(o)
}

// choosing is how long a handshake may take: browsers ask which certificate to show, and tokens for
// their PIN, in the middle of it. Who is slower finds a page of the browser's, and goes again.
const choosing = 2 * time.Minute

func (l *Listener) server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 5 * time.Second, MaxHeaderBytes: 32 << 10, ErrorLog: log.New(handshakes{l.Metrics}, "", 0)}
}

// config asks for a certificate and takes any, because a handshake that fails shows no page: the
// handler judges. Nothing is resumed: a ticket would skip the certificate.
func (l *Listener) config(o tlsOptions) *tls.Config {
	base := &tls.Config{Certificates: []tls.Certificate{o.own}, ClientAuth: tls.RequestClientCert, SessionTicketsDisabled: true,
		MinVersion: tls.VersionTLS12, MaxVersion: o.most, NextProtos: []string{"http/1.1"}, Renegotiation: tls.RenegotiateNever,
		VerifyConnection: func(s tls.ConnectionState) error {
			if s.DidResume {
				return errors.New("certauth: a resumed connection")
			}
			return nil
		}}
	if o.hints == HintNone {
		return base
	}
	named := &named{of: l.Verifier.From, all: o.hints == HintAll}
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		c := base.Clone()
		c.GetConfigForClient, c.ClientCAs = nil, named.pool()
		return c, nil
	}
	return base
}

// named is the pool of the current set's names, made once for each set. It verifies nothing.
type named struct {
	of   Source
	all  bool
	lock sync.Mutex
	set  *Authorities
	last *x509.CertPool
}

func (n *named) pool() *x509.CertPool {
	n.lock.Lock()
	defer n.lock.Unlock()
	if set := n.of.Authorities(); set != n.set || n.last == nil {
		n.set, n.last = set, x509.NewCertPool()
		for _, c := range set.named(n.all) {
			n.last.AddCert(c)
		}
	}
	return n.last
}

// direct answers a browser whose handshake was with this process.
func (l *Listener) direct(w http.ResponseWriter, r *http.Request) {
	if r.TLS == nil || !l.mine(r) {
		misdirected(w)
		return
	}
	var leaf *x509.Certificate
	if len(r.TLS.PeerCertificates) > 0 {
		leaf = r.TLS.PeerCertificates[0] // its key has signed the handshake: RFC 8446 §4.4.3
	}
	l.answer(w, r.WithContext(WithStaple(r.Context(), r.TLS.OCSPResponse)), leaf, nil)
}

// mine says whether a request is for this host, by name and by handshake: a connection to another
// name of the same certificate carries no proof for this one. RFC 9110 §7.4
func (l *Listener) mine(r *http.Request) bool {
	u, err := url.Parse(l.URL)
	if err != nil || !strings.EqualFold(strings.TrimSuffix(r.Host, ":443"), strings.TrimSuffix(u.Host, ":443")) {
		return false
	}
	return r.TLS == nil || strings.EqualFold(r.TLS.ServerName, u.Hostname()) || net.ParseIP(u.Hostname()) != nil && r.TLS.ServerName == ""
}

func misdirected(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	http.Error(w, "421 this is another host", http.StatusMisdirectedRequest)
}

// answer uses the ticket up, judges the certificate and sends the browser back.
//
//	why  a reason known already; nil to judge leaf, which is nil where none was shown
func (l *Listener) answer(w http.ResponseWriter, r *http.Request, leaf *x509.Certificate, why error) {
	h := w.Header()
	h.Set("Connection", "close")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if r.URL.Path != PathShow {
		http.Error(w, "404 nothing is here", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodGet {
		h.Set("Allow", http.MethodGet)
		http.Error(w, "405 GET only", http.StatusMethodNotAllowed)
		return
	}
	code, err := l.show(r.Context(), r.URL.Query().Get("t"), leaf, why)
	if err != nil && !errors.Is(err, ErrTrip) {
		l.Log.ErrorContext(r.Context(), "certificate host", "error", err.Error())
	}
	to := l.Return
	if err == nil {
		to += "?" + url.Values{"c": {code}}.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (l *Listener) show(ctx context.Context, ticket string, leaf *x509.Certificate, why error) (code string, err error) {
	if code, err = l.Trips.enter(ctx, l.DB, ticket); err != nil {
		return "", err
	}
	var proof Proof
	switch {
	case why != nil:
		err = why
	case leaf == nil:
		err = NoCertificate
	default:
		proof, err = l.Verifier.Verify(ctx, leaf)
	}
	l.Metrics.show(err)
	reason, known := ReasonOf(err)
	if err != nil && !known {
		return "", err
	}
	if known && reason != NoCertificate {
		l.Log.InfoContext(ctx, "certificate refused", "reason", err.Error())
	}
	return code, l.Trips.note(ctx, l.DB, code, proof, reason)
}

// handshakes counts handshakes that failed. Their text, which has addresses, goes nowhere.
type handshakes struct{ metrics *Metrics }

func (h handshakes) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("TLS handshake error")) {
		cause := "other"
		if bytes.Contains(line, []byte("parse client certificate")) || bytes.Contains(line, []byte("x509:")) {
			cause = "certificate"
		}
		h.metrics.handshakeFailed(cause)
	}
	return len(line), nil
}
