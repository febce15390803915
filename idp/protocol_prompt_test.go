package idp_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/idptest"
)

// page says where a browser stands: the path of a page, or "code", or the error sent to the service.
func page(p idptest.Page) string {
	if p.Location == nil {
		return p.URL.Path
	}
	if e := p.Params().Get("error"); e != "" {
		return e
	}
	if p.Params().Has("code") {
		return "code"
	}
	return p.Location.String()
}

func TestPromptAndMaxAgeDecideWhatTheCitizenMeets(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	fresh := func(t *testing.T) *idptest.Browser { return city.Browser(t) }
	signedIn := func(t *testing.T) *idptest.Browser { // and has consented to agenda
		b := city.Browser(t)
		b.Authorize(city.Request("agenda", nil), maria)
		return b
	}
	for name, c := range map[string]struct {
		browser func(*testing.T) *idptest.Browser
		client  string
		more    url.Values
		first   string
	}{
		"OIDC Core §3.1.2.1 nothing asked, nobody signed in":                  {fresh, "agenda", nil, "/entrar"},
		"OIDC Core §3.1.2.1 nothing asked, signed in":                         {signedIn, "agenda", nil, "code"},
		"OIDC Core §3.1.2.1 another service, signed in: only consent":         {signedIn, "vacina", nil, "/consentimento"},
		"OIDC Core §3.1.2.1 prompt=none, signed in":                           {signedIn, "agenda", with("prompt", "none"), "code"},
		"OIDC Core §3.1.2.6 prompt=none, nobody signed in":                    {fresh, "agenda", with("prompt", "none"), "login_required"},
		"OIDC Core §3.1.2.6 prompt=none, never consented":                     {signedIn, "vacina", with("prompt", "none"), "consent_required"},
		"OIDC Core §3.1.2.6 prompt=none, level not reached":                   {signedIn, "certidao", with("prompt", "none"), "unmet_authentication_requirements"},
		"OIDC Core §3.1.2.6 prompt=none, max_age=0":                           {signedIn, "agenda", with("prompt", "none", "max_age", "0"), "login_required"},
		"OIDC Core §3.1.2.1 prompt=login, signed in":                          {signedIn, "agenda", with("prompt", "login"), "/entrar/senha"},
		"OIDC Core §3.1.2.1 prompt=consent, signed in":                        {signedIn, "agenda", with("prompt", "consent"), "/consentimento"},
		"OIDC Core §3.1.2.1 prompt=select_account, signed in":                 {signedIn, "agenda", with("prompt", "select_account"), "/entrar/conta"},
		"OIDC Core §3.1.2.1 prompt=select_account, nobody signed in":          {fresh, "agenda", with("prompt", "select_account"), "/entrar"},
		"OIDC Core §3.1.2.1 prompt=login consent: first the password":         {signedIn, "agenda", with("prompt", "login consent"), "/entrar/senha"},
		"OIDC Core §3.1.2.1 prompt=consent login: order is nothing":           {signedIn, "agenda", with("prompt", "consent login"), "/entrar/senha"},
		"OIDC Core §3.1.2.1 prompt=select_account consent: first the account": {signedIn, "agenda", with("prompt", "select_account consent"), "/entrar/conta"},
		"OIDC Core §3.1.2.1 max_age=0 is prompt=login":                        {signedIn, "agenda", with("max_age", "0"), "/entrar/senha"},
		"OIDC Core §3.1.2.1 max_age not reached":                              {signedIn, "agenda", with("max_age", "3600"), "code"},
		"RFC 9470 §5 acr_values not reached":                                  {signedIn, "agenda", with("acr_values", "urn:loginunico:nivel:5"), "/entrar/nivel"},
		"RFC 9470 §5 acr_values not reached, prompt=none":                     {signedIn, "agenda", with("prompt", "none", "acr_values", "urn:loginunico:nivel:5"), "unmet_authentication_requirements"},
		"RFC 9470 §5 one of acr_values reached":                               {signedIn, "agenda", with("acr_values", "urn:loginunico:nivel:5 urn:loginunico:nivel:2"), "code"},
		"OIDC Core §3.1.2.1 acr_values of other providers":                    {signedIn, "agenda", with("acr_values", "urn:mace:incommon:iap:silver 1"), "code"},
		"OIDC Core §2 a sub that no database keeps":                           {signedIn, "agenda", with("claims", `{"id_token":{"sub":{"value":"a\u0000"}}}`), "invalid_request"},
		"OIDC Core §2 a sub of 256 characters":                                {signedIn, "agenda", with("claims", `{"id_token":{"sub":{"value":"`+strings.Repeat("a", 256)+`"}}}`), "invalid_request"},
		"OIDC Core §3.1.2.1 acr_values without end":                           {signedIn, "agenda", with("acr_values", strings.Repeat("1 ", 21)), "invalid_request"},
		"OIDC Core §5.5.1.1 acr asked without essential is a wish":            {signedIn, "agenda", with("claims", `{"id_token":{"acr":{"values":["urn:loginunico:nivel:5"]}}}`), "code"},
		"OIDC Core §5.5.1.1 essential acr is reached":                         {signedIn, "agenda", with("claims", `{"id_token":{"acr":{"essential":true,"values":["urn:loginunico:nivel:5","urn:loginunico:nivel:2"]}}}`), "code"},
		"OIDC Core §5.5.1.1 essential acr without value":                      {signedIn, "agenda", with("claims", `{"id_token":{"acr":{"essential":true}}}`), "code"},
		"OIDC Core §5.5.1.1 essential acr is not reached":                     {signedIn, "agenda", with("claims", `{"id_token":{"acr":{"essential":true,"value":"urn:loginunico:nivel:5"}}}`), "/entrar/nivel"},
		"OIDC Core §5.5.1.1 essential acr is not reached, prompt=none":        {signedIn, "agenda", with("prompt", "none", "claims", `{"id_token":{"acr":{"essential":true,"value":"urn:loginunico:nivel:5"}}}`), "unmet_authentication_requirements"},
		"OIDC Core §3.1.2.1 unknown scopes and parameters are ignored":        {signedIn, "agenda", with("scope", "openid profile email payments", "display", "popup", "vendor", "x"), "code"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if p := c.browser(t).Open(city.Request(c.client, c.more)); page(p) != c.first {
				t.Errorf("the browser is at %s, want %s", page(p), c.first)
			}
		})
	}
}

func TestPromptIsSatisfiedOnceAndByTheRightThing(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	begin := func(t *testing.T, more url.Values) (*idptest.Browser, idptest.Request, map[string]any) {
		b, r := city.Browser(t), city.Request("agenda", nil)
		before := idptest.Claims(t, city.Exchange(r, b.Authorize(r, maria)).Text("id_token"))
		return b, city.Request("agenda", more), before
	}
	authTime := func(t *testing.T, r idptest.Request, p idptest.Page) float64 {
		t.Helper()
		if page(p) != "code" {
			t.Fatalf("the browser is at %s", page(p))
		}
		claims := idptest.Claims(t, city.Exchange(r, p.Params().Get("code")).Text("id_token"))
		return claims["auth_time"].(float64)
	}
	t.Run("OIDC Core §3.1.2.1 prompt=login gives a new auth_time and keeps the session", func(t *testing.T) {
		b, r, before := begin(t, with("prompt", "login"))
		city.Advance(2 * time.Second)
		p := b.Open(r)
		if p = b.Form(p, with("password", "errada-errada")); page(p) != "/entrar/senha" {
			t.Fatalf("after a wrong password: %s", page(p))
		}
		p = b.Form(p, with("password", idptest.Password))
		code := p.Params().Get("code")
		after := idptest.Claims(t, city.Exchange(r, code).Text("id_token"))
		if after["auth_time"].(float64) < before["auth_time"].(float64)+2 || after["sid"] != before["sid"] || after["sub"] != before["sub"] {
			t.Errorf("before %v\nafter %v", before, after)
		}
	})
	t.Run("OIDC Core §3.1.2.1 max_age is measured at the request", func(t *testing.T) {
		b, r, before := begin(t, with("max_age", "60"))
		city.Advance(61 * time.Second)
		p := b.Open(r)
		if page(p) != "/entrar/senha" {
			t.Fatalf("the browser is at %s", page(p))
		}
		if at := authTime(t, r, b.Form(p, with("password", idptest.Password))); at < before["auth_time"].(float64)+61 {
			t.Errorf("auth_time %v, before %v", at, before["auth_time"])
		}
	})
	t.Run("OIDC Core §3.1.2.1 prompt=login consent asks for both", func(t *testing.T) {
		b, r, _ := begin(t, with("prompt", "login consent"))
		p := b.Form(b.Open(r), with("password", idptest.Password))
		if page(p) != "/consentimento" {
			t.Fatalf("the browser is at %s", page(p))
		}
		authTime(t, r, b.Allow(p))
	})
	t.Run("OIDC Core §3.1.2.1 prompt=select_account goes on as who is signed in", func(t *testing.T) {
		b, r, _ := begin(t, with("prompt", "select_account"))
		authTime(t, r, b.Form(b.Open(r), with("account", "current")))
	})
	t.Run("OIDC Core §3.1.2.1 prompt=select_account lets another person in", func(t *testing.T) {
		b, r, before := begin(t, with("prompt", "select_account"))
		p := b.Form(b.Open(r), with("account", "other"))
		if page(p) != "/entrar" {
			t.Fatalf("the browser is at %s", page(p))
		}
		p = b.Allow(b.SignIn(p, joao, idptest.Password))
		after := idptest.Claims(t, city.Exchange(r, p.Params().Get("code")).Text("id_token"))
		if after["sub"] == before["sub"] || after["sid"] == before["sid"] || after["acr"] != "urn:loginunico:nivel:1" {
			t.Errorf("before %v\nafter %v", before, after)
		}
	})
	t.Run("OIDC Core §3.1.2.6 a citizen without the level goes back with an honest error", func(t *testing.T) {
		b := city.Browser(t)
		p := b.SignIn(b.Open(city.Request("certidao", nil)), maria, idptest.Password)
		if page(p) != "/entrar/nivel" {
			t.Fatalf("the browser is at %s", page(p))
		}
		isRedirectError(t, city, b.Form(p, nil), "unmet_authentication_requirements")
	})
	t.Run("OIDC Core §3.1.2.6 a citizen who cancels", func(t *testing.T) {
		b := city.Browser(t)
		p := b.Open(city.Request("agenda", nil))
		isRedirectError(t, city, b.Get("/entrar/cancelar?"+p.URL.RawQuery), "access_denied")
	})
}

func TestHintsNameWhoIsExpected(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	r := city.Request("agenda", nil)
	hintOf := func(cpf string) string { return city.Tokens(r, cpf).Text("id_token") }
	mariasHint, joaosHint := hintOf(maria), hintOf(joao)
	vr := city.Request("vacina", nil)
	vacinaHint := city.Call("/oauth/token", "", merged(codeForm(vr, city.Browser(t).Authorize(vr, maria)),
		with("client_id", "vacina", "client_secret", idptest.Secret("vacina")))).Text("id_token")
	browser := city.Browser(t)
	browser.Authorize(r, maria)

	t.Run("OIDC Core §3.1.2.1 id_token_hint of who is signed in", func(t *testing.T) {
		if p := browser.Open(city.Request("agenda", with("id_token_hint", mariasHint, "prompt", "none"))); page(p) != "code" {
			t.Errorf("the browser is at %s", page(p))
		}
	})
	t.Run("OIDC Core §3.1.2.1 id_token_hint of somebody else, prompt=none", func(t *testing.T) {
		isRedirectError(t, city, browser.Open(city.Request("agenda", with("id_token_hint", joaosHint, "prompt", "none"))), "login_required")
	})
	t.Run("OIDC Core §3.1.2.1 id_token_hint of an ID token for another service", func(t *testing.T) {
		isRedirectError(t, city, browser.Open(city.Request("agenda", with("id_token_hint", vacinaHint))), "invalid_request")
	})
	t.Run("OIDC Core §3.1.2.1 an access token is no id_token_hint", func(t *testing.T) {
		isRedirectError(t, city, browser.Open(city.Request("agenda", with("id_token_hint", city.Tokens(r, maria).Text("access_token")))), "invalid_request")
	})
	t.Run("OIDC Core §3.1.2.1 id_token_hint changed by a byte", func(t *testing.T) {
		isRedirectError(t, city, browser.Open(city.Request("agenda", with("id_token_hint", tampered(t, mariasHint, "sub", "x")))), "invalid_request")
	})
	t.Run("OIDC Core §3.1.2.1 id_token_hint of another issuer", func(t *testing.T) {
		other := protocolCity(t)
		foreign := other.Tokens(other.Request("agenda", nil), maria).Text("id_token")
		isRedirectError(t, city, browser.Open(city.Request("agenda", with("id_token_hint", foreign))), "invalid_request")
	})
	t.Run("OIDC Core §3.1.2.1 id_token_hint with alg none", func(t *testing.T) {
		parts := strings.Split(mariasHint, ".")
		none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
		isRedirectError(t, city, browser.Open(city.Request("agenda", with("id_token_hint", none))), "invalid_request")
	})
	t.Run("OIDC Core §5.5.1 the sub claim asks for a person", func(t *testing.T) {
		want := func(hint string) url.Values {
			sub, _ := idptest.Claims(t, hint)["sub"].(string)
			return with("prompt", "none", "claims", `{"id_token":{"sub":{"value":"`+sub+`"}}}`)
		}
		if p := browser.Open(city.Request("agenda", want(mariasHint))); page(p) != "code" {
			t.Errorf("the browser is at %s", page(p))
		}
		isRedirectError(t, city, browser.Open(city.Request("agenda", want(joaosHint))), "login_required")
	})
	t.Run("OIDC Core §3.1.2.1 somebody else signs in than the hint names", func(t *testing.T) {
		b := city.Browser(t)
		p := b.SignIn(b.Open(city.Request("agenda", with("id_token_hint", joaosHint))), maria, idptest.Password)
		isRedirectError(t, city, p, "login_required")
	})
	t.Run("OIDC Core §3.1.2.1 the hinted person may sign in over somebody else", func(t *testing.T) {
		b := city.Browser(t)
		b.Authorize(r, maria)
		r := city.Request("agenda", with("id_token_hint", joaosHint))
		p := b.Open(r)
		if p.URL.Path == "/entrar/senha" { // the session's person is asked first; the citizen says: not me
			p = b.Get("/entrar?" + p.URL.RawQuery)
		}
		p = b.SignIn(p, joao, idptest.Password)
		claims := idptest.Claims(t, city.Exchange(r, p.Params().Get("code")).Text("id_token"))
		if claims["sub"] != idptest.Claims(t, joaosHint)["sub"] {
			t.Errorf("claims %v", claims)
		}
	})
	t.Run("OIDC Core §3.1.2.1 an expired id_token_hint still names the person", func(t *testing.T) {
		city.Advance(time.Hour)
		if p := browser.Open(city.Request("agenda", with("id_token_hint", mariasHint, "prompt", "none"))); page(p) != "code" {
			t.Errorf("the browser is at %s", page(p))
		}
	})
	t.Run("OIDC Core §3.1.2.1 login_hint fills in the CPF and its form", func(t *testing.T) {
		b := city.Browser(t)
		p := b.Open(city.Request("agenda", with("login_hint", maria)))
		if p.URL.Path != "/entrar/senha" || !strings.Contains(p.Body, maria) {
			t.Fatalf("the browser is at %s", page(p))
		}
		if p = b.Form(p, with("password", idptest.Password)); page(p) != "code" {
			t.Errorf("the browser is at %s", page(p))
		}
	})
	for name, hint := range map[string]string{"a mail address": "maria@example.org", "a wrong check digit": "529.982.247-26", "markup": `"><script>`} {
		t.Run("OIDC Core §3.1.2.1 login_hint that is no CPF is only a hint: "+name, func(t *testing.T) {
			p := city.Browser(t).Open(city.Request("agenda", with("login_hint", hint)))
			if p.Status != http.StatusOK || page(p) != "/entrar" || strings.Contains(p.Body, "<script>") {
				t.Errorf("the browser is at %s", page(p))
			}
		})
	}
	for wish, lang := range map[string]string{"es": "es", "en-US en": "en", "fr de": "pt-BR", "fr es": "es", "pt": "pt-BR"} {
		t.Run("OIDC Core §3.1.2.1 ui_locales="+wish, func(t *testing.T) {
			b := city.Browser(t)
			p := b.Open(city.Request("agenda", with("ui_locales", wish)))
			next := b.Form(p, with("cpf", maria))
			for _, one := range []idptest.Page{p, next} {
				if one.Header.Get("Content-Language") != lang || !strings.Contains(one.Body, `<html lang="`+lang+`"`) {
					t.Errorf("%s is in %s, want %s", one.URL.Path, one.Header.Get("Content-Language"), lang)
				}
			}
		})
	}
}

// tampered changes one claim of a JWT and keeps its signature.
func tampered(t *testing.T, token, claim string, value any) string {
	t.Helper()
	claims := idptest.Claims(t, token)
	claims[claim] = value
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString(body) + "." + parts[2]
}

func TestAnInteractionBelongsToItsBrowser(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	b := city.Browser(t)
	p := b.SignIn(b.Open(city.Request("agenda", nil)), maria, idptest.Password)
	if page(p) != "/consentimento" {
		t.Fatalf("the browser is at %s", page(p))
	}
	query := p.URL.RawQuery
	for _, path := range []string{"/entrar", "/entrar/senha", "/entrar/continuar", "/entrar/cancelar", "/entrar/conta", "/entrar/nivel",
		"/entrar/codigo", "/cadastro", "/cadastro/codigo", "/cadastro/dados", "/consentimento"} {
		t.Run("RFC 9700 §4.7 another browser at "+path, func(t *testing.T) {
			thief := city.Browser(t)
			if got := thief.Get(path + "?" + query); got.Status != http.StatusGone || got.Location != nil {
				t.Errorf("%d %v", got.Status, got.Location)
			}
			if got := thief.Post(path+"?"+query, with("decision", "allow")); got.Location != nil || got.Status < 400 {
				t.Errorf("POST: %d %v", got.Status, got.Location)
			}
		})
	}
	t.Run("RFC 9700 §4.7 another citizen's browser, signed in", func(t *testing.T) {
		thief := city.Browser(t)
		thief.Authorize(city.Request("agenda", nil), joao)
		if got := thief.Get("/entrar/continuar?" + query); got.Status != http.StatusGone || got.Location != nil {
			t.Errorf("%d %v", got.Status, got.Location)
		}
	})
	t.Run("RFC 9700 §4.7 a form posted from another site", func(t *testing.T) {
		res := crossSitePost(t, city.Issuer+"/consentimento?"+query, with("decision", "allow"))
		if res.StatusCode != http.StatusForbidden {
			t.Errorf("%d", res.StatusCode)
		}
	})
	t.Run("an id that never was", func(t *testing.T) {
		for _, q := range []string{"", "i=", "i=x", "i=01a20050-e671-7341-a599-002ea5fb3af7"} {
			if got := b.Get("/entrar?" + q); got.Status != http.StatusGone {
				t.Errorf("?%s: %d", q, got.Status)
			}
		}
	})
	t.Run("one interaction gives one code, however often its form is sent at once", func(t *testing.T) {
		action := b.Get("/consentimento?" + query).Action()
		answers := make(chan string, 20)
		for range cap(answers) {
			go func() { answers <- oneDecision(b, city.Issuer+action) }()
		}
		codes := 0
		for range cap(answers) {
			if strings.Contains(<-answers, "code=") {
				codes++
			}
		}
		if codes != 1 {
			t.Errorf("%d codes", codes)
		}
	})
	t.Run("and none later", func(t *testing.T) {
		if got := b.Post("/consentimento?"+query, with("decision", "allow")); got.Status != http.StatusGone {
			t.Errorf("%d %v", got.Status, got.Location)
		}
	})
	t.Run("an interaction ends by itself", func(t *testing.T) {
		late := city.Browser(t)
		p := late.Open(city.Request("agenda", nil))
		city.Advance(31 * time.Minute)
		if got := late.Post("/entrar?"+p.URL.RawQuery, with("cpf", maria)); got.Status != http.StatusGone {
			t.Errorf("%d", got.Status)
		}
	})
}

// oneDecision allows by a POST of its own and returns where it was sent; "" for a page or a failure.
func oneDecision(b *idptest.Browser, target string) string {
	r, err := http.NewRequest(http.MethodPost, target, strings.NewReader("decision=allow"))
	if err != nil {
		return ""
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := b.HTTP.Do(r)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	return res.Header.Get("Location")
}
