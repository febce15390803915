package idp_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
)

// fair is newSite's service, open to visitors, with a document to ask for.
func fair(t *testing.T) site {
	t.Helper()
	s := newSite(t)
	s.manifest = strings.Replace(s.manifest, "claims:", `foreigners: true
languages: [es, en]
claims:
  - {name: passport, required: true, purpose: {pt-BR: Fazer o seguro, es: Hacer el seguro, en: Insure you}, basis: contract}`, 1)
	return s
}

func TestAVisitorComesInInABrowserInTheirOwnLanguage(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct {
		lang, accept, entry         string
		scripts                     bool
		phone, wrong, code, who     string
		fixed, data, consent, later string
	}{
		{"es", "es-PY,es;q=0.9", "Sin CPF", true, "Entre con su teléfono", "Revise el número", "Escriba el código", "Este número ya se usó aquí",
			"escriba", "Documento de identidad", "Hacer el seguro", "¿No era usted?"},
		{"en", "en-GB,en;q=0.9", "No CPF", true, "Sign in with your phone", "Check the number", "Enter the code", "This number has been used here before",
			"enter", "Identity card", "Insure you", "Was it not you?"},
		{"en", "en-GB,en;q=0.9", "No CPF", false, "Sign in with your phone", "Check the number", "Enter the code", "This number has been used here before",
			"enter", "Identity card", "Insure you", "Was it not you?"},
		{"pt-BR", "pt-BR", "Sin CPF", true, "Entre com seu telefone", "Confira o número", "Digite o código", "Este número já foi usado aqui",
			"digite", "Carteira de identidade", "Fazer o seguro", "Não era você?"},
	} {
		t.Run(fmt.Sprint(tc.lang, " scripts ", tc.scripts), func(t *testing.T) {
			t.Parallel()
			s := fair(t)
			city := idptest.Start(t, []string{s.manifest})
			look := (*testbrowser.Browser).Axe
			if !tc.scripts { // axe-core needs them
				look = func(*testbrowser.Browser) {}
			}
			sound := func(b *testbrowser.Browser) {
				t.Helper()
				look(b)
				b.NoOverflow(320)
			}
			open := func() *testbrowser.Browser {
				opts := []testbrowser.Option{testbrowser.Lang(tc.accept)}
				if !tc.scripts {
					opts = append(opts, testbrowser.NoJS())
				}
				b := testbrowser.New(t, opts...)
				_, start := s.request(city, "scope", "openid profile documents")
				b.Open(start)
				return b
			}
			refuse := func(b *testbrowser.Browser) {
				t.Helper()
				if status := b.Submit("continue"); status != http.StatusUnprocessableEntity {
					t.Errorf("%s: status %d", b.URL(), status)
				}
				sound(b)
			}
			arrive := func(b *testbrowser.Browser) {
				t.Helper()
				if tc.lang == "pt-BR" { // by the link in the page's own language there is none: choose another, and back
					b.Follow("#visitor-es")
					b.Follow(`a[hreflang="pt-BR"]`)
				} else {
					b.Follow("#visitor-" + tc.lang)
				}
				b.See(tc.phone)
			}
			b := open()
			b.See(tc.entry)
			sound(b)
			arrive(b)
			sound(b)
			b.Choose("country", "PY")
			b.Fill("phone", "12")
			refuse(b)
			b.See(tc.wrong)
			if b.Value("phone") != "12" || b.Value("country") != "PY" {
				t.Errorf("kept %q of %q", b.Value("phone"), b.Value("country"))
			}
			b.Fill("phone", typedParaguay)
			b.Submit("continue")
			b.See(tc.code)
			b.See("+595 981 123456")
			sound(b)
			b.Fill("code", "12345")
			refuse(b)
			text := city.Text(paraguay)
			if !strings.Contains(text, tc.fixed) {
				t.Errorf("the text is %q", text)
			}
			b.Fill("code", text[len(text)-6:])
			b.Submit("continue")
			b.See(tc.data)
			sound(b)
			b.Fill("name", "Rosa")
			refuse(b)
			b.Fill("name", rosa)
			b.Fill("birthdate", "05061984")
			if b.Value("birthdate") != "1984-05-06" && b.Value("birthdate") != "1984-06-05" {
				t.Logf("the date became %q", b.Value("birthdate"))
			}
			b.Choose("document_kind", "id")
			b.Choose("document_country", "PY")
			b.Fill("passport", "1.234.567")
			if status := b.Submit("continue"); status != http.StatusOK {
				t.Fatalf("status %d at %s", status, b.URL())
			}
			b.See(tc.consent)
			sound(b)
			b.Click("allow")
			b.AwaitURL(s.URL + "/cb")
			if b.Text("#code") == "" {
				t.Errorf("no code at %s", b.URL())
			}
			city.Advance(year + time.Hour)
			b = open()
			arrive(b)
			b.Choose("country", "PY")
			b.Fill("phone", typedParaguay)
			b.Submit("continue")
			b.Fill("code", city.TextCode(paraguay))
			b.Submit("continue")
			b.See(tc.who)
			b.See(tc.later)
			b.DontSee("Rosa")
			sound(b)
			b.Fill("name", "Rosa Outra")
			b.Fill("birthdate", "05061984")
			refuse(b)
			b.Submit("new")
			b.See(tc.data)
		})
	}
}

func TestAVisitorAddsTheirCPFInABrowser(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct{ lang, needed, join, mine, held string }{
		{"es", "Aquí hace falta un CPF", "¿Ahora tiene CPF?", "Sin CPF", "ahora entra con CPF"},
		{"en", "You need a CPF here", "Do you have a CPF now?", "No CPF", "now signs in with a CPF"},
		{"pt-BR", "Aqui é preciso ter CPF", "Você agora tem CPF?", "Sem CPF", "agora entra com CPF"},
	} {
		t.Run(tc.lang, func(t *testing.T) {
			t.Parallel()
			s := fair(t)
			city := idptest.Start(t, []string{s.manifest, biblioteca})
			city.Person(maria, 3, mariaFields())
			b := testbrowser.New(t, testbrowser.Lang(tc.lang))
			_, start := s.request(city, "scope", "openid profile")
			phone := func() {
				t.Helper()
				b.Open(start)
				b.Follow("#visitor-es")
				if tc.lang != "es" {
					b.Follow(`a[hreflang="` + tc.lang + `"]`)
				}
				b.Choose("country", "PY")
				b.Fill("phone", typedParaguay)
				b.Submit("continue")
				b.Fill("code", city.TextCode(paraguay))
				b.Submit("continue")
			}
			phone()
			b.Fill("name", rosa)
			b.Fill("birthdate", "05061984")
			b.Submit("continue")
			b.Click("allow")
			b.AwaitURL(s.URL + "/cb")
			b.Open(city.Issuer + "/conta")
			b.See(tc.mine)
			sound(b)
			b.Open(city.Issuer + "/oauth/authorize?" + everything(city, "biblioteca").Params.Encode())
			b.See(tc.needed)
			b.See(tc.join)
			sound(b)
			b.Open(city.Issuer + "/conta")
			b.Submit("join")
			b.See(tc.join)
			b.DontSee(tc.needed)
			sound(b)
			b.Submit("continue")
			b.Fill("cpf", maria)
			b.Submit("continue")
			b.Fill("password", idptest.Password)
			b.Submit("continue")
			b.See("***.982.247-**")
			b.DontSee(tc.mine)
			b.Submit("logout")
			phone()
			b.See(tc.held)
			b.DontSee("Maria")
			sound(b)
			b.Follow(`a.main`)
			b.See("CPF")
		})
	}
}

func TestTheErrorOfAServiceWithoutVisitorsIsSound(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	for _, lang := range []string{"pt-BR", "es", "en"} {
		b := testbrowser.New(t, testbrowser.Lang(lang))
		b.Open(city.Issuer + "/oauth/authorize?" + everything(city, "biblioteca").Params.Encode())
		if status := b.Open(strings.Replace(b.URL(), "/entrar?", "/entrar/visitante?", 1)); status != http.StatusForbidden {
			t.Errorf("%s: status %d", lang, status)
		}
		b.See("CPF")
		sound(b)
	}
}
