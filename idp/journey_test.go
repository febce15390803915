package idp_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
)

// The services of a citizen's journey: each needs something of its own.
const (
	biblioteca = `
id: biblioteca
name: {pt-BR: Biblioteca, es: Biblioteca, en: Library}
department: Secretaria de Cultura
contact: biblioteca@example.org
redirect_uris: [http://localhost:9/biblioteca/callback]
grants: [authorization_code, refresh_token]
claims:
  - {name: name, required: true, purpose: {pt-BR: Fazer seu cartão, es: Hacer su carné, en: Make your card}, basis: public_policy}
  - {name: email, required: true, purpose: {pt-BR: Avisar do prazo}, basis: public_policy}
  - {name: birthdate, required: false, purpose: {pt-BR: Sugerir livros, en: Suggest books}, basis: consent}
`
	posto = `
id: posto
name: {pt-BR: Posto de Saúde, es: Puesto de Salud, en: Health centre}
department: Secretaria da Saúde
contact: posto@example.org
redirect_uris: [http://localhost:9/posto/callback]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
  - {name: birthdate, required: true, purpose: {pt-BR: Achar seu prontuário}, basis: public_policy}
  - {name: phone_number, required: true, purpose: {pt-BR: Confirmar a consulta}, basis: public_policy}
  - {name: gender, required: false, purpose: {pt-BR: Cuidar melhor}, basis: consent}
`
	novoEmail = "nova.pessoa@example.com"
)

// at fails unless the page is this one, and returns it.
func at(t *testing.T, p idptest.Page, path string) idptest.Page {
	t.Helper()
	if p.Location != nil || p.URL.Path != path {
		t.Fatalf("at %s (%d, sent to %v), not at %s\n%s", p.URL, p.Status, p.Location, path, p.Main())
	}
	return p
}

// holds fails for each text that the page lacks.
func holds(t *testing.T, p idptest.Page, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.Body, text) {
			t.Errorf("%s lacks %q\n%s", p.URL, text, p.Main())
		}
	}
}

func lacks(t *testing.T, p idptest.Page, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(p.Body, text) {
			t.Errorf("%s holds %q\n%s", p.URL, text, p.Main())
		}
	}
}

// of is this page's interaction at another path.
func of(p idptest.Page, path string) string { return path + "?i=" + p.URL.Query().Get("i") }

func everything(city *idptest.City, service string, more ...string) idptest.Request {
	return city.Request(service, merged(with("scope", "openid profile email phone address cpf family"), with(more...)))
}

func TestANewCitizenIsAskedOnlyWhatEachServiceNeedsAndTheCityLacks(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca, posto})
	b := city.Browser(t)
	r := everything(city, "biblioteca")
	p := at(t, b.Open(r), "/entrar")
	holds(t, p, "Biblioteca", "Secretaria de Cultura", of(p, "/cadastro"))
	p = at(t, b.Get(of(p, "/cadastro")), "/cadastro")
	p = at(t, b.Form(p, with("cpf", joao, "email", novoEmail, "password", idptest.Password)), "/cadastro/codigo")
	holds(t, p, "n***@e***.com")
	lacks(t, p, novoEmail)
	p = at(t, b.Form(p, with("code", city.Code(novoEmail))), "/cadastro/dados")
	holds(t, p, `name="name"`, "Fazer seu cartão")
	lacks(t, p, `name="birthdate"`, `name="email"`, `name="phone_number"`, `name="cpf"`)
	p = at(t, b.Form(p, with("name", "  João   Batista Souza ")), "/consentimento")
	holds(t, p, "João Batista Souza", "n***@e***.com", "Fazer seu cartão")
	lacks(t, p, novoEmail, joao)
	p = b.Allow(p)
	tokens := city.Exchange(r, p.Params().Get("code"))
	info := city.Userinfo(tokens.Text("access_token"))
	if info.Text("name") != "João Batista Souza" || info.Text("email") != novoEmail || info.JSON("email_verified") != true {
		t.Errorf("userinfo: %s", info.Body)
	}
	if claims := idptest.Claims(t, tokens.Text("id_token")); claims["trust_level"] != 1.0 || claims["acr"] != "urn:loginunico:nivel:1" ||
		!slices.Equal(claims["amr"].([]any), []any{"pwd"}) {
		t.Errorf("ID token: %v", claims)
	}

	r = everything(city, "posto")
	p = at(t, b.Open(r), "/cadastro/dados")
	holds(t, p, `name="birthdate"`, `name="phone_number"`, "Achar seu prontuário", "Confirmar a consulta")
	lacks(t, p, `name="name"`, `name="gender"`, `name="email"`)
	p = at(t, b.Form(p, with("birthdate", "02/03/1970", "phone_number", "41 98765-4321")), "/consentimento")
	p = b.Allow(p)
	info = city.Userinfo(city.Exchange(r, p.Params().Get("code")).Text("access_token"))
	if info.Text("birthdate") != "1970-03-02" || info.Text("phone_number") != "+5541987654321" || info.JSON("phone_number_verified") != false {
		t.Errorf("userinfo: %s", info.Body)
	}
	if p = b.Open(everything(city, "posto")); p.Params().Get("code") == "" {
		t.Errorf("the third visit is asked again: %s", p.URL)
	}
	if p = city.Browser(t).Form(at(t, city.Browser(t).Open(r), "/entrar"), with("cpf", joao)); p.Status != http.StatusGone {
		t.Errorf("an interaction of another browser: %d", p.Status)
	}
}

func TestOnlyWhatIsMissingCanBeStated(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{posto})
	city.Person(maria, 3, mariaFields())
	b := city.Browser(t)
	p := at(t, b.SignIn(b.Open(everything(city, "posto")), maria, idptest.Password), "/cadastro/dados")
	p = at(t, b.Form(p, with("phone_number", "41 98765-4321", "name", "Outra Pessoa", "birthdate", "2000-01-01", "cns", "1", "social_name", "x y")), "/consentimento")
	holds(t, p, "Maria Aparecida da Silva", "**/**/1958")
	lacks(t, p, "Outra Pessoa")
	holds(t, b.Get("/conta"), "Maria Aparecida da Silva", "***321")
	lacks(t, b.Get("/conta"), "Outra Pessoa", "x y")
}
