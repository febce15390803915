package idp_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/internal/testnode"
)

// Services that take visitors: each asks for something of its own.
const (
	guia = `
id: guia
name: {pt-BR: Guia do Visitante, es: Guía del Visitante, en: Visitor's Guide}
department: Secretaria de Turismo
contact: guia@example.org
redirect_uris: [http://localhost:9/guia/callback]
sector: guia.example.org
foreigners: true
languages: [es, en]
grants: [authorization_code, refresh_token]
claims:
  - {name: name, required: true, purpose: {pt-BR: Fazer seu passe, es: Hacer su pase, en: Make your pass}, basis: contract}
  - {name: rg, required: true, purpose: {pt-BR: Engano}, basis: contract}
  - {name: locale, required: false, purpose: {pt-BR: Seu idioma}, basis: consent}
  - {name: phone_number, required: false, purpose: {pt-BR: Avisar}, basis: consent}
`
	museu = `
id: museu
name: {pt-BR: Museu, es: Museo, en: Museum}
department: Secretaria de Cultura
contact: museu@example.org
redirect_uris: [http://localhost:9/museu/callback]
sector: museu.example.org
foreigners: true
claims:
  - {name: passport, required: true, purpose: {pt-BR: Seguro, es: Seguro, en: Insurance}, basis: contract}
`
	paraguay, typedParaguay = "+595981123456", "0981 123456"
	rosa                    = "Rosa María Giménez"
)

// tourist is a browser of somebody without a CPF.
type tourist struct {
	*idptest.Browser
	t *testing.T
}

func newTourist(t *testing.T, city *idptest.City) tourist { return tourist{city.Browser(t), t} }

// ask goes from a service's request to the page of the code.
func (b tourist) ask(r idptest.Request, country, typed string) idptest.Page {
	b.t.Helper()
	p := at(b.t, b.Open(r), "/entrar")
	p = at(b.t, b.Get(of(p, "/entrar/visitante")+"&lang=es"), "/entrar/visitante")
	return at(b.t, b.Form(p, with("country", country, "phone", typed)), "/entrar/visitante/codigo")
}

// come goes on to what follows a right code.
func (b tourist) come(r idptest.Request, number, typed string, more ...string) idptest.Page {
	b.t.Helper()
	p := b.ask(r, "PY", typed)
	return b.Form(p, merged(with("code", b.City.TextCode(number)), with(more...)))
}

// register becomes somebody new, all the way to the service.
func (b tourist) register(r idptest.Request, name, birthdate string) idptest.Page {
	b.t.Helper()
	p := at(b.t, b.come(r, paraguay, typedParaguay), "/cadastro/dados")
	p = at(b.t, b.Form(p, with("name", name, "birthdate", birthdate)), "/consentimento")
	return b.Allow(p, "phone_number", "locale")
}

// userinfo is what the service learns by a page's code.
func (b tourist) userinfo(r idptest.Request, p idptest.Page) idptest.Answer {
	b.t.Helper()
	code := p.Params().Get("code")
	if code == "" {
		b.t.Fatalf("no code at %s (%d)\n%s", p.URL, p.Status, p.Main())
	}
	return b.City.Userinfo(b.City.Exchange(r, code).Text("access_token"))
}

func TestAVisitorComesInByTelephoneAndIsTheSameNextTime(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia, museu})
	b := newTourist(t, city)
	r := everything(city, "guia")
	p := at(t, b.Open(r), "/entrar")
	holds(t, p, "Sin CPF", "No CPF")
	p = b.ask(r, "PY", typedParaguay)
	holds(t, p, "595 981 123456", "Escriba el código")
	text := city.Text(paraguay)
	if !strings.HasPrefix(text, "Vila Esperan") || !strings.Contains(text, "escriba") || !regexp.MustCompile(`\n@localhost #\d{6}$`).MatchString(text) {
		t.Errorf("the text is %q", text)
	}
	p = at(t, b.Form(p, with("code", text[len(text)-6:])), "/cadastro/dados")
	holds(t, p, `name="name"`, `name="birthdate"`, "Hacer su pase", "cambia de dueño")
	lacks(t, p, `name="rg"`, `name="cpf"`, `name="phone_number"`)
	p = at(t, b.Form(p, with("name", rosa, "birthdate", "1984-05-06")), "/consentimento")
	p = b.Allow(p, "phone_number", "locale")
	tokens := city.Exchange(r, p.Params().Get("code"))
	info := city.Userinfo(tokens.Text("access_token"))
	if info.Text("name") != rosa || info.Text("phone_number") != paraguay || info.JSON("phone_number_verified") != true || info.Text("locale") != "es" || info.JSON("cpf") != nil {
		t.Errorf("userinfo: %s", info.Body)
	}
	claims := idptest.Claims(t, tokens.Text("id_token"))
	if claims["trust_level"] != 1.0 || claims["acr"] != "urn:loginunico:nivel:1" || !slices.Equal(claims["amr"].([]any), []any{"sms"}) {
		t.Errorf("ID token: %v", claims)
	}
	holds(t, b.Get("/conta"), "Sin CPF", rosa)

	again := newTourist(t, city) // another browser, of Portuguese
	p = again.Form(at(t, again.Form(at(t, again.Get(of(at(t, again.Open(r), "/entrar"), "/entrar/visitante")), "/entrar/visitante"),
		with("country", "PY", "phone", "+595 981 123-456")), "/entrar/visitante/codigo"), with("code", city.TextCode(paraguay)))
	if got := again.userinfo(r, p); got.Text("sub") != info.Text("sub") {
		t.Errorf("somebody else: %s", got.Body)
	}
	holds(t, again.Get("/conta"), "Sin CPF", `lang="es"`) // the language they chose then

	// Another service knows them by another sub, asks what it needs alone, and consent of its own.
	other := everything(city, "museu", "scope", "openid documents")
	p = at(t, again.Open(other), "/cadastro/dados")
	holds(t, p, `name="document_kind"`, `name="document_country"`, `name="passport"`)
	lacks(t, p, `name="name"`, `name="birthdate"`)
	p = again.Form(p, with("document_kind", "id", "document_country", "XX", "passport", "12"))
	if p.Status != http.StatusUnprocessableEntity || strings.Count(p.Body, `class="msg"`) != 2 {
		t.Errorf("a wrong document: %d\n%s", p.Status, p.Main())
	}
	p = at(t, again.Form(p, with("document_kind", "id", "document_country", "PY", "passport", "1.234.567")), "/consentimento")
	got := again.userinfo(other, again.Allow(p))
	if got.Text("passport") != "PY ID 1234567" || got.Text("sub") == info.Text("sub") || got.JSON("name") != nil {
		t.Errorf("userinfo of another service: %s", got.Body)
	}
}

func TestServicesThatTakeNoVisitorsRefuseThemByURLToo(t *testing.T) {
	t.Parallel()

	for name, opts := range map[string][]idptest.Option{"biblioteca": nil, "/conta": nil, "no texts": {idptest.WithoutTexts()}} {
		city := idptest.Start(t, []string{guia, biblioteca}, opts...)
		b := city.Browser(t)
		var p idptest.Page
		switch name {
		case "biblioteca":
			p = b.Open(everything(city, "biblioteca"))
		case "/conta":
			p = b.Get("/conta")
		default:
			p = b.Open(everything(city, "guia"))
		}
		p = at(t, p, "/entrar")
		lacks(t, p, "Sin CPF", "No CPF", "visitante")
		for _, path := range []string{"", "/codigo", "/confirmar"} {
			path = "/entrar/visitante" + path
			for _, got := range []idptest.Page{b.Get(of(p, path)), b.Post(of(p, path), with("country", "PY", "phone", typedParaguay, "code", "123456", "who", "new"))} {
				if got.Status != http.StatusForbidden || got.URL.Path != path {
					t.Errorf("%s: %s: %d at %s", name, path, got.Status, got.URL)
				}
			}
		}
	}
}

func TestVisitorsAreGreetedInTheLanguagesOfTheService(t *testing.T) {
	t.Parallel()

	for languages, want := range map[string][2]bool{"[es, en]": {true, true}, "[pt-BR]": {true, true}, "[pt-BR, es]": {true, false}, "[en]": {false, true}} {
		city := idptest.Start(t, []string{strings.Replace(guia, "[es, en]", languages, 1)})
		p := at(t, city.Browser(t).Open(everything(city, "guia")), "/entrar")
		if got := [2]bool{strings.Contains(p.Body, "Sin CPF"), strings.Contains(p.Body, "No CPF")}; got != want {
			t.Errorf("%s: %v", languages, got)
		}
	}
}

func TestWrongNumbersAreNamedAndKept(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia})
	b := newTourist(t, city)
	p := at(t, b.Open(everything(city, "guia")), "/entrar")
	p = at(t, b.Get(of(p, "/entrar/visitante")+"&lang=en"), "/entrar/visitante")
	holds(t, p, "Paraguay (&#43;595)")
	lacks(t, p, "Portugal")
	for _, tc := range []struct{ country, typed, want string }{
		{"", "", "Write the phone number"}, {"PT", "912 345 678", "country"}, {"PY", "12", "number"}, {"BR", "(11) 3333-4444", "landline"},
		{"PY", "", "Write the phone number"}, {"XX", "1", "country"}, {"PY", strings.Repeat("9", 3000), "number"},
	} {
		got := b.Form(p, with("country", tc.country, "phone", tc.typed))
		if got.Status != http.StatusUnprocessableEntity || !strings.Contains(strings.ToLower(got.Main()), strings.ToLower(tc.want)) {
			t.Errorf("%s %.20q: %d\n%s", tc.country, tc.typed, got.Status, got.Main())
		}
		if len(tc.typed) < 100 && tc.typed != "" && !strings.Contains(got.Body, `value="`+tc.typed+`"`) {
			t.Errorf("%s %q is not kept", tc.country, tc.typed)
		}
	}
}

// The page, its statements and its text are those of any number: nobody looks whose it is.
func TestAKnownNumberAndAnUnknownOneGetTheSameAnswer(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia})
	r := everything(city, "guia")
	newTourist(t, city).register(r, rosa, "1984-05-06")
	ask := func(typed string) (statements []string, body string) {
		b := newTourist(t, city)
		p := at(t, b.Get(of(at(t, b.Open(r), "/entrar"), "/entrar/visitante")), "/entrar/visitante")
		city.Statements()
		p = at(t, b.Form(p, with("country", "PY", "phone", typed)), "/entrar/visitante/codigo")
		return city.Statements(), strings.ReplaceAll(strings.ReplaceAll(p.Main(), p.URL.Query().Get("i"), "ID"), "981 654321", "981 123456")
	}
	ask(typedParaguay) // statements are prepared at their first use
	known, knownPage := ask(typedParaguay)
	unknown, unknownPage := ask("0981 654321")
	if !slices.Equal(known, unknown) || len(known) < 5 {
		t.Errorf("known:\n%s\nunknown:\n%s", strings.Join(known, "\n"), strings.Join(unknown, "\n"))
	}
	if knownPage != unknownPage {
		t.Errorf("known:\n%s\nunknown:\n%s", knownPage, unknownPage)
	}
}

func TestARefusedNumberGetsTheSamePageAndACodeThatNobodyHas(t *testing.T) {
	t.Parallel()

	limits, err := sms.ParseLimits("number=1/h")
	if err != nil {
		t.Fatal(err)
	}
	city := idptest.Start(t, []string{guia}, idptest.WithTextLimits(limits))
	r := everything(city, "guia")
	first := newTourist(t, city).ask(r, "PY", typedParaguay)
	code := city.TextCode(paraguay)
	b := newTourist(t, city)
	p := b.ask(r, "PY", typedParaguay)
	same := func(p idptest.Page) string { return strings.ReplaceAll(p.Main(), p.URL.Query().Get("i"), "ID") }
	if same(p) != same(first) {
		t.Errorf("first:\n%s\nrefused:\n%s", same(first), same(p))
	}
	p = b.Form(p, with("code", code))
	if p.Status != http.StatusUnprocessableEntity {
		t.Errorf("the code of another visit: %d at %s", p.Status, p.URL)
	}
	var stored int
	if err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM sms_message`).Scan(&stored); err != nil || stored != 1 {
		t.Errorf("%d texts, %v", stored, err)
	}
}

// Whoever asks for a code to their own phone, and then types somebody else's number, has proven
// nothing of the second.
func TestACodeProvesTheNumberItWentTo(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia})
	b := newTourist(t, city)
	p := b.ask(everything(city, "guia"), "UY", "094 123 456")
	own := city.TextCode("+59894123456")
	p = at(t, b.Form(at(t, b.Get(of(p, "/entrar/visitante")), "/entrar/visitante"), with("country", "PY", "phone", typedParaguay)), "/entrar/visitante/codigo")
	if p = b.Form(p, with("code", own)); p.Status != http.StatusUnprocessableEntity {
		t.Fatalf("another number's code: %d at %s", p.Status, p.URL)
	}
	for range 4 {
		p = b.Form(p, with("code", own))
	}
	if p = b.Form(p, with("code", city.TextCode(paraguay))); p.Status != http.StatusUnprocessableEntity {
		t.Errorf("a right code after five wrong ones: %d at %s", p.Status, p.URL)
	}
}

// sendAtOnce sends a form from several browsers, or several times, at the same moment.
func sendAtOnce(forms ...func() idptest.Page) []idptest.Page {
	pages, start := make([]idptest.Page, len(forms)), make(chan struct{})
	var all sync.WaitGroup
	for i, send := range forms {
		all.Go(func() { <-start; pages[i] = send() })
	}
	close(start)
	all.Wait()
	return pages
}

func TestOfManyUsesOfOneCodeOneWins(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia})
	b := newTourist(t, city)
	p := b.ask(everything(city, "guia"), "PY", typedParaguay)
	form := with("code", city.TextCode(paraguay))
	uses := make([]func() idptest.Page, 12)
	for i := range uses {
		uses[i] = func() idptest.Page { return b.Form(p, form) }
	}
	sendAtOnce(uses...)
	var people, sessions int
	err := city.DB.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM session)`).Scan(&people, &sessions)
	if err != nil || people != 1 || sessions != 1 {
		t.Errorf("%d people and %d sessions came of one code, %v", people, sessions, err)
	}
}

func TestTwoBrowsersThatRegisterOneNumberAtOnceAreOnePerson(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia})
	r := everything(city, "guia")
	var uses []func() idptest.Page
	for range 4 {
		b := newTourist(t, city)
		p := b.ask(r, "PY", typedParaguay)
		form := with("code", city.TextCode(paraguay))
		uses = append(uses, func() idptest.Page { return b.Form(p, form) })
	}
	for _, p := range sendAtOnce(uses...) {
		at(t, p, "/cadastro/dados")
	}
	var people, numbers, sessions int
	err := city.DB.QueryRow(t.Context(), `
		SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM visitor), (SELECT count(DISTINCT person_id) FROM session)`).Scan(&people, &numbers, &sessions)
	if err != nil || people != 1 || numbers != 1 || sessions != 1 {
		t.Errorf("%d people, %d numbers, sessions of %d, %v", people, numbers, sessions, err)
	}
}

const year = 365 * 24 * time.Hour

func TestAVisitorUnusedForTwelveMonthsTellsNameAndBirthDate(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia})
	r := everything(city, "guia")
	b := newTourist(t, city)
	before := b.userinfo(r, b.register(r, rosa, "1984-05-06")).Text("sub")
	city.Advance(year - time.Hour)
	b = newTourist(t, city)
	if got := b.userinfo(r, b.come(r, paraguay, typedParaguay)).Text("sub"); got != before {
		t.Error("within twelve months it is somebody else")
	}
	city.Advance(year + time.Hour)
	b = newTourist(t, city)
	p := at(t, b.come(r, paraguay, typedParaguay), "/entrar/visitante/confirmar")
	lacks(t, p, "Rosa", "Gim", "1984")
	for _, wrong := range []url.Values{with("name", rosa, "birthdate", "1984-05-07"), with("name", "Rosa Giménez", "birthdate", "1984-05-06")} {
		p = b.Form(p, wrong)
		if p.Status != http.StatusUnprocessableEntity {
			t.Fatalf("%v: %d at %s", wrong, p.Status, p.URL)
		}
		holds(t, p, "El nombre o la fecha no son los mismos")
	}
	if got := b.userinfo(r, b.Form(p, with("name", "ROSA MARIA  GIMENEZ", "birthdate", "06/05/1984"))).Text("sub"); got != before {
		t.Error("who told name and birth date is somebody else")
	}
	b = newTourist(t, city)
	if got := b.userinfo(r, b.come(r, paraguay, typedParaguay)).Text("sub"); got != before {
		t.Error("the confirmation did not last")
	}
}

// Whoever answers a number that was somebody else's learns that it was used, and no more: neither
// by the page, nor by tries without end, nor by what the new record holds.
func TestANumberThatChangedHandsTellsNothingOfThePersonBefore(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia})
	r := everything(city, "guia")
	old := newTourist(t, city)
	p := old.register(r, rosa, "1984-05-06")
	tokens := city.Exchange(r, p.Params().Get("code"))
	before := idptest.Claims(t, tokens.Text("id_token"))["sub"]
	city.Advance(time.Hour)

	b := newTourist(t, city) // within the year: who answers says that the number is new to them
	p = at(t, b.come(r, paraguay, typedParaguay, "recent", "1"), "/entrar/visitante/confirmar")
	lacks(t, p, "Rosa", "Gim", "1984")
	for i := range 7 {
		p = b.Form(p, with("name", fmt.Sprintf("Rosa Número %c", 'A'+i), "birthdate", "1984-05-06"))
		lacks(t, p, rosa)
		if i >= 4 {
			break
		}
	}
	holds(t, p, "No quedan intentos")
	lacks(t, p, `name="birthdate"`)
	if p = b.Post(of(p, "/entrar/visitante/confirmar"), with("name", rosa, "birthdate", "1984-05-06")); p.Status != http.StatusUnprocessableEntity {
		t.Fatalf("a sixth try: %d at %s", p.Status, p.URL)
	}
	p = at(t, b.Post(of(p, "/entrar/visitante/confirmar"), with("who", "new")), "/cadastro/dados")
	lacks(t, p, "Rosa", "1984")
	p = b.Allow(at(t, b.Form(p, with("name", "Carlos Paz", "birthdate", "2001-02-03")), "/consentimento"), "phone_number")
	if got := b.userinfo(r, p); got.Text("sub") == before || got.Text("name") != "Carlos Paz" {
		t.Errorf("the new one: %s", got.Body)
	}
	// The one before keeps all but the number, which is no longer known to be theirs.
	info := city.Userinfo(city.Call("/oauth/token", "guia", with("grant_type", "refresh_token", "refresh_token", tokens.Text("refresh_token"))).Text("access_token"))
	if info.Text("name") != rosa || info.Text("phone_number") != paraguay || info.JSON("phone_number_verified") != false {
		t.Errorf("the one before: %s", info.Body)
	}
	b = newTourist(t, city)
	if got := b.userinfo(r, b.come(r, paraguay, typedParaguay)); got.Text("name") != "Carlos Paz" {
		t.Errorf("the number leads to %s", got.Body)
	}
	var events int
	if err := city.DB.QueryRow(t.Context(), `
		SELECT (SELECT count(*) FROM audit_event WHERE action = 'visitor.release') + (SELECT count(*) FROM audit_pending WHERE action = 'visitor.release')`).Scan(&events); err != nil || events != 1 {
		t.Errorf("%d events, %v", events, err)
	}
}

func TestTheDatabaseHoldsNoNumberPlainly(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia, museu})
	r := everything(city, "guia")
	b := newTourist(t, city)
	b.register(r, rosa, "1984-05-06")
	b.ask(everything(city, "museu", "prompt", "login"), "PY", typedParaguay)
	for _, table := range []string{"visitor", "person", "source_record", "interaction", "sms_message", "sms_count", "mail_code", "audit_event", "audit_pending", "factor_event", "river_job", "evidence", "session"} {
		rows, err := city.DB.Query(t.Context(), `SELECT to_jsonb(x)::text FROM `+table+` x`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var text []byte
			if err := rows.Scan(&text); err != nil {
				t.Fatal(err)
			}
			for _, plain := range []string{"981123456", fmt.Sprintf("%x", "981123456"), "Gim", "1984-05-06"} {
				if bytes.Contains(text, []byte(plain)) {
					t.Errorf("%s holds %s: %s", table, plain, text)
				}
			}
		}
		rows.Close()
	}
}

// The visitor's text travels by an SMPP server that is not ours, in one segment.
func TestAVisitorsTextTravelsByARealServer(t *testing.T) {
	t.Parallel()

	server := testnode.Start(t, "smsc", map[string]string{})
	var port int
	server.Wait("port", &port)
	carrier, err := sms.NewSMPP(sms.SMPPConfig{Addr: fmt.Sprint("127.0.0.1:", port), SystemID: "cidade", Password: "segredo", SystemType: "OTP", From: "PREFEITURA"})
	if err != nil {
		t.Fatal(err)
	}
	city := idptest.Start(t, []string{guia}, idptest.WithCarrier(carrier))
	r := everything(city, "guia")
	for _, lang := range []string{"es", "en"} {
		b := newTourist(t, city)
		p := at(t, b.Get(of(at(t, b.Open(r), "/entrar"), "/entrar/visitante")+"&lang="+lang), "/entrar/visitante")
		p = at(t, b.Form(p, with("country", "PY", "phone", typedParaguay)), "/entrar/visitante/codigo")
		var got struct{ To, Text string }
		server.Wait("submit", &got)
		if "+"+got.To != paraguay || len(got.Text) > 160 {
			t.Errorf("%s: %+v", lang, got)
		}
		if p = b.Form(p, with("code", got.Text[strings.LastIndexByte(got.Text, '#')+1:])); p.Status != http.StatusOK || p.URL.Path != "/cadastro/dados" {
			t.Errorf("%s: %d at %s", lang, p.Status, p.URL)
		}
	}
}
