package flow

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/client"
)

const testManifest = `
id: portal
name: {pt-BR: Portal}
department: Governo
contact: portal@example.org
redirect_uris: [https://portal.example.org/cb]
grants: [authorization_code, refresh_token]
resources: [https://api.example.org]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
  - {name: email, required: false, purpose: {pt-BR: Avisar você}, basis: consent}
  - {name: birthdate, required: false, purpose: {pt-BR: Idade}, basis: consent}
`

func testClient(t testing.TB, manifest string) *client.Client {
	t.Helper()
	m, err := client.Parse("test", []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	return &client.Client{Manifest: *m, Version: 1}
}

const goodChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // RFC 7636 appendix B

// form is a request that is right, with some parameters changed; "-" removes one.
func form(changes ...string) url.Values {
	f := url.Values{"client_id": {"portal"}, "redirect_uri": {"https://portal.example.org/cb"}, "response_type": {"code"},
		"scope": {"openid profile"}, "code_challenge": {goodChallenge}, "code_challenge_method": {"S256"}}
	for i := 0; i < len(changes); i += 2 {
		if f[changes[i]] = []string{changes[i+1]}; changes[i+1] == "-" {
			delete(f, changes[i])
		}
	}
	return f
}

func TestRequestsThatAreWrongAreRefusedWithTheirStandardsError(t *testing.T) {
	t.Parallel()

	app := testClient(t, testManifest)
	twice := form()
	twice["state"] = []string{"a", "b"}
	resources := form()
	resources["resource"] = []string{"https://api.example.org", "https://other.example.org"}
	for _, tc := range []struct {
		name string
		form url.Values
		want string
	}{
		{"RFC 6749 §3.1 a parameter twice", twice, "invalid_request"},
		{"RFC 6749 §4.1.1 no response_type", form("response_type", "-"), "invalid_request"},
		{"RFC 9700 §2.1.2 token in the front channel", form("response_type", "token"), "unsupported_response_type"},
		{"hybrid", form("response_type", "code id_token"), "unsupported_response_type"},
		{"OIDC Core §6.1 request object", form("request", "eyJ"), "request_not_supported"},
		{"OIDC Core §6.2 request_uri", form("request_uri", "https://portal.example.org/r"), "request_uri_not_supported"},
		{"OIDC Core §7.2.1 registration", form("registration", "{}"), "registration_not_supported"},
		{"unknown response_mode", form("response_mode", "web_message"), "invalid_request"},
		{"OAuth 2.1 §4.1.1 no code_challenge", form("code_challenge", "-"), "invalid_request"},
		{"RFC 7636 §4.2 plain", form("code_challenge_method", "plain"), "invalid_request"},
		{"RFC 7636 §4.3 no method means plain", form("code_challenge_method", "-"), "invalid_request"},
		{"RFC 7636 §4.2 a short challenge", form("code_challenge", goodChallenge[1:]), "invalid_request"},
		{"RFC 7636 §4.2 another alphabet", form("code_challenge", strings.Repeat("+", 43)), "invalid_request"},
		{"OIDC Core §3.1.2.1 prompt=none with another", form("prompt", "none login"), "invalid_request"},
		{"OIDC Core §3.1.2.1 unknown prompt", form("prompt", "create"), "invalid_request"},
		{"max_age is no number", form("max_age", "soon"), "invalid_request"},
		{"max_age is negative", form("max_age", "-1"), "invalid_request"},
		{"max_age overflows", form("max_age", "99999999999999999999"), "invalid_request"},
		{"RFC 6749 appendix A.5 state", form("state", "a\nb"), "invalid_request"},
		{"a state without end", form("state", strings.Repeat("a", 1025)), "invalid_request"},
		{"a nonce without end", form("nonce", strings.Repeat("a", 1025)), "invalid_request"},
		{"OIDC Core §5.5 claims is no JSON", form("claims", "{"), "invalid_request"},
		{"OIDC Core §5.5 claims is no object", form("claims", `"name"`), "invalid_request"},
		{"an essential acr nobody here can reach", form("claims", `{"id_token":{"acr":{"essential":true,"value":"loa9"}}}`), "unmet_authentication_requirements"},
		{"RFC 8707 §2 a resource that is not in the manifest", resources, "invalid_target"},
		{"scopes without end", form("scope", strings.Repeat("openid ", 51)), "invalid_scope"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parseRequest(tc.form, app)
			var refused *requestError
			if !errors.As(err, &refused) || refused.Code != tc.want || refused.Description == "" {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestRequestsKeepWhatWasAskedAndTheManifestAllows(t *testing.T) {
	t.Parallel()

	app := testClient(t, testManifest)
	f := form("scope", "openid profile openid cpf unknown offline_access", "response_mode", "form_post", "prompt", "login consent",
		"max_age", "0", "claims", `{"userinfo":{"email":null,"cpf":{"essential":true}},"id_token":{"birthdate":null,"sub":{"value":"s-1"},
		"acr":{"essential":true,"values":["urn:loginunico:nivel:4","urn:loginunico:nivel:3","other"]}}}`)
	f["resource"] = []string{"https://api.example.org"}
	r, err := parseRequest(f, app)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"openid", "profile", "offline_access"}; !slices.Equal(r.Scope, want) {
		t.Errorf("scope %v, want %v: unknown ones are ignored, repeated ones once", r.Scope, want)
	}
	if want := []string{"name", "email", "birthdate"}; !slices.Equal(r.Claims, want) {
		t.Errorf("claims %v, want %v: only those of the manifest", r.Claims, want)
	}
	if !slices.Equal(r.InIDToken, []string{"birthdate"}) || r.Subject != "s-1" || r.ACRLevel != 3 {
		t.Errorf("%+v", r)
	}
	if r.MaxAge == nil || *r.MaxAge != 0 || r.ResponseMode != "form_post" || !slices.Equal(r.Prompt, []string{"login", "consent"}) {
		t.Errorf("%+v", r)
	}
	if n := r.Needs(app); n.Level != 3 || n.MaxAge == nil || *n.MaxAge != 0 || n.FirstParty {
		t.Errorf("needs %+v", n)
	}
	if r, err := parseRequest(form("claims", `{"id_token":{"acr":{"value":"loa9"}}}`), app); err != nil || r.ACRLevel != 0 {
		t.Errorf("a voluntary acr is a wish, never an obstacle (OIDC Core §5.5.1.1): %v %v", r.ACRLevel, err)
	}
	if r, err := parseRequest(form("acr_values", "urn:loginunico:nivel:4 loa2", "claims", `{"id_token":{"acr":{"essential":true,"value":"urn:loginunico:nivel:2"}}}`), app); err != nil || r.ACRLevel != 4 {
		t.Errorf("acr_values and an essential acr bind together (RFC 9470 §5): %v %v", r.ACRLevel, err)
	}
}

func TestErrorsTravelByTheResponseModeAskedFor(t *testing.T) {
	t.Parallel()

	app := testClient(t, testManifest)
	for mode, want := range map[string]string{"": "query", "query": "query", "fragment": "fragment", "form_post": "form_post", "jwt": "query"} {
		r, err := parseRequest(form("response_mode", mode, "response_type", "token", "state", "s"), app)
		if err == nil || r.ResponseMode != want || r.State != "s" || r.RedirectURI != "https://portal.example.org/cb" {
			t.Errorf("%q: %v %+v, want mode %s", mode, err, r, want)
		}
	}
}

func TestAnAuthorizationResponseKeepsARegisteredQuery(t *testing.T) {
	t.Parallel()

	params := url.Values{"code": {"c"}}
	for uri, want := range map[string]string{"https://a.example/cb": "https://a.example/cb?code=c", "https://a.example/cb?x=1": "https://a.example/cb?x=1&code=c"} {
		if got := respondURL(Request{RedirectURI: uri, ResponseMode: "query"}, maps.Clone(params)); got != want {
			t.Errorf("RFC 6749 §3.1.2: got %s, want %s", got, want)
		}
	}
	if got := respondURL(Request{RedirectURI: "com.app:/cb", ResponseMode: "fragment"}, params); got != "com.app:/cb#code=c" {
		t.Errorf("got %s", got)
	}
	if got := formActions("com.app:/cb"); !slices.Equal(got, []string{"com.app:"}) {
		t.Errorf("form-action of an app: %v", got)
	}
	if got := formActions("https://a.example:8443/cb?x=1"); !slices.Equal(got, []string{"https://a.example:8443"}) {
		t.Errorf("form-action: %v", got)
	}
}

// FuzzParseRequest reads any query: it must not panic, and what it accepts must be safe to keep.
func FuzzParseRequest(f *testing.F) {
	f.Add(form("state", "af0ifjsldkj", "nonce", "n-0S6_WzA2Mj").Encode())
	f.Add(form("claims", `{"userinfo":{"given_name":{"essential":true},"nickname":null},"id_token":{"auth_time":{"essential":true},"acr":{"values":["urn:mace:incommon:iap:silver"]}}}`).Encode())
	f.Add(form("prompt", "none", "max_age", "3600", "response_mode", "fragment", "resource", "https://api.example.org").Encode())
	f.Add(form("claims", `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null,"time":{"max_age":63113852},"evidence":[{"type":{"value":"document"}}]},"claims":{"name":{"essential":true},"given_name":null}}}}`).Encode())
	f.Add("response_type=code&%zz=1&state=%00")
	app := testClient(f, testManifest)
	f.Fuzz(func(t *testing.T, query string) {
		form, _ := url.ParseQuery(query)
		r, err := parseRequest(form, app)
		if !slices.Contains([]string{"query", "fragment", "form_post"}, r.ResponseMode) {
			t.Fatalf("mode %q", r.ResponseMode)
		}
		if err != nil {
			var refused *requestError
			if !errors.As(err, &refused) || refused.Code == "" {
				t.Fatalf("an error nobody can be told: %v", err)
			}
			return
		}
		if form.Get("response_type") != "code" || !challenge.MatchString(r.CodeChallenge) || len(r.CodeChallenge) != 43 ||
			form.Get("code_challenge_method") != "S256" || duplicated(form) {
			t.Fatalf("accepted %q", query)
		}
		if !printable.MatchString(r.State) || !printable.MatchString(r.Nonce) || r.ACRLevel < 0 || r.ACRLevel > 5 {
			t.Fatalf("accepted %+v", r)
		}
		for _, s := range r.Scope {
			if !slices.Contains(app.Scopes(), s) {
				t.Fatalf("scope %q", s)
			}
		}
		for _, c := range slices.Concat(r.Claims, r.InIDToken, r.Verified.Claims()) {
			if _, ok := app.Claim(c); !ok {
				t.Fatalf("claim %q is not in the manifest", c)
			}
		}
		if slices.Contains(r.Prompt, "none") && len(r.Prompt) != 1 {
			t.Fatalf("prompt %v", r.Prompt)
		}
	})
}
