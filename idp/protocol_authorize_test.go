package idp_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
)

// Until the redirect URI is known to be the service's own, the citizen sees a page and nobody is
// redirected.
func TestNobodyIsRedirectedToAnUnregisteredURI(t *testing.T) {
	t.Parallel()
	city := protocolCity(t, portal)
	for name, c := range map[string]struct {
		client string
		more   url.Values
	}{
		"RFC 6749 §4.1.2.1 missing redirect_uri":              {"agenda", with("redirect_uri", "")},
		"RFC 6749 §4.1.2.1 missing client_id":                 {"agenda", with("client_id", "")},
		"RFC 6749 §4.1.2.1 unknown client":                    {"agenda", with("client_id", "ninguem")},
		"RFC 6749 §3.1 client_id twice":                       {"agenda", url.Values{"client_id": {"agenda", "agenda"}}},
		"RFC 6749 §3.1 redirect_uri twice":                    {"agenda", url.Values{"redirect_uri": {"https://agenda.example.org/callback", "https://agenda.example.org/callback"}}},
		"RFC 9700 §4.1.3 another path":                        {"agenda", with("redirect_uri", "https://agenda.example.org/callback/x")},
		"RFC 9700 §4.1.3 trailing slash":                      {"agenda", with("redirect_uri", "https://agenda.example.org/callback/")},
		"RFC 9700 §4.1.3 query added":                         {"agenda", with("redirect_uri", "https://agenda.example.org/callback?x=1")},
		"RFC 9700 §4.1.3 upper-case host":                     {"agenda", with("redirect_uri", "https://AGENDA.example.org/callback")},
		"RFC 9700 §4.1.3 default port":                        {"agenda", with("redirect_uri", "https://agenda.example.org:443/callback")},
		"RFC 9700 §4.1.3 subdomain":                           {"agenda", with("redirect_uri", "https://x.agenda.example.org/callback")},
		"RFC 9700 §4.1.3 user name":                           {"agenda", with("redirect_uri", "https://agenda.example.org@evil.example/callback")},
		"RFC 9700 §4.1.3 dot segments":                        {"agenda", with("redirect_uri", "https://agenda.example.org/x/../callback")},
		"RFC 9700 §4.1.3 %2F decoded":                         {"agenda", with("redirect_uri", "https://agenda.example.org/a/b")},
		"RFC 9700 §4.1.3 %2F double-encoded":                  {"agenda", with("redirect_uri", "https://agenda.example.org/a%252Fb")},
		"RFC 9700 §4.1.3 %2f in lower case":                   {"agenda", with("redirect_uri", "https://agenda.example.org/a%2fb")},
		"RFC 9700 §4.1.3 fragment":                            {"agenda", with("redirect_uri", "https://agenda.example.org/callback#x")},
		"RFC 9700 §4.1.3 another client's URI":                {"agenda", with("redirect_uri", "https://legado.example.org/callback")},
		"RFC 8252 §7.3 port of a confidential client":         {"portal", with("redirect_uri", "http://localhost:10/portal/callback")},
		"RFC 8252 §7.3 localhost is no loopback literal":      {"mapa", with("redirect_uri", "http://localhost/callback")},
		"RFC 8252 §7.3 loopback path":                         {"mapa", with("redirect_uri", "http://127.0.0.1:4000/other")},
		"RFC 8252 §7.3 loopback port 0":                       {"mapa", with("redirect_uri", "http://127.0.0.1:0/callback")},
		"RFC 8252 §7.3 loopback look-alike":                   {"mapa", with("redirect_uri", "http://127.0.0.1.evil.example/callback")},
		"RFC 8252 §7.3 loopback with a user":                  {"mapa", with("redirect_uri", "http://127.0.0.1:x@evil.example/callback")},
		"RFC 8252 §7.1 another private-use scheme":            {"mapa", with("redirect_uri", "org.example.evil:/callback")},
		"RFC 6749 §4.1.2.1 errors too: bad redirect, no PKCE": {"agenda", with("redirect_uri", "https://evil.example/", "code_challenge", "")},
		"RFC 6749 §4.1.2.1 errors too: prompt=none":           {"agenda", with("redirect_uri", "https://evil.example/", "prompt", "none")},
		"RFC 6749 §4.1.2.1 errors too: form_post":             {"agenda", with("redirect_uri", "https://evil.example/", "response_mode", "form_post")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := city.Browser(t).Open(city.Request(c.client, c.more))
			if p.Status != http.StatusBadRequest || p.Location != nil || !strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
				t.Errorf("%d %v %.200s", p.Status, p.Location, p.Body)
			}
			if evilLink.MatchString(p.Body) {
				t.Error("the page offers the foreign address")
			}
		})
	}
}

var evilLink = regexp.MustCompile(`(href|action)="[^"/]*://[^"]*evil`)

func TestARegisteredRedirectURIIsUsedToTheByte(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	for name, c := range map[string]struct{ client, uri string }{
		"RFC 6749 §3.1.2 query is kept":             {"agenda", "https://agenda.example.org/callback?tenant=1"},
		"RFC 9700 §4.1.3 %2F stays encoded":         {"agenda", "https://agenda.example.org/a%2Fb"},
		"RFC 8252 §7.3 any loopback port":           {"mapa", "http://127.0.0.1:49152/callback"},
		"RFC 8252 §7.3 loopback without port":       {"mapa", "http://127.0.0.1/callback"},
		"RFC 8252 §7.3 any loopback port, IPv6":     {"mapa", "http://[::1]:49152/callback"},
		"RFC 8252 §7.1 private-use scheme":          {"mapa", "org.example.mapa:/callback"},
		"OAuth 2.1 §2.3.1 claimed https for an app": {"mapa", "https://mapa.example.org/callback"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := city.Request(c.client, with("redirect_uri", c.uri))
			r.RedirectURI = c.uri
			p := through(city.Browser(t), r, maria)
			sep := "?"
			if strings.Contains(c.uri, "?") {
				sep = "&"
			}
			if p.Location == nil || !strings.HasPrefix(p.Location.String(), c.uri+sep) || p.Params().Get("code") == "" {
				t.Fatalf("%d %v", p.Status, p.Location)
			}
			form, auth := codeForm(r, p.Params().Get("code")), c.client
			if c.client == "mapa" {
				form.Set("client_id", "mapa")
				auth = ""
			}
			if a := city.Call("/oauth/token", auth, form); a.Status != http.StatusOK {
				t.Errorf("token endpoint: %d %s", a.Status, a.Body)
			}
		})
	}
}

// Once the redirect URI is known to be right, every fault of the request travels back to the
// service, with state and iss.
func TestARefusedRequestTravelsBackToTheService(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	long := strings.Repeat("a", 1025)
	for name, c := range map[string]struct {
		more url.Values
		code string
	}{
		"RFC 9700 §2.1.1 no PKCE":                                  {with("code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		"RFC 7636 §4.3 plain":                                      {with("code_challenge_method", "plain"), "invalid_request"},
		"RFC 7636 §4.3 method left out means plain":                {with("code_challenge_method", ""), "invalid_request"},
		"RFC 7636 §4.3 unknown method":                             {with("code_challenge_method", "S512"), "invalid_request"},
		"RFC 7636 §4.2 challenge too short":                        {with("code_challenge", "abc"), "invalid_request"},
		"RFC 7636 §4.2 challenge with padding":                     {with("code_challenge", strings.Repeat("a", 42)+"="), "invalid_request"},
		"RFC 6749 §3.1 nonce twice":                                {url.Values{"nonce": {"a", "b"}}, "invalid_request"},
		"RFC 6749 §3.1 code_challenge twice":                       {url.Values{"code_challenge": {"a", "b"}}, "invalid_request"},
		"RFC 6749 §3.1 unknown parameter twice":                    {url.Values{"x": {"a", "b"}}, "invalid_request"},
		"RFC 6749 §4.1.2.1 no response_type":                       {with("response_type", ""), "invalid_request"},
		"RFC 6749 §4.1.2.1 response_type token":                    {with("response_type", "token"), "unsupported_response_type"},
		"OIDC Core §3.3 response_type code id_token":               {with("response_type", "code id_token"), "unsupported_response_type"},
		"OIDC Core §6.1 request":                                   {with("request", "e30.e30."), "request_not_supported"},
		"OIDC Core §6.2 request_uri":                               {with("request_uri", "https://agenda.example.org/r"), "request_uri_not_supported"},
		"OIDC Core §7.2.1 registration":                            {with("registration", "{}"), "registration_not_supported"},
		"Multiple Response Types §2.1 unknown response_mode":       {with("response_mode", "web_message"), "invalid_request"},
		"OIDC Core §3.1.2.1 unknown prompt":                        {with("prompt", "create"), "invalid_request"},
		"OIDC Core §3.1.2.1 prompt=none with another":              {with("prompt", "none login"), "invalid_request"},
		"OIDC Core §3.1.2.1 max_age is no number":                  {with("max_age", "soon"), "invalid_request"},
		"OIDC Core §3.1.2.1 max_age is negative":                   {with("max_age", "-1"), "invalid_request"},
		"OIDC Core §5.5 claims is no JSON":                         {with("claims", "{"), "invalid_request"},
		"OIDC Core §5.5 claims is no object":                       {with("claims", `["name"]`), "invalid_request"},
		"OIDC Core §3.1.2.1 nonce too long":                        {with("nonce", long), "invalid_request"},
		"OIDC Core §3.1.2.1 id_token_hint is no token":             {with("id_token_hint", "x.y.z"), "invalid_request"},
		"RFC 8707 §2 resource not in the manifest":                 {with("resource", "https://evil.example/"), "invalid_target"},
		"OIDC Core §3.1.2.6 prompt=none, nobody signed in":         {with("prompt", "none"), "login_required"},
		"OIDC Core §5.5.1.1 essential acr that does not exist":     {with("claims", `{"id_token":{"acr":{"essential":true,"value":"urn:other:1"}}}`), "unmet_authentication_requirements"},
		"OIDC Core §3.1.2.1 id_token_hint and sub do not go along": {with("id_token_hint", "e30.e30.e30", "claims", `{"id_token":{"sub":{"value":"x"}}}`), "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := city.Browser(t).Open(city.Request("agenda", c.more))
			isRedirectError(t, city, p, c.code)
			if p.Status != http.StatusSeeOther || p.Location.Host != "agenda.example.org" || p.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %v %v", p.Status, p.Location, p.Header)
			}
		})
	}
	t.Run("RFC 6749 §4.1.2.1 state twice is refused and none comes back twice", func(t *testing.T) {
		p := city.Browser(t).Open(city.Request("agenda", url.Values{"state": {"a", "b"}}))
		if p.Params().Get("error") != "invalid_request" || len(p.Params()["state"]) > 1 {
			t.Errorf("%v", p.Location)
		}
	})
	t.Run("RFC 6749 §3.1 GET with a broken query is a page", func(t *testing.T) {
		p := city.Browser(t).Get("/oauth/authorize?" + city.Request("agenda", nil).Params.Encode() + "&x=%zz")
		if p.Status != http.StatusBadRequest || p.Location != nil {
			t.Errorf("%d %v", p.Status, p.Location)
		}
	})
	t.Run("OIDC Core §3.1.2.1 POST with a query is a page", func(t *testing.T) {
		r := city.Request("agenda", nil)
		p := city.Browser(t).Post("/oauth/authorize?state=x", r.Params)
		if p.Status != http.StatusBadRequest || p.Location != nil {
			t.Errorf("%d %v", p.Status, p.Location)
		}
	})
	t.Run("a service without the code grant is not registered for redirects", func(t *testing.T) {
		p := city.Browser(t).Get("/oauth/authorize?" + merged(city.Request("agenda", nil).Params, with("client_id", "recurso")).Encode())
		if p.Status != http.StatusBadRequest || p.Location != nil {
			t.Errorf("%d %v", p.Status, p.Location)
		}
	})
}

// hidden reads the fields of a form_post page.
func hidden(body string) url.Values {
	v := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(body, -1) {
		v.Add(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return v
}

var (
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	formTarget  = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
)

func TestResponseModesCarrySuccessAndErrorsAlike(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	b := city.Browser(t)
	odd := `a b&c=d"<'>%2F+~`

	answered := func(t *testing.T, p idptest.Page, mode string) url.Values {
		t.Helper()
		if mode == "form_post" {
			isFormPost(t, p)
			return hidden(p.Body)
		}
		if p.Location == nil || p.Status != http.StatusSeeOther {
			t.Fatalf("%d %s", p.Status, p.Body)
		}
		if mode == "fragment" {
			if p.Location.RawQuery != "" {
				t.Errorf("fragment mode wrote a query: %v", p.Location)
			}
			fragment, err := url.ParseQuery(p.Location.EscapedFragment())
			if err != nil {
				t.Fatal(err)
			}
			return fragment
		}
		if p.Location.Fragment != "" {
			t.Errorf("query mode wrote a fragment: %v", p.Location)
		}
		return p.Location.Query()
	}
	city.Tokens(city.Request("agenda", nil), maria) // consents once
	b.SignIn(b.Open(city.Request("agenda", nil)), maria, idptest.Password)
	for _, mode := range []string{"query", "fragment", "form_post"} {
		t.Run("response_mode="+mode+", success", func(t *testing.T) {
			r := city.Request("agenda", with("response_mode", mode, "state", odd))
			got := answered(t, b.Open(r), mode)
			if got.Get("code") == "" || got.Get("state") != odd || got.Get("iss") != city.Issuer || len(got) != 3 {
				t.Errorf("response: %v", got)
			}
			if a := city.Exchange(r, got.Get("code")); a.Status != http.StatusOK {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
		t.Run("response_mode="+mode+", error", func(t *testing.T) {
			got := answered(t, b.Open(city.Request("agenda", with("response_mode", mode, "state", odd, "code_challenge", ""))), mode)
			if got.Get("error") != "invalid_request" || got.Get("state") != odd || got.Get("iss") != city.Issuer || got.Has("code") {
				t.Errorf("response: %v", got)
			}
		})
		t.Run("response_mode="+mode+", refused by the citizen", func(t *testing.T) {
			page := b.Open(city.Request("agenda", with("response_mode", mode, "prompt", "consent")))
			got := answered(t, b.Form(page, with("decision", "deny")), mode)
			if got.Get("error") != "access_denied" || got.Get("state") != "state-1" || got.Get("iss") != city.Issuer {
				t.Errorf("response: %v", got)
			}
		})
	}
	t.Run("RFC 6749 §4.1.2 no state in, none out", func(t *testing.T) {
		got := b.Open(city.Request("agenda", with("state", ""))).Params()
		if got.Has("state") || got.Get("code") == "" {
			t.Errorf("response: %v", got)
		}
	})
	t.Run("OIDC Core §3.1.2.1 the request may be a POST from the service's page", func(t *testing.T) {
		r := city.Request("agenda", nil)
		res := crossSitePost(t, city.Issuer+"/oauth/authorize", r.Params)
		if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/oauth/authorize?") {
			t.Fatalf("%d %v", res.StatusCode, res.Header)
		}
		if p := b.Get(res.Header.Get("Location")); p.Params().Get("code") == "" || p.Params().Get("state") != "state-1" {
			t.Errorf("the session was not found again: %d %v", p.Status, p.Location)
		}
	})
	t.Run("OIDC Core §3.1.2.1 POST and GET are answered alike", func(t *testing.T) {
		if p := b.Post("/oauth/authorize", city.Request("agenda", nil).Params); p.Params().Get("code") == "" {
			t.Errorf("%d %v", p.Status, p.Location)
		}
	})
}

// crossSitePost is what a browser sends from another site's page: no cookies that are SameSite=Lax.
func crossSitePost(t *testing.T, target string, form url.Values) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://agenda.example.org")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res
}

// isFormPost checks the page of Form Post Response Mode §2 and that its own policy lets it post.
func isFormPost(t *testing.T, p idptest.Page) {
	t.Helper()
	target := formTarget.FindStringSubmatch(p.Body)
	if p.Status != http.StatusOK || p.Location != nil || target == nil || target[1] != "https://agenda.example.org/callback" {
		t.Fatalf("%d %v %v\n%s", p.Status, p.Location, target, p.Body)
	}
	policy := p.Header.Get("Content-Security-Policy")
	if !regexp.MustCompile(`form-action [^;]*https://agenda\.example\.org(;|\s|$)`).MatchString(policy) || strings.Contains(policy, "unsafe") {
		t.Errorf("policy: %s", policy)
	}
	if p.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a page with a code may be stored: %v", p.Header)
	}
}
