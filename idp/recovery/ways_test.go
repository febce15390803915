package recovery_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/staff"
)

func TestARecoveryIsTheBrowsersThatBeganIt(t *testing.T) {
	t.Parallel()

	city := start(t)
	owner, thief := city.Browser(t), city.Browser(t)
	thief.Get("/conta") // has a cookie of its own
	page := ask(t, owner, maria, "mail").URL.RequestURI()
	code := mailboxOf(city, mariasMail).code(t)
	for _, path := range []string{page, strings.Replace(page, "codigo", "senha", 1), strings.Replace(page, "codigo", "pergunta", 1), "/recuperar/codigo", "/recuperar/senha?r=x"} {
		if p := thief.Get(path); p.Status != http.StatusGone {
			t.Errorf("another browser opens %s: %d at %s", path, p.Status, p.URL)
		}
	}
	if p := thief.Post(page, with("code", code)); p.Status != http.StatusGone {
		t.Errorf("another browser uses the code: %d", p.Status)
	}
	at(t, owner.Get(strings.Replace(page, "codigo", "senha", 1)), "/recuperar/codigo") // no password before the code
	if p := owner.Post(strings.Replace(page, "codigo", "senha", 1), with("password", fresh)); p.URL.Path != "/recuperar/codigo" {
		t.Errorf("a password before the code: %d at %s", p.Status, p.URL)
	}
	at(t, owner.Post(page, with("code", code)), "/recuperar/senha")
	if !signsIn(t, city, maria, idptest.Password) {
		t.Error("the old password has gone before there is another")
	}
}

func TestARecoveryEndsAndItsPagesSaySo(t *testing.T) {
	t.Parallel()

	city := start(t)
	b, box := city.Browser(t), mailboxOf(city, mariasMail)
	late := ask(t, b, maria, "mail")
	code := box.code(t)
	city.Advance(factor.RecoveryLifetime)
	if p := b.Form(late, with("code", code)); p.Status != http.StatusGone {
		t.Errorf("after ten minutes: %d", p.Status)
	}
	spent := ask(t, b, maria, "mail")
	for range factor.CodeTries {
		spent = at(t, b.Form(spent, with("code", "0")), "/recuperar/codigo")
	}
	has(t, spent, "Este código não vale mais")
	p := at(t, b.Post("/recuperar/link", url.Values{"t": {strings.TrimPrefix(box.link(t), "/recuperar/link?t=")}}), "/recuperar/senha")
	password := p.Action()
	at(t, b.Form(p, with("password", fresh)), "/conta")
	if p := b.Post(password, with("password", "Outra-Vez-Nao-2026")); p.Status != http.StatusGone || !signsIn(t, city, maria, fresh) {
		t.Errorf("the form once more: %d", p.Status)
	}
	for _, token := range []string{"", "x", strings.Repeat("a", 43)} {
		if p := b.Post("/recuperar/link", with("t", token)); p.Status != http.StatusGone {
			t.Errorf("a link that nobody has: %d", p.Status)
		}
	}
}

func TestEveryFaultOfTheFirstFormIsNamedAndWhatWasTypedStays(t *testing.T) {
	t.Parallel()

	city := start(t, idptest.WithoutTexts())
	b := city.Browser(t)
	for _, way := range []string{"", "sms", "question", "desk", "x"} { // texts and questions are not offered here
		p := b.Post("/recuperar", with("cpf", "529.982.247-24", "way", way))
		if has(t, p, `value="529.982.247-24"`, "Os números não combinam", "Escolha onde receber"); p.Status != http.StatusUnprocessableEntity {
			t.Errorf("way %q: %d", way, p.Status)
		}
	}
	if p := b.Get("/recuperar"); strings.Contains(p.Body, "way-sms") || strings.Contains(p.Body, "way-question") {
		t.Error("a way is offered that the city has not")
	}
	r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, city.Issuer+"/recuperar", strings.NewReader(with("cpf", maria, "way", "mail").Encode())))(t)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := city.Do(r); a.Status != http.StatusForbidden {
		t.Errorf("from another site: %d", a.Status)
	}
}

func TestOneBrowserAsksForSoManyCodesAndNoOtherIsKeptOut(t *testing.T) {
	t.Parallel()

	limits := factor.DefaultLimits
	limits.Mails = 2
	city := start(t, idptest.WithLimits(limits))
	b := city.Browser(t)
	ask(t, b, maria, "mail")
	ask(t, b, maria, "mail")
	p := b.Post("/recuperar", with("cpf", maria, "way", "mail"))
	if has(t, p, "Muitas tentativas seguidas"); p.Status != http.StatusUnprocessableEntity {
		t.Errorf("the third: %d", p.Status)
	}
	city.Advance(time.Hour)
	ask(t, b, maria, "mail")
}

func TestTheSecretQuestionIsAskedAfterTheCodeAndNeverAlone(t *testing.T) {
	t.Parallel()

	city := start(t, idptest.WithSecretQuestion())
	recoveries := factor.NewRecoveries(city.Box, factor.NewHasher(1), true, city.Now)
	if err := recoveries.SetQuestion(t.Context(), city.DB, whoIs(t, city, maria), "Onde você aprendeu a nadar?", "Rio Iguaçu"); err != nil {
		t.Fatal(err)
	}
	b, box := city.Browser(t), mailboxOf(city, mariasMail)
	p := ask(t, b, maria, "question")
	if strings.Contains(p.Body, "nadar") {
		t.Error("the question is shown before the code")
	}
	at(t, b.Get(strings.Replace(p.URL.RequestURI(), "codigo", "pergunta", 1)), "/recuperar/codigo")
	p = at(t, b.Form(p, with("code", box.code(t))), "/recuperar/pergunta")
	has(t, p, "Onde você aprendeu a nadar?")
	at(t, b.Get(strings.Replace(p.URL.RequestURI(), "pergunta", "senha", 1)), "/recuperar/pergunta") // no password before the answer
	has(t, b.Form(p, with("answer", " ")), "Digite sua resposta")
	has(t, b.Form(p, with("answer", "Rio Paraná")), "Você tem mais 4 tentativas")
	p = at(t, b.Form(p, with("answer", "rio iguacu.")), "/recuperar/senha")
	has(t, at(t, b.Form(p, with("password", fresh)), "/conta"), "Você recuperou o acesso")

	p = ask(t, b, maria, "question")
	p = at(t, b.Form(p, with("code", box.code(t))), "/recuperar/pergunta")
	for range factor.CodeTries {
		p = b.Form(p, with("answer", "outra"))
	}
	has(t, p, "Não há mais tentativas")
	if p = b.Form(p, with("answer", "rio iguacu")); p.URL.Path != "/recuperar/pergunta" {
		t.Errorf("a right answer after five wrong ones: at %s", p.URL)
	}
}

// attended lets two attendants open the way for a citizen; it returns the code.
func attended(t *testing.T, city *idptest.City, person uuid.UUID) (code string) {
	t.Helper()
	desk, carla, luis := factor.NewDesk("", city.Now), pg.NewID(), pg.NewID()
	city.Employ(staff.Appointment{Person: carla, Roles: []staff.Role{staff.Attendant}})
	city.Employ(staff.Appointment{Person: luis, Roles: []staff.Role{staff.Attendant}})
	inTx(t, city, func(ctx context.Context, tx pg.Tx) error {
		id, err := desk.Request(ctx, tx, carla, person, "perdeu o celular")
		if err == nil {
			code, err = desk.Approve(ctx, tx, luis, id)
		}
		return err
	})
	return code
}

func TestACodeOfTheDeskLetsTheCitizenBackInWithNothingHeld(t *testing.T) {
	t.Parallel()

	city := start(t)
	b := city.Browser(t)
	b.Form(b.Open(city.Request("posto", nil)), with("cpf", maria))
	code := attended(t, city, whoIs(t, city, maria))
	p := at(t, b.Get("/recuperar/atendimento"), "/recuperar/atendimento")
	for typed, says := range map[string]string{"": "Digite o código que você recebeu", "AAAA-BBBB": "não confere ou não vale mais"} {
		has(t, b.Form(p, with("code", typed)), says)
	}
	p = at(t, b.Form(p, with("code", strings.ToLower(strings.ReplaceAll(code, "-", " ")))), "/recuperar/senha")
	if strings.Contains(p.Body, "nível 1") {
		t.Error("it says that something is held")
	}
	p = at(t, b.Form(p, with("password", fresh)), "/conta")
	if strings.Contains(p.Body, "recuperou o acesso") {
		t.Error("something is held")
	}
	has(t, city.Browser(t).Post("/recuperar/atendimento", with("code", code)), "não confere ou não vale mais") // once
	p = b.Open(city.Request("posto", nil))                                                                     // level 3
	at(t, p, "/consentimento")
}

func TestTheOwnerIsToldOfARecoveryAtEveryAddressTheyHad(t *testing.T) {
	t.Parallel()

	city := start(t)
	person := whoIs(t, city, maria)
	const other = "reserva@example.net"
	reach(t, city, person, factor.MailChannel, other)
	reach(t, city, person, factor.PhoneChannel, mariasPhone)
	usual := city.Browser(t)
	at(t, usual.SignIn(usual.Get("/conta"), maria, idptest.Password), "/conta")
	b := city.Browser(t)
	p := ask(t, b, maria, "alternative_mail")
	p = at(t, b.Form(p, with("code", mailboxOf(city, other).code(t))), "/recuperar/senha")
	at(t, b.Form(p, with("password", fresh, "others", "yes")), "/conta")
	if p := usual.Get("/conta"); p.URL.Path == "/conta" {
		t.Error("the session elsewhere goes on, though it was to end")
	}
	if text := city.Text(mariasPhone); !strings.Contains(text, "recuperada") {
		t.Errorf("text: %q", text)
	}
	box := mailboxOf(city, mariasMail)
	box.next(t, regexp.MustCompile(`(?s)Conta recuperada.*(/n/\S+)`))
	events, err := factor.EventsOf(t.Context(), city.DB, person, city.Now(), 10)
	if err != nil || !happened(events, factor.Recovered) || !happened(events, factor.SignedIn) {
		t.Errorf("%+v, %v", events, err)
	}
}

func happened(events []factor.Event, kind factor.EventKind) bool {
	for _, e := range events {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

func TestARecoveryStaysAtLevelOneInLaterSessionsUntilSomethingStrongerConfirms(t *testing.T) {
	t.Parallel()

	city := start(t)
	person := whoIs(t, city, maria)
	app := city.App(person)
	b := city.Browser(t)
	p := ask(t, b, maria, "mail")
	p = at(t, b.Form(p, with("code", mailboxOf(city, mariasMail).code(t))), "/recuperar/senha")
	p = at(t, b.Form(p, with("password", fresh)), "/conta")
	has(t, p, "o aplicativo de códigos que você já usava", "Entrar de novo para confirmar")
	p = b.Get("/conta/confirmar")
	p = at(t, b.Form(p, with("password", fresh)), "/entrar/segunda-etapa")
	p = b.Form(p, with("code", app.Next()))
	if at(t, p, "/conta"); strings.Contains(p.Body, "recuperou o acesso") {
		t.Error("the app has confirmed nothing")
	}
	hold, err := factor.HoldOf(t.Context(), city.DB, person)
	if err != nil || hold.Live() {
		t.Errorf("held still: %+v, %v", hold, err)
	}
}

func TestNobodyWithoutAnAccountIsSentACode(t *testing.T) {
	t.Parallel()

	city := start(t)
	b := city.Browser(t)
	ask(t, b, joao, "mail") // nobody's
	_ = must(registry.NewStore(city.Box).Create(t.Context(), city.DB, registry.Person{CPF: must(brdoc.ParseCPF(joao))(t)}, city.Now()))(t)
	ask(t, b, joao, "mail") // somebody's of the registry, who has no account
	if worked(t, city); len(city.Outbox.Messages("")) != 0 {
		t.Errorf("sent %+v", city.Outbox.Messages(""))
	}
}

func TestWhoStoleTheTelephoneIsThrownOutByTheOwnersLetter(t *testing.T) {
	t.Parallel()

	city := start(t)
	reach(t, city, whoIs(t, city, maria), factor.PhoneChannel, mariasPhone)
	thief := city.Browser(t)
	p := ask(t, thief, maria, "sms")
	p = at(t, thief.Form(p, with("code", city.TextCode(mariasPhone))), "/recuperar/senha")
	at(t, thief.Form(p, with("password", "Senha-Do-Ladrao-2026")), "/conta")
	at(t, thief.Open(city.Request("posto", nil)), "/entrar/nivel") // level 3 is out of reach
	owner, box := city.Browser(t), mailboxOf(city, mariasMail)
	p = owner.Get(box.next(t, regexp.MustCompile(`(/n/\S+)`)))
	p = at(t, owner.Form(p, nil), "/recuperar/codigo")
	if p := thief.Get("/conta"); p.URL.Path == "/conta" {
		t.Error("the thief's session goes on")
	}
	p = at(t, owner.Form(p, with("code", box.code(t))), "/recuperar/senha")
	at(t, owner.Form(p, with("password", fresh)), "/conta")
	if signsIn(t, city, maria, "Senha-Do-Ladrao-2026") || !signsIn(t, city, maria, fresh) {
		t.Error("the thief's password works, or the owner's does not")
	}
}
