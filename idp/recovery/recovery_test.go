package recovery_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
)

func TestMain(m *testing.M) { idptest.Main(m) }

const (
	maria      = "529.982.247-25"
	joao       = "111.444.777-35"
	mariasMail = "maria@example.org"
	fresh      = "Um-Novo-Comeco-2026"
	portal     = `
id: portal
name: {pt-BR: Portal da Cidade, es: Portal de la Ciudad, en: City portal}
department: Governo
contact: portal@example.org
redirect_uris: [http://localhost:9/portal/callback]
claims:
  - {name: name, required: false, purpose: {pt-BR: Chamar você, es: Llamarle, en: Call you}, basis: consent}
`
	posto = `
id: posto
name: {pt-BR: Posto de Saúde, es: Centro de Salud, en: Health centre}
department: Secretaria da Saúde
contact: posto@example.org
min_level: 3
redirect_uris: [http://localhost:9/posto/callback]
claims:
  - {name: name, required: false, purpose: {pt-BR: Chamar você, es: Llamarle, en: Call you}, basis: consent}
`
)

// start runs a city in which Maria, level 3, has an account.
func start(t *testing.T, opts ...idptest.Option) *idptest.City {
	t.Helper()
	city := idptest.Start(t, []string{portal, posto}, opts...)
	city.Person(maria, 3, map[string]string{"name": "Maria Aparecida da Silva", "email": mariasMail})
	return city
}

func with(pairs ...string) url.Values {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// at fails unless a page is the one of a path.
func at(t *testing.T, p idptest.Page, path string) idptest.Page {
	t.Helper()
	if p.URL.Path != path || p.Location != nil {
		t.Fatalf("at %s (%d), sent to %v, want %s:\n%s", p.URL, p.Status, p.Location, path, p.Main())
	}
	return p
}

// has fails unless a page shows all of these.
func has(t *testing.T, p idptest.Page, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.Body, text) {
			t.Errorf("%s does not say %q:\n%s", p.URL, text, p.Main())
		}
	}
}

// ask begins a recovery and returns the page of the code.
func ask(t *testing.T, b *idptest.Browser, cpf, way string) idptest.Page {
	t.Helper()
	return at(t, b.Post("/recuperar", with("cpf", cpf, "way", way)), "/recuperar/codigo")
}

// signsIn says whether a password opens the account.
func signsIn(t *testing.T, city *idptest.City, cpf, password string) bool {
	t.Helper()
	b := city.Browser(t)
	p := b.SignIn(b.Get("/conta"), cpf, password)
	return p.URL.Path == "/conta"
}

func TestACodeByMailLetsTheOwnerBackInAtLevelOne(t *testing.T) {
	t.Parallel()

	city := start(t)
	b := city.Browser(t)
	p := ask(t, b, maria, "mail")
	has(t, p, "Se este CPF tem conta", "São 6 ou 12 números")
	p = b.Form(p, with("code", "000 00a"))
	if at(t, p, "/recuperar/codigo"); p.Status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code: %d", p.Status)
	}
	has(t, p, "Você tem mais 4 tentativas")
	p = at(t, b.Form(p, with("code", mailboxOf(city, mariasMail).code(t))), "/recuperar/senha")
	has(t, p, "vale nível 1")
	for typed, says := range map[string]string{"": "Digite sua senha", "curta": "8 caracteres", maria: "Não use seu CPF", mariasMail: "Não use seu CPF", "password": "muito comum"} {
		wrong := at(t, b.Form(p, with("password", typed)), "/recuperar/senha")
		if has(t, wrong, says); wrong.Status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", typed, wrong.Status)
		}
	}
	p = at(t, b.Form(p, with("password", fresh, "others", "yes")), "/conta")
	has(t, p, "Você recuperou o acesso por mensagem", "posto de atendimento")
	if signsIn(t, city, maria, idptest.Password) || !signsIn(t, city, maria, fresh) {
		t.Error("the old password works, or the new one does not")
	}
}
