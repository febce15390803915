package idp_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/idptest"
)

// atOnce runs one request n times, all started together, and returns the answers.
func atOnce(n int, one func(i int) idptest.Answer) []idptest.Answer {
	answers := make([]idptest.Answer, n)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			<-start
			answers[i] = one(i)
		})
	}
	close(start)
	done.Wait()
	return answers
}

// onlyWinner checks that one answer is a success and every other invalid_grant.
func onlyWinner(t *testing.T, answers []idptest.Answer) idptest.Answer {
	t.Helper()
	var winner idptest.Answer
	outcomes := make([]string, len(answers))
	for i, a := range answers {
		if outcomes[i] = a.Text("error"); a.Status == http.StatusOK {
			winner, outcomes[i] = a, "won"
		} else if a.Status != http.StatusBadRequest {
			t.Errorf("a loser got %d %s", a.Status, a.Body)
		}
	}
	if want := map[string]int{"won": 1, "invalid_grant": len(answers) - 1}; !maps.Equal(count(outcomes), want) {
		t.Fatalf("outcomes %v, want %v", count(outcomes), want)
	}
	return winner
}

// isDead checks that nothing of a token response counts any more.
func isDead(t *testing.T, city *idptest.City, client string, tokens idptest.Answer) {
	t.Helper()
	if active(city, client, tokens.Text("access_token")) || active(city, client, tokens.Text("refresh_token")) {
		t.Error("introspection says active")
	}
	if a := city.Userinfo(tokens.Text("access_token")); a.Status != http.StatusUnauthorized || !strings.Contains(a.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
		t.Errorf("userinfo: %d %s", a.Status, a.Body)
	}
	isOAuthError(t, refresh(city, client, tokens.Text("refresh_token")), http.StatusBadRequest, "invalid_grant")
}

func isAlive(t *testing.T, city *idptest.City, client string, tokens idptest.Answer) {
	t.Helper()
	if a := city.Userinfo(tokens.Text("access_token")); a.Status != http.StatusOK {
		t.Errorf("userinfo: %d %s", a.Status, a.Body)
	}
	if !active(city, client, tokens.Text("access_token")) || !active(city, client, tokens.Text("refresh_token")) {
		t.Error("introspection says inactive")
	}
}

func TestOfAHundredRedemptionsOfOneCodeOneWinsAndThenTheGrantIsRevoked(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	twin := city.Twin()
	for name, addresses := range map[string][]string{
		"RFC 9700 §4.5 one process":   {city.Issuer},
		"RFC 9700 §4.5 two processes": {city.Issuer, twin},
	} {
		t.Run(name, func(t *testing.T) {
			r := city.Request("agenda", nil)
			form := codeForm(r, city.Browser(t).Authorize(r, maria))
			winner := onlyWinner(t, atOnce(100, func(i int) idptest.Answer {
				return post(t, city, addresses[i%len(addresses)]+"/oauth/token", form, "Authorization", basic("agenda", idptest.Secret("agenda")))
			}))
			isDead(t, city, "agenda", winner)
		})
	}
}

func TestOfAHundredUsesOfOneRefreshTokenOneWinsAndThenTheGrantIsRevoked(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	twin := city.Twin()
	for name, addresses := range map[string][]string{
		"RFC 9700 §4.14.2 one process":   {city.Issuer},
		"RFC 9700 §4.14.2 two processes": {city.Issuer, twin},
	} {
		t.Run(name, func(t *testing.T) {
			first := city.Tokens(city.Request("agenda", nil), maria)
			form := with("grant_type", "refresh_token", "refresh_token", first.Text("refresh_token"))
			winner := onlyWinner(t, atOnce(100, func(i int) idptest.Answer {
				return post(t, city, addresses[i%len(addresses)]+"/oauth/token", form, "Authorization", basic("agenda", idptest.Secret("agenda")))
			}))
			isDead(t, city, "agenda", winner)
			isDead(t, city, "agenda", first)
		})
	}
}

func TestARedemptionAndALogoutAtOnceLeaveNoTokenAlive(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	for range 10 {
		b, r := city.Browser(t), city.Request("agenda", nil)
		form := codeForm(r, b.Authorize(r, maria))
		var logout idptest.Page
		both := atOnce(2, func(i int) idptest.Answer {
			if i == 0 {
				logout = b.Post("/conta/sair", nil)
				return idptest.Answer{}
			}
			return city.Call("/oauth/token", "agenda", form)
		})
		if logout.Status != http.StatusOK || logout.URL.Path != "/sair/pronto" {
			t.Fatalf("logout: %d %s", logout.Status, logout.URL)
		}
		if tokens := both[1]; tokens.Status == http.StatusOK {
			isDead(t, city, "agenda", tokens)
		} else {
			isOAuthError(t, tokens, http.StatusBadRequest, "invalid_grant")
		}
	}
}

func TestACodeIsWorthTokensOnceToItsClientWithItsVerifier(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	b := city.Browser(t)
	b.Authorize(city.Request("agenda", nil), maria)
	b.Authorize(city.Request("mapa", nil), maria)
	secretOf := func(id string) url.Values { return with("client_id", id, "client_secret", idptest.Secret(id)) }
	for name, c := range map[string]struct {
		client string
		change func(url.Values) url.Values
		status int
		code   string
	}{
		"RFC 7636 §4.6 wrong verifier":                       {"agenda", func(f url.Values) url.Values { return merged(f, with("code_verifier", strings.Repeat("a", 43))) }, 400, "invalid_grant"},
		"RFC 7636 §4.6 confidential client without verifier": {"agenda", func(f url.Values) url.Values { f.Del("code_verifier"); return f }, 400, "invalid_grant"},
		"RFC 7636 §4.6 empty verifier":                       {"agenda", func(f url.Values) url.Values { return merged(f, with("code_verifier", "")) }, 400, "invalid_grant"},
		"RFC 7636 §4.6 public client without verifier":       {"mapa", func(f url.Values) url.Values { f.Del("code_verifier"); return f }, 400, "invalid_grant"},
		"RFC 7636 §4.1 verifier of 42 characters":            {"agenda", func(f url.Values) url.Values { return merged(f, with("code_verifier", strings.Repeat("a", 42))) }, 400, "invalid_grant"},
		"RFC 7636 §4.1 verifier of 129 characters":           {"agenda", func(f url.Values) url.Values { return merged(f, with("code_verifier", strings.Repeat("a", 129))) }, 400, "invalid_grant"},
		"RFC 7636 §4.6 the challenge as its own verifier":    {"agenda", func(f url.Values) url.Values { return merged(f, with("code_verifier", f.Get("challenge"))) }, 400, "invalid_grant"},
		"RFC 6749 §4.1.3 another redirect_uri": {"agenda", func(f url.Values) url.Values {
			return merged(f, with("redirect_uri", "https://agenda.example.org/callback?tenant=1"))
		}, 400, "invalid_grant"},
		"RFC 6749 §4.1.3 no redirect_uri":  {"agenda", func(f url.Values) url.Values { f.Del("redirect_uri"); return f }, 400, "invalid_request"},
		"RFC 6749 §4.1.3 no code":          {"agenda", func(f url.Values) url.Values { f.Del("code"); return f }, 400, "invalid_request"},
		"RFC 6749 §5.2 unknown code":       {"agenda", func(f url.Values) url.Values { return merged(f, with("code", "nobody-issued-this")) }, 400, "invalid_grant"},
		"RFC 6749 §5.2 no grant_type":      {"agenda", func(f url.Values) url.Values { f.Del("grant_type"); return f }, 400, "invalid_request"},
		"RFC 6749 §5.2 unknown grant_type": {"agenda", func(f url.Values) url.Values { return merged(f, with("grant_type", "magic")) }, 400, "unsupported_grant_type"},
		"RFC 9700 §2.4 password grant": {"agenda", func(f url.Values) url.Values {
			return merged(f, with("grant_type", "password", "username", "x", "password", "y"))
		}, 400, "unsupported_grant_type"},
		"RFC 7523 §2.1 jwt-bearer is not offered": {"agenda", func(f url.Values) url.Values {
			return merged(f, with("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion", "a.b.c"))
		}, 400, "unsupported_grant_type"},
		"RFC 8628 §3.4 device code is not offered": {"agenda", func(f url.Values) url.Values {
			return merged(f, with("grant_type", "urn:ietf:params:oauth:grant-type:device_code", "device_code", "x"))
		}, 400, "unsupported_grant_type"},
		"RFC 8693 §2.1 token exchange is not offered": {"agenda", func(f url.Values) url.Values {
			return merged(f, with("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token", "x", "subject_token_type", "urn:ietf:params:oauth:token-type:access_token"))
		}, 400, "unsupported_grant_type"},
		"RFC 6749 §3.2 a parameter twice":                {"agenda", func(f url.Values) url.Values { f.Add("redirect_uri", f.Get("redirect_uri")); return f }, 400, "invalid_request"},
		"RFC 6749 §3.2 the code twice":                   {"agenda", func(f url.Values) url.Values { f.Add("code", f.Get("code")); return f }, 400, "invalid_request"},
		"RFC 8707 §2.2 resource that was not authorized": {"agenda", func(f url.Values) url.Values { return merged(f, with("resource", "https://api.example.org/a")) }, 400, "invalid_target"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := city.Request(c.client, nil)
			form := codeForm(r, b.Authorize(r, maria))
			form.Set("challenge", r.Params.Get("code_challenge"))
			send := func(f url.Values) idptest.Answer {
				f.Del("challenge")
				if c.client == "mapa" {
					return city.Call("/oauth/token", "", merged(f, with("client_id", "mapa")))
				}
				return city.Call("/oauth/token", c.client, f)
			}
			kept := merged(form)
			a := send(c.change(form))
			isOAuthError(t, a, c.status, c.code)
			if a := send(kept); a.Status != http.StatusOK {
				t.Errorf("a refused try used the code up: %d %s", a.Status, a.Body)
			}
		})
	}
	t.Run("RFC 6749 §4.1.3 another client's code, which stays good for its own", func(t *testing.T) {
		r := city.Request("agenda", nil)
		form := codeForm(r, b.Authorize(r, maria))
		isOAuthError(t, city.Call("/oauth/token", "", merged(form, secretOf("vacina"))), http.StatusBadRequest, "invalid_grant")
		isOAuthError(t, city.Call("/oauth/token", "", merged(form, with("client_id", "mapa"))), http.StatusBadRequest, "invalid_grant")
		tokens := city.Call("/oauth/token", "agenda", form)
		isAlive(t, city, "agenda", tokens)
		isOAuthError(t, city.Call("/oauth/token", "", merged(form, secretOf("vacina"))), http.StatusBadRequest, "invalid_grant")
		isAlive(t, city, "agenda", tokens) // and another client cannot revoke by replaying
	})
	t.Run("RFC 6749 §4.1.2 a code used twice ends what the first use gave", func(t *testing.T) {
		r := city.Request("agenda", nil)
		form := codeForm(r, b.Authorize(r, maria))
		tokens := city.Call("/oauth/token", "agenda", form)
		rotated := refresh(city, "agenda", tokens.Text("refresh_token"))
		isAlive(t, city, "agenda", rotated)
		isOAuthError(t, city.Call("/oauth/token", "agenda", form), http.StatusBadRequest, "invalid_grant")
		isDead(t, city, "agenda", rotated)
		isDead(t, city, "agenda", tokens)
	})
	t.Run("RFC 6749 §4.1.2 a code expires after a minute", func(t *testing.T) {
		r := city.Request("agenda", nil)
		form := codeForm(r, b.Authorize(r, maria))
		city.Advance(61 * time.Second)
		isOAuthError(t, city.Call("/oauth/token", "agenda", form), http.StatusBadRequest, "invalid_grant")
	})
}

func TestTheTokenEndpointTakesOnlyOneWellFormedPOST(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	auth := []string{"Authorization", basic("agenda", idptest.Secret("agenda"))}
	form := with("grant_type", "client_credentials")
	query := "?grant_type=client_credentials&client_id=vacina&client_secret=" + idptest.Secret("vacina")
	for _, path := range []string{"/oauth/token", "/oauth/revoke", "/oauth/introspect"} {
		for _, method := range []string{"GET", "PUT", "DELETE", "PATCH"} {
			t.Run("RFC 6749 §3.2 "+method+" "+path, func(t *testing.T) {
				a := request(t, city, method, path, "", auth...)
				isOAuthError(t, a, http.StatusMethodNotAllowed, "invalid_request")
				if a.Header.Get("Allow") != "POST" {
					t.Errorf("Allow: %v", a.Header)
				}
			})
		}
		t.Run("RFC 6749 §2.3.1 GET with the secret in the query, "+path, func(t *testing.T) {
			isOAuthError(t, request(t, city, "GET", path+query, ""), http.StatusMethodNotAllowed, "invalid_request")
		})
		t.Run("RFC 6749 §2.3.1 POST with the secret in the query, "+path, func(t *testing.T) {
			isOAuthError(t, post(t, city, path+query, nil), http.StatusBadRequest, "invalid_request")
		})
		t.Run("RFC 6749 §2.3.1 POST with parameters in the query, "+path, func(t *testing.T) {
			isOAuthError(t, post(t, city, path+"?grant_type=client_credentials", form, auth...), http.StatusBadRequest, "invalid_request")
		})
		t.Run("RFC 6749 §4.1.3 JSON instead of a form, "+path, func(t *testing.T) {
			a := request(t, city, "POST", path, `{"grant_type":"client_credentials"}`, append(auth, "Content-Type", "application/json")...)
			isOAuthError(t, a, http.StatusBadRequest, "invalid_request")
		})
		t.Run("RFC 6749 §4.1.3 a form that is none, "+path, func(t *testing.T) {
			a := request(t, city, "POST", path, "grant_type=%zz", append(auth, "Content-Type", "application/x-www-form-urlencoded")...)
			isOAuthError(t, a, http.StatusBadRequest, "invalid_request")
		})
		t.Run("a body beyond measure, "+path, func(t *testing.T) {
			isOAuthError(t, post(t, city, path, with("x", strings.Repeat("a", 300<<10)), auth...), http.StatusRequestEntityTooLarge, "invalid_request")
		})
		t.Run("RFC 6749 §3.2 a parameter twice, "+path, func(t *testing.T) {
			isOAuthError(t, post(t, city, path, url.Values{"token": {"a", "b"}, "grant_type": {"client_credentials"}}, auth...), http.StatusBadRequest, "invalid_request")
		})
	}
	t.Run("RFC 6749 §5.1 a success may not be stored", func(t *testing.T) {
		a := post(t, city, "/oauth/token", form, auth...)
		isNotStored(t, a)
		if a.Status != http.StatusOK || a.Header.Get("Pragma") != "no-cache" {
			t.Errorf("%d %v", a.Status, a.Header)
		}
	})
}

func TestTokensSayWhatTheirStandardsWant(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	set := jwks(t, city)
	r := city.Request("agenda", nil)
	tokens := city.Tokens(r, maria)
	access, id := verified(t, set, tokens.Text("access_token")), verified(t, set, tokens.Text("id_token"))
	now := float64(city.Now().Unix())

	t.Run("RFC 6749 §5.1 the response", func(t *testing.T) {
		isNotStored(t, tokens)
		if tokens.Text("token_type") != "Bearer" || tokens.JSON("expires_in") != 600.0 || tokens.Text("scope") != "openid profile email" || tokens.Text("refresh_token") == "" {
			t.Errorf("%s", tokens.Body)
		}
	})
	t.Run("RFC 9068 §2.1 header of the access token", func(t *testing.T) {
		if h := header(t, tokens.Text("access_token")); h["typ"] != "at+jwt" || h["alg"] != "ES256" || h["kid"] == "" {
			t.Errorf("%v", h)
		}
	})
	t.Run("RFC 9068 §2.2 claims of the access token", func(t *testing.T) {
		want := []string{"acr", "amr", "aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "scope", "sub", "trust_level"}
		if got := slices.Sorted(maps.Keys(access)); !slices.Equal(got, want) {
			t.Errorf("members %v\nwant    %v", got, want)
		}
		if access["iss"] != city.Issuer || access["client_id"] != "agenda" || access["aud"] != city.Issuer || access["scope"] != "openid profile email" ||
			access["sub"] != id["sub"] || access["exp"].(float64)-access["iat"].(float64) != 600 || access["acr"] != "urn:loginunico:nivel:3" || access["trust_level"] != 3.0 {
			t.Errorf("%v", access)
		}
	})
	t.Run("OIDC Core §2 claims of the ID token", func(t *testing.T) {
		want := []string{"acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub", "trust_level"}
		if got := slices.Sorted(maps.Keys(id)); !slices.Equal(got, want) {
			t.Errorf("members %v\nwant    %v", got, want)
		}
		if id["iss"] != city.Issuer || id["aud"] != "agenda" || id["nonce"] != "nonce-1" || !slices.Equal(id["amr"].([]any), []any{"pwd"}) ||
			id["iat"].(float64) > now+1 || id["auth_time"].(float64) > id["iat"].(float64) || id["exp"].(float64) <= now {
			t.Errorf("%v", id)
		}
	})
	t.Run("OIDC Core §3.1.3.6 at_hash", func(t *testing.T) {
		if id["at_hash"] != leftHalf(tokens.Text("access_token")) {
			t.Errorf("at_hash %v", id["at_hash"])
		}
	})
	t.Run("OIDC Core §2 sub is short ASCII without a colon and no CPF", func(t *testing.T) {
		sub := id["sub"].(string)
		if len(sub) > 255 || strings.Contains(sub, ":") || strings.Contains(sub, "52998224725") {
			t.Errorf("sub %q", sub)
		}
	})
	t.Run("OIDC Core §3.1.2.1 no nonce in, none out", func(t *testing.T) {
		if _, has := idptest.Claims(t, city.Tokens(city.Request("agenda", with("nonce", "")), maria).Text("id_token"))["nonce"]; has {
			t.Error("a nonce that nobody sent")
		}
	})
	t.Run("OIDC Core §3.1.2.1 without openid there is no ID token", func(t *testing.T) {
		a := city.Tokens(city.Request("agenda", with("scope", "profile")), maria)
		if a.JSON("id_token") != nil || a.Text("scope") != "profile" {
			t.Errorf("%s", a.Body)
		}
		if again := refresh(city, "agenda", a.Text("refresh_token")); again.Status != http.StatusOK || again.JSON("id_token") != nil {
			t.Errorf("%s", again.Body)
		}
	})
	t.Run("OIDC Core §3.1.3.7 RS256 for the client that registered it, ES256 access token all the same", func(t *testing.T) {
		a := city.Tokens(city.Request("legado", nil), maria)
		if h := header(t, a.Text("id_token")); h["alg"] != "RS256" {
			t.Errorf("%v", h)
		}
		if h := header(t, a.Text("access_token")); h["alg"] != "ES256" {
			t.Errorf("%v", h)
		}
		if claims := verified(t, set, a.Text("id_token")); claims["at_hash"] != leftHalf(a.Text("access_token")) {
			t.Errorf("%v", claims)
		}
	})
	t.Run("OIDC Core §5.5 members asked for in the ID token are there, and only those", func(t *testing.T) {
		a := city.Tokens(city.Request("agenda", with("scope", "openid", "claims", `{"id_token":{"name":null,"email":{"essential":true},"cpf":null,"address":null}}`)), maria)
		id := idptest.Claims(t, a.Text("id_token"))
		if id["name"] != "Maria Aparecida da Silva" || id["email"] != "maria@example.org" || id["email_verified"] != true || id["cpf"] != "52998224725" || id["birthdate"] != nil || id["address"] != nil {
			t.Errorf("%v", id)
		}
	})
	t.Run("OIDC Core §5.5 a claim asked for userinfo stays out of the ID token", func(t *testing.T) {
		a := city.Tokens(city.Request("agenda", with("scope", "openid", "claims", `{"userinfo":{"name":null}}`)), maria)
		info := city.Userinfo(a.Text("access_token"))
		if idptest.Claims(t, a.Text("id_token"))["name"] != nil || info.Text("name") == "" || info.JSON("email") != nil {
			t.Errorf("%s", info.Body)
		}
	})
	t.Run("a claim beyond the person's level stays here", func(t *testing.T) {
		a := city.Tokens(city.Request("agenda", with("scope", "openid cpf", "claims", `{"id_token":{"cpf":{"essential":true}}}`)), joao)
		if idptest.Claims(t, a.Text("id_token"))["cpf"] != nil || city.Userinfo(a.Text("access_token")).JSON("cpf") != nil {
			t.Error("cpf left at level 1, and the manifest wants 3")
		}
	})
}

func TestSubjectsArePairwiseBySector(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	sub := func(client, cpf string) string {
		r := city.Request(client, nil)
		form := codeForm(r, city.Browser(t).Authorize(r, cpf))
		auth := client
		switch client {
		case "vacina":
			form, auth = merged(form, with("client_id", client, "client_secret", idptest.Secret(client))), ""
		case "mapa":
			form, auth = merged(form, with("client_id", client)), ""
		}
		a := city.Call("/oauth/token", auth, form)
		s, _ := idptest.Claims(t, a.Text("id_token"))["sub"].(string)
		if info := city.Userinfo(a.Text("access_token")); info.Status != http.StatusOK || info.Header.Get("Content-Type") == "application/json" && info.Text("sub") != s {
			t.Errorf("userinfo %d %s, sub %s", info.Status, info.Body, s)
		}
		return s
	}
	mariaAtAgenda := sub("agenda", maria)
	for name, c := range map[string]struct {
		client, cpf string
		same        bool
	}{
		"OIDC Core §8 same person, same client":              {"agenda", maria, true},
		"OIDC Core §8.1 same person, same sector":            {"vacina", maria, true},
		"OIDC Core §8.1 same person, another sector":         {"legado", maria, false},
		"OIDC Core §8.1 same person, public subject":         {"painel", maria, false},
		"OIDC Core §8.1 same person, public client's sector": {"mapa", maria, false},
		"OIDC Core §8 another person":                        {"agenda", joao, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sub(c.client, c.cpf); (got == mariaAtAgenda) != c.same || got == "" {
				t.Errorf("sub %q, Maria's at agenda %q", got, mariaAtAgenda)
			}
		})
	}
}

func TestATokenNeverOutlivesItsEvidenceItsSessionOrItsGrant(t *testing.T) {
	t.Parallel()
	t.Run("the evidence of its level expires", func(t *testing.T) {
		city := protocolCity(t)
		soon := city.Now().Add(3 * time.Minute)

		person := city.Person(ana, 1, map[string]string{"name": "Ana Ferreira", "email": "ana@example.org"})
		city.Evidence(person, registryMatchUntil(city.Now(), soon))
		tokens := city.Tokens(city.Request("agenda", nil), ana)
		for _, token := range []string{"access_token", "id_token"} {
			claims := idptest.Claims(t, tokens.Text(token))
			if claims["trust_level"] != 3.0 || claims["exp"].(float64) > float64(soon.Unix()) {
				t.Errorf("%s: %v; evidence ends %d", token, claims, soon.Unix())
			}
		}
		if tokens.JSON("expires_in").(float64) > 180 {
			t.Errorf("expires_in %v", tokens.JSON("expires_in"))
		}
		city.Advance(3*time.Minute + time.Second)
		if a := city.Userinfo(tokens.Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("userinfo %d", a.Status)
		}
		again := idptest.Claims(t, refresh(city, "agenda", tokens.Text("refresh_token")).Text("access_token"))
		if again["trust_level"] != 1.0 || again["acr"] != "urn:loginunico:nivel:1" {
			t.Errorf("after the evidence expired: %v", again)
		}
	})
	t.Run("the session ends by age", func(t *testing.T) {
		city := protocolCity(t)
		tokens := city.Tokens(city.Request("agenda", nil), maria)
		city.Advance(12*time.Hour - 4*time.Minute)
		last := refresh(city, "agenda", tokens.Text("refresh_token"))
		if left := last.JSON("expires_in").(float64); left > 240 {
			t.Errorf("expires_in %v, and the session ends in 240 seconds", left)
		}
		city.Advance(4 * time.Minute)
		isDead(t, city, "agenda", last)
	})
	t.Run("the access token's ten minutes", func(t *testing.T) {
		city := protocolCity(t)
		tokens := city.Tokens(city.Request("agenda", nil), maria)
		city.Advance(10*time.Minute + time.Second)
		if a := city.Userinfo(tokens.Text("access_token")); a.Status != http.StatusUnauthorized || active(city, "agenda", tokens.Text("access_token")) {
			t.Errorf("userinfo %d", a.Status)
		}
		if a := refresh(city, "agenda", tokens.Text("refresh_token")); a.Status != http.StatusOK {
			t.Errorf("refresh %d %s", a.Status, a.Body)
		}
	})
}

func TestClientCredentialsAreAboutTheServiceAlone(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	ask := func(client string, more ...string) idptest.Answer {
		return city.Call("/oauth/token", client, merged(with("grant_type", "client_credentials"), with(more...)))
	}
	t.Run("RFC 6749 §4.4.3 no refresh token, no ID token", func(t *testing.T) {
		a := ask("agenda", "scope", "agenda.read agenda.write")
		if a.Status != http.StatusOK || a.JSON("refresh_token") != nil || a.JSON("id_token") != nil || a.Text("scope") != "agenda.read agenda.write" || a.JSON("expires_in") != 600.0 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
	t.Run("RFC 9068 §2.2 sub is the client, and nothing tells of a person", func(t *testing.T) {
		a := ask("agenda", "scope", "agenda.read")
		claims := verified(t, jwks(t, city), a.Text("access_token"))
		want := []string{"aud", "client_id", "exp", "iat", "iss", "jti", "scope", "sub"}
		if got := slices.Sorted(maps.Keys(claims)); !slices.Equal(got, want) || claims["sub"] != "agenda" || claims["client_id"] != "agenda" || claims["aud"] != city.Issuer {
			t.Errorf("%v", claims)
		}
		if header(t, a.Text("access_token"))["typ"] != "at+jwt" {
			t.Error("typ is not at+jwt")
		}
	})
	t.Run("RFC 8707 §2.2 two resources are two audiences", func(t *testing.T) {
		a := city.Call("/oauth/token", "agenda", url.Values{"grant_type": {"client_credentials"}, "resource": {"https://api.example.org/b", "https://api.example.org/a"}})
		if aud := audienceOf(idptest.Claims(t, a.Text("access_token"))); !slices.Equal(aud, []string{"https://api.example.org/a", "https://api.example.org/b"}) {
			t.Errorf("aud %v", aud)
		}
	})
	for name, c := range map[string]struct {
		client, param, value, code string
	}{
		"RFC 6749 §3.3 a scope that is not in the manifest":     {"agenda", "scope", "agenda.admin", "invalid_scope"},
		"RFC 6749 §3.3 one scope of two is not in the manifest": {"agenda", "scope", "agenda.read agenda.admin", "invalid_scope"},
		"RFC 6749 §3.3 openid is about a person":                {"agenda", "scope", "openid", "invalid_scope"},
		"RFC 8707 §2.2 a resource that is not in the manifest":  {"agenda", "resource", "https://api.example.org/c", "invalid_target"},
		"RFC 8707 §2 a resource that is no URI":                 {"agenda", "resource", "x", "invalid_target"},
		"RFC 6749 §5.2 a client without this grant":             {"legado", "scope", "", "unauthorized_client"},
	} {
		t.Run(name, func(t *testing.T) {
			isOAuthError(t, ask(c.client, c.param, c.value), http.StatusBadRequest, c.code)
		})
	}
	t.Run("RFC 6749 §4.4 a public client has no credentials", func(t *testing.T) {
		a := city.Call("/oauth/token", "", with("grant_type", "client_credentials", "client_id", "mapa"))
		if a.Status < 400 || a.JSON("access_token") != nil {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
	t.Run("OIDC Core §5.3 it opens no userinfo", func(t *testing.T) {
		if a := city.Userinfo(ask("agenda").Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}

func TestResourcesNarrowFromRequestToToken(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	both := url.Values{"resource": {"https://api.example.org/a", "https://api.example.org/b"}}
	b := city.Browser(t)
	granted := func(t *testing.T, atToken ...string) idptest.Answer {
		r := city.Request("agenda", both)
		return city.Call("/oauth/token", "agenda", merged(codeForm(r, b.Authorize(r, maria)), with(atToken...)))
	}
	aud := func(t *testing.T, a idptest.Answer) string {
		t.Helper()
		if a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		return strings.Join(audienceOf(idptest.Claims(t, a.Text("access_token"))), " ")
	}
	t.Run("RFC 8707 §2.1 all that was authorized", func(t *testing.T) {
		if got := aud(t, granted(t)); got != "https://api.example.org/a https://api.example.org/b" {
			t.Errorf("aud %s", got)
		}
	})
	t.Run("RFC 8707 §2.2 one of it", func(t *testing.T) {
		tokens := granted(t, "resource", "https://api.example.org/b")
		if got := aud(t, tokens); got != "https://api.example.org/b" {
			t.Errorf("aud %s", got)
		}
		if got := aud(t, refresh(city, "agenda", tokens.Text("refresh_token"), "resource", "https://api.example.org/a")); got != "https://api.example.org/a" {
			t.Errorf("aud after refresh %s", got)
		}
	})
	t.Run("RFC 8707 §2.2 at refresh not more than was authorized", func(t *testing.T) {
		isOAuthError(t, refresh(city, "agenda", granted(t).Text("refresh_token"), "resource", "https://api.example.org/c"), http.StatusBadRequest, "invalid_target")
	})
	t.Run("OIDC Core §5.3 a token for another audience opens no userinfo", func(t *testing.T) {
		if a := city.Userinfo(granted(t).Text("access_token")); a.Status != http.StatusUnauthorized || !strings.Contains(a.Header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}
