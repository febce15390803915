package recovery_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
)

const mariasPhone = "+5541987654321"

// words are what each page says in a language.
type words struct{ lang, forgotten, sent, bySMS, link, held, portal string }

var languages = []words{
	{"pt-BR", "Esqueci minha senha", "Se este CPF tem conta, enviamos um código", "por SMS", "Continue a recuperar", "Você recuperou o acesso por mensagem", "Portal da Cidade"},
	{"es", "Olvidé mi contraseña", "Si este CPF tiene cuenta, enviamos un código", "por SMS", "Siga recuperando", "Usted recuperó el acceso por mensaje", "Portal de la Ciudad"},
	{"en", "I forgot my password", "If this CPF has an account, we sent a code", "by SMS", "Go on recovering", "You recovered your access by message", "City portal"},
}

// sound holds a page to what a test alone can see of WCAG 2.2 AA.
func sound(b *testbrowser.Browser) {
	b.Axe()
	b.NoOverflow(320)
}

// eachLanguage runs a journey three times, in a city of its own each.
func eachLanguage(t *testing.T, journey func(t *testing.T, city *idptest.City, b *testbrowser.Browser, w words)) {
	t.Parallel()
	for _, w := range languages {
		t.Run(w.lang, func(t *testing.T) {
			t.Parallel()
			city := start(t)
			journey(t, city, testbrowser.New(t, testbrowser.Lang(w.lang)), w)
		})
	}
}

// forgets goes from a service to the page of the code.
func forgets(b *testbrowser.Browser, city *idptest.City, w words, service, way string) {
	b.Open(city.Issuer + "/oauth/authorize?" + city.Request(service, nil).Params.Encode())
	b.Fill("cpf", maria)
	b.Submit("continue")
	b.See(w.forgotten)
	sound(b)
	b.Follow("#recover")
	sound(b)
	b.ClickCSS("#way-" + way)
	b.Submit("continue")
	b.AwaitURL(city.Issuer + "/recuperar/codigo")
}

func TestACitizenComesBackByMailCodeAndOnToTheService(t *testing.T) {
	eachLanguage(t, func(t *testing.T, city *idptest.City, b *testbrowser.Browser, w words) {
		forgets(b, city, w, "portal", "mail")
		b.See(w.sent)
		b.See(w.portal)
		sound(b)
		b.Fill("code", "000000")
		if status := b.Submit("continue"); status != http.StatusUnprocessableEntity || b.Focused() != "problem" {
			t.Errorf("a wrong code: %d, focus on %q", status, b.Focused())
		}
		sound(b)
		b.Fill("code", mailboxOf(city, mariasMail).code(t))
		b.Submit("continue")
		sound(b)
		b.Fill("password", "12345678")
		if status := b.Submit("continue"); status != http.StatusUnprocessableEntity {
			t.Errorf("a common password: %d", status)
		}
		sound(b)
		b.Fill("password", fresh)
		b.Submit("continue")
		b.AwaitURL(city.Issuer + "/consentimento")
		b.Open(city.Issuer + "/conta")
		b.See(w.held)
		sound(b)
	})
}

func TestACitizenComesBackByTheLinkInTheirLetterInAnotherBrowser(t *testing.T) {
	eachLanguage(t, func(t *testing.T, city *idptest.City, b *testbrowser.Browser, w words) {
		forgets(b, city, w, "posto", "mail")
		other := testbrowser.New(t, testbrowser.Lang(w.lang), testbrowser.NoJS())
		to := mailboxOf(city, mariasMail).link(t)
		other.Open(city.Issuer + to)
		other.See(w.link)
		other.NoOverflow(320)
		other.Open(city.Issuer + to) // looking at it uses nothing up
		other.Submit("continue")
		other.AwaitURL(city.Issuer + "/recuperar/senha")
		other.Fill("password", fresh)
		other.Submit("continue")
		other.AwaitURL(city.Issuer + "/conta")
		other.See(w.held)
		if status := other.Open(city.Issuer + to); status != http.StatusOK {
			t.Errorf("the link once more: %d", status)
		}
		if status := other.Submit("continue"); status != http.StatusGone {
			t.Errorf("the button once more: %d", status)
		}
		b.Open(city.Issuer + to)
		sound(b)
		b.Submit("continue")
		sound(b)
	})
}

func TestACitizenComesBackByTextMessageAndALevelTooLowSaysWhatConfirms(t *testing.T) {
	eachLanguage(t, func(t *testing.T, city *idptest.City, b *testbrowser.Browser, w words) {
		reach(t, city, whoIs(t, city, maria), factor.PhoneChannel, mariasPhone)
		forgets(b, city, w, "posto", "sms")
		b.See(w.bySMS)
		sound(b)
		text := city.Text(mariasPhone)
		if !strings.Contains(text, "\n@localhost #") || strings.Contains(text, "/recuperar") {
			t.Errorf("text: %q", text)
		}
		b.Fill("code", text[strings.LastIndex(text, "#")+1:])
		b.Submit("continue")
		b.Fill("password", fresh)
		b.Submit("continue")
		b.AwaitURL(city.Issuer + "/entrar/nivel")
		b.See(w.held)
		sound(b)
		if n := city.Answered("BR"); n != 1 {
			t.Errorf("%v codes count as answered", n)
		}
	})
}
