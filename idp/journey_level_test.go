package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
	"github.com/loginunico/loginunico/registry/trust"
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

func TestAServiceWaitsWhileACitizenReachesTheLevelItNeeds(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{divida})
	city.Known(maria, "fazenda", base)
	b, r := city.Browser(t), city.Request("divida", nil)
	p := b.Form(b.Get(of(b.Open(r), "/cadastro")), url.Values{"cpf": {maria}, "email": {novoEmail}, "password": {idptest.Password}})
	p = at(t, b.Form(p, url.Values{"code": {city.Code(novoEmail)}}), "/entrar/nivel")
	p = at(t, b.Get(of(p, "/conta/nivel")), "/conta/nivel")
	holds(t, p, "Um serviço espera por você", "Nome da mãe")
	p = at(t, b.Form(p, url.Values{"name": {"Maria"}}), "/conta/nivel") // half of it: the visit waits on
	p = at(t, b.Form(p, url.Values{"name": {"Maria Aparecida da Silva"}, "birthdate": {"14/05/1958"}, "mother_name": {"Benedita da Silva"}}), "/conta/nivel")
	holds(t, p, "Seu nível é 3 porque")
	if claims := arrived(t, b, r, b.Get(of(p, "/entrar/continuar"))); claims["acr"] != "urn:loginunico:nivel:3" {
		t.Errorf("%v", claims)
	}
	for _, other := range []string{"x", "https://evil.example", "00000000-0000-0000-0000-000000000000&x=1"} {
		if p := b.Get("/conta/nivel?i=" + url.QueryEscape(other)); p.Status != http.StatusOK {
			t.Errorf("%q: %d", other, p.Status)
		} else {
			lacks(t, p, "//evil", "Um serviço espera")
		}
	}
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

func TestAWayUpIsAButtonWhereTheCityHasIt(t *testing.T) {
	t.Parallel()

	city, b, _ := govbrCity(t, biblioteca)
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org", "address": "Avenida Brasil, 9, 80020-100"})
	p := at(t, b.SignIn(b.Get("/conta/nivel"), joao, idptest.Password), "/conta/nivel")
	holds(t, p, "Seu nível é 1 porque", "Para chegar ao nível 2", "Para chegar ao nível 4", "A cidade ainda não recebe certificados digitais")
	lacks(t, p, `id="certificate"`)
	near, far := strings.Index(p.Body, "Posto Vila Nova"), strings.Index(p.Body, "Posto Centro")
	if near < 0 || far < near || !strings.Contains(p.Body[near:far], "O mais perto do seu endereço") {
		t.Errorf("the nearest desk is not the first: %d, %d", near, far)
	}
	t.Run("who refuses at gov.br is back as they were", func(t *testing.T) {
		denied := b.ToGovBR(p)
		to, err := city.GovBR.Visitor().Deny(denied, "11144477735")
		if err != nil {
			t.Fatal(err)
		}
		why := refused(t, b.Get(to), "denied")
		holds(t, at(t, b.Get(of(why, "/entrar/continuar")), "/conta/nivel"), "Seu nível é 1 porque")
		holds(t, at(t, b.Get(of(why, "/entrar/nivel")), "/conta/nivel"), "Seu nível é 1 porque")
	})
	t.Run("who proves it is back at level 2", func(t *testing.T) {
		p := at(t, b.ByGovBR(at(t, b.Get("/conta/nivel"), "/conta/nivel"), joao), "/conta/nivel")
		holds(t, p, "Seu nível é 2 porque", "Este nível vale até")
		lacks(t, p, `id="govbr"`)
	})
	t.Run("of what is reached, or is no way, nothing begins", func(t *testing.T) {
		for _, kind := range []string{"govbr", "icp_certificate", "rumour", ""} {
			at(t, b.Get("/conta/nivel/provar?kind="+kind), "/conta/nivel")
		}
	})
}

func TestACityWithoutGovBRSaysSo(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(joao, 1, map[string]string{"name": "João", "email": "joao@example.org"})
	b := city.Browser(t)
	p := at(t, b.SignIn(b.Get("/conta/nivel"), joao, idptest.Password), "/conta/nivel")
	holds(t, p, "A cidade ainda não recebe contas gov.br")
	lacks(t, p, `id="govbr"`)
}

func TestAPastDaysLevelIsToldAsItWasThen(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	person := city.Person(joao, 1, map[string]string{"name": "João", "email": "joao@example.org"})
	zone := time.FixedZone("BRT", -3*3600)
	on := func(b *idptest.Browser, day time.Time) idptest.Page {
		t.Helper()
		return b.Get("/conta/nivel?day=" + day.In(zone).Format(time.DateOnly))
	}
	begun := city.Now()
	city.Advance(10 * day)
	city.Evidence(person, registryMatchUntil(city.Now(), city.Now().Add(20*day)))
	known := city.Now()
	city.Advance(5 * day)
	takeAway(t, city, person, evidenceOf(t, city, person, trust.RegistryMatch), false)
	city.Advance(50 * day)
	looks(t, city, 1)
	b := city.Browser(t)
	p := at(t, b.SignIn(b.Get("/conta/nivel"), joao, idptest.Password), "/conta/nivel")
	holds(t, p, "Seu nível é 1 porque", "O que já não vale", "Deixou de valer em")
	for _, c := range []struct {
		day  time.Time
		want string
	}{{begun.Add(-2 * day), "a cidade ainda não tinha prova"}, {begun.Add(2 * day), "seu nível era 1 porque"}, {known.Add(2 * day), "seu nível era 3 porque"},
		{known.Add(7 * day), "seu nível era 1 porque"}, {city.Now(), "seu nível era 1 porque"}} {
		got := on(b, c.day)
		if then := got.Body; got.Status != http.StatusOK || !strings.Contains(then, c.want) || !strings.Contains(then, "Em "+c.day.In(zone).Format("02/01/2006")) {
			t.Errorf("%s: %d, without %q", c.day.Format(time.DateOnly), got.Status, c.want)
		}
	}
	if then := on(b, known.Add(2*day)).Body; strings.Contains(then[strings.Index(then, `id="then"`):strings.Index(then, `id="show-day"`)], "Deixou de valer") {
		t.Error("a past day knows of what came later")
	}
	holds(t, b.Get("/conta/nivel?day="+url.QueryEscape(begun.Add(2*day).In(zone).Format("02/01/2006"))), "seu nível era 1 porque")
	for _, typed := range []string{city.Now().Add(2 * day).Format(time.DateOnly), "2026-02-31", "31/02/2026", "ontem", "1899-12-31", "2026", `"><script>`, strings.Repeat("9", 5000)} {
		if p := b.Get("/conta/nivel?day=" + url.QueryEscape(typed)); p.Status != http.StatusUnprocessableEntity || strings.Contains(p.Body, `id="then"`) || strings.Contains(p.Body, "><script>x") {
			t.Errorf("%.20q: %d", typed, p.Status)
		}
	}
}

func TestTheLevelIsExplainedInABrowser(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca}, idptest.WithGovBR())
	person := city.Person(maria, 2, map[string]string{"name": "Maria Aparecida da Silva", "email": "maria@example.org", "address": "Rua das Acácias, 120, 80010-000"})
	city.Evidence(person, trust.Evidence{Kind: trust.BiometricEnrollment, Source: "desk", Method: "test", Verifier: "test", VerifiedAt: city.Now()})
	city.Advance(3 * day)
	takeAway(t, city, person, evidenceOf(t, city, person, trust.BiometricEnrollment), false)
	b := testbrowser.New(t)
	signedIn(b, city, "/conta")
	b.Follow("#why")
	for lang, words := range map[string]string{"pt-BR": "Seu nível é 2 porque", "es": "Su nivel es 2 porque", "en": "Your level is 2 because"} {
		b.SetLang(lang)
		b.Open(city.Issuer + "/conta/nivel")
		b.See(words)
		sound(b)
		testbrowser.Eval[bool](b, `(document.getElementById("day").value = "`+city.Now().Add(-2*day).Format(time.DateOnly)+`", true)`)
		b.Submit("show-day")
		b.See("4")
		if !b.Has("#then") {
			t.Errorf("%s: no past day", lang)
		}
		sound(b)
		for _, width := range []int64{360, 1280} {
			b.Shot("nivel-"+lang, width)
		}
	}
	b.Open(city.Issuer + "/conta/nivel?day=31/02/2026")
	sound(b)
	b.Shot("nivel-dia-errado", 360)
}
