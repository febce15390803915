package rp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestLogoutEndsBothSessions(t *testing.T) {
	t.Parallel()

	b := newBrowser(t, newIssuer(t))
	b.signIn()
	status, location, _ := b.do(http.MethodPost, "/portal/logout", nil)
	if status != http.StatusSeeOther || !strings.HasPrefix(location.String(), b.issuer.URL+"/logout?") {
		t.Fatalf("logout: %d to %v", status, location)
	}
	q := location.Query()
	if q.Get("id_token_hint") == "" || q.Get("client_id") != "portal" || q.Get("post_logout_redirect_uri") != b.base+"/" {
		t.Errorf("end_session request %v", q)
	}
	if b.signedIn() {
		t.Error("still signed in here")
	}
	if _, body := b.get("/?state=forged"); strings.Contains(body, texts["pt-BR"]["signed_out"]) {
		t.Error("a forged state is believed")
	}
	if _, body := b.get("/?state=" + q.Get("state")); !strings.Contains(body, texts["pt-BR"]["signed_out"]) {
		t.Error("back from the provider, and the page says nothing")
	}
}

func TestForeignPageCannotSignOut(t *testing.T) {
	t.Parallel()

	b := newBrowser(t, newIssuer(t))
	b.signIn()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.base+"/portal/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "https://evil.example")
	resp, err := b.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden || !b.signedIn() {
		t.Errorf("%d", resp.StatusCode)
	}
}

func TestBackchannelLogoutEndsTheNamedSession(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		change func(claims map[string]any)
		ended  bool
	}{
		"by sid and sub":         {func(map[string]any) {}, true},
		"by sid":                 {func(c map[string]any) { delete(c, "sub") }, true},
		"by sub":                 {func(c map[string]any) { delete(c, "sid") }, true},
		"another session":        {func(c map[string]any) { c["sid"] = "sid-2" }, false},
		"another person":         {func(c map[string]any) { delete(c, "sid"); c["sub"] = "s-2" }, false},
		"another person's sid":   {func(c map[string]any) { c["sub"] = "s-2" }, false},
		"several audiences":      {func(c map[string]any) { c["aud"] = []string{"portal", "x"} }, true},
		"an event more than one": {func(c map[string]any) { c["events"].(map[string]any)["x"] = map[string]any{} }, true},
	} {
		b := newBrowser(t, newIssuer(t))
		b.signIn()
		claims := b.logoutClaims("j-1")
		c.change(claims)
		if status := b.backchannel(b.issuer.sign("logout+jwt", claims)); status != http.StatusOK {
			t.Errorf("%s: %d", name, status)
		}
		if b.signedIn() == c.ended {
			t.Errorf("%s: signed in is %v", name, b.signedIn())
		}
		if _, body := b.get("/"); strings.Contains(body, texts["pt-BR"]["ended"]) != c.ended {
			t.Errorf("%s: the home page does not tell", name)
		}
	}
}

func TestBackchannelLogoutRefuses(t *testing.T) {
	t.Parallel()

	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, newIssuer(t))
	b.signIn()
	const section = "Back-Channel Logout §2.6 "
	for name, change := range map[string]func(claims map[string]any){
		"another issuer":          func(c map[string]any) { c["iss"] = "https://evil.example" },
		"another audience":        func(c map[string]any) { c["aud"] = "saude-agenda" },
		"no iat":                  func(c map[string]any) { delete(c, "iat") },
		"iat in the future":       func(c map[string]any) { c["iat"] = time.Now().Add(time.Hour).Unix() },
		"iat long ago":            func(c map[string]any) { c["iat"] = time.Now().Add(-2 * time.Hour).Unix() },
		"expired":                 func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() },
		"no exp":                  func(c map[string]any) { delete(c, "exp") },
		"no jti":                  func(c map[string]any) { delete(c, "jti") },
		"no events":               func(c map[string]any) { delete(c, "events") },
		"another event":           func(c map[string]any) { c["events"] = map[string]any{"x": map[string]any{}} },
		"event that is no object": func(c map[string]any) { c["events"] = map[string]any{logoutEvent: "yes"} },
		"event that is null":      func(c map[string]any) { c["events"] = map[string]any{logoutEvent: nil} },
		"a nonce":                 func(c map[string]any) { c["nonce"] = "n" },
		"an empty nonce":          func(c map[string]any) { c["nonce"] = "" },
		"neither sub nor sid":     func(c map[string]any) { delete(c, "sub"); delete(c, "sid") },
	} {
		claims := b.logoutClaims("j-1")
		change(claims)
		if status := b.backchannel(b.issuer.sign("logout+jwt", claims)); status != http.StatusBadRequest {
			t.Errorf("%s%s: %d", section, name, status)
		}
	}
	good := b.logoutClaims("j-1")
	for name, raw := range map[string]string{
		"typ of an ID token": b.issuer.sign("JWT", good),
		"signed by somebody": signWith(stranger, "logout+jwt", good),
		"unsigned":           "eyJhbGciOiJub25lIiwidHlwIjoibG9nb3V0K2p3dCJ9.e30.",
		"empty":              "",
		"not a token":        "x.y.z",
	} {
		if status := b.backchannel(raw); status != http.StatusBadRequest {
			t.Errorf("%s%s: %d", section, name, status)
		}
	}
	if !b.signedIn() {
		t.Error("one of the bad tokens ended the session")
	}
}

// The provider repeats a token when our answer was lost; whoever signed in meanwhile stays.
func TestRepeatedLogoutTokenIsHeardAndDoesNothing(t *testing.T) {
	t.Parallel()

	b := newBrowser(t, newIssuer(t))
	b.signIn()
	token := b.issuer.sign("logout+jwt", b.logoutClaims("j-1"))
	if status := b.backchannel(token); status != http.StatusOK || b.signedIn() {
		t.Fatalf("first: %d, signed in %v", status, b.signedIn())
	}
	b.signIn()
	if status := b.backchannel(token); status != http.StatusOK || !b.signedIn() {
		t.Errorf("again: %d, signed in %v", status, b.signedIn())
	}
}

func (b *browser) logoutClaims(jti string) map[string]any {
	return map[string]any{"iss": b.issuer.URL, "aud": "portal", "iat": time.Now().Unix(), "exp": time.Now().Add(2 * time.Minute).Unix(),
		"jti": jti, "sub": "s-1", "sid": "sid-1", "events": map[string]any{logoutEvent: map[string]any{}}}
}

// backchannel posts as the provider does: without the browser's cookies.
func (b *browser) backchannel(token string) int {
	b.t.Helper()
	resp, err := http.PostForm(b.base+"/portal/backchannel", url.Values{"logout_token": {token}})
	if err != nil {
		b.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
