package rp

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestLoginAsksWithPKCEStateAndNonce(t *testing.T) {
	t.Parallel()

	b := newBrowser(t, newIssuer(t))
	first, second := b.login("?level=4"), b.login("?prompt=login")
	for name, want := range map[string]string{
		"client_id": "portal", "response_type": "code", "scope": "openid profile", "code_challenge_method": "S256",
		"redirect_uri": b.base + "/portal/callback", "acr_values": "urn:loginunico:nivel:4", "prompt": "",
	} {
		if got := first.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(first.Get(name)) < 22 || first.Get(name) == second.Get(name) {
			t.Errorf("%s is %q, then %q", name, first.Get(name), second.Get(name))
		}
	}
	if second.Get("prompt") != "login" || second.Get("acr_values") != "urn:loginunico:nivel:2" {
		t.Errorf("second request %v", second)
	}
}

func TestSignedInPageShowsWhatWasReceived(t *testing.T) {
	t.Parallel()

	i := newIssuer(t)
	i.userinfo["name"] = "<b>Maria</b>"
	page := newBrowser(t, i).signIn()
	for _, want := range []string{"Portal do Cidadão", "Nível 3", "&lt;b&gt;Maria", "&#34;sid-1&#34;", "pwd (senha)", "urn:loginunico:nivel:3"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if i.authorization.Load() != "basic" {
		t.Errorf("client authenticated by %v", i.authorization.Load())
	}
}

func TestRegisteredAuthMethodIsUsed(t *testing.T) {
	t.Parallel()

	i := newIssuer(t)
	newBrowser(t, i, func(s *Service) { s.AuthMethod = "client_secret_post" }).signIn()
	if i.authorization.Load() != "post" {
		t.Errorf("client authenticated by %v", i.authorization.Load())
	}
}

func TestCallbackRefuses(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		name   string
		query  url.Values
		token  func(claims map[string]any)
		reason string
	}{
		{"RFC 6749 §10.12 another state", url.Values{"state": {"x"}}, nil, "state is unknown"},
		{"RFC 6749 §10.12 no state", url.Values{"state": {}}, nil, "state is unknown"},
		{"RFC 9207 §2.4 another iss", url.Values{"iss": {"https://evil.example"}}, nil, "iss is"},
		{"RFC 9207 §2.4 no iss where it is promised", url.Values{"iss": {}}, nil, "iss is"},
		{"RFC 9207 §2.4 two iss", url.Values{"iss": {"", ""}}, nil, "iss is"},
		{"Core §3.1.3.7 another nonce", nil, func(c map[string]any) { c["nonce"] = "x" }, "nonce"},
		{"Core §3.1.3.7 no nonce", nil, func(c map[string]any) { delete(c, "nonce") }, "nonce"},
		{"Core §3.1.3.7 another issuer", nil, func(c map[string]any) { c["iss"] = "https://evil.example" }, "different provider"},
		{"Core §3.1.3.7 another audience", nil, func(c map[string]any) { c["aud"] = "saude-agenda" }, "audience"},
		{"Core §3.1.3.7 issued to another party", nil, func(c map[string]any) { c["azp"] = "saude-agenda" }, "issued to"},
		{"Core §3.1.3.7 two audiences, no azp", nil, func(c map[string]any) { c["aud"] = []string{"portal", "x"} }, "issued to"},
		{"Core §3.1.3.7 expired", nil, func(c map[string]any) { c["exp"] = 1 }, "expired"},
		{"Core §3.1.3.8 another at_hash", nil, func(c map[string]any) { c["at_hash"] = "AAAA" }, "at_hash"},
		{"level below what the service needs", nil, func(c map[string]any) { c["acr"] = acrPrefix + "1" }, "we need 2"},
		{"acr of another scheme", nil, func(c map[string]any) { c["acr"] = "5" }, "we need 2"},
		{"no acr", nil, func(c map[string]any) { delete(c, "acr") }, "we need 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()

			i := newIssuer(t)
			i.idToken = c.token
			b := newBrowser(t, i)
			status, body := b.callback(b.login(""), c.query)
			if status < 400 || !strings.Contains(body, c.reason) {
				t.Errorf("%d, want a refusal that says %q:\n%s", status, c.reason, body)
			}
			if b.signedIn() {
				t.Error("signed in all the same")
			}
		})
	}
}

func TestStateWorksOnce(t *testing.T) {
	t.Parallel()

	b := newBrowser(t, newIssuer(t))
	request := b.login("")
	if status, _ := b.callback(request, nil); status != http.StatusSeeOther {
		t.Fatalf("first use: %d", status)
	}
	if status, _ := b.callback(request, nil); status != http.StatusBadRequest {
		t.Errorf("second use: %d", status)
	}
}

// Login CSRF: an attacker finishes their own login in the victim's browser.
func TestStateOfAnotherBrowserIsRefused(t *testing.T) {
	t.Parallel()

	b := newBrowser(t, newIssuer(t))
	request := b.login("")
	b.forgetEverything()
	b.login("")
	if status, _ := b.callback(request, nil); status != http.StatusBadRequest {
		t.Errorf("state of another browser: %d", status)
	}
}

func TestTwoTabsMaySignInAtOnce(t *testing.T) {
	t.Parallel()

	b := newBrowser(t, newIssuer(t))
	first := b.login("")
	challenge, nonce := b.issuer.challenge, b.issuer.nonce
	second := b.login("")
	if status, _ := b.callback(second, nil); status != http.StatusSeeOther {
		t.Errorf("second tab: %d", status)
	}
	b.issuer.challenge, b.issuer.nonce = challenge, nonce
	if status, _ := b.callback(first, nil); status != http.StatusSeeOther {
		t.Errorf("first tab, afterwards: %d", status)
	}
}

// RFC 9700 and session fixation: the key from before the sign-in opens nothing.
func TestSessionKeyChangesAtSignIn(t *testing.T) {
	t.Parallel()

	b := newBrowser(t, newIssuer(t))
	request := b.login("")
	base, _ := url.Parse(b.base)
	before := b.http.Jar.Cookies(base)
	if status, _ := b.callback(request, nil); status != http.StatusSeeOther {
		t.Fatalf("callback: %d", status)
	}
	if !b.signedIn() {
		t.Fatal("not signed in")
	}
	b.forgetEverything()
	b.http.Jar.SetCookies(base, before)
	if b.signedIn() {
		t.Error("the key from before the sign-in is signed in")
	}
}

func TestFreshSignInMustBeFresh(t *testing.T) {
	t.Parallel()

	i := newIssuer(t)
	i.idToken = func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() }
	b := newBrowser(t, i)
	if status, body := b.callback(b.login("?prompt=login"), nil); status < 400 || !strings.Contains(body, "auth_time") {
		t.Errorf("an hour old: %d", status)
	}
	if status, _ := b.callback(b.login(""), nil); status != http.StatusSeeOther {
		t.Errorf("an hour old where freshness was not asked: %d", status)
	}
}

func TestProviderErrorsAreExplained(t *testing.T) {
	t.Parallel()

	b := newBrowser(t, newIssuer(t))
	status, body := b.callback(b.login(""), url.Values{"code": {}, "error": {"access_denied"}, "error_description": {"<i>não</i>"}})
	if status != http.StatusForbidden || !strings.Contains(body, "autorização foi negada") || !strings.Contains(body, "&lt;i&gt;não") {
		t.Errorf("access_denied: %d %s", status, body)
	}
	status, body = b.callback(b.login(""), url.Values{"code": {}, "error": {"something_new"}})
	if status != http.StatusForbidden || !strings.Contains(body, "error=something_new") {
		t.Errorf("unknown error: %d %s", status, body)
	}
	b.issuer.tokenError = "invalid_client"
	status, body = b.callback(b.login(""), nil)
	if status != http.StatusForbidden || !strings.Contains(body, "client_id, segredo") {
		t.Errorf("invalid_client at the token endpoint: %d %s", status, body)
	}
}

func TestProviderMayStartLater(t *testing.T) {
	t.Parallel()

	i := newIssuer(t)
	i.down.Store(true)
	b := newBrowser(t, i)
	if status, body := b.get("/portal/login"); status != http.StatusBadGateway || !strings.Contains(body, "não respondeu") {
		t.Errorf("provider down: %d %s", status, body)
	}
	if status, _ := b.get("/"); status != http.StatusOK {
		t.Errorf("home page with the provider down: %d", status)
	}
	i.down.Store(false)
	b.signIn()
}

func TestPagesSpeakEnglishOnRequest(t *testing.T) {
	t.Parallel()

	b := newBrowser(t, newIssuer(t))
	if _, body := b.get("/?lang=en"); !strings.Contains(body, "Citizen Portal") || !strings.Contains(body, `<html lang="en">`) {
		t.Errorf("?lang=en: %s", body)
	}
	if _, body := b.get("/"); !strings.Contains(body, "Citizen Portal") {
		t.Error("the choice is forgotten on the next page")
	}
	if ui := b.login("").Get("ui_locales"); ui != "en" {
		t.Errorf("ui_locales is %q", ui)
	}
	if _, body := b.get("/?lang=xx"); !strings.Contains(body, "Citizen Portal") {
		t.Error("an unknown language undoes the choice")
	}
	for key := range texts["pt-BR"] {
		if texts["en"][key] == "" {
			t.Errorf("no English for %s", key)
		}
	}
	if len(texts["en"]) != len(texts["pt-BR"]) {
		t.Errorf("%d English texts, %d Portuguese", len(texts["en"]), len(texts["pt-BR"]))
	}
}
