package idp_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/idp/keys"
)

func TestDiscoverySaysWhatIsTrue(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	a := request(t, city, "GET", "/.well-known/openid-configuration", "")
	doc := members(t, a)

	t.Run("OIDC Discovery §4.2 JSON for everybody, to be cached", func(t *testing.T) {
		if a.Status != http.StatusOK || a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Access-Control-Allow-Origin") != "*" ||
			!strings.Contains(a.Header.Get("Cache-Control"), "max-age") {
			t.Errorf("%d %v", a.Status, a.Header)
		}
	})
	t.Run("RFC 8414 §3 the same document", func(t *testing.T) {
		if other := request(t, city, "GET", "/.well-known/oauth-authorization-server", ""); other.Body != a.Body {
			t.Errorf("%s", other.Body)
		}
	})
	for member, want := range map[string]any{
		"issuer": city.Issuer, "authorization_response_iss_parameter_supported": true, "claims_parameter_supported": true,
		"request_parameter_supported": false, "request_uri_parameter_supported": false, "backchannel_logout_supported": true, "backchannel_logout_session_supported": true,
	} {
		t.Run("OIDC Discovery §3 "+member, func(t *testing.T) {
			if doc[member] != want {
				t.Errorf("%v, want %v", doc[member], want)
			}
		})
	}
	for member, want := range map[string][]any{
		"response_types_supported": {"code"}, "response_modes_supported": {"query", "fragment", "form_post"},
		"grant_types_supported":                         {"authorization_code", "refresh_token", "client_credentials"},
		"code_challenge_methods_supported":              {"S256"},
		"subject_types_supported":                       {"pairwise", "public"},
		"token_endpoint_auth_methods_supported":         {"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"introspection_endpoint_auth_methods_supported": {"client_secret_basic", "client_secret_post", "private_key_jwt"},
		"id_token_signing_alg_values_supported":         {"ES256", "RS256"},
		"userinfo_signing_alg_values_supported":         {"ES256", "RS256"},
		"prompt_values_supported":                       {"none", "login", "consent", "select_account"},
		"ui_locales_supported":                          {"pt-BR", "es", "en"},
		"acr_values_supported":                          {"urn:loginunico:nivel:1", "urn:loginunico:nivel:2", "urn:loginunico:nivel:3", "urn:loginunico:nivel:4", "urn:loginunico:nivel:5"},
	} {
		t.Run("OIDC Discovery §3 "+member, func(t *testing.T) {
			if got, _ := doc[member].([]any); !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
	for _, member := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint", "revocation_endpoint", "introspection_endpoint"} {
		t.Run("OIDC Discovery §3 "+member+" is ours and answers", func(t *testing.T) {
			uri, _ := doc[member].(string)
			if !strings.HasPrefix(uri, city.Issuer+"/") {
				t.Fatalf("%q", uri)
			}
			if got := request(t, city, "GET", uri, ""); got.Status == http.StatusNotFound || got.Status >= 500 {
				t.Errorf("%d", got.Status)
			}
		})
	}
	t.Run("OIDC Discovery §3 scopes and claims of the contract", func(t *testing.T) {
		for member, want := range map[string][]string{
			"scopes_supported": {"openid", "offline_access", "profile", "email", "phone", "address", "cpf", "documents", "family", "cnpj", "govbr", "trust"},
			"claims_supported": {"sub", "iss", "acr", "amr", "auth_time", "trust_level", "name", "birthdate", "email", "email_verified", "cpf", "trust_evidence"},
		} {
			for _, one := range want {
				if list, _ := doc[member].([]any); !slices.Contains(list, any(one)) {
					t.Errorf("%s lacks %s", member, one)
				}
			}
		}
	})
}

func TestTheJWKSHoldsPublicKeysOnly(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	a := request(t, city, "GET", "/.well-known/jwks.json", "", "Origin", "https://anywhere.example")
	if a.Status != http.StatusOK || a.Header.Get("Access-Control-Allow-Origin") != "*" || a.Header.Get("Access-Control-Allow-Credentials") != "" || !strings.Contains(a.Header.Get("Cache-Control"), "max-age=300") {
		t.Errorf("%d %v", a.Status, a.Header)
	}
	set := decoded[struct{ Keys []map[string]any }](t, a.Body)
	public := map[string][]string{"EC": {"alg", "crv", "kid", "kty", "use", "x", "y"}, "RSA": {"alg", "e", "kid", "kty", "n", "use"}}
	var algs []any
	for _, key := range set.Keys {
		algs = append(algs, key["alg"])
		kty, _ := key["kty"].(string)
		if got := slices.Sorted(maps.Keys(key)); !slices.Equal(got, public[kty]) || key["use"] != "sig" || key["kid"] == "" {
			t.Errorf("RFC 7517 §9.3: a %s key has members %v", kty, got)
		}
	}
	if n := count(algs); n["ES256"] != 1 || n["RS256"] != 1 || len(algs) != 2 {
		t.Errorf("keys by alg: %v", n)
	}
}

// A service that keeps the JWKS as long as it may never meets a signature it cannot check, and no
// process restarts.
func TestKeysRotateUnderAServiceThatCachesThem(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	cached := jwks(t, city)
	first := city.Tokens(city.Request("agenda", nil), maria)
	kid := func(a idptest.Answer) any { return header(t, a.Text("id_token"))["kid"] }
	old := kid(first)
	verified(t, cached, first.Text("id_token"))

	fresh, err := city.Keys.Rotate(t.Context(), keys.ES256, false)
	if err != nil {
		t.Fatal(err)
	}
	within := city.Tokens(city.Request("agenda", nil), maria)
	if kid(within) != old {
		t.Error("OIDC Core §10.1.1: the new key signs before services had time to see it")
	}
	verified(t, cached, within.Text("id_token"))
	if set := jwks(t, city); len(set.Key(fresh)) != 1 || len(set.Key(old.(string))) != 1 {
		t.Error("OIDC Core §10.1.1: old and new key are not both published")
	}

	city.Advance(keys.MaxAge) // the cache expires once, at the latest possible moment
	cached = jwks(t, city)
	late := city.Tokens(city.Request("agenda", nil), maria)
	city.Advance(keys.Overlap - keys.MaxAge + time.Second)
	after := city.Tokens(city.Request("agenda", nil), maria)
	if kid(after) != fresh {
		t.Error("the new key does not sign after the overlap")
	}
	verified(t, cached, after.Text("id_token"))
	verified(t, jwks(t, city), late.Text("id_token"))
	isAlive(t, city, "agenda", late) // signed by the old key, and still good
	if p := city.Browser(t).Open(city.Request("agenda", with("id_token_hint", first.Text("id_token"), "prompt", "none"))); page(p) != "login_required" {
		t.Errorf("an old key's ID token is no hint any more: %s", page(p))
	}

	city.Advance(keys.Lifetime + time.Minute)
	if set := jwks(t, city); len(set.Key(old.(string))) != 0 || len(set.Key(fresh)) != 1 {
		t.Error("the old key is still published after everything it signed has expired")
	}
}

// The second process hears of a new key by NOTIFY: nothing is restarted and nothing asks again.
func TestANewKeyReachesEveryProcess(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	twin := city.Twin()
	fresh, err := city.Keys.Rotate(t.Context(), keys.RS256, true)
	if err != nil {
		t.Fatal(err)
	}
	patience, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !strings.Contains(request(t, city, "GET", twin+"/.well-known/jwks.json", "").Body, fresh) {
		if patience.Err() != nil {
			t.Fatal("the second process never published the new key")
		}
	}
	tokens := city.Tokens(city.Request("legado", nil), maria)
	if header(t, tokens.Text("id_token"))["kid"] != fresh {
		t.Error("the new key does not sign at once")
	}
	provider, err := oidc.NewProvider(t.Context(), city.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: "legado", SupportedSigningAlgs: []string{"RS256"}})
	if _, err := verifier.Verify(t.Context(), tokens.Text("id_token")); err != nil {
		t.Error(err)
	}
}

func TestCORSOpensOnlyWhereABrowserClientNeedsIt(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	const app, foreign, confidential = "https://mapa.example.org", "https://evil.example", "https://agenda.example.org"
	preflight := func(path, origin string) idptest.Answer {
		return request(t, city, "OPTIONS", path, "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization")
	}
	for _, path := range []string{"/oauth/token", "/oauth/revoke", "/userinfo"} {
		t.Run("Fetch §3.2 preflight of a public client at "+path, func(t *testing.T) {
			a := preflight(path, app)
			h := a.Header
			if a.Status != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != app || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") ||
				!strings.Contains(strings.ToLower(h.Get("Access-Control-Allow-Headers")), "authorization") || h.Get("Vary") != "Origin" || h.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%d %v", a.Status, h)
			}
		})
		for _, origin := range []string{foreign, confidential, "null", "https://mapa.example.org.evil.example", "http://mapa.example.org"} {
			t.Run("Fetch §3.2 no foreign origin, "+origin+" at "+path, func(t *testing.T) {
				for _, a := range []idptest.Answer{preflight(path, origin), post(t, city, path, nil, "Origin", origin)} {
					if a.Header.Get("Access-Control-Allow-Origin") != "" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
						t.Errorf("%d %v", a.Status, a.Header)
					}
				}
			})
		}
	}
	for _, path := range []string{"/oauth/authorize", "/oauth/introspect", "/sair", "/conta", "/entrar"} {
		t.Run("Fetch §3.2 nobody's origin at "+path, func(t *testing.T) {
			for _, origin := range []string{app, foreign} {
				for _, a := range []idptest.Answer{preflight(path, origin), request(t, city, "GET", path, "", "Origin", origin)} {
					if a.Header.Get("Access-Control-Allow-Origin") != "" {
						t.Errorf("%d %v", a.Status, a.Header)
					}
				}
			}
		})
	}
	t.Run("Fetch §3.2 a browser application from code to userinfo", func(t *testing.T) {
		r := city.Request("mapa", with("redirect_uri", app+"/callback"))
		r.RedirectURI = app + "/callback"
		browser := []string{"Origin", app, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}
		tokens := post(t, city, "/oauth/token", merged(codeForm(r, city.Browser(t).Authorize(r, maria)), with("client_id", "mapa")), browser...)
		info := request(t, city, "GET", "/userinfo", "", append(browser, "Authorization", "Bearer "+tokens.Text("access_token"))...)
		for _, a := range []idptest.Answer{tokens, info} {
			if a.Status != http.StatusOK || a.Header.Get("Access-Control-Allow-Origin") != app {
				t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
			}
		}
		refused := request(t, city, "GET", "/userinfo", "", append(browser, "Authorization", "Bearer x")...)
		if refused.Header.Get("Access-Control-Allow-Origin") != app || !strings.Contains(refused.Header.Get("Access-Control-Expose-Headers"), "WWW-Authenticate") {
			t.Errorf("%v", refused.Header)
		}
	})
}
