package idp_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/idptest"
)

func TestARefreshTokenRotatesAndItsReuseEndsTheGrant(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	begin := func() idptest.Answer { return city.Tokens(city.Request("agenda", nil), maria) }

	t.Run("RFC 9700 §4.14.2 each use gives a new one", func(t *testing.T) {
		token := begin().Text("refresh_token")
		seen := map[string]bool{token: true}
		for range 5 {
			a := refresh(city, "agenda", token)
			if token = a.Text("refresh_token"); a.Status != http.StatusOK || seen[token] {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			seen[token] = true
			isNotStored(t, a)
			isAlive(t, city, "agenda", a)
		}
	})
	t.Run("RFC 9700 §4.14.2 an old one ends the grant and its newest tokens", func(t *testing.T) {
		first := begin()
		second := refresh(city, "agenda", first.Text("refresh_token"))
		third := refresh(city, "agenda", second.Text("refresh_token"))
		isAlive(t, city, "agenda", third)
		isOAuthError(t, refresh(city, "agenda", first.Text("refresh_token")), http.StatusBadRequest, "invalid_grant")
		isDead(t, city, "agenda", third)
	})
	t.Run("RFC 6749 §10.4 another client's refresh token is refused and stays good", func(t *testing.T) {
		tokens := begin()
		isOAuthError(t, city.Call("/oauth/token", "", with("grant_type", "refresh_token", "refresh_token", tokens.Text("refresh_token"),
			"client_id", "vacina", "client_secret", idptest.Secret("vacina"))), http.StatusBadRequest, "invalid_grant")
		isOAuthError(t, city.Call("/oauth/token", "", with("grant_type", "refresh_token", "refresh_token", tokens.Text("refresh_token"),
			"client_id", "mapa")), http.StatusBadRequest, "invalid_grant")
		isAlive(t, city, "agenda", refresh(city, "agenda", tokens.Text("refresh_token")))
	})
	t.Run("RFC 6749 §10.4 another client cannot end a grant with a used refresh token", func(t *testing.T) {
		first := begin()
		second := refresh(city, "agenda", first.Text("refresh_token"))
		isOAuthError(t, refresh(city, "legado", first.Text("refresh_token")), http.StatusBadRequest, "invalid_grant")
		isAlive(t, city, "agenda", second)
	})
	t.Run("RFC 6749 §6 a public client refreshes without a secret", func(t *testing.T) {
		r := city.Request("mapa", nil)
		tokens := city.Call("/oauth/token", "", merged(codeForm(r, city.Browser(t).Authorize(r, maria)), with("client_id", "mapa")))
		again := city.Call("/oauth/token", "", with("grant_type", "refresh_token", "client_id", "mapa", "refresh_token", tokens.Text("refresh_token")))
		if again.Status != http.StatusOK || again.Text("refresh_token") == tokens.Text("refresh_token") {
			t.Errorf("%d %s", again.Status, again.Body)
		}
		isOAuthError(t, city.Call("/oauth/token", "", with("grant_type", "refresh_token", "client_id", "mapa", "refresh_token", tokens.Text("refresh_token"))), http.StatusBadRequest, "invalid_grant")
		if a := city.Userinfo(again.Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("after reuse the access token opens userinfo: %d", a.Status)
		}
	})
	for name, token := range map[string]func(idptest.Answer) string{
		"RFC 6749 §5.2 an unknown one":              func(idptest.Answer) string { return "nobody-issued-this" },
		"RFC 6749 §5.2 an access token instead":     func(a idptest.Answer) string { return a.Text("access_token") },
		"RFC 6749 §5.2 an ID token instead":         func(a idptest.Answer) string { return a.Text("id_token") },
		"RFC 6749 §5.2 its case changed by an inch": func(a idptest.Answer) string { return a.Text("refresh_token") + "A" },
	} {
		t.Run(name, func(t *testing.T) {
			tokens := begin()
			isOAuthError(t, refresh(city, "agenda", token(tokens)), http.StatusBadRequest, "invalid_grant")
			isAlive(t, city, "agenda", tokens)
		})
	}
	t.Run("RFC 6749 §6 no refresh token at all", func(t *testing.T) {
		isOAuthError(t, city.Call("/oauth/token", "agenda", with("grant_type", "refresh_token")), http.StatusBadRequest, "invalid_request")
	})
}

func TestARefreshedIDTokenTellsOfTheFirstSignIn(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	tokens := city.Tokens(city.Request("agenda", nil), maria)
	city.Advance(5 * time.Minute)
	again := refresh(city, "agenda", tokens.Text("refresh_token"))
	before, after := idptest.Claims(t, tokens.Text("id_token")), verified(t, jwks(t, city), again.Text("id_token"))
	for _, same := range []string{"iss", "sub", "aud", "auth_time", "acr", "sid", "trust_level"} {
		if before[same] != after[same] || after[same] == nil {
			t.Errorf("OIDC Core §12.2 %s: %v, then %v", same, before[same], after[same])
		}
	}
	if _, has := after["nonce"]; has || before["nonce"] != "nonce-1" {
		t.Errorf("OIDC Core §12.2 nonce: %v, then %v", before["nonce"], after["nonce"])
	}
	if after["iat"].(float64) < before["iat"].(float64)+300 || after["at_hash"] != leftHalf(again.Text("access_token")) {
		t.Errorf("iat or at_hash: %v", after)
	}
	access := idptest.Claims(t, again.Text("access_token"))
	if access["acr"] != before["acr"] || access["auth_time"] != before["auth_time"] {
		t.Errorf("access token: %v", access)
	}
}

func TestARefreshNarrowsScopeButNeverWidensIt(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	tokens := city.Tokens(city.Request("agenda", nil), maria)
	token := tokens.Text("refresh_token")

	for name, scope := range map[string]string{
		"RFC 6749 §6 a scope that was not granted":     "openid cpf",
		"RFC 6749 §6 a scope that is unknown":          "openid pagamentos",
		"RFC 6749 §6 offline_access was never granted": "openid offline_access",
	} {
		t.Run(name, func(t *testing.T) {
			isOAuthError(t, refresh(city, "agenda", token, "scope", scope), http.StatusBadRequest, "invalid_scope")
		})
	}
	narrow := refresh(city, "agenda", token, "scope", "openid profile")
	t.Run("RFC 6749 §6 narrowed: the answer and userinfo say so", func(t *testing.T) {
		info := city.Userinfo(narrow.Text("access_token"))
		if narrow.Text("scope") != "openid profile" || info.Text("name") == "" || info.JSON("email") != nil || info.JSON("email_verified") != nil {
			t.Errorf("%s\n%s", narrow.Body, info.Body)
		}
	})
	t.Run("RFC 6749 §6 narrowed without openid: no ID token, no userinfo", func(t *testing.T) {
		none := refresh(city, "agenda", narrow.Text("refresh_token"), "scope", "profile")
		if none.JSON("id_token") != nil {
			t.Errorf("%s", none.Body)
		}
		if a := city.Userinfo(none.Text("access_token")); a.Status != http.StatusForbidden {
			t.Errorf("userinfo: %d", a.Status)
		}
		token = none.Text("refresh_token")
	})
	t.Run("RFC 6749 §6 left out, the scope is the one granted", func(t *testing.T) {
		if all := refresh(city, "agenda", token); all.Text("scope") != "openid profile email" || all.JSON("id_token") == nil {
			t.Errorf("%s", all.Body)
		}
	})
}

func TestWhatOutlivesTheSessionWasAllowedTo(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	offline := func(b *idptest.Browser) idptest.Answer {
		r := city.Request("agenda", with("scope", "openid profile offline_access", "prompt", "consent"))
		return city.Exchange(r, b.Authorize(r, maria))
	}
	t.Run("OIDC Core §11 offline_access survives logout, the rest dies", func(t *testing.T) {
		b := city.Browser(t)
		r := city.Request("agenda", nil)
		online := city.Exchange(r, b.Authorize(r, maria))
		kept := offline(b)
		if kept.Text("scope") != "openid profile offline_access" {
			t.Fatalf("%s", kept.Body)
		}
		b.Post("/conta/sair", nil)
		isDead(t, city, "agenda", online)
		isAlive(t, city, "agenda", kept)
		isAlive(t, city, "agenda", refresh(city, "agenda", kept.Text("refresh_token")))
	})
	t.Run("OIDC Core §11 offline_access survives the session's age, and ends after 90 days", func(t *testing.T) {
		kept := offline(city.Browser(t))
		city.Advance(13 * time.Hour)
		again := refresh(city, "agenda", kept.Text("refresh_token"))
		isAlive(t, city, "agenda", again)
		city.Advance(90 * 24 * time.Hour)
		isOAuthError(t, refresh(city, "agenda", again.Text("refresh_token")), http.StatusBadRequest, "invalid_grant")
	})
	t.Run("a withdrawn consent ends both at once", func(t *testing.T) {
		b := city.Browser(t)
		r := city.Request("agenda", nil)
		online := city.Exchange(r, b.Authorize(r, maria))
		kept := offline(b)
		other := city.Request("legado", nil)
		untouched := city.Exchange(other, b.Authorize(other, maria))
		isAlive(t, city, "agenda", online)
		if p := b.Post("/conta/aplicacoes/revogar?servico=agenda", nil); p.Status != http.StatusOK || p.URL.Path != "/conta/aplicacoes" {
			t.Fatalf("%d %s", p.Status, p.URL)
		}
		isDead(t, city, "agenda", online)
		isDead(t, city, "agenda", kept)
		if a := city.Userinfo(untouched.Text("access_token")); a.Status != http.StatusOK {
			t.Errorf("another service: %d", a.Status)
		}
		if p := b.Open(city.Request("agenda", with("prompt", "none"))); p.Params().Get("error") != "consent_required" {
			t.Errorf("after the revocation: %v", p.Location)
		}
	})
	t.Run("a code given out before the consent was withdrawn is worth nothing", func(t *testing.T) {
		b := city.Browser(t)
		r := city.Request("agenda", nil)
		code := b.Authorize(r, maria)
		b.Post("/conta/aplicacoes/revogar?servico=agenda", nil)
		isOAuthError(t, city.Exchange(r, code), http.StatusBadRequest, "invalid_grant")
	})
	t.Run("one citizen cannot withdraw another's", func(t *testing.T) {
		b := city.Browser(t)
		r := city.Request("agenda", nil)
		tokens := city.Exchange(r, b.Authorize(r, maria))
		thief := city.Browser(t)
		thief.Authorize(city.Request("vacina", nil), joao)
		if p := thief.Post("/conta/aplicacoes/revogar?servico=agenda", nil); p.Status != http.StatusNotFound {
			t.Errorf("%d", p.Status)
		}
		isAlive(t, city, "agenda", tokens)
	})
}
