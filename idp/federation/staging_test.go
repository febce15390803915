package federation_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/federation"
	"github.com/loginunico/loginunico/idp/federation/govbrtest"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
)

// These tests ask a gov.br what a city depends on. They run against the stand-in or, with
// LOGINUNICO_TEST_GOVBR_STAGING=1 and the settings of a registered city, against gov.br's staging:
// the same code. docs/govbr.md#testing-against-staging

// shore is a gov.br to be asked, and how a citizen signs in there.
type shore struct {
	federation.Settings
	citizen func(t *testing.T, authorize string) (callback string) // nil: nobody is there to sign in
}

func newShore(t *testing.T) shore {
	t.Helper()
	if os.Getenv("LOGINUNICO_TEST_GOVBR_STAGING") == "" {
		return standIn(t)
	}
	env := func(name string) string { return os.Getenv("LOGINUNICO_GOVBR_" + name) }
	s := shore{Settings: federation.Settings{Issuer: env("ISSUER"), API: env("API"), ClientID: env("CLIENT_ID"), Secret: env("CLIENT_SECRET"),
		RedirectURI: cmp.Or(env("REDIRECT_URI"), os.Getenv("LOGINUNICO_ISSUER")+"/entrar/govbr/retorno"),
		LogoutURI:   os.Getenv("LOGINUNICO_ISSUER") + "/sair/pronto"}}
	if scopes := env("SCOPES"); scopes != "" {
		s.Scopes = strings.Split(scopes, ",")
	}
	if file := env("CLIENT_SECRET_FILE"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s.Secret = strings.TrimSpace(string(text))
	}
	if at := os.Getenv("LOGINUNICO_TEST_GOVBR_CALLBACK"); at != "" {
		s.citizen = func(t *testing.T, authorize string) string {
			listener, err := net.Listen("tcp", at)
			if err != nil {
				t.Fatal(err)
			}
			return awaitCallback(t, listener, s.RedirectURI, authorize)
		}
	}
	return s
}

func standIn(t *testing.T) shore {
	t.Helper()
	const goodbye = "https://login.example.org/sair/pronto"
	gov := govbrtest.New("", govbrtest.Client{ID: "cidade.example.org", Secret: "segredo", RedirectURIs: []string{callback}, LogoutURIs: []string{goodbye}},
		govbrtest.Demo()...)
	stop, err := gov.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return shore{federation.Settings{Issuer: gov.Base + "/", ClientID: "cidade.example.org", Secret: "segredo", RedirectURI: callback, LogoutURI: goodbye,
		Scopes: append(slices.Clone(federation.DefaultScopes), federation.ScopeCompanies)},
		func(t *testing.T, authorize string) string {
			to, err := gov.Visitor().Allow(authorize, ana)
			if err != nil {
				t.Fatal(err)
			}
			return to
		}}
}

// awaitCallback tells a human where to sign in, and waits until gov.br has sent their browser back.
//
//	listener  where the registered redirect URI leads to, such as through the city's proxy
func awaitCallback(t *testing.T, listener net.Listener, redirectURI, authorize string) string {
	t.Helper()
	u, err := url.Parse(redirectURI)
	if err != nil {
		t.Fatal(err)
	}
	back := make(chan string, 1)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != u.Path || r.URL.Query().Get("state") == "" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "Obrigado. Pode fechar esta página.")
		select {
		case back <- redirectURI + "?" + r.URL.RawQuery:
		default:
		}
	})}
	go func() { _ = server.Serve(listener) }() // it ends with Close
	defer func() { _ = server.Close() }()
	fmt.Fprintf(os.Stderr, "\nOpen this and sign in; waiting at %s for ten minutes:\n%s\n\n", listener.Addr(), authorize)
	select {
	case to := <-back:
		return to
	case <-time.After(10 * time.Minute):
		t.Fatal("nobody came back")
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
	return ""
}

// city is a connector of a city to this gov.br.
func (s shore) city(t *testing.T, change ...func(s *federation.Settings)) (*federation.Connector, *pg.Pool) {
	t.Helper()
	db := testpg.New(t)
	box, err := secret.Open(t.Context(), db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	settings := s.Settings
	for _, by := range change {
		by(&settings)
	}
	c, err := federation.New(settings, box, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return c, db
}

// visit opens an address as a browser does that stays at gov.br: left is where it would have gone.
func (s shore) visit(t *testing.T, address string) (status int, body, left string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	home := strings.TrimSuffix(s.Issuer, "/")
	browser := &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), home+"/") {
			left = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text), left
}

func TestGovBRIsAsTheConnectorExpects(t *testing.T) {
	t.Parallel()

	s := newShore(t)
	c, db := s.city(t)
	home, browser := strings.TrimSuffix(s.Issuer, "/"), secret.Hash("a browser")
	begin := func(t *testing.T, c *federation.Connector) string {
		t.Helper()
		at, err := c.Begin(t.Context(), db, uuid.New(), browser, true)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	take := func(t *testing.T, at string) federation.Trip {
		t.Helper()
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		trip, err := c.Take(t.Context(), db, u.Query().Get("state"), browser)
		if err != nil {
			t.Fatal(err)
		}
		return trip
	}

	t.Run("discovery names the addresses in use", func(t *testing.T) {
		body, err := c.Ask(t.Context(), "/.well-known/openid-configuration")
		if err != nil {
			t.Fatal(err)
		}
		var d map[string]any
		if err := json.Unmarshal(body, &d); err != nil {
			t.Fatal(err)
		}
		for member, path := range map[string]string{"issuer": "", "authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwk"} {
			if got, _ := d[member].(string); strings.TrimSuffix(got, "/") != home+path {
				t.Errorf("%s is %q, want %q", member, got, home+path)
			}
		}
	})
	t.Run("its keys are understood", func(t *testing.T) {
		if kids, err := c.Keys(t.Context()); err != nil || len(kids) == 0 {
			t.Errorf("%v, %v", kids, err)
		}
	})
	t.Run("our request leads to its sign-in page", func(t *testing.T) {
		status, body, left := s.visit(t, begin(t, c))
		if status != http.StatusOK || left != "" || !strings.Contains(strings.ToLower(body), "<html") {
			t.Errorf("%d, sent to %q", status, left)
		}
	})
	t.Run("an address that is not registered is not gone to", func(t *testing.T) {
		other, _ := s.city(t, func(s *federation.Settings) { s.RedirectURI = "https://outro.example.org/retorno" })
		status, body, left := s.visit(t, begin(t, other))
		if strings.HasPrefix(left, "https://outro.example.org") || status == http.StatusOK && !strings.Contains(body, "invalid") {
			t.Errorf("%d, sent to %q", status, left)
		}
	})
	t.Run("a code that is none is refused", func(t *testing.T) {
		if _, err := c.Finish(t.Context(), take(t, begin(t, c)), "nenhum"); !errors.Is(err, federation.ErrRefused) {
			t.Error(err)
		}
	})
	t.Run("a wrong secret is refused", func(t *testing.T) {
		other, _ := s.city(t, func(s *federation.Settings) { s.Secret = "nenhum" })
		if _, err := other.Finish(t.Context(), take(t, begin(t, c)), "nenhum"); !errors.Is(err, federation.ErrRefused) {
			t.Error(err)
		}
	})
	t.Run("its logout answers", func(t *testing.T) {
		status, _, left := s.visit(t, c.LogoutURL())
		if status >= http.StatusBadRequest || left != "" && !strings.HasPrefix(left, s.LogoutURI) {
			t.Errorf("%d, sent to %q", status, left)
		}
	})
	if s.citizen == nil {
		t.Log("nobody signs in: LOGINUNICO_TEST_GOVBR_CALLBACK is not set")
		return
	}
	t.Run("a citizen comes back with all that is read", func(t *testing.T) {
		u, err := url.Parse(s.citizen(t, begin(t, c)))
		if err != nil || u.Query().Get("code") == "" {
			t.Fatalf("no code: %v %s", err, u.Query().Get("error"))
		}
		trip, err := c.Take(t.Context(), db, u.Query().Get("state"), browser)
		if err != nil {
			t.Fatal(err)
		}
		a, err := c.Finish(t.Context(), trip, u.Query().Get("code"))
		if err != nil {
			t.Fatal(err)
		}
		if a.Name == "" || !slices.Contains([]federation.Level{federation.Bronze, federation.Silver, federation.Gold}, a.Level) || a.AuthTime.IsZero() ||
			a.Asked && a.Silent || slices.ContainsFunc(a.Seals, func(seal federation.Seal) bool { return seal.UpdatedAt.IsZero() }) {
			t.Errorf("%v: a name %v, %d seals, signed in at %v, companies silent %v", a, a.Name != "", len(a.Seals), a.AuthTime, a.Silent)
		}
		if _, err := c.Finish(context.WithoutCancel(t.Context()), trip, u.Query().Get("code")); !errors.Is(err, federation.ErrRefused) {
			t.Errorf("the code again: %v", err)
		}
	})
}

func TestAHumanIsToldWhereToSignInAndTheirCallbackIsTaken(t *testing.T) {
	t.Parallel()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for _, path := range []string{"/favicon.ico", "/entrar/govbr/retorno", "/entrar/govbr/retorno?state=s&code=c"} {
			res, err := http.Get("http://" + listener.Addr().String() + path)
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
		}
	}()
	if got := awaitCallback(t, listener, callback, "https://sso.example.org/authorize"); got != callback+"?state=s&code=c" {
		t.Error(got)
	}
}
