package idp_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
)

// base is what the city's tax office knows of Maria.
var base = map[string]string{"name": "Maria Aparecida da Silva", "birthdate": "1958-05-14", "mother_name": "Benedita da Silva"}

// account opens an account for a CPF that a base knows and returns its page about the level.
func account(t *testing.T, city *idptest.City) (*idptest.Browser, idptest.Page) {
	t.Helper()
	city.Known(maria, "fazenda", base)
	b := city.Browser(t)
	p := at(t, b.Get("/conta/nivel"), "/entrar")
	p = b.Form(b.Get(of(p, "/cadastro")), url.Values{"cpf": {maria}, "email": {novoEmail}, "password": {idptest.Password}})
	return b, at(t, b.Form(p, url.Values{"code": {city.Code(novoEmail)}}), "/conta/nivel")
}

func TestACitizenReachesLevel3ByStatingWhatTheCityKnows(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	b, p := account(t, city)
	holds(t, p, "Seu nível é 1 porque", "Nome da mãe")
	lacks(t, p, "Benedita", "Aparecida") // what a base knows is nobody's yet
	p = b.Form(p, url.Values{"name": {"Maria Aparecida da Silva"}, "birthdate": {"14/05/1958"}, "mother_name": {""}})
	if p.Status != http.StatusUnprocessableEntity {
		t.Errorf("half of it: status %d", p.Status)
	}
	holds(t, p, `value="Maria Aparecida da Silva"`)
	p = at(t, b.Form(p, url.Values{"name": {"maria aparecida da SILVA"}, "birthdate": {"14/05/1958"}, "mother_name": {"Benedita da Silva"}}), "/conta/nivel")
	holds(t, p, "Seu nível é 3 porque", "A cidade também sabe que")
	lacks(t, p, "Nome da mãe")
}

func TestWhatIsStatedIsStatedOnce(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	b, p := account(t, city)
	wrong := url.Values{"name": {"Maria Aparecida da Silva"}, "birthdate": {"14/05/1958"}, "mother_name": {"Antônia da Silva"}}
	p = at(t, b.Form(p, wrong), "/conta/nivel")
	holds(t, p, "Seu nível é 1 porque", "não são iguais aos da cidade")
	right := url.Values{"name": wrong["name"], "birthdate": wrong["birthdate"], "mother_name": {"Benedita da Silva"}}
	holds(t, at(t, b.Post("/conta/nivel", right), "/conta/nivel"), "Seu nível é 1 porque") // or the mother's name could be tried for
}

func TestTheLevelIsExplainedInABrowser(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 2, map[string]string{"email": "maria@example.org"})
	b := testbrowser.New(t)
	signedIn(b, city, "/conta")
	b.Follow("#why")
	for lang, words := range map[string]string{"pt-BR": "Seu nível é 2 porque", "es": "Su nivel es 2 porque", "en": "Your level is 2 because"} {
		b.SetLang(lang)
		b.Open(city.Issuer + "/conta/nivel")
		b.See(words)
		sound(b)
	}
}
