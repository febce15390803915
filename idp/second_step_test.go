package idp_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
)

// halfway signs in with the password, in an account that wants more.
func halfway(t *testing.T, b *idptest.Browser, r idptest.Request) idptest.Page {
	t.Helper()
	p := at(t, b.Form(b.Open(r), url.Values{"cpf": {maria}}), "/entrar/senha")
	return at(t, b.Form(p, url.Values{"password": {idptest.Password}}), "/entrar/segunda-etapa")
}

// shows sends what a device answers to this page's options.
func shows(t *testing.T, b *idptest.Browser, p idptest.Page, d *idptest.Device) idptest.Page {
	t.Helper()
	options := b.Post(of(p, "/entrar/chave/opcoes"), nil)
	return b.Post(of(p, "/entrar/chave"), url.Values{"credential": {d.Answer(t, options.Body)}})
}

// arrived redeems the code that a page leads to and returns the ID token's claims.
func arrived(t *testing.T, b *idptest.Browser, r idptest.Request, p idptest.Page) map[string]any {
	t.Helper()
	if p.Location == nil {
		p = b.Allow(at(t, p, "/consentimento"))
	}
	return idptest.Claims(t, b.City.Exchange(r, p.Params().Get("code")).Text("id_token"))
}

// texts are the members of a JSON array of strings.
func texts(value any) (all []string) {
	list, _ := value.([]any)
	for _, v := range list {
		text, _ := v.(string)
		all = append(all, text)
	}
	return all
}

func TestAnAccountWithAnAppAsksForItsCodeAfterThePassword(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	app := city.App(city.Person(maria, 3, mariaFields()))
	b, r := city.Browser(t), everything(city, "biblioteca")
	p := halfway(t, b, r)
	holds(t, p, "código")

	for _, wrong := range []string{"", "000000", app.Code(), strings.Repeat("9", 500), "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"} { // the app's has confirmed it
		if p = at(t, b.Form(p, url.Values{"code": {wrong}}), "/entrar/segunda-etapa"); p.Status != http.StatusUnprocessableEntity {
			t.Errorf("%q: status %d", wrong, p.Status)
		}
	}
	claims := arrived(t, b, r, b.Form(p, url.Values{"code": {app.Next()}}))
	if amr := texts(claims["amr"]); !slices.Equal(amr, []string{"pwd", "otp", "mfa"}) {
		t.Errorf("amr is %v", amr)
	}
	if claims["trust_level"] != 3.0 {
		t.Errorf("level %v", claims["trust_level"])
	}
}

func TestNothingIsOpenBetweenThePasswordAndTheCode(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.App(city.Person(maria, 3, mariaFields()))
	b := city.Browser(t)
	halfway(t, b, everything(city, "biblioteca"))
	at(t, b.Get("/conta"), "/entrar")
	for _, path := range []string{"/consentimento", "/cadastro/dados", "/entrar/reforco"} {
		p := b.Get(of(halfway(t, b, everything(city, "biblioteca")), path))
		at(t, p, "/entrar/segunda-etapa")
	}
	p := halfway(t, b, everything(city, "biblioteca"))
	at(t, b.Form(p, url.Values{"without": {"1"}}), "/entrar/segunda-etapa") // nothing was recovered
}

func TestARightPasswordWaitsTenMinutesForItsCode(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	app := city.App(city.Person(maria, 3, mariaFields()))
	b := city.Browser(t)
	p := halfway(t, b, everything(city, "biblioteca"))
	city.Advance(11 * time.Minute)
	at(t, b.Form(p, url.Values{"code": {app.Code()}}), "/entrar/senha")
}

func TestARecoveryCodeStandsInForTheAppOnce(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	app := city.App(city.Person(maria, 3, mariaFields()))
	var wins atomic.Int32
	var all sync.WaitGroup
	for range 10 {
		b := city.Browser(t)
		p := halfway(t, b, everything(city, "biblioteca"))
		all.Go(func() {
			if p := b.Form(p, url.Values{"code": {strings.ToLower(app.Codes[3])}}); p.URL.Path != "/entrar/segunda-etapa" {
				wins.Add(1)
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 {
		t.Errorf("one code opened %d sessions", wins.Load())
	}
}

func TestAPasskeySignsInWithoutCPFAndPassword(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	d := city.Device(city.Person(maria, 4, mariaFields()), true)
	b, r := city.Browser(t), everything(city, "biblioteca")
	p := at(t, b.Open(r), "/entrar")
	claims := arrived(t, b, r, shows(t, b, p, d))
	if amr := texts(claims["amr"]); !slices.Equal(amr, []string{"hwk", "user", "mfa"}) {
		t.Errorf("amr is %v", amr)
	}
	if claims["trust_level"] != 4.0 {
		t.Errorf("level %v", claims["trust_level"])
	}
}

func TestAPasskeyAfterTheCPFMustBeThatPersons(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 3, mariaFields())
	other := city.Device(city.Person(joao, 3, map[string]string{"name": "João Batista", "email": "joao@example.com"}), true)
	b := city.Browser(t)
	for _, cpf := range []string{maria, "987.654.321-00"} { // one without an account answers alike
		p := at(t, b.Form(b.Open(everything(city, "biblioteca")), url.Values{"cpf": {cpf}}), "/entrar/senha")
		if p = at(t, shows(t, b, p, other), "/entrar/chave"); p.Status != http.StatusUnprocessableEntity {
			t.Errorf("status %d", p.Status)
		}
	}
}

func TestAnAnswerOfAnotherVisitOrTwiceIsRefused(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	d := city.Device(city.Person(maria, 3, mariaFields()), true)
	mine, theirs := city.Browser(t), city.Browser(t)
	p := at(t, mine.Open(everything(city, "biblioteca")), "/entrar")
	answer := url.Values{"credential": {d.Answer(t, mine.Post(of(p, "/entrar/chave/opcoes"), nil).Body)}}
	q := at(t, theirs.Open(everything(city, "biblioteca")), "/entrar")
	if got := theirs.Post(of(q, "/entrar/chave"), answer); got.Status != http.StatusUnprocessableEntity {
		t.Errorf("another browser: %d", got.Status)
	}
	if got := mine.Post(of(p, "/entrar/chave"), answer); got.Status != http.StatusOK || got.URL.Path == "/entrar" {
		t.Errorf("the owner: %d at %s", got.Status, got.URL)
	}
	again := at(t, mine.Open(everything(city, "biblioteca", "prompt", "login")), "/entrar/senha")
	if got := mine.Post(of(again, "/entrar/chave"), answer); got.Status != http.StatusUnprocessableEntity {
		t.Errorf("twice: %d", got.Status)
	}
}

func TestASessionTooWeakForAServiceIsMadeStrongerInItsVisit(t *testing.T) {
	t.Parallel()

	level4 := strings.Replace(biblioteca, "department:", "min_level: 4\ndepartment:", 1)
	city := idptest.Start(t, []string{level4})
	d := city.Device(city.Person(maria, 4, mariaFields()), true)
	b, r := city.Browser(t), everything(city, "biblioteca")
	p := at(t, b.Form(b.Open(r), url.Values{"cpf": {maria}}), "/entrar/senha")
	p = at(t, b.Form(p, url.Values{"password": {idptest.Password}}), "/entrar/nivel")
	holds(t, p, "/entrar/reforco")
	p = at(t, b.Get(of(p, "/entrar/reforco")), "/entrar/reforco")
	claims := arrived(t, b, r, shows(t, b, p, d))
	if amr := texts(claims["amr"]); claims["trust_level"] != 4.0 || !slices.Contains(amr, "pwd") || !slices.Contains(amr, "hwk") {
		t.Errorf("level %v by %v", claims["trust_level"], amr)
	}
}

func TestTheOwnerIsToldOfACopiedKey(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	d := city.Device(city.Person(maria, 3, mariaFields()), true)
	for n, count := range []uint32{5, 4} {
		d.Count(count)
		b := city.Browser(t)
		p := shows(t, b, at(t, b.Open(everything(city, "biblioteca")), "/entrar"), d)
		if refused := p.Status == http.StatusUnprocessableEntity; refused != (n == 1) {
			t.Errorf("count %d: status %d", count, p.Status)
		}
	}
	if letter := city.Letter("maria@example.org"); !strings.Contains(letter, city.Issuer+"/n/") {
		t.Errorf("the letter has no link to deny it: %s", letter)
	}
}

func TestASignInIsKeptForItsOwnerToSee(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	person := city.Person(maria, 3, mariaFields())
	b := city.Browser(t)
	b.Authorize(everything(city, "biblioteca"), maria)
	events := eventsOf(t, city, person)
	if len(events) != 1 || events[0].Kind != factor.SignedIn {
		t.Errorf("events: %+v", events)
	}
}

func eventsOf(t *testing.T, city *idptest.City, person uuid.UUID) []factor.Event {
	t.Helper()
	events, err := factor.EventsOf(t.Context(), city.DB, person, city.Now(), 100)
	if err != nil {
		t.Fatal(err)
	}
	return events
}
