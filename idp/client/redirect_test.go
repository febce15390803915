package client_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/client"
)

// withRedirect is a manifest with these redirect URIs.
func withRedirect(auth string, uris ...string) string {
	var b strings.Builder
	b.WriteString("id: app\nname: {pt-BR: App}\ndepartment: TI\ncontact: ti@example.org\nsector: example.org\nauth: " + auth + "\nredirect_uris:\n")
	for _, u := range uris {
		b.WriteString("  - \"" + strings.ReplaceAll(u, `\`, `\\`) + "\"\n")
	}
	return b.String()
}

func TestRedirectURIsThatCanBeRegistered(t *testing.T) {
	t.Parallel()

	for _, uri := range []string{
		"https://example.org/cb", "https://example.org", "https://example.org:8443/cb?a=b", "https://192.0.2.1/cb",
		"https://[2001:db8::1]/cb", "https://xn--so-paulo-rza.br/cb", "https://example.org/a%2Fb",
		"http://localhost/cb", "http://localhost:8090/cb", "http://127.0.0.1:1/cb", "http://[::1]:8080/cb", "http://app.localhost/cb",
	} {
		if _, err := client.Parse("x", []byte(withRedirect("client_secret_basic", uri))); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
	for _, uri := range []string{"com.example.app:/callback", "br.gov.vila:/cb", "com.example.app://host/cb"} {
		if _, err := client.Parse("x", []byte(withRedirect("none", uri))); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
		if _, err := client.Parse("x", []byte(withRedirect("client_secret_basic", uri))); err == nil {
			t.Errorf("%s: accepted for a client with a secret", uri)
		}
	}
}

func TestRedirectURIsThatCannotBeRegistered(t *testing.T) {
	t.Parallel()

	for _, uri := range []string{
		"http://example.org/cb", "http://localhost.example.org/cb", "http://127.0.0.1.example.org/cb", "http://128.0.0.1/cb",
		"//example.org/cb", "/cb", "cb", "https:/cb", "https:example.org", "https://", "https://:443/cb", "https://example.org:0/",
		"https://example.org:99999/", "https://example.org:/cb", "https://example.org/#", "https://example.org/cb#a",
		"https://user@example.org/cb", "https://user:pw@example.org/", "https://@example.org/", "https://*.example.org/cb",
		"https://example.org/*", "https://exa mple.org/", `https://example.org\@evil.org/`, "https://example.org/%zz",
		"https://são.br/cb", "javascript:alert(1)", "data:text/html,x", "myapp:/cb", "file:///etc/passwd", "com.example.app:callback",
		"com.example.app:", "https://-a.org/", "https://a..org/", "HTTP://example.org/", "https://example.org/<x>", "https://[::1/",
		"https://example.org/" + strings.Repeat("a", 2000),
	} {
		if _, err := client.Parse("x", []byte(withRedirect("none", uri))); err == nil {
			t.Errorf("%s: accepted", uri)
		}
	}
}

func TestRedirectIsComparedByteByByte(t *testing.T) {
	t.Parallel()

	const registered = "https://example.org/cb?x=1"
	m := parse(t, withRedirect("client_secret_basic", registered))
	if !m.MatchRedirect(registered) {
		t.Error("the registered URI is refused")
	}
	for _, uri := range []string{
		"", "https://example.org/cb", "https://example.org/cb?x=1&", "https://example.org/cb?x=1#", "https://EXAMPLE.org/cb?x=1",
		"https://example.org:443/cb?x=1", "https://example.org/./cb?x=1", "https://example.org/%63b?x=1", "https://example.org/cb?x=1 ",
		"https://example.org.evil.org/cb?x=1", "https://example.org@evil.org/cb?x=1", "HTTPS://example.org/cb?x=1",
	} {
		if m.MatchRedirect(uri) {
			t.Errorf("%s: matched", uri)
		}
	}
}

// zitadel/oidc#968: redirect_uri was decoded a second time after the form had been parsed, so a
// registered %2F was refused and a double-encoded, unregistered URI accepted.
func TestEncodedSlashIsNeitherDecodedNorEncoded(t *testing.T) {
	t.Parallel()

	m := parse(t, withRedirect("client_secret_basic", "https://example.org/a%2Fb"))
	if !m.MatchRedirect("https://example.org/a%2Fb") {
		t.Error("the registered URI is refused")
	}
	for _, uri := range []string{"https://example.org/a%252Fb", "https://example.org/a/b", "https://example.org/a%2fb"} {
		if m.MatchRedirect(uri) {
			t.Errorf("%s: matched", uri)
		}
	}
}

func TestNativeAppMayUseAnyLoopbackPort(t *testing.T) { // RFC 8252 §7.3
	t.Parallel()

	registered := []string{"http://127.0.0.1/cb", "http://[::1]:7000/cb?a=b", "http://localhost:80/cb", "com.example.app:/cb"}
	native, web := parse(t, withRedirect("none", registered...)), parse(t, withRedirect("client_secret_basic", registered[:3]...))
	for _, uri := range []string{"http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", "http://[::1]/cb?a=b", "http://[::1]:1/cb?a=b", "com.example.app:/cb"} {
		if !native.MatchRedirect(uri) {
			t.Errorf("%s: refused", uri)
		}
		if !slices.Contains(registered, uri) && web.MatchRedirect(uri) {
			t.Errorf("%s: matched for a client with a secret", uri)
		}
	}
	for _, uri := range []string{
		"http://127.0.0.1:51004/other", "http://127.0.0.1:0/cb", "http://127.0.0.1:65536/cb", "http://127.0.0.1:080/cb", "http://127.0.0.1:/cb",
		"http://127.0.0.1:1@evil.org/cb", "http://127.0.0.1@evil.org/cb", "http://127.0.0.1.evil.org/cb", "http://127.0.0.1:+1/cb",
		"http://localhost:81/cb", "https://127.0.0.1:1/cb", "http://[::1]:1/cb", "http://127.0.0.1:51004", "http://127.0.0.1:1/cb?a=b",
		"com.example.app:1/cb", "http://[::1]:7000/cb?a=b#", "http://127.0.0.1:1\\/cb",
	} {
		if native.MatchRedirect(uri) {
			t.Errorf("%s: matched", uri)
		}
	}
}

func TestPostLogoutRedirectIsComparedByteByByte(t *testing.T) {
	t.Parallel()

	m := parse(t, contractManifest)
	if !m.MatchPostLogoutRedirect("http://localhost:8090/") || m.MatchPostLogoutRedirect("http://localhost:8090") || m.MatchPostLogoutRedirect("") {
		t.Error("wrong comparison")
	}
}

func FuzzMatchRedirect(f *testing.F) {
	registered := []string{"https://example.org/a%2Fb?x=1", "http://127.0.0.1:8000/cb", "http://[::1]/cb"}
	web, native := parse(f, withRedirect("client_secret_basic", registered...)), parse(f, withRedirect("none", registered...))
	for _, u := range registered {
		f.Add(u)
	}
	f.Add("http://127.0.0.1:1/cb")
	f.Add("http://127.0.0.1:1@evil.org/cb")
	f.Fuzz(func(t *testing.T, uri string) {
		exact := slices.Contains(registered, uri)
		if web.MatchRedirect(uri) != exact {
			t.Fatalf("%q", uri)
		}
		if native.MatchRedirect(uri) && !exact &&
			!(strings.HasPrefix(uri, "http://127.0.0.1") && strings.HasSuffix(uri, "/cb") && !strings.ContainsAny(uri, "@\\?#")) &&
			!(strings.HasPrefix(uri, "http://[::1]") && strings.HasSuffix(uri, "/cb") && !strings.ContainsAny(uri, "@\\?#")) {
			t.Fatalf("%q", uri)
		}
	})
}
