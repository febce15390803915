package certauth_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
)

const wayBack = "https://city.example/entrar/certificado/retorno"

// host is a certificate host that listens, with the city's side of it.
type host struct {
	t       testing.TB
	db      *pg.Pool
	pki     *icptest.PKI
	trips   *certauth.Trips
	listens *certauth.Listener
	set     atomic.Pointer[certauth.Authorities]
	trust   *x509.CertPool // of its own certificate
	own     tls.Certificate
	log     *locked
	reg     *prometheus.Registry
	url     string
	browser []byte
	visit   uuid.UUID
}

func (h *host) Authorities() *certauth.Authorities { return h.set.Load() }

// newHost listens on localhost; old is its variant for old tokens.
func newHost(t testing.TB, o icptest.Options, hints certauth.Hints, old bool) *host {
	h := &host{t: t, db: testpg.New(t), pki: icptest.Must(icptest.New(o)), log: &locked{}, reg: prometheus.NewRegistry(), browser: secret.Hash("browser"), visit: pg.NewID()}
	h.set.Store(set(t, h.pki))
	web := icptest.Must(icptest.New(icptest.Options{Name: " da Web"}))
	h.own = web.Issue(icptest.SSL("localhost")).TLS(true)
	h.trust = x509.NewCertPool()
	h.trust.AddCert(web.Root.Cert)
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	h.url = "https://localhost:" + port
	box := must(secret.Open(t.Context(), h.db, secret.KEK{}))(t)
	verifier := &certauth.Verifier{From: h, Revocation: revocations{}, Now: time.Now}
	h.trips = certauth.NewTrips(box, verifier, h.url, "", time.Now)
	h.listens = &certauth.Listener{URL: h.url, Return: wayBack, Trips: h.trips, DB: h.db, Metrics: certauth.NewMetrics(h.reg),
		Log: slog.New(slog.NewTextHandler(h.log, nil)), Verifier: verifier}
	server, config := h.listens.Server(h.own, hints, old)
	go func() { _ = server.Serve(tls.NewListener(l, config)) }()
	t.Cleanup(func() { _ = server.Close() })
	return h
}

// locked is a log that is read while others write.
type locked struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.Write(p)
}

func (l *locked) String() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.String()
}

// client is a browser that shows a certificate, or none.
func (h *host) client(config *tls.Config) *http.Client {
	config.RootCAs = h.trust
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, TLSHandshakeTimeout: 10 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func with(leaf *icptest.Leaf) *tls.Config {
	return &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		c := leaf.TLS(false)
		return &c, nil
	}}
}

func (h *host) begin() string {
	return must(h.trips.Begin(h.t.Context(), h.db, h.visit, h.browser, false))(h.t)
}

// goes visits the host and returns the code it comes back with.
func (h *host) goes(c *http.Client, to string) string {
	h.t.Helper()
	answer := must(c.Get(to))(h.t)
	defer answer.Body.Close()
	return h.code(answer.StatusCode, answer.Header.Get("Location"))
}

func (h *host) code(status int, location string) string {
	h.t.Helper()
	u := must(url.Parse(location))(h.t)
	if status != http.StatusSeeOther || !strings.HasPrefix(location, wayBack) {
		h.t.Fatalf("%d to %q", status, location)
	}
	return u.Query().Get("c")
}

func (h *host) take(code string) (certauth.Shown, error) {
	_, s, err := h.trips.Take(h.t.Context(), h.db, code, h.browser)
	return s, err
}

func TestAHandshakeBecomesACodeForTheBrowserThatBegan(t *testing.T) {
	t.Parallel()

	h := newHost(t, icptest.Options{}, certauth.HintAll, false)
	maria := h.pki.Issue(icptest.ECPF("MARIA", cpf))
	to := h.begin()
	code := h.goes(h.client(with(maria)), to)
	if _, _, err := h.trips.Take(t.Context(), h.db, code, secret.Hash("another browser")); !errors.Is(err, certauth.ErrTrip) {
		t.Errorf("another browser's: %v", err)
	}
	s, err := h.take(code)
	if err != nil || s.Holder.CPF != cpf || s.Issuer != "AC Vila Teste RFB v5" || !s.NotAfter.Equal(maria.Cert.NotAfter) || len(s.Identity.IssuerKey) != 32 {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := h.take(code); !errors.Is(err, certauth.ErrTrip) {
		t.Errorf("the code again: %v", err)
	}
	if code := h.goes(h.client(with(maria)), to); code != "" {
		t.Error("a ticket was used twice")
	}
	if code := h.goes(h.client(with(maria)), h.url+certauth.PathShow); code != "" {
		t.Error("a code without a ticket")
	}
	for name, n := range map[string]string{"no code": "", "a code that is none": secret.Token()} {
		if _, err := h.take(n); !errors.Is(err, certauth.ErrTrip) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if strings.Contains(h.log.String(), cpf) || strings.Contains(h.log.String(), "MARIA") {
		t.Errorf("the log tells who: %s", h.log)
	}
}

// staples keeps what came stapled to the certificates it was asked about.
type staples chan []byte

func (s staples) Check(ctx context.Context, _ []*x509.Certificate) error {
	s <- certauth.Staple(ctx)
	return nil
}

func TestAResponseStapledToACertificateReachesWhoJudgesIt(t *testing.T) { // RFC 8446 §4.4.2.1
	t.Parallel()

	h := newHost(t, icptest.Options{}, certauth.HintAll, false)
	seen := make(staples, 1)
	h.listens.Verifier.Revocation = seen
	maria := h.pki.Issue(icptest.ECPF("MARIA", cpf))
	for _, want := range []string{"", "a response"} {
		config := &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			c := maria.TLS(false)
			c.OCSPStaple = []byte(want)
			return &c, nil
		}}
		h.goes(h.client(config), h.begin())
		if got := <-seen; string(got) != want {
			t.Errorf("judged by %q, and %q was stapled", got, want)
		}
	}
}

func TestWhatIsRefusedComesBackWithItsReason(t *testing.T) {
	t.Parallel()

	h := newHost(t, icptest.Options{}, certauth.HintRoots, false)
	expired := icptest.ECPF("MARIA", cpf)
	expired.NotBefore, expired.NotAfter = h.pki.Now.AddDate(-2, 0, 0), h.pki.Now.AddDate(-1, 0, 0)
	revoked := h.pki.Issue(icptest.ECPF("MARIA", cpf))
	h.listens.Verifier.Revocation = revocations{revoked.Cert.SerialNumber.String(): certauth.Revoked}
	for want, config := range map[certauth.Reason]*tls.Config{
		certauth.NoCertificate: {},
		certauth.Untrusted:     with(icptest.Must(icptest.New(icptest.Options{})).Issue(icptest.ECPF("MARIA", cpf))),
		certauth.Expired:       with(h.pki.Issue(expired)),
		certauth.Revoked:       with(revoked),
		certauth.IsSeal:        with(h.pki.Issue(icptest.Seal("PADARIA", cnpj, icptest.SES))),
		certauth.NotPersonal:   with(h.pki.Issue(icptest.Equipment("www.example.org", icptest.AEH))),
		certauth.BadNumber:     with(h.pki.Issue(icptest.ECPF("MARIA", "52998224724"))),
	} {
		if _, err := h.take(h.goes(h.client(config), h.begin())); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if n := testutil.CollectAndCount(h.reg, "loginunico_certificates_shown_total"); n != 7 {
		t.Errorf("%d outcomes are counted", n)
	}
}

// Hundred browsers with one code: one is signed in. RFC 6749 §10.5 in spirit.
func TestOfManyUsesOfACodeOneCounts(t *testing.T) {
	t.Parallel()

	h := newHost(t, icptest.Options{}, certauth.HintNone, false)
	code := h.goes(h.client(with(h.pki.Issue(icptest.ECPF("MARIA", cpf)))), h.begin())
	ticket := h.begin()
	client := h.client(with(h.pki.Issue(icptest.ECPF("MARIA", cpf))))
	var all sync.WaitGroup
	var lock sync.Mutex
	taken, codes := 0, 0
	for range 24 {
		all.Go(func() {
			_, err := h.take(code)
			second := ""
			if answer, err := client.Get(ticket); err == nil {
				second = h.codeOf(answer)
			}
			lock.Lock()
			defer lock.Unlock()
			if err == nil {
				taken++
			}
			if second != "" {
				codes++
			}
		})
	}
	all.Wait()
	if taken != 1 || codes != 1 {
		t.Errorf("a code was taken %d times, a ticket used %d times", taken, codes)
	}
}

func (h *host) codeOf(answer *http.Response) string {
	_ = answer.Body.Close()
	u, _ := url.Parse(answer.Header.Get("Location"))
	return u.Query().Get("c")
}

func TestNothingIsResumedAndAnotherHostIsMisdirected(t *testing.T) {
	t.Parallel()

	h := newHost(t, icptest.Options{}, certauth.HintAll, false)
	config := with(h.pki.Issue(icptest.ECPF("MARIA", cpf)))
	config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	client := h.client(config)
	for range 2 {
		answer := must(client.Get(h.begin()))(t)
		_ = answer.Body.Close()
		if answer.TLS.DidResume || !answer.Close || answer.ProtoMajor != 1 {
			t.Errorf("resumed %v, close %v, %s", answer.TLS.DidResume, answer.Close, answer.Proto)
		}
	}
	for name, change := range map[string]func(*http.Request, *tls.Config){
		"Host": func(r *http.Request, _ *tls.Config) { r.Host = "login.example.org" },
		"SNI":  func(_ *http.Request, c *tls.Config) { c.ServerName, c.InsecureSkipVerify = "login.example.org", true },
		"both another": func(r *http.Request, c *tls.Config) {
			r.Host = "x.example"
			c.ServerName, c.InsecureSkipVerify = "x.example", true
		},
	} {
		r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, h.begin(), nil))(t)
		c := with(h.pki.Issue(icptest.ECPF("MARIA", cpf)))
		change(r, c)
		answer := must(h.client(c).Do(r))(t)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("RFC 9110 §15.5.20 %s of another host: %d", name, answer.StatusCode)
		}
	}
	for path, want := range map[string]int{"/": 404, "/favicon.ico": 404, "/entrar": 404} {
		answer := must(h.client(&tls.Config{}).Get(h.url + path))(t)
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
	answer := must(h.client(&tls.Config{}).Post(h.begin(), "text/plain", nil))(t)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", answer.StatusCode)
	}
}

func TestTheListOfAuthoritiesIsThatOfNow(t *testing.T) {
	t.Parallel()

	asked := func(h *host) (names int) {
		config := &tls.Config{GetClientCertificate: func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			names = len(r.AcceptableCAs)
			return &tls.Certificate{}, nil
		}}
		h.goes(h.client(config), h.begin())
		return names
	}
	h := newHost(t, icptest.Options{}, certauth.HintAll, false)
	if n := asked(h); n != 3 {
		t.Errorf("%d names", n)
	}
	h.set.Store(set(t, h.pki, icptest.Must(h.pki.Level1.Sub("AC nova"))))
	if n := asked(h); n != 4 {
		t.Errorf("%d names with a new authority", n)
	}
	if n := asked(newHost(t, icptest.Options{}, certauth.HintRoots, false)); n != 2 {
		t.Errorf("%d names of roots and level 1", n)
	}
	if n := asked(newHost(t, icptest.Options{}, certauth.HintNone, false)); n != 0 {
		t.Errorf("%d names where none is wanted", n)
	}
}

func TestAHandshakeWaitsForWhoTypesAPIN(t *testing.T) {
	t.Parallel()

	l := certauth.Listener{Verifier: &certauth.Verifier{}}
	server, _ := l.Server(tls.Certificate{}, certauth.HintNone, false)
	// net/http ends a handshake by the least of these; whoever sends nothing must be cut off too.
	if most := min(server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout); most < time.Minute || most > 5*time.Minute {
		t.Errorf("a handshake may take %s", most)
	}
}

func TestOldTokensHaveAListenerWithoutTLS13(t *testing.T) {
	t.Parallel()

	h := newHost(t, icptest.Options{PersonBits: 2048}, certauth.HintNone, true)
	config := with(h.pki.Issue(icptest.ECPF("MARIA", cpf)))
	config.MinVersion = tls.VersionTLS13
	if answer, err := h.client(config).Get(h.begin()); err == nil {
		_ = answer.Body.Close()
		t.Error("TLS 1.3 is answered")
	}
	config = with(h.pki.Issue(icptest.ECPF("MARIA", cpf)))
	if s, err := h.take(h.goes(h.client(config), h.begin())); err != nil || s.Holder.CPF != cpf {
		t.Errorf("TLS 1.2: %+v, %v", s, err)
	}
}

// What cannot be parsed ends the handshake inside crypto/tls; it is at least counted.
func TestHandshakesThatFailAreCountedAndNotLogged(t *testing.T) {
	t.Parallel()

	h := newHost(t, icptest.Options{}, certauth.HintNone, false)
	bad := h.pki.Issue(icptest.ECPF("MARIA", cpf))
	broken := &tls.Config{MaxVersion: tls.VersionTLS12, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		c := bad.TLS(false)
		c.Certificate = [][]byte{append([]byte{0x30}, c.Certificate[0]...)}
		return &c, nil
	}}
	if answer, err := h.client(broken).Get(h.begin()); err == nil {
		_ = answer.Body.Close()
		t.Fatal("a broken certificate passed")
	}
	for deadline := time.Now().Add(10 * time.Second); testutil.CollectAndCount(h.reg, "loginunico_certificate_handshakes_failed_total") == 0; {
		if time.Now().After(deadline) {
			t.Fatal("nothing was counted")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if strings.Contains(h.log.String(), "127.0.0.1") {
		t.Errorf("the log has an address: %s", h.log)
	}
}

// The programs that others use against us.
func TestCurlAndOpenSSLShowCertificates(t *testing.T) {
	t.Parallel()

	h := newHost(t, icptest.Options{PersonBits: 2048}, certauth.HintAll, false)
	dir := t.TempDir()
	maria := h.pki.Issue(icptest.ECPF("MARIA", cpf))
	cert, key, err := maria.PEM()
	if err != nil {
		t.Fatal(err)
	}
	p12 := must(maria.PKCS12("1234"))(t)
	web := icptest.PEM(must(x509.ParseCertificate(h.own.Certificate[2]))(t), must(x509.ParseCertificate(h.own.Certificate[1]))(t))
	for name, body := range map[string][]byte{"maria.pem": append(cert, key...), "maria.p12": p12, "web.pem": web} {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(input string, command ...string) string {
		c := exec.CommandContext(t.Context(), command[0], command[1:]...)
		c.Dir, c.Stdin = dir, strings.NewReader(input)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
		return string(out)
	}
	location := func(out string) string {
		_, rest, _ := strings.Cut(out, "Location: ")
		line, _, _ := strings.Cut(rest, "\n")
		return strings.TrimSpace(line)
	}
	for _, certificate := range [][]string{{"--cert", "maria.pem"}, {"--cert-type", "P12", "--cert", "maria.p12:1234"}, {"--cert", "maria.pem", "--tls-max", "1.2"}} {
		out := run("", append([]string{"curl", "-sS", "-i", "-k", h.begin()}, certificate...)...)
		if s, err := h.take(h.code(303, location(out))); err != nil || s.Holder.CPF != cpf {
			t.Errorf("curl %v: %+v, %v", certificate, s, err)
		}
	}
	u := must(url.Parse(h.begin()))(t)
	request := "GET " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\n\r\n"
	out := run(request, "openssl", "s_client", "-connect", "127.0.0.1:"+u.Port(), "-servername", "localhost", "-cert", "maria.pem", "-ign_eof")
	if s, err := h.take(h.code(303, location(out))); err != nil || s.Holder.CPF != cpf {
		t.Errorf("openssl: %+v, %v\n%s", s, err, out)
	}
	if !strings.Contains(out, "AC Vila Teste RFB v5") {
		t.Error("openssl is not told the authorities")
	}
}

func TestAProxyIsBelievedOnlyOverItsOwnLink(t *testing.T) {
	t.Parallel()

	h := newHost(t, icptest.Options{}, certauth.HintAll, false)
	maria := h.pki.Issue(icptest.ECPF("MARIA", cpf))
	header := ":" + base64.StdEncoding.EncodeToString(maria.Cert.Raw) + ":"
	proxy, stranger := h.pki.Issue(icptest.Equipment("proxy", icptest.AES)), h.pki.Issue(icptest.Equipment("other", icptest.AES))

	socket := filepath.Join(t.TempDir(), "c.sock")
	server, config := h.listens.BehindProxy(nil, certauth.Pin{})
	if config != nil {
		t.Fatal("TLS on a socket")
	}
	l := must(net.Listen("unix", socket))(t)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	bySocket := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(c *http.Client, to string, headers ...string) (certauth.Shown, error) {
		t.Helper()
		r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, to, nil))(t)
		r.Host = strings.TrimPrefix(h.url, "https://")
		for _, one := range headers {
			r.Header.Add("Client-Cert", one)
		}
		answer, err := c.Do(r)
		if err != nil {
			return certauth.Shown{}, err
		}
		_ = answer.Body.Close()
		return h.take(h.code(answer.StatusCode, answer.Header.Get("Location")))
	}
	plain := func() string { return "http" + strings.TrimPrefix(h.begin(), "https") }
	escaped := url.PathEscape(string(icptest.PEM(maria.Cert)))
	for name, value := range map[string]string{"RFC 9440 §2.2": header, "PEM in percent-encoding": escaped} {
		if s, err := ask(bySocket, plain(), value); err != nil || s.Holder.CPF != cpf {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	for name, c := range map[string]struct {
		want    certauth.Reason
		headers []string
	}{
		"none":                {certauth.NoCertificate, nil},
		"empty":               {certauth.NoCertificate, []string{""}},
		"twice":               {certauth.Unreadable, []string{header, header}},
		"bare base64":         {certauth.Unreadable, []string{strings.Trim(header, ":")}},
		"no colon at the end": {certauth.Unreadable, []string{strings.TrimSuffix(header, ":")}},
		"not DER":             {certauth.Unreadable, []string{":AAAA:"}},
		"longer than any":     {certauth.Unreadable, []string{":" + strings.Repeat("A", 17<<10) + ":"}},
		"a list":              {certauth.Unreadable, []string{header + ", " + header}},
	} {
		if _, err := ask(bySocket, plain(), c.headers...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	quoted := must(x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), ExtraExtensions: []pkix.Extension{
		{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: must(asn1.Marshal([]asn1.RawValue{{Class: 2, Tag: 6, Bytes: []byte("http://" + cpf + "%zz/")}}))(t)}}},
		maria.Cert, maria.Key.Public(), maria.Key))(t)
	if _, err := ask(bySocket, plain(), ":"+base64.StdEncoding.EncodeToString(quoted)+":"); !errors.Is(err, certauth.Unreadable) {
		t.Errorf("what does not parse: %v", err)
	}
	if strings.Contains(h.log.String(), cpf) {
		t.Errorf("the log quotes a certificate:\n%s", h.log)
	}
	// A browser that comes directly says what it likes in headers.
	if _, err := ask(h.client(&tls.Config{}), h.begin(), header); !errors.Is(err, certauth.NoCertificate) {
		t.Errorf("a header from a browser: %v", err)
	}

	server, config = h.listens.BehindProxy(&h.own, certauth.Pin(pinOf(proxy.Cert)))
	tcp := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	go func() { _ = server.Serve(tls.NewListener(tcp, config)) }()
	t.Cleanup(func() { _ = server.Close() })
	through := func(leaf *icptest.Leaf) *http.Client {
		c := h.client(&tls.Config{})
		if leaf != nil {
			c = h.client(with(leaf))
		}
		c.Transport.(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", tcp.Addr().String())
		}
		return c
	}
	if s, err := ask(through(proxy), h.begin(), header); err != nil || s.Holder.CPF != cpf {
		t.Errorf("the proxy: %+v, %v", s, err)
	}
	for name, leaf := range map[string]*icptest.Leaf{"a stranger with a certificate": stranger, "nobody": nil} {
		if _, err := ask(through(leaf), h.begin(), header); err == nil {
			t.Errorf("%s is taken for the proxy", name)
		}
	}
}

func TestWhatWaitsForADecisionIsTheBrowsersAndDecidedOnce(t *testing.T) {
	t.Parallel()

	h := newHost(t, icptest.Options{}, certauth.HintNone, false)
	s := must(h.take(h.goes(h.client(with(h.pki.Issue(icptest.ECNPJ("PADARIA", cnpj, "MARIA", cpf)))), h.begin())))(t)
	ctx := t.Context()
	if err := h.trips.Keep(ctx, h.db, h.visit, h.browser, s, "mtls"); err != nil {
		t.Fatal(err)
	}
	for name, who := range map[string]struct {
		visit   uuid.UUID
		browser []byte
	}{"another visit": {pg.NewID(), h.browser}, "another browser": {h.visit, secret.Hash("another")}} {
		if _, _, _, err := h.trips.Kept(ctx, h.db, who.visit, who.browser); !errors.Is(err, certauth.ErrTrip) {
			t.Errorf("%s: %v", name, err)
		}
	}
	trip, kept, method, err := h.trips.Kept(ctx, h.db, h.visit, h.browser)
	if err != nil || kept.Holder.CPF != cpf || kept.Holder.Company.CNPJ != cnpj || kept.Issuer != s.Issuer || method != "mtls" {
		t.Fatalf("%+v, %v", kept, err)
	}
	if err := h.trips.Decide(ctx, h.db, trip); err != nil {
		t.Error(err)
	}
	if err := h.trips.Decide(ctx, h.db, trip); !errors.Is(err, certauth.ErrTrip) {
		t.Errorf("decided twice: %v", err)
	}
	var left int
	if err := h.db.QueryRow(ctx, `SELECT count(*) FROM certificate_trip WHERE kept IS NOT NULL`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d are kept after the decision, %v", left, err)
	}
}
