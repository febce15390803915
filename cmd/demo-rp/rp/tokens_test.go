package rp

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestUserinfoOfAnotherPersonIsRefused(t *testing.T) {
	t.Parallel()

	i := newIssuer(t)
	i.userinfo["sub"] = "s-2"
	page := newBrowser(t, i).signIn()
	if !strings.Contains(page, "another person") || strings.Contains(page, "Maria") {
		t.Error("another person's userinfo is shown")
	}
}

func TestSignedUserinfo(t *testing.T) {
	t.Parallel()

	registered := func(s *Service) { s.UserinfoAlg = "ES256" }
	for _, c := range []struct {
		name    string
		signed  bool
		service func(*Service)
		change  func(*issuer)
		ok      bool
	}{
		{"Core §5.3.2 signed as registered", true, registered, func(*issuer) {}, true},
		{"plain where signed is registered", false, registered, func(*issuer) {}, false},
		{"signed where plain is registered", true, func(*Service) {}, func(*issuer) {}, false},
		{"Core §5.3.2 another audience", true, registered, func(i *issuer) { i.userinfo["aud"] = "saude-agenda" }, false},
		{"Core §5.3.2 another issuer", true, registered, func(i *issuer) { i.userinfo["iss"] = "https://evil.example" }, false},
		{"another algorithm", true, func(s *Service) { s.UserinfoAlg = "RS256" }, func(*issuer) {}, false},
	} {
		i := newIssuer(t)
		i.signUserinfo = c.signed
		i.userinfo["iss"], i.userinfo["aud"] = i.URL, "portal"
		c.change(i)
		page := newBrowser(t, i, c.service).signIn()
		if strings.Contains(page, "Maria") != c.ok {
			t.Errorf("%s: shown is %v", c.name, !c.ok)
		}
	}
}

func TestRefreshKeepsThePerson(t *testing.T) {
	t.Parallel()

	i := newIssuer(t)
	b := newBrowser(t, i)
	b.signIn()
	i.idToken = func(c map[string]any) { delete(c, "nonce"); c["trust_level"] = 4 }
	if status, _, body := b.do(http.MethodPost, "/portal/refresh", nil); status != http.StatusSeeOther {
		t.Fatalf("refresh: %d %s", status, body)
	}
	if _, page := b.get("/portal"); !strings.Contains(page, "&#34;trust_level&#34;: 4") {
		t.Error("the page shows the old ID token")
	}
	i.idToken = func(c map[string]any) { c["sub"] = "s-2" }
	if status, _, body := b.do(http.MethodPost, "/portal/refresh", nil); status < 400 || !strings.Contains(body, "another person") {
		t.Errorf("another person's ID token: %d", status)
	}
}

func TestRefreshesOfOneSessionQueueUp(t *testing.T) {
	t.Parallel()

	i := newIssuer(t)
	b := newBrowser(t, i)
	b.signIn()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if status, _, body := b.do(http.MethodPost, "/portal/refresh", nil); status != http.StatusSeeOther {
				t.Errorf("refresh: %d %s", status, body)
			}
		})
	}
	wg.Wait()
	if n := i.refreshes.Load(); n != 8 {
		t.Errorf("%d refreshes", n)
	}
}

func TestRevokedRefreshTokenIsExplained(t *testing.T) {
	t.Parallel()

	i := newIssuer(t)
	b := newBrowser(t, i)
	b.signIn()
	i.tokenError = "invalid_grant"
	if status, _, body := b.do(http.MethodPost, "/portal/refresh", nil); status != http.StatusForbidden || !strings.Contains(body, "revogado") {
		t.Errorf("%d %s", status, body)
	}
}

func TestDemoServicesAskForTheScopesOfTheirClaims(t *testing.T) {
	t.Parallel()

	services, err := DemoServices()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"portal": "openid profile email phone", "saude-agenda": "openid profile phone documents govbr trust",
		"fazenda-certidoes": "openid profile cpf address email", "assistencia-cadastro": "openid profile cpf documents family phone",
		"empresa-alvara": "openid profile cpf cnpj email", "empresa-nota": "openid profile cnpj", "turismo-guia": "openid profile phone email",
		"gestao-atendimento": "openid profile employee",
	}
	if len(services) != len(want) {
		t.Errorf("%d services", len(services))
	}
	for _, s := range services {
		if got := strings.Join(s.Scopes, " "); got != want[s.ID] {
			t.Errorf("%s asks for %q, want %q", s.ID, got, want[s.ID])
		}
		if s.Secret != "demo-"+s.ID {
			t.Errorf("%s has the secret %q", s.ID, s.Secret)
		}
	}
	if !slices.IsSortedFunc(services, func(a, b Service) int { return a.MinLevel - b.MinLevel }) {
		t.Error("not sorted by level")
	}
	if _, err := New(Config{Issuer: "http://localhost:8080", BaseURL: "http://localhost:8090", Services: services}); err != nil {
		t.Error(err)
	}
}

func TestNewNamesEveryWrongSetting(t *testing.T) {
	t.Parallel()

	_, err := New(Config{Issuer: "localhost", BaseURL: "ftp://x", Lang: "fr", Services: []Service{
		{ID: "a/b", Scopes: []string{"openid"}}, {ID: "b", AuthMethod: "private_key_jwt", Scopes: []string{"openid"}},
		{ID: "c", SigningAlg: "HS256", Scopes: []string{"openid"}}, {ID: "d"},
	}})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"issuer", "base URL", "language", `"a/b"`, "private_key_jwt", "HS256", "lack openid"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s: %v", want, err)
		}
	}
}

func TestSessionsExpire(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s := newSessions(func() time.Time { return now })
	v := s.start("portal")
	s.begin(v.key, "st", login{started: now})
	now = now.Add(loginLife + time.Second)
	if _, ok := s.take(v.key, "st"); ok {
		t.Error("a login left for longer than loginLife can be finished")
	}
	r := &http.Request{Header: http.Header{"Cookie": {cookieName("portal") + "=" + v.key}}}
	if _, ok := s.get(r, "portal"); !ok {
		t.Error("the session ended with the login")
	}
	if _, ok := s.get(r, "saude-agenda"); ok {
		t.Error("a session of one service opens another")
	}
	now = now.Add(sessionLife)
	if _, ok := s.get(r, "portal"); ok {
		t.Error("the session outlives sessionLife")
	}
}

func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()

	s := newSessions(time.Now)
	for range maxSessions + 10 {
		s.start("portal")
	}
	if len(s.byKey) > maxSessions {
		t.Errorf("%d sessions", len(s.byKey))
	}
	v := s.start("portal")
	for range 3 * maxLogins {
		s.begin(v.key, time.Now().String(), login{started: time.Now()})
	}
	if n := len(s.byKey[v.key].logins); n > maxLogins {
		t.Errorf("%d logins", n)
	}
}

func TestAChallengedTokenLeadsBackWithTheLevelAskedFor(t *testing.T) {
	t.Parallel()

	b := newBrowser(t, newIssuer(t))
	b.signIn()
	b.issuer.challenge9470 = `Bearer realm="x", error="insufficient_user_authentication", acr_values="urn:loginunico:nivel:4 urn:loginunico:nivel:5"`
	b.do("POST", "/portal/userinfo", nil)
	if _, page := b.get("/portal"); !strings.Contains(page, `href="/portal/login?level=4"`) || !strings.Contains(page, "RFC 9470") {
		t.Errorf("RFC 9470 §4: %s", page)
	}
	b.issuer.challenge9470 = ""
	b.do("POST", "/portal/userinfo", nil)
	if _, page := b.get("/portal"); strings.Contains(page, "RFC 9470") {
		t.Error("the challenge is shown after an answer")
	}
}
