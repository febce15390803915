package idp_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
)

func TestUserinfoOpensToOneAccessTokenSentTheRightWay(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	tokens := city.Tokens(city.Request("agenda", nil), maria)
	access := tokens.Text("access_token")
	const form = "application/x-www-form-urlencoded"

	for name, c := range map[string]struct {
		method, target, body string
		headers              []string
	}{
		"OIDC Core §5.3.1 GET with the header":           {"GET", "/userinfo", "", []string{"Authorization", "Bearer " + access}},
		"OIDC Core §5.3.1 POST with the header":          {"POST", "/userinfo", "", []string{"Authorization", "Bearer " + access}},
		"RFC 6750 §2.2 POST with the body":               {"POST", "/userinfo", "access_token=" + access, []string{"Content-Type", form}},
		"RFC 9110 §11.1 the scheme in lower case":        {"GET", "/userinfo", "", []string{"Authorization", "bearer " + access}},
		"RFC 6750 §2.2 POST from a page of another site": {"POST", "/userinfo", "access_token=" + access, []string{"Content-Type", form, "Origin", "https://mapa.example.org", "Sec-Fetch-Site", "cross-site"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := request(t, city, c.method, c.target, c.body, c.headers...)
			if a.Status != http.StatusOK || a.Text("sub") != idptest.Claims(t, tokens.Text("id_token"))["sub"] {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			isNotStored(t, a)
		})
	}
	for name, c := range map[string]struct {
		method, target, body string
		headers              []string
		status               int
		challenge            string // "" is the bare challenge
	}{
		"RFC 6750 §3.1 no token":                        {"GET", "/userinfo", "", nil, 401, ""},
		"RFC 6750 §3.1 another scheme":                  {"GET", "/userinfo", "", []string{"Authorization", basic("agenda", idptest.Secret("agenda"))}, 401, ""},
		"RFC 9449 §7.1 DPoP is not offered":             {"GET", "/userinfo", "", []string{"Authorization", "DPoP " + access}, 401, ""},
		"RFC 6750 §3.1 an empty token":                  {"GET", "/userinfo", "", []string{"Authorization", "Bearer "}, 401, ""},
		"RFC 6750 §3.1 an unknown token":                {"GET", "/userinfo", "", []string{"Authorization", "Bearer x.y.z"}, 401, "invalid_token"},
		"OIDC Core §5.3 an ID token is no access token": {"GET", "/userinfo", "", []string{"Authorization", "Bearer " + tokens.Text("id_token")}, 401, "invalid_token"},
		"RFC 6750 §3.1 a refresh token":                 {"GET", "/userinfo", "", []string{"Authorization", "Bearer " + tokens.Text("refresh_token")}, 401, "invalid_token"},
		"RFC 6750 §3.1 a changed token":                 {"GET", "/userinfo", "", []string{"Authorization", "Bearer " + tampered(t, access, "scope", "openid cpf")}, 401, "invalid_token"},
		"RFC 9700 §4.3.2 a token in the URI":            {"GET", "/userinfo?access_token=" + access, "", nil, 400, "invalid_request"},
		"RFC 9700 §4.3.2 a token in the URI of a POST":  {"POST", "/userinfo?access_token=" + access, "", nil, 400, "invalid_request"},
		"RFC 6750 §2 header and body":                   {"POST", "/userinfo", "access_token=" + access, []string{"Content-Type", form, "Authorization", "Bearer " + access}, 400, "invalid_request"},
		"RFC 6750 §2 header and URI":                    {"GET", "/userinfo?access_token=" + access, "", []string{"Authorization", "Bearer " + access}, 400, "invalid_request"},
		"RFC 6750 §2 two headers":                       {"GET", "/userinfo", "", []string{"Authorization", "Bearer " + access, "Authorization", "Bearer " + access}, 400, "invalid_request"},
		"RFC 6750 §2.2 twice in the body":               {"POST", "/userinfo", "access_token=" + access + "&access_token=" + access, []string{"Content-Type", form}, 400, "invalid_request"},
		"RFC 6750 §2.2 a GET has no body":               {"GET", "/userinfo", "access_token=" + access, []string{"Content-Type", form}, 401, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := request(t, city, c.method, c.target, c.body, c.headers...)
			challenge := a.Header.Get("WWW-Authenticate")
			if a.Status != c.status || !strings.HasPrefix(challenge, `Bearer realm="loginunico"`) || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
			}
			if c.challenge == "" && strings.Contains(challenge, "error=") || c.challenge != "" && !strings.Contains(challenge, `error="`+c.challenge+`"`) {
				t.Errorf("challenge %s", challenge)
			}
		})
	}
	t.Run("RFC 6750 §3.1 a token without openid", func(t *testing.T) {
		a := city.Userinfo(city.Tokens(city.Request("agenda", with("scope", "profile")), maria).Text("access_token"))
		challenge := a.Header.Get("WWW-Authenticate")
		if a.Status != http.StatusForbidden || !strings.Contains(challenge, `error="insufficient_scope"`) || !strings.Contains(challenge, `scope="openid"`) {
			t.Errorf("%d %s", a.Status, challenge)
		}
	})
	t.Run("OIDC Core §5.3.2 the claims of scope, manifest and consent, and no other", func(t *testing.T) {
		a := city.Userinfo(access)
		want := []string{"acr", "amr", "auth_time", "email", "email_verified", "name", "sub", "trust_level"}
		var got map[string]any = members(t, a)
		if list := slices.Sorted(maps.Keys(got)); !slices.Equal(list, want) {
			t.Errorf("members %v\nwant    %v", list, want)
		}
	})
}

func TestUserinfoIsSignedForWhoRegisteredIt(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	set := jwks(t, city)
	for client, alg := range map[string]string{"legado": "RS256", "painel": "ES256"} {
		t.Run("OIDC Core §5.3.2 "+alg, func(t *testing.T) {
			tokens := city.Tokens(city.Request(client, nil), maria)
			a := city.Userinfo(tokens.Text("access_token"))
			if a.Status != http.StatusOK || a.Header.Get("Content-Type") != "application/jwt" || a.Header.Get("Cache-Control") != "no-store" {
				t.Fatalf("%d %v", a.Status, a.Header)
			}
			claims := verified(t, set, a.Body)
			if header(t, a.Body)["alg"] != alg || claims["iss"] != city.Issuer || claims["aud"] != client ||
				claims["sub"] != idptest.Claims(t, tokens.Text("id_token"))["sub"] || claims["name"] != "Maria Aparecida da Silva" {
				t.Errorf("%v", claims)
			}
		})
	}
}

func TestIntrospectionTellsOnlyWhomATokenConcerns(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	tokens := city.Tokens(city.Request("agenda", url.Values{"resource": {"https://api.example.org/a"}}), maria)
	plain := city.Tokens(city.Request("agenda", nil), maria)
	service := city.Call("/oauth/token", "agenda", with("grant_type", "client_credentials", "scope", "agenda.read", "resource", "https://api.example.org/a"))
	elsewhere := city.Call("/oauth/token", "agenda", with("grant_type", "client_credentials", "resource", "https://api.example.org/b"))

	for name, c := range map[string]struct {
		client, token string
		active        bool
	}{
		"RFC 7662 §2.1 the client's own access token":                      {"agenda", plain.Text("access_token"), true},
		"RFC 7662 §2.1 the client's own refresh token":                     {"agenda", plain.Text("refresh_token"), true},
		"RFC 7662 §2.1 the client's own service token":                     {"agenda", service.Text("access_token"), true},
		"RFC 7662 §2.1 the resource server of the audience":                {"recurso", tokens.Text("access_token"), true},
		"RFC 7662 §2.1 the resource server, a service token":               {"recurso", service.Text("access_token"), true},
		"RFC 7662 §4 another client":                                       {"legado", plain.Text("access_token"), false},
		"RFC 7662 §4 another client, a refresh token":                      {"legado", plain.Text("refresh_token"), false},
		"RFC 7662 §4 another client, a service token":                      {"legado", service.Text("access_token"), false},
		"RFC 7662 §4 a resource server of another audience":                {"recurso", plain.Text("access_token"), false},
		"RFC 7662 §4 a resource server of another audience, service token": {"recurso", elsewhere.Text("access_token"), false},
		"RFC 7662 §4 a resource server sees no refresh token":              {"recurso", tokens.Text("refresh_token"), false},
		"RFC 7662 §2.2 an ID token is no access token":                     {"agenda", plain.Text("id_token"), false},
		"RFC 7662 §2.2 an unknown token":                                   {"agenda", "unknown", false},
		"RFC 7662 §2.2 something like a JWT":                               {"agenda", "a.b.c", false},
		"RFC 7662 §2.2 a changed token":                                    {"agenda", tampered(t, service.Text("access_token"), "scope", "agenda.admin"), false},
	} {
		t.Run(name, func(t *testing.T) {
			a := city.Call("/oauth/introspect", c.client, with("token", c.token))
			if a.Status != http.StatusOK || a.JSON("active") != c.active {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			isNotStored(t, a)
			if !c.active && strings.TrimSpace(a.Body) != `{"active":false}` {
				t.Errorf("RFC 7662 §2.2: inactive says no more: %s", a.Body)
			}
		})
	}
	t.Run("RFC 7662 §2.2 what is said of a person's token", func(t *testing.T) {
		a := city.Call("/oauth/introspect", "recurso", with("token", tokens.Text("access_token"), "token_type_hint", "refresh_token"))
		claims, got := idptest.Claims(t, tokens.Text("access_token")), members(t, a)
		for _, same := range []string{"iss", "sub", "aud", "client_id", "scope", "exp", "iat", "acr", "auth_time", "trust_level"} {
			if got[same] != claims[same] || got[same] == nil {
				t.Errorf("%s: %v, in the token %v", same, got[same], claims[same])
			}
		}
		if got["token_type"] != "Bearer" || got["name"] != nil || got["username"] != nil {
			t.Errorf("%v", got)
		}
	})
	t.Run("RFC 7662 §2.1 no token", func(t *testing.T) {
		isOAuthError(t, city.Call("/oauth/introspect", "agenda", nil), http.StatusBadRequest, "invalid_request")
	})
	t.Run("RFC 7662 §2.1 no authentication", func(t *testing.T) {
		isOAuthError(t, city.Call("/oauth/introspect", "", with("token", plain.Text("access_token"))), http.StatusUnauthorized, "invalid_client")
	})
	t.Run("RFC 7662 §2.1 a public client, its own token even", func(t *testing.T) {
		a := city.Call("/oauth/introspect", "", with("token", plain.Text("access_token"), "client_id", "mapa"))
		isOAuthError(t, a, http.StatusUnauthorized, "invalid_client")
		if a.Header.Get("WWW-Authenticate") == "" {
			t.Error("RFC 6749 §5.2: 401 without WWW-Authenticate")
		}
	})
}

// members decodes a whole JSON answer.
func members(t *testing.T, a idptest.Answer) map[string]any {
	t.Helper()
	return decoded[map[string]any](t, a.Body)
}

func TestRevocationEndsOnlyOnesOwn(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	revoke := func(t *testing.T, client, token string, more ...string) {
		t.Helper()
		a := city.Call("/oauth/revoke", client, merged(with("token", token), with(more...)))
		if a.Status != http.StatusOK || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
		}
	}
	begin := func() idptest.Answer { return city.Tokens(city.Request("agenda", nil), maria) }
	service := func() string {
		return city.Call("/oauth/token", "agenda", with("grant_type", "client_credentials", "resource", "https://api.example.org/a")).Text("access_token")
	}

	t.Run("RFC 7009 §2.1 a refresh token ends the whole grant", func(t *testing.T) {
		tokens := begin()
		revoke(t, "agenda", tokens.Text("refresh_token"), "token_type_hint", "refresh_token")
		isDead(t, city, "agenda", tokens)
	})
	t.Run("RFC 7009 §2.1 an access token ends alone", func(t *testing.T) {
		tokens := begin()
		revoke(t, "agenda", tokens.Text("access_token"))
		if active(city, "agenda", tokens.Text("access_token")) || city.Userinfo(tokens.Text("access_token")).Status != http.StatusUnauthorized {
			t.Error("the access token still counts")
		}
		isAlive(t, city, "agenda", refresh(city, "agenda", tokens.Text("refresh_token")))
	})
	t.Run("RFC 7009 §2.1 a wrong hint changes nothing", func(t *testing.T) {
		tokens := begin()
		revoke(t, "agenda", tokens.Text("refresh_token"), "token_type_hint", "access_token")
		isDead(t, city, "agenda", tokens)
	})
	t.Run("RFC 7009 §2.1 another client's tokens stay, and nothing tells", func(t *testing.T) {
		tokens, own := begin(), service()
		for _, token := range []string{tokens.Text("access_token"), tokens.Text("refresh_token"), own} {
			revoke(t, "legado", token)
			revoke(t, "recurso", token)
		}
		isAlive(t, city, "agenda", tokens)
		if !active(city, "agenda", own) {
			t.Error("the service token is dead")
		}
	})
	t.Run("RFC 7009 §2.2 an unknown token is a success", func(t *testing.T) { revoke(t, "agenda", "unknown") })
	t.Run("RFC 7009 §2.2 twice is a success", func(t *testing.T) {
		token := begin().Text("refresh_token")
		revoke(t, "agenda", token)
		revoke(t, "agenda", token)
	})
	t.Run("RFC 7009 §2.1 a service token", func(t *testing.T) {
		token := service()
		if !active(city, "recurso", token) {
			t.Fatal("inactive from the start")
		}
		revoke(t, "agenda", token)
		if active(city, "recurso", token) || active(city, "agenda", token) {
			t.Error("it still counts")
		}
	})
	t.Run("RFC 7009 §2.1 a service token under another spelling of its signature", func(t *testing.T) {
		token := service()
		revoke(t, "agenda", token)
		for name, other := range respelled(t, token) {
			if active(city, "agenda", other) {
				t.Errorf("%s: it counts again", name)
			}
		}
	})
	t.Run("RFC 7009 §2.1 a service token revoked under another spelling", func(t *testing.T) {
		for name, other := range respelled(t, service()) {
			revoke(t, "agenda", other)
			if active(city, "agenda", other) {
				t.Errorf("%s: it still counts", name)
			}
		}
	})
	t.Run("RFC 7009 §2.1 a public client its own", func(t *testing.T) {
		r := city.Request("mapa", nil)
		tokens := city.Call("/oauth/token", "", merged(codeForm(r, city.Browser(t).Authorize(r, maria)), with("client_id", "mapa")))
		revoke(t, "", tokens.Text("refresh_token"), "client_id", "mapa")
		if a := city.Userinfo(tokens.Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("userinfo %d", a.Status)
		}
	})
	t.Run("RFC 7009 §2.1 no token", func(t *testing.T) {
		isOAuthError(t, city.Call("/oauth/revoke", "agenda", nil), http.StatusBadRequest, "invalid_request")
	})
	t.Run("RFC 7009 §2.1 no authentication", func(t *testing.T) {
		isOAuthError(t, city.Call("/oauth/revoke", "", with("token", "x")), http.StatusUnauthorized, "invalid_client")
	})
}
