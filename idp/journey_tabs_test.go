package idp_test

import (
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
)

func TestASessionThatChangedInAnotherTabAsksWhoGoesOn(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 3, mariaFields())
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	b := city.Browser(t)
	tab := at(t, b.SignIn(b.Open(everything(city, "biblioteca")), maria, idptest.Password), "/consentimento")
	b.Post("/conta/sair", nil)
	at(t, b.SignIn(b.Get("/conta"), joao, idptest.Password), "/conta")

	p := at(t, b.Allow(tab), "/entrar/conta")
	holds(t, p, "João Batista Souza", "***.444.777-**")
	lacks(t, p, "Maria")
	p = at(t, b.Post(of(p, "/entrar/conta"), with("account", "current")), "/consentimento")
	holds(t, p, "João Batista Souza")
	lacks(t, p, "Maria")
	if p = b.Allow(p); p.Params().Get("code") == "" {
		t.Errorf("no code at %s", p.URL)
	}
}

func TestACPFTypedWhileSomebodyElseSignedInIsNotAnswered(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 3, mariaFields())
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	b := city.Browser(t)
	b.Allow(b.SignIn(b.Open(everything(city, "biblioteca")), maria, idptest.Password)) // nothing is left to ask Maria
	b.Post("/conta/sair", nil)
	for name, typed := range map[string]func(idptest.Page) idptest.Page{
		"before":      func(p idptest.Page) idptest.Page { return p },
		"in between":  func(p idptest.Page) idptest.Page { return at(t, b.Form(p, with("cpf", joao)), "/entrar/senha") },
		"on its page": func(p idptest.Page) idptest.Page { return b.Get(of(p, "/cadastro")) },
	} {
		tab := typed(at(t, b.Open(everything(city, "biblioteca")), "/entrar"))
		at(t, b.SignIn(b.Get("/conta"), maria, idptest.Password), "/conta")
		p := at(t, b.Form(tab, with("cpf", joao, "password", idptest.Password, "email", novoEmail)), "/entrar/conta")
		holds(t, p, "Maria Aparecida da Silva")
		p = at(t, b.Form(p, with("account", "other")), "/entrar")
		p = at(t, b.SignIn(p, joao, idptest.Password), "/consentimento")
		holds(t, p, "João Batista Souza")
		b.Post("/conta/sair", nil)
		if t.Failed() {
			t.Fatalf("signed in %s", name)
		}
	}
}

func TestSelectAccountLetsAnotherPersonIn(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 3, mariaFields())
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	b := city.Browser(t)
	r := everything(city, "biblioteca")
	first := city.Exchange(r, b.Authorize(r, maria))
	choose := everything(city, "biblioteca", "prompt", "select_account")
	p := at(t, b.Open(choose), "/entrar/conta")
	holds(t, p, "Maria Aparecida da Silva", "***.982.247-**")
	if same := b.Form(p, with("account", "current")); same.Params().Get("code") == "" {
		t.Errorf("going on as Maria ended at %s", same.URL)
	}
	p = at(t, b.Form(at(t, b.Open(choose), "/entrar/conta"), with("account", "other")), "/entrar")
	lacks(t, p, "Maria")
	p = at(t, b.SignIn(p, joao, idptest.Password), "/consentimento")
	second := city.Exchange(choose, b.Allow(p).Params().Get("code"))
	if a, b := idptest.Claims(t, first.Text("id_token"))["sub"], idptest.Claims(t, second.Text("id_token"))["sub"]; a == b || b == nil {
		t.Errorf("subjects %v and %v", a, b)
	}
	if active(city, "biblioteca", first.Text("access_token")) {
		t.Error("Maria left this browser, and her token lives on")
	}
}

func TestTheAccountShowsASocialNameInFullBesideTheCivilOne(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 4, map[string]string{"name": "Ana Lúcia Ferreira", "social_name": "Ana Ferreira", "email": "ana@example.org", "birthdate": "1990-09-02"})
	b := city.Browser(t)
	p := at(t, b.SignIn(at(t, b.Get("/conta"), "/entrar"), maria, idptest.Password), "/conta")
	holds(t, p, "Ana Lúcia Ferreira", "Ana Ferreira", "Nome social", "**/**/1990", "***.982.247-**", `href="/conta/aplicacoes"`)
	p = at(t, b.Get("/conta/aplicacoes"), "/conta/aplicacoes")
	holds(t, p, `href="/conta"`, "Ana Ferreira")
	lacks(t, p, "Ana Lúcia Ferreira")
	at(t, b.Post("/conta/sair", nil), "/sair/pronto")
	at(t, b.Get("/conta"), "/entrar")
}
