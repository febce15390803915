package rp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"
)

func (b *browser) eventClaims(jti, from, to string, at time.Time) map[string]any {
	return map[string]any{"iss": b.issuer.URL, "aud": "portal", "iat": time.Now().Unix(), "jti": jti,
		"sub_id": map[string]any{"format": "iss_sub", "iss": b.issuer.URL, "sub": "s-1"},
		"events": map[string]any{levelEvent: map[string]any{"namespace": "urn:loginunico:nivel", "previous_level": from, "current_level": to,
			"event_timestamp": at.Unix(), "reason_user": map[string]string{"pt-BR": "Passou de " + from + " para " + to + "."}}}}
}

// push posts as the provider does: without the browser's cookies.
func (b *browser) push(token string) int {
	b.t.Helper()
	resp, err := http.Post(b.base+"/portal/events", "application/secevent+jwt", strings.NewReader(token))
	if err != nil {
		b.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestAnEventIsHeardAndShownToItsPerson(t *testing.T) {
	t.Parallel()

	b := newBrowser(t, newIssuer(t))
	if b.signIn(); strings.Contains(b.page(), "id=\"event\"") {
		t.Error("an event nobody sent is shown")
	}
	now := time.Now()
	other := b.eventClaims("j-0", "3", "1", now)
	other["sub_id"].(map[string]any)["sub"] = "s-2"
	if status := b.push(b.issuer.sign("secevent+jwt", other)); status != http.StatusAccepted || strings.Contains(b.page(), "id=\"event\"") {
		t.Errorf("another person's event: %d", status)
	}
	if status := b.push(b.issuer.sign("secevent+jwt", b.eventClaims("j-1", "3", "1", now))); status != http.StatusAccepted {
		t.Fatalf("RFC 8935 §2.2: %d", status)
	}
	page := b.page()
	for _, want := range []string{"id=\"event\"", "Passou de 3 para 1.", texts["pt-BR"]["ev_below"], "secevent&#43;jwt"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if status := b.push(b.issuer.sign("secevent+jwt", b.eventClaims("j-2", "1", "3", now.Add(-time.Hour)))); status != http.StatusAccepted || !strings.Contains(b.page(), "Passou de 3 para 1.") {
		t.Errorf("one that was overtaken: %d", status)
	}
	if status := b.push(b.issuer.sign("secevent+jwt", b.eventClaims("j-3", "1", "4", now.Add(time.Minute)))); status != http.StatusAccepted || !strings.Contains(b.page(), "Passou de 1 para 4.") {
		t.Errorf("a later one: %d", status)
	}
}

func (b *browser) page() string {
	b.t.Helper()
	_, body := b.get("/portal")
	return body
}

func TestAnEventIsRefused(t *testing.T) {
	t.Parallel()

	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, newIssuer(t))
	b.signIn()
	for name, change := range map[string]func(c map[string]any){
		"RFC 8417 §2.2 another issuer":     func(c map[string]any) { c["iss"] = "https://evil.example" },
		"RFC 8417 §2.2 another audience":   func(c map[string]any) { c["aud"] = "saude-agenda" },
		"RFC 8417 §2.2 no iat":             func(c map[string]any) { delete(c, "iat") },
		"RFC 8417 §2.2 iat in the future":  func(c map[string]any) { c["iat"] = time.Now().Add(time.Hour).Unix() },
		"RFC 8417 §2.2 no jti":             func(c map[string]any) { delete(c, "jti") },
		"RFC 8417 §2.2 no events":          func(c map[string]any) { delete(c, "events") },
		"RFC 8417 §2.2 another event":      func(c map[string]any) { c["events"] = map[string]any{"x": map[string]any{}} },
		"SSF 1.0 §4.1 a sub":               func(c map[string]any) { c["sub"] = "s-1" },
		"SSF 1.0 §4.1 an exp":              func(c map[string]any) { c["exp"] = time.Now().Add(time.Hour).Unix() },
		"RFC 9493 §3.2.3 no subject":       func(c map[string]any) { delete(c, "sub_id") },
		"RFC 9493 §3.2.3 another's issuer": func(c map[string]any) { c["sub_id"].(map[string]any)["iss"] = "https://evil.example" },
		"CAEP 1.0 §3.4.1 no current_level": func(c map[string]any) {
			delete(c["events"].(map[string]any)[levelEvent].(map[string]any), "current_level")
		},
	} {
		claims := b.eventClaims("j-1", "3", "1", time.Now())
		change(claims)
		if status := b.push(b.issuer.sign("secevent+jwt", claims)); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
	good := b.eventClaims("j-1", "3", "1", time.Now())
	for name, raw := range map[string]string{
		"RFC 8417 §2.3 typ of an ID token": b.issuer.sign("JWT", good),
		"signed by somebody":               signWith(stranger, "secevent+jwt", good),
		"unsigned":                         "eyJhbGciOiJub25lIiwidHlwIjoic2VjZXZlbnQrand0In0.e30.",
		"empty":                            "",
	} {
		if status := b.push(raw); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
	if strings.Contains(b.page(), "id=\"event\"") {
		t.Error("one of them is shown")
	}
}
