package account_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/account"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
)

// A change, how it is told by letter and by text, and what makes it.
var changes = map[string]struct {
	event, text string
	make        func(h *house)
}{
	"password":       {"Senha trocada", "senha", func(h *house) { h.done(h.Post(form("/senha"), url.Values{"password": {another}})) }},
	"passkey":        {"biometria ou PIN do aparelho criada", "biometria", func(h *house) { h.done(h.passkey("Celular da Maria")) }},
	"passkey remove": {"biometria ou PIN do aparelho removida", "biometria", removePasskey},
	"app": {"Aplicativo de códigos incluído", "gera", func(h *house) {
		if p := h.app(); p.Status != http.StatusOK || strings.Count(p.Body, "<li><code>") != 10 {
			h.t.Fatalf("%d %s shows no ten codes", p.Status, p.URL)
		}
	}},
	"app remove": {"Aplicativo de códigos removido", "gera", func(h *house) {
		h.strong(h.App(h.maria))
		h.done(h.Post(form("/aplicativo/remover", h.enrolled().Authenticators[0].ID), nil))
	}},
	"codes": {"Códigos de reserva novos", "gera", func(h *house) {
		h.strong(h.App(h.maria))
		if p := h.Post(form("/codigos"), nil); strings.Count(p.Body, "<li><code>") != 10 {
			h.t.Fatalf("%d %s shows no ten codes", p.Status, p.URL)
		}
	}},
	"mail": {"E-mail de reserva incluído", "e-mail", func(h *house) {
		p := h.Post(form("/email"), url.Values{"email": {"nova@example.org"}})
		h.done(h.Form(at(h.t, p, form("/email/codigo")), url.Values{"code": {h.Code("nova@example.org")}}))
	}},
	"mail remove": {"E-mail de reserva removido", "e-mail", func(h *house) {
		h.done(h.Post(form("/email/remover", h.enrolled().Mails[1].ID), nil))
	}},
	"phone": {"Telefone incluído", "telefone", func(h *house) {
		p := h.Post(form("/telefone"), url.Values{"country": {"BR"}, "phone": {"(11) 8765-0000"}}) // the ninth digit comes back
		h.done(h.Form(at(h.t, p, form("/telefone/codigo")), url.Values{"code": {h.TextCode("+5511987650000")}}))
		if n := h.Answered("BR"); n != 1 {
			h.t.Errorf("%v codes by text count as answered", n)
		}
	}},
	"phone remove": {"Telefone removido", "telefone", func(h *house) {
		h.done(h.Post(form("/telefone/remover", h.enrolled().Phones[0].ID), nil))
	}},
	"question": {"Pergunta secreta trocada", "pergunta", func(h *house) {
		h.done(h.Post(form("/pergunta"), url.Values{"question": {"Qual era o nome da minha escola?"}, "answer": {"Tiradentes"}}))
	}},
	"question remove": {"Pergunta secreta trocada", "pergunta", func(h *house) {
		h.must(factor.NewRecoveries(h.Box, factor.NewHasher(1), true, h.Now).SetQuestion(h.t.Context(), h.DB, h.maria, "Escola?", "Tiradentes"))
		h.done(h.Post(form("/pergunta/remover"), nil))
	}},
}

func removePasskey(h *house) {
	h.done(h.passkey("Celular da Maria"))
	h.strong(h.App(h.maria))
	h.done(h.Post(form("/aparelho/remover", h.enrolled().Passkeys[0].ID), nil))
}

// strong signs Maria in with password and app.
func (h *house) strong(app *idptest.App) {
	h.t.Helper()
	h.Browser = h.City.Browser(h.t)
	p := h.SignIn(h.Get(account.PathSecurity), maria, idptest.Password)
	at(h.t, h.Form(at(h.t, p, "/entrar/segunda-etapa"), url.Values{"code": {app.Next()}}), account.PathSecurity)
}

func TestEveryChangeIsToldToEveryAddressAndCanBeDeniedOnce(t *testing.T) {
	t.Parallel()

	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			h := newHouse(t, idptest.WithSecretQuestion())
			h.address(h.maria, factor.MailChannel, spare)
			h.address(h.maria, factor.PhoneChannel, mobile)
			c.make(h)
			links := []string{h.told(mail, c.event), h.told(spare, c.event)}
			if text := h.Text(mobile); !strings.Contains(text, c.text) || !strings.Contains(text, h.Issuer+"/n/") {
				t.Errorf("the phone got %q", text)
			}
			h.deny(links[1])
			h.takenBack(name)
		})
	}
}

// takenBack makes sure that a denied change is undone as far as it added something, and told.
func (h *house) takenBack(change string) {
	h.t.Helper()
	e := h.enrolled()
	switch change {
	case "password":
		b := h.City.Browser(h.t)
		at(h.t, b.SignIn(b.Get(account.PathSecurity), maria, another), "/entrar/senha")
	case "passkey":
		h.told(mail, "PIN do aparelho removida")
	case "app":
		h.told(mail, "Aplicativo de códigos removido")
	case "mail":
		h.told(mail, "E-mail de reserva removido")
	case "phone":
		h.told(mail, "Telefone removido")
	default:
		return
	}
	if len(e.Passkeys)+len(e.Authenticators)+e.CodesLeft != 0 || len(e.Mails) != 2 || len(e.Phones) != 1 {
		h.t.Errorf("%+v is left", e)
	}
}

// deny uses a link "não fui eu" from another browser.
func (h *house) deny(link string) {
	h.t.Helper()
	owner := h.City.Browser(h.t)
	if p := owner.Get(link); p.Status != http.StatusOK || p.Action() != link {
		h.t.Fatalf("%d %s has no button", p.Status, p.URL)
	}
	if p := h.Get(account.PathSecurity); p.URL.Path != account.PathSecurity {
		h.t.Error("looking at the link has ended the session")
	}
	p := owner.Post(link, nil)
	if p.URL.Path != "/recuperar/codigo" || p.URL.Query().Get("r") == "" {
		h.t.Errorf("it leads to %s", p.URL)
	}
	at(h.t, h.Get(account.PathSecurity), "/entrar")
	if code := sixDigits.FindString(h.letter(spare, "Recupere sua conta")); code == "" {
		h.t.Error("no code came to the address of the link")
	}
	if p := owner.Post(link, nil); p.Status != http.StatusGone || !strings.Contains(p.Main(), "não vale mais") {
		h.t.Errorf("a second time: %d\n%s", p.Status, p.Main())
	}
	if n := h.count(`SELECT count(*) FROM factor_event WHERE person_id = $1 AND kind = 'not_me'`, h.maria); n != 1 {
		h.t.Errorf("denied %d times", n)
	}
	if n := h.count(`SELECT count(DISTINCT action) FROM (SELECT action, person_id FROM audit_pending UNION ALL SELECT action, person_id FROM audit_event) a
		WHERE person_id = $1 AND action LIKE 'factor.%'`, h.maria); n < 2 {
		h.t.Errorf("the audit has %d kinds of changes, want the change and its denial", n)
	}
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

func TestOneLinkDeniesOnceHoweverManyUseItTogether(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	changes["password"].make(h)
	link := h.told(mail, "Senha trocada")
	var wins atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		b := h.City.Browser(t)
		all.Go(func() {
			if b.Post(link, nil).URL.Path == "/recuperar/codigo" {
				wins.Add(1)
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d of 8", wins.Load())
	}
}

// A cap on texts, which anybody can use up, must not keep sessions alive.
func TestADenialEndsSessionsEvenWhereItsCodeCannotBeSent(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	h.address(h.maria, factor.PhoneChannel, mobile)
	changes["password"].make(h)
	_, link, _ := strings.Cut(h.Text(mobile), h.Issuer)
	if _, err := h.DB.Exec(t.Context(), `UPDATE sms_count SET count = 1000000`); err != nil {
		t.Fatal(err)
	}
	if p := h.City.Browser(t).Post(strings.TrimSpace(link), nil); p.URL.Path != "/recuperar" {
		t.Errorf("it leads to %s", p.URL)
	}
	at(t, h.Get(account.PathSecurity), "/entrar")
}

func TestANewPasswordSignsInAndEndsTheOtherSessions(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	other := h.signedIn()
	changes["password"].make(h)
	at(t, other.Get(account.PathSecurity), "/entrar")
	b := h.City.Browser(t)
	p := b.SignIn(b.Get(account.PathSecurity), maria, idptest.Password)
	if p.URL.Path != "/entrar/senha" {
		t.Errorf("the old password leads to %s", p.URL)
	}
	at(t, b.Form(p, url.Values{"password": {another}}), account.PathSecurity)
}

func TestFaultsComeBackWithWhatWasTyped(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	h.refused(h.Post(form("/senha"), url.Values{"password": {""}}), "Digite sua senha")
	h.refused(h.Post(form("/senha"), url.Values{"password": {"curta"}}), "8 caracteres")
	h.refused(h.Post(form("/senha"), url.Values{"password": {maria}}), "CPF como senha")
	h.refused(h.Post(form("/aplicativo"), url.Values{"name": {" "}}), "1 a 60 letras")
	h.refused(h.Post(form("/aparelho"), url.Values{"name": {"X"}, "credential": {"{}"}}), "não confirmou")
	h.refused(h.Post(form("/email"), url.Values{"email": {"nada"}}), `value="nada"`)
	h.refused(h.Post(form("/email"), url.Values{"email": {mail}}), "já está na sua conta")
	h.refused(h.Post(form("/telefone"), url.Values{"phone": {"11 98765-4321"}}), "país da lista")
	h.refused(h.Post(form("/telefone"), url.Values{"country": {"PT"}, "phone": {"912 345 678"}}), "país da lista") // the city sends nothing there
	h.refused(h.Post(form("/telefone"), url.Values{"country": {"BR"}, "phone": {"(11) 3333-4444"}}), "fixo")
	h.refused(h.Post(form("/telefone"), url.Values{"country": {"BR"}, "phone": {"(11) 98765"}}), `value="(11) 98765"`)
	if n := h.count(`SELECT count(*) FROM channel`) + h.count(`SELECT count(*) FROM totp`) + h.count(`SELECT count(*) FROM passkey`); n != 0 {
		t.Errorf("%d half-saved", n)
	}
}

func TestAnAddressCountsAfterItsCodeAndGuessesAreFew(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	p := at(t, h.Post(form("/email"), url.Values{"email": {spare}}), form("/email/codigo"))
	if !strings.Contains(p.Main(), spare) {
		t.Errorf("the page does not say where the code went:\n%s", p.Main())
	}
	right := h.Code(spare)
	h.refused(h.Form(p, url.Values{"code": {""}}), "Digite o código")
	for left := 4; left >= 0; left-- {
		p = h.Form(p, url.Values{"code": {"000000"}})
		h.refused(p, map[bool]string{true: "tentativa", false: "não vale mais"}[left > 0])
	}
	h.refused(h.Form(p, url.Values{"code": {right}}), "não vale mais")
	if e := h.enrolled(); len(e.Mails) != 1 {
		t.Errorf("%d mails", len(e.Mails))
	}
}

func TestAnAppCountsAfterItsCodeAndItsCodesAreSeenOnce(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	p := at(t, h.Post(form("/aplicativo"), url.Values{"name": {"Celular"}}), form("/aplicativo/codigo"))
	for _, want := range []string{"<svg ", "otpauth://totp/", `id="secret"`} {
		if !strings.Contains(p.Body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	h.refused(h.Form(p, url.Values{"code": {"000000"}}), "não confere")
	if e := h.enrolled(); len(e.Authenticators) != 0 || e.CodesLeft != 0 {
		t.Error("it counts before its code")
	}
	p = h.app()
	if h.enrolled().CodesLeft != 10 {
		t.Errorf("%d codes", h.enrolled().CodesLeft)
	}
	if again := h.Get(p.URL.String()); again.Status != http.StatusNotFound {
		t.Errorf("the page of a confirmed app: %d", again.Status)
	}
}

func TestTheSecretQuestionIsOnlyThereWhereTheCityWantsIt(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	if p := h.Get(account.PathSecurity); strings.Contains(p.Body, form("/pergunta")) {
		t.Errorf("%s", p.Main())
	}
	for _, path := range []string{form("/pergunta"), form("/pergunta/remover")} {
		if p := h.Post(path, url.Values{"question": {"Escola?"}, "answer": {"Tiradentes"}}); p.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, p.Status)
		}
	}
	if h.enrolled().Question {
		t.Error("it was set")
	}
	asks := newHouse(t, idptest.WithSecretQuestion())
	asks.refused(asks.Post(form("/pergunta"), url.Values{"question": {"Escola Tiradentes?"}, "answer": {"tiradentes"}}), `value="Escola Tiradentes?"`)
}

func TestACityWithoutTextsAsksForNoPhone(t *testing.T) {
	t.Parallel()

	h := newHouse(t, idptest.WithoutTexts())
	if p := h.Get(account.PathSecurity); strings.Contains(p.Body, form("/telefone")) {
		t.Errorf("%s", p.Main())
	}
	if p := h.Post(form("/telefone"), url.Values{"country": {"BR"}, "phone": {"11 98765-4321"}}); p.Status != http.StatusNotFound {
		t.Errorf("%d", p.Status)
	}
	changes["password"].make(h)
	h.told(mail, "Senha trocada")
}

func TestManyLettersToOneAddressMustWait(t *testing.T) {
	t.Parallel()

	limits := factor.DefaultLimits
	limits.Mails = 2
	h := newHouse(t, idptest.WithLimits(limits))
	for range 2 {
		at(t, h.Post(form("/email"), url.Values{"email": {spare}}), form("/email/codigo"))
	}
	h.refused(h.Post(form("/email"), url.Values{"email": {spare}}), "Espere")
}

func TestOfTwoRemovalsAtOnceTheLastWayInStays(t *testing.T) {
	t.Parallel()

	for range 3 {
		h := newHouse(t)
		h.Device(h.maria, true)
		second := h.Device(h.maria, true)
		if _, err := h.DB.Exec(t.Context(), `DELETE FROM password WHERE person_id = $1`, h.maria); err != nil {
			t.Fatal(err)
		}
		h.byPasskey(second)
		var gone, warned atomic.Int32
		var all sync.WaitGroup
		for _, k := range h.enrolled().Passkeys {
			all.Go(func() {
				switch p := h.Post(form("/aparelho/remover", k.ID), nil); {
				case p.URL.Path == account.PathSecurity:
					gone.Add(1)
				case strings.Contains(p.Body, `name="last"`):
					warned.Add(1)
				}
			})
		}
		all.Wait()
		if gone.Load() != 1 || warned.Load() != 1 || len(h.enrolled().Passkeys) != 1 {
			t.Fatalf("%d removed, %d warned, %d left", gone.Load(), warned.Load(), len(h.enrolled().Passkeys))
		}
		h.done(h.Post(form("/aparelho/remover", h.enrolled().Passkeys[0].ID), url.Values{"last": {"yes"}}))
	}
}

// byPasskey signs Maria in with a device alone.
func (h *house) byPasskey(d *idptest.Device) {
	h.t.Helper()
	h.Browser = h.City.Browser(h.t)
	p := at(h.t, h.Get(account.PathSecurity), "/entrar")
	options := h.Post("/entrar/chave/opcoes?"+p.URL.RawQuery, nil)
	at(h.t, h.Post("/entrar/chave?"+p.URL.RawQuery, url.Values{"credential": {d.Answer(h.t, options.Body)}}), account.PathSecurity)
}

func TestThePageSaysNothingThatALinkMakesUp(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	joao := h.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	e, err := factor.Note(t.Context(), h.DB, factor.Event{Person: joao, At: h.Now(), Kind: factor.PasswordChanged})
	h.must(err)
	for _, made := range []string{e.ID.String(), uuid.NewString(), "password_changed"} {
		if p := h.Get(account.PathSecurity + "?feito=" + made); strings.Contains(p.Body, `id="done"`) {
			t.Errorf("%s: %s", made, p.Main())
		}
	}
}

func TestNinetyDaysAreShown(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	for days, kind := range map[int]factor.EventKind{91: factor.QuestionChanged, 89: factor.DeskRecovered} {
		_, err := factor.Note(t.Context(), h.DB, factor.Event{Person: h.maria, At: h.Now().Add(-time.Duration(days) * 24 * time.Hour), Kind: kind})
		h.must(err)
	}
	p := h.Get(form("/historico"))
	if !strings.Contains(p.Main(), "Conta recuperada no atendimento") || strings.Contains(p.Main(), "Pergunta secreta trocada") || !strings.Contains(p.Main(), "Entrada na conta") {
		t.Errorf("%s", p.Main())
	}
}
