package idp_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
)

// site is a service's own pages on another origin than the city's: /cb for answers, / for goodbyes.
type site struct {
	*httptest.Server
	manifest string
}

func newSite(t *testing.T) site {
	t.Helper()
	s := site{Server: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="pt-BR"><title>Feira</title><h1>Você está na Feira</h1><p id="code">%s</p><p id="error">%s</p><p id="how">%s</p>`,
			html.EscapeString(r.Form.Get("code")), html.EscapeString(r.Form.Get("error")), r.Method)
	}))}
	t.Cleanup(s.Close)
	s.manifest = `
id: feira
name: {pt-BR: Feira Livre, es: Feria, en: Street market}
department: Secretaria de Abastecimento
contact: feira@example.org
policy_uri: https://example.org/privacidade
redirect_uris: [` + s.URL + `/cb]
post_logout_redirect_uris: [` + s.URL + `/]
claims:
  - {name: name, required: true, purpose: {pt-BR: Colocar seu nome na barraca, es: Poner su nombre, en: Put your name on the stall}, basis: public_policy}
  - {name: email, required: true, purpose: {pt-BR: Avisar da chuva}, basis: public_policy}
  - {name: birthdate, required: false, purpose: {pt-BR: Dar desconto a idosos, en: Give a discount to the elderly}, basis: consent}
theme: {accent: "#7a3b00"}
`
	return s
}

// request is where the service sends a citizen.
func (s site) request(city *idptest.City, more ...string) (idptest.Request, string) {
	r := everything(city, "feira", more...)
	return r, city.Issuer + "/oauth/authorize?" + r.Params.Encode()
}

// sound holds any page to what a test alone can see of WCAG 2.2 AA. axe-core itself needs scripts.
func sound(b *testbrowser.Browser) {
	b.Axe()
	b.NoOverflow(320)
}

// wrongly sends a form that has a fault: the title says so and the summary has the focus.
func wrongly(t *testing.T, b *testbrowser.Browser, scripts bool) {
	t.Helper()
	if status := b.Submit("continue"); status != http.StatusUnprocessableEntity {
		t.Errorf("%s: status %d", b.URL(), status)
	}
	if title := b.Title(); !strings.HasPrefix(title, "Erro: ") {
		t.Errorf("%s: title %q", b.URL(), title)
	}
	if focused := b.Focused(); scripts && focused != "problem" {
		t.Errorf("%s: the focus is on %q, not on the summary", b.URL(), focused)
	}
}

func TestACitizenSignsInApprovesAndArrivesInABrowser(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct {
		name    string
		scripts bool
		mode    string
	}{{"with scripts", true, "query"}, {"without scripts", false, "query"}, {"by form_post with scripts", true, "form_post"},
		{"by form_post without scripts", false, "form_post"}, {"by fragment", true, "fragment"}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			city := idptest.Start(t, []string{s.manifest})
			city.Person(maria, 3, mariaFields())
			b := browser(t, tc.scripts)
			look := b.NoOverflow
			if tc.name == "with scripts" { // the pages are the same in every mode: one look is enough
				look = func(int64) { sound(b) }
			}
			_, start := s.request(city, "response_mode", tc.mode)
			b.Open(start)
			b.See("Feira Livre")
			look(320)
			b.Fill("cpf", "529.982.247-26")
			wrongly(t, b, tc.scripts)
			if got := b.Value("cpf"); got != "529.982.247-26" {
				t.Errorf("the typed CPF became %q", got)
			}
			look(320)
			b.Fill("cpf", maria)
			b.Submit("continue")
			b.See(maria)
			look(320)
			b.Fill("password", "not-the-password")
			wrongly(t, b, tc.scripts)
			b.See("CPF ou senha não conferem")
			if got := b.Value("password"); got != "" {
				t.Error("the password came back")
			}
			look(320)
			b.Fill("password", idptest.Password)
			b.Submit("continue")
			b.See("Colocar seu nome na barraca")
			b.See("**/**/1958")
			look(320)
			b.Click("optional-birthdate")
			b.Click("allow")
			if tc.mode == "form_post" && !tc.scripts {
				b.See("Voltando ao serviço")
				look(320)
				b.Click("continue")
			}
			b.AwaitURL(s.URL + "/cb")
			b.See("Você está na Feira")
			code := b.Text("#code")
			if tc.mode == "fragment" {
				code = strings.Split(strings.Split(b.URL(), "code=")[1], "&")[0]
			}
			if code == "" || (tc.mode == "form_post") != (b.Text("#how") == "POST") {
				t.Errorf("arrived by %s at %s", b.Text("#how"), b.URL())
			}
		})
	}
}

func browser(t *testing.T, scripts bool) *testbrowser.Browser {
	t.Helper()
	if scripts {
		return testbrowser.New(t)
	}
	return testbrowser.New(t, testbrowser.NoJS())
}

func TestANewCitizenRegistersInABrowser(t *testing.T) {
	t.Parallel()

	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			city := idptest.Start(t, []string{s.manifest})
			b := browser(t, scripts)
			look := b.NoOverflow
			if scripts {
				look = func(int64) { sound(b) }
			}
			_, start := s.request(city)
			b.Open(start)
			b.Follow(`a[href^="/cadastro"]`)
			b.See("Criar conta")
			look(320)
			b.Fill("cpf", "1")
			b.Fill("email", "nova@")
			b.Fill("password", "123")
			wrongly(t, b, scripts)
			if b.Value("cpf") != "1" || b.Value("email") != "nova@" || b.Value("password") != "" {
				t.Errorf("kept %q, %q, %q", b.Value("cpf"), b.Value("email"), b.Value("password"))
			}
			look(320)
			b.Fill("cpf", joao)
			b.Fill("email", novoEmail)
			b.Fill("password", idptest.Password)
			b.Submit("continue")
			b.See("Confirme seu e-mail")
			look(320)
			b.Fill("code", "12345")
			wrongly(t, b, scripts)
			look(320)
			b.Fill("code", city.Code(novoEmail))
			b.Submit("continue")
			b.See("Colocar seu nome na barraca")
			look(320)
			b.Fill("name", "João")
			wrongly(t, b, scripts)
			look(320)
			b.Fill("name", "João Batista Souza")
			b.Submit("continue")
			b.See("Avisar da chuva")
			b.Click("allow")
			b.AwaitURL(s.URL + "/cb")
			if b.Text("#code") == "" {
				t.Errorf("no code at %s", b.URL())
			}
		})
	}
}

// signedIn opens a page of the account as Maria.
func signedIn(b *testbrowser.Browser, city *idptest.City, path string) {
	b.Open(city.Issuer + path)
	b.Fill("cpf", maria)
	b.Submit("continue")
	b.Fill("password", idptest.Password)
	b.Submit("continue")
	b.AwaitURL(city.Issuer + path)
}

func TestTheAccountWorksInABrowser(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	city := idptest.Start(t, []string{s.manifest})
	city.Person(maria, 3, mariaFields())
	city.Browser(t).Authorize(everything(city, "feira"), maria)
	b := testbrowser.New(t)
	signedIn(b, city, "/conta")
	b.See("Maria Aparecida da Silva")
	b.See("***.982.247-**")
	sound(b)
	b.Follow(`a[href="/conta/aplicacoes"]`)
	b.See("Feira Livre")
	b.See("E-mail")
	sound(b)
	b.Follow(`a[lang="en"]`)
	b.See("Street market")
	if at := b.URL(); at != city.Issuer+"/conta/aplicacoes" {
		t.Errorf("the language link led to %s", at)
	}
	b.Follow("a.contrast")
	b.See("Street market")
	if !b.Has("html.alto") {
		t.Error("no high contrast")
	}
	sound(b)
	b.Submit("revoke-feira")
	b.DontSee("Street market")
	sound(b)
	b.Open(city.Issuer + "/conta")
	sound(b)
	b.Submit("logout")
	b.AwaitURL(city.Issuer + "/sair/pronto")
	sound(b)
	b.Follow("a.contrast")
	b.Open(city.Issuer + "/conta")
	b.AwaitURL(city.Issuer + "/entrar")
	for _, page := range []string{"/acessibilidade", "/privacidade", "/nowhere"} {
		b.Open(city.Issuer + page)
		sound(b)
	}
}

func TestTheLanguageChangesInTheMiddleOfASignIn(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	city := idptest.Start(t, []string{s.manifest})
	city.Person(maria, 3, mariaFields())
	b := testbrowser.New(t)
	_, start := s.request(city)
	b.Open(start)
	b.Fill("cpf", maria)
	b.Submit("continue")
	here := b.URL()
	b.Follow(`a[lang="es"]`)
	b.See("Contraseña")
	if b.URL() != here {
		t.Errorf("from %s to %s", here, b.URL())
	}
	b.Fill("password", "no-es-esta")
	b.Submit("continue")
	b.Follow(`a[lang="en"]`) // from the page of an error, which is the answer of a POST
	b.See("Password")
	b.Fill("password", idptest.Password)
	b.Submit("continue")
	b.See("Put your name on the stall")
	b.Follow(`a[lang="pt-BR"]`)
	b.See("Colocar seu nome na barraca")
	b.Click("deny")
	b.AwaitURL(s.URL + "/cb")
	if got := b.Text("#error"); got != "access_denied" {
		t.Errorf("denied: %q", got)
	}
}

func TestLogoutAsksAndReturnsToTheServiceInABrowser(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	city := idptest.Start(t, []string{s.manifest})
	city.Person(maria, 3, mariaFields())
	b := testbrowser.New(t)
	r, start := s.request(city)
	b.Open(start)
	b.Fill("cpf", maria)
	b.Submit("continue")
	b.Fill("password", idptest.Password)
	b.Submit("continue")
	b.Click("allow")
	b.AwaitURL(s.URL + "/cb")
	tokens := city.Exchange(r, b.Text("#code"))
	leave := city.Issuer + "/sair?" + url.Values{"id_token_hint": {tokens.Text("id_token")}, "post_logout_redirect_uri": {s.URL + "/"}}.Encode()
	b.Open(leave)
	b.See("Maria Aparecida da Silva")
	sound(b)
	b.Click("stay")
	b.AwaitURL(s.URL + "/")
	if !active(city, "feira", tokens.Text("access_token")) {
		t.Error("staying signed in ended the token")
	}
	b.Open(leave)
	b.Click("continue")
	b.AwaitURL(s.URL + "/")
	b.See("Você está na Feira")
	if active(city, "feira", tokens.Text("access_token")) {
		t.Error("the token lives on")
	}
	b.Open(start)
	b.AwaitURL(city.Issuer + "/entrar")
}

func TestTheRarerPagesAreSoundInABrowser(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	limits := factor.DefaultLimits
	limits.Pair = 1
	high := strings.Replace(strings.Replace(s.manifest, "id: feira", "id: alvara\nmin_level: 5", 1), "/cb]", "/alvara]", 1)
	city := idptest.Start(t, []string{s.manifest, high}, idptest.WithLimits(limits))
	city.Person(maria, 3, mariaFields())
	b := testbrowser.New(t)
	signedIn(b, city, "/conta")
	_, choose := s.request(city, "prompt", "select_account")
	b.Open(choose)
	b.See("***.982.247-**")
	sound(b)
	b.Submit("continue")
	b.See("Colocar seu nome na barraca")
	_, again := s.request(city, "prompt", "login")
	b.Open(again)
	sound(b)
	if b.Has(`a[href=""]`) {
		t.Error("an empty link")
	}

	level := everything(city, "alvara")
	b.Open(city.Issuer + "/oauth/authorize?" + level.Params.Encode())
	b.AwaitURL(city.Issuer + "/entrar/nivel")
	sound(b)
	b.Click("continue")
	b.AwaitURL(s.URL + "/alvara")
	if got := b.Text("#error"); got != "unmet_authentication_requirements" {
		t.Errorf("too low a level: %q", got)
	}

	stranger := testbrowser.New(t)
	_, start := s.request(city)
	stranger.Open(start)
	stranger.Fill("cpf", maria)
	stranger.Submit("continue")
	for range 2 {
		stranger.Fill("password", "not-the-password")
		stranger.Submit("continue")
	}
	stranger.AwaitURL(city.Issuer + "/entrar/codigo")
	sound(stranger)
	city.Advance(31 * time.Minute)
	if status := stranger.Submit("continue"); status != http.StatusGone {
		t.Errorf("an interaction that is over: %d", status)
	}
	sound(stranger)
}

func TestADoubleClickIsOneAnswerInABrowser(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	city := idptest.Start(t, []string{s.manifest})
	city.Person(maria, 3, mariaFields())
	b := testbrowser.New(t)
	_, start := s.request(city)
	b.Open(start)
	b.Fill("cpf", maria)
	b.Submit("continue")
	b.Fill("password", idptest.Password)
	b.Submit("continue")
	b.See("Colocar seu nome na barraca")
	second := `(() => {
		let stopped = []
		document.addEventListener("submit", e => stopped.push(e.defaultPrevented))
		allow.click()
		allow.click()
		return stopped.join()
	})()`
	if got := testbrowser.Eval[string](b, second); got != "false,true" {
		t.Errorf("the answers were stopped: %s", got)
	}
	b.AwaitURL(s.URL + "/cb")
	if b.Text("#code") == "" {
		t.Errorf("no code at %s", b.URL())
	}
}

func TestAPasswordCanBeShownWhereScriptsRun(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	city := idptest.Start(t, []string{s.manifest})
	_, start := s.request(city)
	for _, scripts := range []bool{true, false} {
		b := browser(t, scripts)
		b.Open(start)
		b.Fill("cpf", maria)
		b.Submit("continue")
		if visible := testbrowser.Eval[bool](b, `!document.querySelector("button.show").hidden`); visible != scripts {
			t.Errorf("scripts %v, the button %v", scripts, visible)
		}
		if !scripts {
			continue
		}
		b.Fill("password", "what was typed")
		b.ClickCSS("button.show")
		if kind := testbrowser.Eval[string](b, `document.getElementById("password").type`); kind != "text" || b.Value("password") != "what was typed" {
			t.Errorf("shown as %q", kind)
		}
	}
}
