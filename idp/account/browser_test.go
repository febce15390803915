package account_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pquerna/otp/totp"

	"github.com/loginunico/loginunico/idp/account"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
)

// citizen is Maria in a real browser, and how it says the words that are looked for.
type citizen struct {
	*testbrowser.Browser
	h    *house
	lang string
}

// seen holds a page to what a test alone can see of WCAG 2.2 AA.
func (m *citizen) seen() {
	m.Axe()
	m.NoOverflow(320)
}

func (m *citizen) open(path string) int {
	m.h.t.Helper()
	return m.Open(m.h.Issuer + account.PathSecurity + path)
}

func (m *citizen) done() {
	m.h.t.Helper()
	m.AwaitURL(m.h.Issuer + account.PathSecurity + "?feito=")
	if !m.Has("#done") {
		m.h.t.Fatalf("nothing was done: %s", m.Text("main"))
	}
}

func TestMariaSeesToHerSecurityInABrowser(t *testing.T) {
	t.Parallel()

	for _, lang := range []string{"pt-BR", "es", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()

			h := newHouse(t, idptest.WithSecretQuestion())
			m := &citizen{testbrowser.New(t, testbrowser.Lang(lang)), h, lang}
			m.open("")
			m.Fill("cpf", maria)
			m.Submit("continue")
			m.Fill("password", idptest.Password)
			m.Submit("continue")
			m.AwaitURL(h.Issuer + account.PathSecurity)
			m.seen()
			m.password()
			m.addresses()
			m.question()
			m.device()
			m.app()
			m.leave()
			m.deny()
		})
	}
}

func (m *citizen) password() {
	m.h.t.Helper()
	m.Submit("to-password")
	m.seen()
	m.Fill("password", "curta")
	m.Submit("continue")
	if focused := m.Focused(); focused != "problem" {
		m.h.t.Errorf("the focus is on %q, not on the summary", focused)
	}
	m.seen()
	m.Fill("password", another)
	m.Submit("continue")
	m.done()
	m.seen()
}

func (m *citizen) addresses() {
	m.h.t.Helper()
	m.Submit("to-mail")
	m.seen()
	m.Fill("email", spare)
	m.Submit("continue")
	m.seen()
	m.Fill("code", m.h.Code(spare))
	m.Submit("continue")
	m.done()

	m.Submit("to-phone")
	m.seen()
	m.Fill("phone", "(11) 98765-4321")
	m.Submit("continue") // no country is chosen for anybody
	if m.Value("phone") != "(11) 98765-4321" {
		m.h.t.Error("what was typed is lost")
	}
	m.seen()
	testbrowser.Eval[bool](m.Browser, `(document.getElementById("country").value = "BR", true)`)
	m.Submit("continue")
	m.seen()
	m.Fill("code", m.h.TextCode(mobile))
	m.Submit("continue")
	m.done()
}

func (m *citizen) question() {
	m.h.t.Helper()
	m.Submit("to-question")
	m.seen()
	m.Fill("question", "Qual era o apelido do meu primeiro professor?")
	m.Fill("answer", "Tio Zeca")
	m.Submit("continue")
	m.done()
}

// device adds a passkey, after the owner's finger was not recognised at first.
func (m *citizen) device() {
	m.h.t.Helper()
	key := m.Authenticator(true)
	m.Submit("to-passkey")
	m.seen()
	key.Refuse(true)
	m.Fill("name", "Celular da Maria")
	m.Click("continue")
	m.See(map[string]string{"pt-BR": "O aparelho não confirmou", "es": "El aparato no confirmó", "en": "The device did not confirm"}[m.lang])
	if key.Passkeys() != 0 {
		m.h.t.Error("a device that refused keeps a key")
	}
	m.seen()
	key.Refuse(false)
	m.Submit("continue")
	m.done()
	if key.Passkeys() != 1 {
		m.h.t.Errorf("the device keeps %d keys", key.Passkeys())
	}
}

// app adds an authenticator, for which the session must have shown the device first.
func (m *citizen) app() {
	m.h.t.Helper()
	m.Submit("to-app")
	m.seen()
	m.Submit("continue")
	m.Submit("passkey")
	m.AwaitURL(m.h.Issuer + account.PathSecurity + "/aplicativo")
	m.seen()
	m.Fill("name", "Aplicativo da Maria")
	m.Submit("continue")
	m.seen()
	code, err := totp.GenerateCode(strings.ReplaceAll(m.Text("#secret"), " ", ""), m.h.Now())
	m.h.must(err)
	m.Fill("code", code)
	m.Submit("continue")
	if n := testbrowser.Eval[int](m.Browser, `document.querySelectorAll("#codes code").length`); n != 10 {
		m.h.t.Errorf("%d recovery codes", n)
	}
	m.seen()
	m.Submit("continue")
	m.seen()
}

// leave removes what there is, and signs the other browser out.
func (m *citizen) leave() {
	m.h.t.Helper()
	e := m.h.enrolled()
	for _, path := range []string{"/aparelho/nome?id=" + e.Passkeys[0].ID.String(), "/aplicativo/remover?id=" + e.Authenticators[0].ID.String(),
		"/email/remover?id=" + e.Mails[1].ID.String(), "/codigos", "/historico"} {
		if status := m.open(path); status != 200 {
			m.h.t.Errorf("%s: %d", path, status)
		}
		m.seen()
	}
	m.open("/aparelho/remover?id=" + e.Passkeys[0].ID.String())
	m.Submit("continue")
	m.done()
	if len(m.h.enrolled().Passkeys) != 0 {
		m.h.t.Error("the device is still there")
	}
	m.h.elsewhere()
	m.open("")
	m.Submit("end-others")
	if m.Has("#end-others") {
		m.h.t.Error("the other browser is still signed in")
	}
}

// elsewhere signs Maria in on her other telephone.
func (h *house) elsewhere() {
	h.t.Helper()
	if _, err := h.DB.Exec(h.t.Context(), `INSERT INTO session (id, cookie_hash, person_id, auth_time, amr, cap, browser, created_at, last_seen_at, expires_at)
		VALUES (gen_random_uuid(), sha256('another'), $1, now(), '{pwd}', 3, 'Safari, iPhone', now(), now(), now() + interval '1 hour')`, h.maria); err != nil {
		h.t.Fatal(err)
	}
}

// deny follows the link of the letter about the password.
func (m *citizen) deny() {
	m.h.t.Helper()
	what := map[string]string{"pt-BR": "Senha trocada", "es": "Contraseña cambiada", "en": "Password changed"}[m.lang]
	m.Open(m.h.Issuer + m.h.told(mail, what))
	m.seen()
	m.Submit("continue")
	at, err := url.Parse(m.URL())
	if err != nil || at.Path != "/recuperar/codigo" {
		m.h.t.Errorf("it leads to %s", m.URL())
	}
	m.seen()
}

func TestWithoutScriptsADeviceCannotBeAddedAndThePageSaysSo(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	m := &citizen{testbrowser.New(t, testbrowser.NoJS()), h, "nojs"}
	m.open("/aparelho")
	m.Fill("cpf", maria)
	m.Submit("continue")
	m.Fill("password", idptest.Password)
	m.Submit("continue")
	m.See("JavaScript desligado")
	m.See("aplicativo de códigos")
	if testbrowser.Eval[bool](m.Browser, `document.getElementById("continue").offsetParent !== null`) {
		t.Error("there is a button that does nothing")
	}
	m.NoOverflow(320)
	m.open("/senha") // everything else works
	m.Fill("password", another)
	m.Submit("continue")
	m.done()
}
