package idp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loginunico/loginunico/idp/idptest"
)

// Each endpoint that authenticates clients, with a form that a client may send it.
var authenticated = map[string]url.Values{
	"/oauth/token":      {"grant_type": {"authorization_code"}, "code": {"unknown"}, "redirect_uri": {"https://agenda.example.org/callback"}, "code_verifier": {strings.Repeat("a", 43)}},
	"/oauth/revoke":     {"token": {"unknown"}},
	"/oauth/introspect": {"token": {"unknown"}},
}

// isLetIn says whether an answer is that of an authenticated client: the forms above then fail for
// their content, or succeed.
func isLetIn(a idptest.Answer) bool {
	return a.Status == http.StatusOK || a.Status == http.StatusBadRequest && a.Text("error") == "invalid_grant"
}

func TestAClientAuthenticatesByItsRegisteredMethodAndNoOther(t *testing.T) {
	t.Parallel()
	key, manifest := roboKey(t)
	city := protocolCity(t, manifest)
	secretOf := idptest.Secret
	for path, form := range authenticated {
		for name, c := range map[string]struct {
			headers []string
			more    url.Values
			code    string // "" lets in
		}{
			"RFC 6749 §2.3.1 basic, registered":                  {[]string{"Authorization", basic("agenda", secretOf("agenda"))}, nil, ""},
			"RFC 6749 §2.3.1 basic with the client_id repeated":  {[]string{"Authorization", basic("agenda", secretOf("agenda"))}, with("client_id", "agenda"), ""},
			"RFC 7617 §2 scheme in lower case":                   {[]string{"Authorization", strings.Replace(basic("agenda", secretOf("agenda")), "Basic", "basic", 1)}, nil, ""},
			"OIDC Core §9 post, registered":                      {nil, with("client_id", "vacina", "client_secret", secretOf("vacina")), ""},
			"OIDC Core §9 private_key_jwt, registered":           {nil, byAssertion(nil, assertion(t, city, key, nil)), ""},
			"OIDC Core §9 private_key_jwt to the token endpoint": {nil, byAssertion(nil, assertion(t, city, key, map[string]any{"aud": city.Issuer + "/oauth/token"})), ""},
			"OIDC Core §9 post by a client of basic":             {nil, with("client_id", "agenda", "client_secret", secretOf("agenda")), "invalid_client"},
			"OIDC Core §9 basic by a client of post":             {[]string{"Authorization", basic("vacina", secretOf("vacina"))}, nil, "invalid_client"},
			"OIDC Core §9 none by a client of basic":             {nil, with("client_id", "agenda"), "invalid_client"},
			"OIDC Core §9 none by a client of private_key_jwt":   {nil, with("client_id", "robo"), "invalid_client"},
			"OIDC Core §9 basic by a public client":              {[]string{"Authorization", basic("mapa", "")}, nil, "invalid_client"},
			"OIDC Core §9 empty secret by a public client":       {nil, with("client_id", "mapa", "client_secret", ""), "invalid_client"},
			"OIDC Core §9 basic by a client of private_key_jwt":  {[]string{"Authorization", basic("robo", "")}, nil, "invalid_client"},
			"RFC 6749 §2.3.1 wrong secret":                       {[]string{"Authorization", basic("agenda", "errado")}, nil, "invalid_client"},
			"RFC 6749 §2.3.1 empty secret":                       {[]string{"Authorization", basic("agenda", "")}, nil, "invalid_client"},
			"RFC 6749 §2.3.1 another client's secret":            {[]string{"Authorization", basic("agenda", secretOf("legado"))}, nil, "invalid_client"},
			"RFC 6749 §5.2 unknown client":                       {[]string{"Authorization", basic("ninguem", "x")}, nil, "invalid_client"},
			"RFC 6749 §5.2 nothing at all":                       {nil, nil, "invalid_client"},
			"RFC 6749 §5.2 another scheme":                       {[]string{"Authorization", "Bearer x"}, nil, "invalid_client"},
			"RFC 6749 §5.2 basic that is no base64":              {[]string{"Authorization", "Basic %%%"}, nil, "invalid_client"},
			"RFC 6749 §5.2 basic without a colon":                {[]string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("agenda"))}, nil, "invalid_client"},
			"RFC 6749 §2.3 basic and post":                       {[]string{"Authorization", basic("agenda", secretOf("agenda"))}, with("client_id", "agenda", "client_secret", secretOf("agenda")), "invalid_request"},
			"RFC 6749 §2.3 basic and an assertion":               {[]string{"Authorization", basic("agenda", secretOf("agenda"))}, byAssertion(nil, assertion(t, city, key, nil)), "invalid_request"},
			"RFC 6749 §2.3 post and an assertion":                {nil, byAssertion(with("client_id", "vacina", "client_secret", secretOf("vacina")), assertion(t, city, key, nil)), "invalid_request"},
			"RFC 6749 §2.3 two headers":                          {[]string{"Authorization", basic("agenda", secretOf("agenda")), "Authorization", basic("agenda", secretOf("agenda"))}, nil, "invalid_request"},
			"RFC 6749 §3.2.1 basic with another client_id":       {[]string{"Authorization", basic("agenda", secretOf("agenda"))}, with("client_id", "legado"), "invalid_request"},
			"RFC 6749 §3.2 client_id twice":                      {nil, url.Values{"client_id": {"mapa", "mapa"}}, "invalid_request"},
			"RFC 7521 §4.2 an assertion of another client_id":    {nil, byAssertion(with("client_id", "agenda"), assertion(t, city, key, nil)), "invalid_client"},
			"RFC 7521 §4.2 an assertion of another type":         {nil, merged(byAssertion(nil, assertion(t, city, key, nil)), with("client_assertion_type", "urn:x")), "invalid_request"},
			"RFC 7521 §4.2 an assertion without type":            {nil, with("client_assertion", assertion(t, city, key, nil)), "invalid_request"},
		} {
			t.Run(name+" at "+path, func(t *testing.T) {
				a := post(t, city, path, merged(form, c.more), c.headers...)
				isNotStoredOrEmpty(t, a)
				switch {
				case c.code == "" && !isLetIn(a):
					t.Errorf("refused: %d %s", a.Status, a.Body)
				case c.code == "invalid_client" && (a.Status != http.StatusUnauthorized || a.Header.Get("WWW-Authenticate") == ""),
					c.code == "invalid_request" && a.Status != http.StatusBadRequest,
					c.code != "" && a.Text("error") != c.code:
					t.Errorf("%d %v %s; want %s", a.Status, a.Header, a.Body, c.code)
				}
			})
		}
	}
	t.Run("RFC 6749 §2.3.1 an unknown client and a wrong secret are told the same", func(t *testing.T) {
		unknown := post(t, city, "/oauth/token", authenticated["/oauth/token"], "Authorization", basic("ninguem", "x"))
		wrong := post(t, city, "/oauth/token", authenticated["/oauth/token"], "Authorization", basic("agenda", "x"))
		if unknown.Body != wrong.Body || unknown.Status != wrong.Status {
			t.Errorf("%s\n%s", unknown.Body, wrong.Body)
		}
	})
	t.Run("OIDC Core §9 none, registered", func(t *testing.T) {
		if a := post(t, city, "/oauth/token", merged(authenticated["/oauth/token"], with("client_id", "mapa"))); !isLetIn(a) {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}

func isNotStoredOrEmpty(t *testing.T, a idptest.Answer) {
	t.Helper()
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", a.Header)
	}
}

func TestAClientAssertionIsShortLivedAddressedToUsAndUsedOnce(t *testing.T) {
	t.Parallel()
	key, manifest := roboKey(t)
	city := protocolCity(t, manifest)
	now := city.Now().Unix()
	ask := func(jws string) idptest.Answer {
		return post(t, city, "/oauth/token", byAssertion(with("grant_type", "client_credentials"), jws))
	}
	for name, change := range map[string]map[string]any{
		"RFC 7523 §3 item 1 another iss":                {"iss": "agenda"},
		"RFC 7523 §3 item 1 no iss":                     {"iss": nil},
		"RFC 7523 §3 item 2 another sub":                {"sub": "agenda"},
		"RFC 7523 §3 item 2 no sub":                     {"sub": nil},
		"RFC 7523 §3 item 3 no aud":                     {"aud": nil},
		"RFC 7523 §3 item 3 another aud":                {"aud": "https://evil.example"},
		"RFC 7523 §3 item 3 an aud that begins like us": {"aud": city.Issuer + ".evil.example"},
		"RFC 7523 §3 item 3 two audiences":              {"aud": []string{city.Issuer, "https://evil.example"}},
		"RFC 7523 §3 item 4 no exp":                     {"exp": nil},
		"RFC 7523 §3 item 4 expired":                    {"exp": now - 120},
		"RFC 7523 §3 item 4 exp in a day":               {"exp": now + 86400},
		"RFC 7523 §3 item 5 nbf ahead":                  {"nbf": now + 300},
		"RFC 7523 §3 item 6 iat ahead":                  {"iat": now + 300},
		"RFC 7523 §3 item 7 no jti":                     {"jti": nil},
		"RFC 7523 §3 item 7 empty jti":                  {"jti": ""},
	} {
		t.Run(name, func(t *testing.T) {
			isOAuthError(t, ask(assertion(t, city, key, change)), http.StatusUnauthorized, "invalid_client")
		})
	}
	t.Run("RFC 7523 §3 item 9 another key under the same kid", func(t *testing.T) {
		other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		isOAuthError(t, ask(assertion(t, city, jose.JSONWebKey{Key: other, KeyID: "k1"}, nil)), http.StatusUnauthorized, "invalid_client")
	})
	t.Run("RFC 8725 §3.2 alg none", func(t *testing.T) {
		parts := strings.Split(assertion(t, city, key, nil), ".")
		isOAuthError(t, ask(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))+"."+parts[1]+"."), http.StatusUnauthorized, "invalid_client")
	})
	t.Run("RFC 8725 §3.1 HS256 with the public key as secret", func(t *testing.T) {
		public, err := key.Public().MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		isOAuthError(t, ask(hmacSigned(t, city, public)), http.StatusUnauthorized, "invalid_client")
	})
	t.Run("RFC 7523 §3 item 7 a jti is good once, at every endpoint together", func(t *testing.T) {
		jws := assertion(t, city, key, nil)
		if a := ask(jws); a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		isOAuthError(t, ask(jws), http.StatusUnauthorized, "invalid_client")
		isOAuthError(t, post(t, city, "/oauth/introspect", byAssertion(with("token", "x"), jws)), http.StatusUnauthorized, "invalid_client")
	})
	t.Run("RFC 7523 §3 item 7 a jti is good once, under concurrency too", func(t *testing.T) {
		jws := assertion(t, city, key, nil)
		statuses := make([]int, 0, 50)
		for _, a := range atOnce(50, func(int) idptest.Answer { return ask(jws) }) {
			statuses = append(statuses, a.Status)
		}
		if n := count(statuses); n[http.StatusOK] != 1 || n[http.StatusUnauthorized] != 49 {
			t.Errorf("statuses %v", n)
		}
	})
	t.Run("RFC 7523 §3 item 7 it stays used after the sweep and until it expires", func(t *testing.T) {
		jws := assertion(t, city, key, map[string]any{"exp": now + 300})
		if a := ask(jws); a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		city.Advance(4 * time.Minute)
		isOAuthError(t, ask(jws), http.StatusUnauthorized, "invalid_client")
	})
	t.Run("RFC 7523 §2.2 the whole code flow by private_key_jwt", func(t *testing.T) {
		r := city.Request("robo", nil)
		form := codeForm(r, city.Browser(t).Authorize(r, maria))
		a := post(t, city, "/oauth/token", byAssertion(form, assertion(t, city, key, nil)))
		if a.Status != http.StatusOK || idptest.Claims(t, a.Text("id_token"))["aud"] != "robo" {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}

// hmacSigned makes an assertion of robo whose HMAC key is what everybody can read.
func hmacSigned(t *testing.T, city *idptest.City, key []byte) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: append(key, key...)}, (&jose.SignerOptions{}).WithHeader("kid", "k1"))
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(`{"iss":"robo","sub":"robo","aud":"` + city.Issuer + `","exp":9999999999,"jti":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}
