package idp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/idptest"
)

// signedInAt opens a browser that is signed in as Maria at agenda.
func signedInAt(t *testing.T, city *idptest.City) (*idptest.Browser, idptest.Answer) {
	t.Helper()
	b, r := city.Browser(t), city.Request("agenda", nil)
	return b, city.Exchange(r, b.Authorize(r, maria))
}

// isSignedIn asks as a service does, without a page.
func isSignedIn(city *idptest.City, b *idptest.Browser) bool {
	return page(b.Open(city.Request("agenda", with("prompt", "none")))) == "code"
}

func end(b *idptest.Browser, params url.Values) idptest.Page {
	return b.Get("/sair?" + params.Encode())
}

func TestLogoutAsksTheCitizenAndThenEndsTheTokens(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	back := func(tokens idptest.Answer) url.Values {
		return with("id_token_hint", tokens.Text("id_token"), "post_logout_redirect_uri", "https://agenda.example.org/tchau?de=login", "state", "s&1")
	}
	const target = "https://agenda.example.org/tchau?de=login&state=s%261"

	t.Run("RP-Initiated Logout §2 a request alone ends nothing", func(t *testing.T) {
		b, tokens := signedInAt(t, city)
		p := end(b, back(tokens))
		if p.Status != http.StatusOK || p.Location != nil || !strings.Contains(p.Body, `name="decision" value="logout"`) || !isSignedIn(city, b) {
			t.Errorf("%d %v", p.Status, p.Location)
		}
		isAlive(t, city, "agenda", tokens)
	})
	t.Run("RP-Initiated Logout §2 the citizen confirms", func(t *testing.T) {
		b, tokens := signedInAt(t, city)
		p := end(b, back(tokens))
		p = b.Form(p, merged(hidden(p.Body), with("decision", "logout")))
		if p.Location == nil || p.Location.String() != target {
			t.Errorf("%d %v", p.Status, p.Location)
		}
		if isSignedIn(city, b) {
			t.Error("the browser is still signed in")
		}
		isDead(t, city, "agenda", tokens)
	})
	t.Run("RP-Initiated Logout §2 the form's origin may be redirected to", func(t *testing.T) {
		b, tokens := signedInAt(t, city)
		if policy := end(b, back(tokens)).Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://agenda.example.org") {
			t.Errorf("policy %s", policy)
		}
	})
	t.Run("RP-Initiated Logout §2 the citizen stays", func(t *testing.T) {
		b, tokens := signedInAt(t, city)
		p := end(b, back(tokens))
		p = b.Form(p, merged(hidden(p.Body), with("decision", "stay")))
		if p.Location == nil || p.Location.String() != target || !isSignedIn(city, b) {
			t.Errorf("%d %v", p.Status, p.Location)
		}
		isAlive(t, city, "agenda", tokens)
	})
	t.Run("RP-Initiated Logout §2 nobody signed in: back to the service at once", func(t *testing.T) {
		_, tokens := signedInAt(t, city)
		if p := end(city.Browser(t), back(tokens)); p.Location == nil || p.Location.String() != target {
			t.Errorf("%d %v", p.Status, p.Location)
		}
	})
	t.Run("RP-Initiated Logout §2 by POST, in the citizen's own session", func(t *testing.T) {
		b, tokens := signedInAt(t, city)
		if p := b.Post("/sair", back(tokens)); p.Status != http.StatusOK || !strings.Contains(p.Body, `name="decision" value="logout"`) {
			t.Errorf("%d %v", p.Status, p.Location)
		}
	})
	t.Run("RP-Initiated Logout §2 by POST from the service's page, which brings no cookies", func(t *testing.T) {
		b, tokens := signedInAt(t, city)
		res := crossSitePost(t, city.Issuer+"/sair", back(tokens))
		location := res.Header.Get("Location")
		if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(location, "/sair?") {
			t.Fatalf("the service is told of a logout that never was: %d %s", res.StatusCode, location)
		}
		if p := b.Get(location); p.Status != http.StatusOK || !strings.Contains(p.Body, `name="decision" value="logout"`) {
			t.Errorf("%d %v", p.Status, p.Location)
		}
	})
	t.Run("RP-Initiated Logout §2 a hint that expired long ago", func(t *testing.T) {
		_, tokens := signedInAt(t, city)
		city.Advance(11 * time.Hour)
		b, _ := signedInAt(t, city)
		if p := end(b, back(tokens)); p.Status != http.StatusOK || !strings.Contains(p.Body, "post_logout_redirect_uri") {
			t.Errorf("%d %v", p.Status, p.Location)
		}
	})
	t.Run("a confirmation posted from another site", func(t *testing.T) {
		if res := crossSitePost(t, city.Issuer+"/sair/confirmar", with("decision", "logout")); res.StatusCode != http.StatusForbidden {
			t.Errorf("%d", res.StatusCode)
		}
	})
	t.Run("from the account page", func(t *testing.T) {
		b, tokens := signedInAt(t, city)
		b.Post("/conta/sair", nil)
		isDead(t, city, "agenda", tokens)
		if isSignedIn(city, b) {
			t.Error("the browser is still signed in")
		}
	})
	t.Run("of one browser only", func(t *testing.T) {
		here, ended := signedInAt(t, city)
		there, kept := signedInAt(t, city)
		here.Post("/conta/sair", nil)
		isDead(t, city, "agenda", ended)
		isAlive(t, city, "agenda", kept)
		if !isSignedIn(city, there) {
			t.Error("the other browser is signed out")
		}
	})
}

func TestLogoutRedirectsOnlyOnProofAndOnlyToARegisteredURI(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	_, tokens := signedInAt(t, city)
	hint := tokens.Text("id_token")
	const uri = "https://agenda.example.org/"
	other := city.Tokens(city.Request("legado", nil), maria).Text("id_token")
	foreign := protocolCity(t)
	foreignHint := foreign.Tokens(foreign.Request("agenda", nil), maria).Text("id_token")

	for name, params := range map[string]url.Values{
		"RP-Initiated Logout §3 post_logout_redirect_uri without hint": with("post_logout_redirect_uri", uri),
		"RP-Initiated Logout §3 client_id proves nothing":              with("post_logout_redirect_uri", uri, "client_id", "agenda"),
		"RP-Initiated Logout §3 nothing at all":                        nil,
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := signedInAt(t, city)
			p := end(b, params)
			if p.Status != http.StatusOK || p.Location != nil {
				t.Fatalf("%d %v", p.Status, p.Location)
			}
			p = b.Form(p, merged(hidden(p.Body), with("decision", "logout")))
			if p.Location != nil || p.URL.Path != "/sair/pronto" || p.Status != http.StatusOK {
				t.Errorf("%d %s %v", p.Status, p.URL, p.Location)
			}
			if p := end(city.Browser(t), params); p.Location != nil || p.URL.Path != "/sair/pronto" {
				t.Errorf("nobody signed in: %d %s %v", p.Status, p.URL, p.Location)
			}
		})
	}
	for name, params := range map[string]url.Values{
		"RP-Initiated Logout §3 an unregistered URI":         with("id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example/"),
		"RP-Initiated Logout §3 a URI with a query added":    with("id_token_hint", hint, "post_logout_redirect_uri", uri+"?x=1"),
		"RP-Initiated Logout §3 a redirect URI of sign-in":   with("id_token_hint", hint, "post_logout_redirect_uri", "https://agenda.example.org/callback"),
		"RP-Initiated Logout §3 another service's hint":      with("id_token_hint", other, "post_logout_redirect_uri", uri),
		"RP-Initiated Logout §2 client_id is not the hint's": with("id_token_hint", hint, "client_id", "legado", "post_logout_redirect_uri", uri),
		"RP-Initiated Logout §2 a hint that was changed":     with("id_token_hint", tampered(t, hint, "aud", "legado"), "post_logout_redirect_uri", uri),
		"RP-Initiated Logout §2 a hint of another issuer":    with("id_token_hint", foreignHint, "post_logout_redirect_uri", uri),
		"RP-Initiated Logout §2 an access token is no hint":  with("id_token_hint", tokens.Text("access_token"), "post_logout_redirect_uri", uri),
		"RFC 6749 §3.1 a parameter twice":                    {"id_token_hint": {hint}, "post_logout_redirect_uri": {uri, "https://evil.example/"}},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := signedInAt(t, city)
			for who, browser := range map[string]*idptest.Browser{"signed in": b, "nobody signed in": city.Browser(t)} {
				p := end(browser, params)
				if p.Status != http.StatusBadRequest || p.Location != nil || evilLink.MatchString(p.Body) {
					t.Errorf("%s: %d %v", who, p.Status, p.Location)
				}
			}
			p := b.Post("/sair/confirmar", merged(params, with("decision", "logout")))
			if p.Status != http.StatusBadRequest || p.Location != nil || !isSignedIn(city, b) {
				t.Errorf("confirmed all the same: %d %v", p.Status, p.Location)
			}
		})
	}
}

// listener is a service's back-channel endpoint: it answers by script and keeps what it was sent.
type listener struct {
	*httptest.Server
	mu     sync.Mutex
	script []int // statuses, the last one for ever
	got    chan string
}

func listen(t *testing.T, script ...int) *listener {
	l := &listener{script: script, got: make(chan string, 20)}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		w.WriteHeader(l.script[0])
		if len(l.script) > 1 {
			l.script = l.script[1:]
		}
		l.got <- r.Method + " " + r.Header.Get("Content-Type") + " " + r.FormValue("logout_token")
	}))
	t.Cleanup(l.Close)
	return l
}

// next waits for one delivery and returns its logout token.
func (l *listener) next(t *testing.T) string {
	t.Helper()
	select {
	case sent := <-l.got:
		token, form := strings.CutPrefix(sent, "POST application/x-www-form-urlencoded ")
		if !form {
			t.Fatalf("Back-Channel Logout §2.5: sent as %s", sent)
		}
		return token
	case <-time.After(time.Minute):
		t.Fatal("no logout token came")
		return ""
	}
}

func told(id string, l *listener, more string) string {
	return `
id: ` + id + `
name: {pt-BR: Serviço}
department: Governo
contact: servico@example.org
redirect_uris: [https://` + id + `.example.org/callback]
backchannel_logout_uri: ` + l.URL + `/saida
` + more + `
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
`
}

func TestServicesAreToldOfALogoutAndToldAgainUntilTheyAnswer(t *testing.T) {
	t.Parallel()
	slow, never, absent := listen(t, 500, 200), listen(t, 400), listen(t, 200)
	city := protocolCity(t, told("lento", slow, "id_token_alg: RS256"), told("nunca", never, ""), told("ausente", absent, ""))
	b := city.Browser(t)
	ids := map[string]map[string]any{}
	for _, client := range []string{"lento", "nunca", "agenda"} {
		r := city.Request(client, nil)
		ids[client] = idptest.Claims(t, city.Exchange(r, b.Authorize(r, maria)).Text("id_token"))
	}
	b.Open(city.Request("ausente", nil)) // never got as far as a code
	b.Post("/conta/sair", nil)

	set := jwks(t, city)
	first, refused := slow.next(t), never.next(t)
	second := slow.next(t)
	for client, token := range map[string]string{"lento": second, "nunca": refused} {
		t.Run("Back-Channel Logout §2.4 the token for "+client, func(t *testing.T) {
			claims, h := verified(t, set, token), header(t, token)
			alg := map[string]string{"lento": "RS256", "nunca": "ES256"}[client]
			if h["typ"] != "logout+jwt" || h["alg"] != alg {
				t.Errorf("header %v", h)
			}
			id := ids[client]
			if claims["iss"] != city.Issuer || claims["aud"] != client || claims["sub"] != id["sub"] || claims["sid"] != id["sid"] || claims["jti"] == nil || claims["nonce"] != nil {
				t.Errorf("claims %v\nID token %v", claims, id)
			}
			if life := claims["exp"].(float64) - claims["iat"].(float64); life <= 0 || life > 120 {
				t.Errorf("it lives %v seconds", life)
			}
			events, _ := claims["events"].(map[string]any)
			event, has := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
			if !has || len(event) != 0 || len(events) != 1 {
				t.Errorf("events %v", claims["events"])
			}
		})
	}
	t.Run("Back-Channel Logout §2.6 a retry has a jti of its own", func(t *testing.T) {
		if one, two := idptest.Claims(t, first), idptest.Claims(t, second); one["jti"] == two["jti"] || one["sid"] != two["sid"] {
			t.Errorf("%v\n%v", one, two)
		}
	})
	t.Run("Back-Channel Logout §2.8 400 is final", func(t *testing.T) {
		if state, attempt := settled(t, city, "nunca"); state != "cancelled" || attempt != 1 {
			t.Errorf("job %s after %d tries", state, attempt)
		}
	})
	t.Run("Back-Channel Logout §2.8 200 is the end", func(t *testing.T) {
		if state, attempt := settled(t, city, "lento"); state != "completed" || attempt != 2 {
			t.Errorf("job %s after %d tries", state, attempt)
		}
	})
	t.Run("Back-Channel Logout §2.3 who took no part is not told", func(t *testing.T) {
		var jobs int
		err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'backchannel_logout' AND args->>'client_id' = 'ausente'`).Scan(&jobs)
		if err != nil || jobs != 0 || len(absent.got) != 0 {
			t.Errorf("%d jobs, %v", jobs, err)
		}
	})
	t.Run("Back-Channel Logout §2.4 a logout token is no ID token", func(t *testing.T) {
		p := city.Browser(t).Open(city.Request("nunca", with("id_token_hint", refused)))
		isRedirectError(t, city, p, "invalid_request")
	})
}

// settled waits until a service's notice is no longer being worked and returns how it ended.
func settled(t *testing.T, city *idptest.City, client string) (state string, attempt int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for state == "" || state == "running" || state == "available" || state == "retryable" {
		err := city.DB.QueryRow(ctx, `
			SELECT state, attempt FROM river_job WHERE kind = 'backchannel_logout' AND args->>'client_id' = $1`, client).Scan(&state, &attempt)
		if err != nil {
			t.Fatalf("job of %s: %v", client, err)
		}
	}
	return state, attempt
}

func TestAnotherPersonInTheSameBrowserEndsTheFirstSession(t *testing.T) {
	t.Parallel()
	heard := listen(t, 204)
	city := protocolCity(t, told("ouvinte", heard, ""))
	b, r := city.Browser(t), city.Request("ouvinte", nil)
	tokens := city.Exchange(r, b.Authorize(r, maria))
	p := b.Form(b.Open(city.Request("agenda", with("prompt", "select_account"))), with("account", "other"))
	through := b.Allow(b.SignIn(p, joao, idptest.Password))
	if page(through) != "code" {
		t.Fatalf("the browser is at %s", page(through))
	}
	isDead(t, city, "ouvinte", tokens)
	if claims := idptest.Claims(t, heard.next(t)); claims["sid"] != idptest.Claims(t, tokens.Text("id_token"))["sid"] {
		t.Errorf("%v", claims)
	}
}
