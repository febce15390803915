package idp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/federation/govbrtest"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

const (
	rita  = "714.287.938-60" // has a gov.br account, silver, and is unknown to the city
	paulo = "935.411.347-80" // gold, signs in at gov.br by certificate
)

// needing is the library with a lowest level.
func needing(level string) string {
	return strings.Replace(biblioteca, "department:", "min_level: "+level+"\ndepartment:", 1)
}

func govbrCity(t *testing.T, manifest string) (*idptest.City, *idptest.Browser, idptest.Request) {
	t.Helper()
	city := idptest.Start(t, []string{manifest}, idptest.WithGovBR())
	return city, city.Browser(t), everything(city, "biblioteca")
}

// proofsOf are the live gov.br evidence of the person of a CPF.
func proofsOf(t *testing.T, city *idptest.City, cpf string) (all []trust.Evidence) {
	t.Helper()
	evidence, err := trust.Of(t.Context(), city.DB, personOf(t, city, cpf).ID)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(evidence, func(e trust.Evidence) bool { return e.Kind != trust.GovBR || !e.LiveAt(city.Now()) })
}

func personOf(t *testing.T, city *idptest.City, cpf string) registry.Person {
	t.Helper()
	number, err := brdoc.ParseCPF(cpf)
	if err != nil {
		t.Fatal(err)
	}
	p, err := registry.NewStore(city.Box).ByCPF(t.Context(), city.DB, number)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// refused fails unless the page says this reason.
func refused(t *testing.T, p idptest.Page, reason string) idptest.Page {
	t.Helper()
	if at(t, p, "/entrar/govbr/aviso"); p.URL.Query().Get("motivo") != reason {
		t.Errorf("the reason is %s, want %s", p.URL.Query().Get("motivo"), reason)
	}
	return p
}

func TestGovBROpensAnAccountForWhomTheCityDoesNotKnow(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, needing("2"))
	p := at(t, b.ByGovBR(b.Open(r), rita), "/consentimento")
	holds(t, p, "Rita de Cássia Nogueira")
	claims := arrived(t, b, r, p)
	if amr := texts(claims["amr"]); claims["trust_level"] != 2.0 || claims["acr"] != "urn:loginunico:nivel:2" || !slices.Equal(amr, []string{"govbr"}) {
		t.Errorf("level %v, acr %v by %v", claims["trust_level"], claims["acr"], amr)
	}
	person := personOf(t, city, rita)
	for name, want := range map[string]string{"name": "Rita de Cássia Nogueira", "email": "rita@example.org", "phone_number": "+5541988887777"} {
		if v := person.Declared[name]; v.Text != want || v.Source != registry.SourceGovBR {
			t.Errorf("%s is %+v", name, v)
		}
	}
	proofs := proofsOf(t, city, rita)
	attributes, _ := json.Marshal(proofs[0].Attributes)
	if want := `{"level":"silver","selos":[{"id":"605","updated_at":"2026-04-20T12:30:00Z"}]}`; len(proofs) != 1 || string(attributes) != want {
		t.Errorf("%d proofs, %s", len(proofs), attributes)
	}
	if left := proofs[0].ExpiresAt.Sub(city.Now()); left < 364*24*time.Hour || left > 366*24*time.Hour {
		t.Errorf("it counts for %v", left)
	}
}

func TestWhoComesBackByGovBRIsTheSamePersonAndTheProofIsWrittenDownRarely(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, needing("2"))
	first := arrived(t, b, r, b.ByGovBR(b.Open(r), rita))
	again := city.Browser(t)
	second := arrived(t, again, r, again.ByGovBR(again.Open(r), rita))
	if first["sub"] != second["sub"] || len(proofsOf(t, city, rita)) != 1 {
		t.Errorf("sub %v, then %v; %d proofs", first["sub"], second["sub"], len(proofsOf(t, city, rita)))
	}
	city.GovBR.Change("71428793860", func(p *govbrtest.Person) { p.Level = "gold" })
	third := city.Browser(t)
	arrived(t, third, r, third.ByGovBR(third.Open(r), rita))
	if proofs := proofsOf(t, city, rita); len(proofs) != 2 || proofs[1].Attributes["level"] != "gold" {
		t.Errorf("a higher level: %v", proofs)
	}
	if p := at(t, third.Get("/conta"), "/conta"); !strings.Contains(p.Body, "gov.br") {
		t.Error("the account page does not say where the data came from")
	}
}

func TestAGovBRAccountRaisesSomebodyFromLevelOneInTheMiddleOfAVisit(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, needing("2"))
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	p := at(t, b.SignIn(b.Open(r), joao, idptest.Password), "/entrar/nivel")
	claims := arrived(t, b, r, b.ByGovBR(p, joao))
	if amr := texts(claims["amr"]); claims["trust_level"] != 2.0 || !slices.Contains(amr, "pwd") || !slices.Contains(amr, "govbr") {
		t.Errorf("level %v by %v", claims["trust_level"], amr)
	}
	again := city.Browser(t)
	arrived(t, again, r, again.SignIn(again.Open(r), joao, idptest.Password)) // the account is the same
}

func TestGoldMakesASessionStrongAndACertificateAtGovBRIsNotOurs(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, needing("4"))
	city.Person(maria, 4, mariaFields())
	claims := arrived(t, b, r, b.ByGovBR(b.Open(r), maria))
	if claims["acr"] != "urn:loginunico:nivel:4" || !slices.Equal(texts(claims["amr"]), []string{"govbr"}) {
		t.Errorf("acr %v by %v", claims["acr"], claims["amr"])
	}
	city.Person(paulo, 5, map[string]string{"name": "Paulo Rocha", "email": "paulo@example.org", "birthdate": "1979-11-30"})
	other := city.Browser(t)
	claims = arrived(t, other, r, other.ByGovBR(other.Open(r), paulo))
	if claims["acr"] != "urn:loginunico:nivel:4" || claims["trust_level"] != 5.0 {
		t.Errorf("by certificate at gov.br: acr %v of level %v", claims["acr"], claims["trust_level"])
	}
	city.GovBR.Change("16899535009", func(p *govbrtest.Person) { p.Level = "bronze" })
	city.Person("168.995.350-09", 4, map[string]string{"name": "Carla Mendes", "email": "carla@example.org"})
	weak := city.Browser(t)
	at(t, weak.ByGovBR(weak.Open(r), "168.995.350-09"), "/entrar/nivel")
}

func TestWhoComesBackAsSomebodyElseIsNotSignedIn(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, biblioteca)
	city.Person(maria, 3, mariaFields())
	p := at(t, b.Form(b.Open(r), url.Values{"cpf": {maria}}), "/entrar/senha")
	p = refused(t, b.ByGovBR(p, joao), "other")
	holds(t, p, "***.982.247-**", "Sair do gov.br")
	lacks(t, p, "João", "111.444.777-35")
	if len(b.HTTP.Jar.Cookies(p.URL)) == 0 || isIn(city, b) {
		t.Error("somebody is signed in")
	}
	p = at(t, b.Get(of(p, "/entrar/continuar")), "/entrar/senha") // the visit goes on as it was
	arrived(t, b, r, b.Form(p, url.Values{"password": {idptest.Password}}))

	again := b.Open(everything(city, "biblioteca", "prompt", "login"))
	refused(t, b.ByGovBR(at(t, again, "/entrar/senha"), joao), "other")
}

func isIn(city *idptest.City, b *idptest.Browser) bool {
	return b.Open(everything(city, "biblioteca", "prompt", "none")).Params().Get("error") != "login_required"
}

func TestWhatGoesWrongAtGovBREndsInThePlaceItBegan(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, biblioteca)
	city.Person(maria, 3, mariaFields())
	start := b.Open(r)
	claim := func(name string, v any) govbrtest.Modes {
		return govbrtest.Modes{IDToken: func(claims map[string]any) { claims[name] = v }}
	}
	for name, c := range map[string]struct {
		modes  govbrtest.Modes
		reason string
	}{
		"token endpoint fails":  {govbrtest.Modes{Fail: map[string]int{"/token": 500}}, "unavailable"},
		"code refused":          {govbrtest.Modes{Fail: map[string]int{"/token": 400}}, "unavailable"},
		"another audience":      {claim("aud", "outra.example.org"), "unavailable"},
		"another issuer":        {claim("iss", "https://sso.acesso.gov.br.evil.example/"), "unavailable"},
		"another nonce":         {claim("nonce", "x"), "unavailable"},
		"sub of another CPF":    {claim("sub", "11144477735"), "cpf"},
		"a CPF of wrong digits": {claim("preferred_username", "52998224724"), "cpf"},
	} {
		t.Run(name, func(t *testing.T) {
			city.GovBR.Set(c.modes)
			refused(t, b.ByGovBR(start, maria), c.reason)
			if isIn(city, b) {
				t.Error("somebody is signed in")
			}
		})
	}
	city.GovBR.Set(govbrtest.Modes{})
	to, err := city.GovBR.Visitor().Deny(b.ToGovBR(start), "11144477735") // who has not agreed before
	if err != nil {
		t.Fatal(err)
	}
	holds(t, refused(t, b.Get(to), "denied"), "Tentar de novo")
	at(t, b.Get(of(start, "/entrar/govbr/aviso")+"&motivo=any"), "/entrar")
	arrived(t, b, r, b.ByGovBR(start, maria))
}

func TestACallbackCountsOnceAndInItsOwnBrowser(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, biblioteca)
	start := b.Open(r)
	back := b.FromGovBR(city.GovBR.Visitor(), b.ToGovBR(start), rita)
	thief := city.Browser(t)
	thief.Open(r)
	if p := thief.Get(back); p.Status != http.StatusGone || isIn(city, thief) {
		t.Errorf("another browser: %d", p.Status)
	}
	u, _ := url.Parse(back)
	for name, change := range map[string]func(q url.Values){"another state": func(q url.Values) { q.Set("state", strings.Repeat("x", 43)) },
		"a short state": func(q url.Values) { q.Set("state", "x") }} {
		q := u.Query()
		change(q)
		if p := b.Get("/entrar/govbr/retorno?" + q.Encode()); p.Status != http.StatusGone {
			t.Errorf("%s: %d", name, p.Status)
		}
	}
	at(t, b.Get(back), "/consentimento") // the thief has used nothing up
	if p := b.Get(back); p.Status != http.StatusGone {
		t.Errorf("again: %d %s", p.Status, p.URL)
	}
	other := city.Browser(t)
	p := other.Open(r)
	victims := other.FromGovBR(city.GovBR.Visitor(), other.ToGovBR(p), paulo)
	v, _ := url.Parse(victims)
	mine := city.Browser(t)
	first := mine.Open(r)
	m, _ := url.Parse(mine.FromGovBR(city.GovBR.Visitor(), mine.ToGovBR(first), rita))
	q := m.Query()
	q.Set("code", v.Query().Get("code")) // somebody else's code under one's own state: PKCE and nonce
	refused(t, mine.Get("/entrar/govbr/retorno?"+q.Encode()), "unavailable")
}

func TestWhoLandsWithoutACodeGoesOnWhereTheyLeft(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, biblioteca)
	city.GovBR.Set(govbrtest.Modes{Static: city.Issuer + "/entrar/govbr/retorno"})
	start := b.Open(r)
	p := at(t, b.ByGovBR(start, rita), "/entrar")
	if of(p, "") != of(start, "") {
		t.Errorf("another visit: %s", p.URL)
	}
	city.GovBR.Set(govbrtest.Modes{})
	arrived(t, b, r, b.ByGovBR(p, rita))
	if stranger := city.Browser(t).Get("/entrar/govbr/retorno"); stranger.URL.Path != "/entrar" {
		t.Errorf("a stranger is at %s", stranger.URL)
	}
}

func TestASquattedAccountEndsWhenItsCPFIsProven(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, biblioteca)
	city.Person(maria, 1, map[string]string{"name": "Um Impostor", "email": "impostor@example.com", "birthdate": "1970-01-01"})
	squatter := city.Browser(t)
	offline := everything(city, "biblioteca", "prompt", "consent", "scope", "openid profile email offline_access")
	stolen := city.Exchange(offline, squatter.Authorize(offline, maria))
	if city.Userinfo(stolen.Text("access_token")).Status != http.StatusOK {
		t.Fatalf("the squatter has no token: %s", stolen.Body)
	}

	p := at(t, b.ByGovBR(b.Open(r), maria), "/entrar/govbr/conta")
	holds(t, p, "***.982.247-**")
	lacks(t, p, "Impostor", "impostor@example.com")
	if isIn(city, b) || city.Userinfo(stolen.Text("access_token")).Status != http.StatusOK {
		t.Error("something happened before the citizen decided")
	}
	p = b.Post(of(p, "/entrar/govbr/conta"), url.Values{"account": {"end"}})
	claims := arrived(t, b, r, at(t, p, "/consentimento"))
	if claims["trust_level"] != 2.0 {
		t.Errorf("level %v", claims["trust_level"])
	}

	if a := city.Userinfo(stolen.Text("access_token")); a.Status != http.StatusUnauthorized {
		t.Errorf("the squatter's token: %d", a.Status)
	}
	if a := city.Call("/oauth/token", "biblioteca", with("grant_type", "refresh_token", "refresh_token", stolen.Text("refresh_token"))); a.Text("error") != "invalid_grant" {
		t.Errorf("the squatter's refresh token: %d %s", a.Status, a.Body)
	}
	if isIn(city, squatter) {
		t.Error("the squatter is signed in")
	}
	if p := squatter.SignIn(squatter.Open(r), maria, idptest.Password); p.Status != http.StatusUnprocessableEntity {
		t.Errorf("the squatter's password: %d %s", p.Status, p.URL)
	}
	if letter := city.Letter("impostor@example.com"); !strings.Contains(letter, "CPF") {
		t.Errorf("the letter: %s", letter)
	}
	person := personOf(t, city, maria)
	if person.Declared["name"].Text != "Maria Aparecida da Silva" || person.Declared["birthdate"].Text != "" || person.Declared["email"].Text != "maria@example.org" {
		t.Errorf("what stays: %+v", person.Declared)
	}
}

func TestWhoKnowsThePasswordKeepsTheAccountAndJoinsGovBRToIt(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, biblioteca)
	id := city.Person(maria, 1, mariaFields())
	p := at(t, b.ByGovBR(b.Open(r), maria), "/entrar/govbr/conta")
	for typed, code := range map[string]string{"": "Digite a senha", "errada-errada": "A senha não é a da conta"} {
		wrong := b.Form(p, url.Values{"password": {typed}})
		if wrong.Status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", typed, wrong.Status)
		}
		holds(t, wrong, code)
	}
	claims := arrived(t, b, r, b.Form(p, url.Values{"password": {idptest.Password}}))
	if amr := texts(claims["amr"]); !slices.Contains(amr, "pwd") || !slices.Contains(amr, "govbr") || personOf(t, city, maria).ID != id {
		t.Errorf("by %v", amr)
	}
	if p := b.Post(of(p, "/entrar/govbr/conta"), url.Values{"account": {"end"}}); p.Status != http.StatusGone {
		t.Errorf("decided twice: %d", p.Status)
	}
	again := city.Browser(t)
	arrived(t, again, r, again.SignIn(again.Open(r), maria, idptest.Password))
	if letter := city.Letter("maria@example.org"); !strings.Contains(letter, "gov.br") {
		t.Errorf("the letter: %s", letter)
	}
	straight := city.Browser(t)
	arrived(t, straight, r, straight.ByGovBR(straight.Open(r), maria)) // linked: nothing is asked any more
}

func TestFirstSignInsAtOnceMakeOnePerson(t *testing.T) {
	t.Parallel()

	city, _, r := govbrCity(t, biblioteca)
	const many = 6
	browsers, backs := make([]*idptest.Browser, many), make([]string, many)
	for i := range many {
		browsers[i] = city.Browser(t)
		backs[i] = browsers[i].FromGovBR(city.GovBR.Visitor(), browsers[i].ToGovBR(browsers[i].Open(r)), rita)
	}
	pages := make([]idptest.Page, many)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() { pages[i] = browsers[i].Get(backs[i]) })
	}
	wg.Wait()
	for _, p := range pages {
		at(t, p, "/consentimento")
	}
	var people int
	if err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM person`).Scan(&people); err != nil || people != 1 {
		t.Errorf("%d people, %v", people, err)
	}
	if n := len(proofsOf(t, city, rita)); n < 1 || n > many {
		t.Errorf("%d proofs", n)
	}
}

func TestADecisionIsTheBrowsersThatWentToGovBR(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, biblioteca)
	city.Person(maria, 1, mariaFields())
	p := at(t, b.ByGovBR(b.Open(r), maria), "/entrar/govbr/conta")
	other := city.Browser(t)
	own := other.Open(r)
	for _, where := range []string{of(p, "/entrar/govbr/conta"), of(own, "/entrar/govbr/conta")} {
		if got := other.Post(where, url.Values{"account": {"end"}}); isIn(city, other) || got.URL.Path == "/consentimento" {
			t.Errorf("another browser decided at %s", where)
		}
	}
	city.Advance(11 * time.Minute)
	if late := b.Post(of(p, "/entrar/govbr/conta"), url.Values{"account": {"end"}}); isIn(city, b) {
		t.Errorf("too late: %d %s", late.Status, late.URL)
	}
	arrived(t, other, r, other.SignIn(other.Open(r), maria, idptest.Password)) // the account stands
}

func TestACPFThatIsClosedIsRefusedWithHelp(t *testing.T) {
	t.Parallel()

	city, _, r := govbrCity(t, biblioteca)
	for cpf, gone := range map[string]registry.Fields{
		rita:  {"situation": {Text: "cancelled", Source: "receita"}},
		carla: {"situation": {Text: "null", Source: "receita"}},
		paulo: {"situation": {Text: "deceased", Source: "receita"}},
		joao:  {"death": {Text: "2026-02-03", Source: "receita"}},
	} {
		number, _ := brdoc.ParseCPF(cpf)
		gone["name"] = registry.Value{Text: "Quem Era Antes", Source: "receita"}
		if _, err := registry.NewStore(city.Box).Create(t.Context(), city.DB, registry.Person{CPF: number, Fields: gone}, city.Now()); err != nil {
			t.Fatal(err)
		}
		b := city.Browser(t)
		p := refused(t, b.ByGovBR(b.Open(r), cpf), "closed")
		holds(t, p, "Receita Federal", "atendimento da cidade")
		lacks(t, p, "Tentar de novo", "Quem Era Antes")
		if isIn(city, b) {
			t.Error("signed in")
		}
	}
}

func TestACPFThatHasBecomeAnotherIsRefusedWithHelp(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, biblioteca)
	before := city.Known(rita, "receita", map[string]string{"name": "Rita de Cássia Nogueira"})
	after := city.Known(helena, "receita", map[string]string{"name": "Rita de Cássia Nogueira"})
	if err := pg.InTx(t.Context(), city.DB, func(tx pg.Tx) error {
		_, err := registry.NewStore(city.Box).Merge(t.Context(), tx, before, after, "operator", "the Receita gave her another CPF", nil, city.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	old := rita // the Receita gave both on one day: either may be the one that stays, and gov.br has the other
	if personOf(t, city, rita).CPF.Digits() == digits(rita) {
		old = helena
		city.GovBR.Change(digits(rita), func(p *govbrtest.Person) { p.CPF = digits(helena) })
	}
	p := refused(t, b.ByGovBR(b.Open(r), old), "cpf")
	holds(t, p, "CPF da pessoa mudou", "atendimento da cidade")
	lacks(t, p, "Tentar de novo", rita, helena)
	if isIn(city, b) {
		t.Error("signed in")
	}
}

func TestANewSignInIsNotOneThatGovBRRemembers(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, biblioteca)
	there := city.GovBR.Visitor()
	claims := arrived(t, b, r, b.Get(b.FromGovBR(there, b.ToGovBR(b.Open(r)), rita)))
	city.Advance(time.Hour)
	later := city.Browser(t)
	remembered := arrived(t, later, r, later.Get(b.FromGovBR(there, later.ToGovBR(later.Open(r)), rita)))
	if first, second := claims["auth_time"].(float64), remembered["auth_time"].(float64); second > first+60 {
		t.Errorf("signed in at %v, said to be at %v", first, second)
	}
	anew := everything(city, "biblioteca", "prompt", "login")
	p := refused(t, b.Get(b.FromGovBR(there, b.ToGovBR(at(t, b.Open(anew), "/entrar/senha")), rita)), "old")
	back, err := there.Allow(b.ToGovBR(p), "") // gov.br's logout
	if err != nil || back != city.Issuer+"/sair/pronto" || city.GovBR.Sessions() != 0 {
		t.Fatalf("%s %v, %d sessions", back, err, city.GovBR.Sessions())
	}
	onward := b.Get(back)
	if onward.Location == nil {
		t.Fatalf("at %s", onward.URL)
	}
	fresh := arrived(t, b, anew, b.Get(b.FromGovBR(there, onward.Location.String(), rita)))
	if got := fresh["auth_time"].(float64); got < float64(city.Now().Add(-time.Minute).Unix()) {
		t.Errorf("auth_time %v", got)
	}
}

func TestLogoutEndsTheSessionAtGovBRTooAndReturnsToTheService(t *testing.T) {
	t.Parallel()

	manifest := strings.Replace(biblioteca, "grants:", "post_logout_redirect_uris: [http://localhost:9/tchau]\ngrants:", 1)
	city, b, r := govbrCity(t, manifest)
	there := city.GovBR.Visitor()
	p := b.Allow(at(t, b.Get(b.FromGovBR(there, b.ToGovBR(b.Open(r)), rita)), "/consentimento"))
	tokens := city.Exchange(r, p.Params().Get("code"))
	ask := b.Get("/sair?" + with("id_token_hint", tokens.Text("id_token"), "post_logout_redirect_uri", "http://localhost:9/tchau", "state", "s&1").Encode())
	if csp := ask.Header.Get("Content-Security-Policy"); !strings.Contains(csp, city.GovBR.Base) {
		t.Errorf("the browser would stop the form: %s", csp)
	}
	form := with("decision", "logout", "id_token_hint", tokens.Text("id_token"), "post_logout_redirect_uri", "http://localhost:9/tchau", "state", "s&1")
	out := b.Post("/sair/confirmar", form)
	if out.Location == nil || !strings.HasPrefix(out.Location.String(), city.GovBR.Base+"/logout?") {
		t.Fatalf("sent to %v", out.Location)
	}
	back, err := there.Allow(out.Location.String(), "")
	if err != nil || city.GovBR.Sessions() != 0 {
		t.Fatalf("%v, %d sessions", err, city.GovBR.Sessions())
	}
	if end := b.Get(back); end.Location == nil || end.Location.String() != "http://localhost:9/tchau?state=s%261" {
		t.Errorf("ends at %v", end.Location)
	}
	if end := b.Get("/sair/pronto"); end.Location != nil || end.Status != http.StatusOK {
		t.Errorf("once more: %v", end.Location)
	}
	if isIn(city, b) {
		t.Error("still signed in")
	}
}

func TestGovBRConfirmsARecovery(t *testing.T) {
	t.Parallel()

	city, b, r := govbrCity(t, needing("2"))
	id := city.Person(maria, 2, mariaFields())
	if _, err := city.DB.Exec(t.Context(), `INSERT INTO recovery_hold (person_id, way, since, held_at) VALUES ($1, 'mail', $2, $2)`, id, city.Now()); err != nil {
		t.Fatal(err)
	}
	p := at(t, b.SignIn(b.Open(r), maria, idptest.Password), "/entrar/nivel")
	claims := arrived(t, b, r, b.ByGovBR(p, maria))
	if claims["acr"] != "urn:loginunico:nivel:2" {
		t.Errorf("acr %v", claims["acr"])
	}
	again := city.Browser(t)
	arrived(t, again, r, again.SignIn(again.Open(r), maria, idptest.Password)) // the hold is over
}

func TestACityWithoutGovBROffersNone(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	b := city.Browser(t)
	p := b.Open(everything(city, "biblioteca"))
	lacks(t, p, `id="govbr"`)
	for _, path := range []string{"/entrar/govbr", "/entrar/govbr/retorno?state=x&code=y", "/entrar/govbr/conta"} {
		if got := b.Get(path); got.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.Status)
		}
	}
}
