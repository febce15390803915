package idp_test

import (
	"net/http"
	"testing"

	"github.com/loginunico/loginunico/idp/federation/govbrtest"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
)

// at gov.br the citizen picks an account and agrees.
func agree(b *testbrowser.Browser, cpf string) {
	b.Submit("person-" + cpf)
	if b.Has("#allow") {
		b.Submit("allow")
	}
}

func TestSigningInByGovBRInABrowser(t *testing.T) {
	t.Parallel()

	for lang, words := range map[string]struct{ entry, denied, other, taken, wrong, consent, goodbye string }{
		"pt-BR": {"Entrar com gov.br", "Você não autorizou no gov.br", "A conta gov.br é de outra pessoa", "Já existe uma conta com o seu CPF",
			"A senha não é a da conta deste CPF", "Colocar seu nome na barraca", "Você saiu"},
		"es": {"Entrar con gov.br", "No dio la autorización en gov.br", "La cuenta gov.br es de otra persona", "Ya existe una cuenta con su CPF",
			"La contraseña no es la de la cuenta de este CPF", "Poner su nombre", "Usted salió de la cuenta"},
		"en": {"Sign in with gov.br", "You did not allow it at gov.br", "The gov.br account is somebody else's", "There is an account with your CPF already",
			"This is not the password of the account of this CPF", "Put your name on the stall", "You are signed out"},
	} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			city := idptest.Start(t, []string{s.manifest}, idptest.WithGovBR())
			city.Person(maria, 1, map[string]string{"name": "Um Impostor", "email": "impostor@example.com"})
			b := testbrowser.New(t, testbrowser.Lang(lang))
			_, start := s.request(city)
			b.Open(start)
			b.See(words.entry)
			sound(b)
			b.Submit("govbr")
			b.Submit("person-52998224725")
			b.Submit("deny")
			b.See(words.denied)
			sound(b)
			b.Submit("back")
			b.Fill("cpf", joao)
			b.Submit("continue")
			b.See(words.entry)
			sound(b)
			b.Submit("govbr") // gov.br remembers Maria
			b.Submit("allow")
			b.See(words.other)
			sound(b)
			b.Submit("govbr") // out of gov.br, and in again
			agree(b, "11144477735")
			b.See(words.consent)
			b.Open(city.Issuer + "/conta")
			b.See("João Batista Souza")
			b.Submit("logout") // by way of gov.br's
			b.AwaitURL(city.Issuer + "/sair/pronto")
			b.See(words.goodbye)
			if n := city.GovBR.Sessions(); n != 0 {
				t.Errorf("%d sessions at gov.br", n)
			}
			b.Open(start)
			b.Submit("govbr")
			agree(b, "52998224725")
			b.See(words.taken)
			b.DontSee("Impostor")
			sound(b)
			b.Fill("password", "errada-errada")
			if status := b.Submit("continue"); status != http.StatusUnprocessableEntity {
				t.Errorf("status %d", status)
			}
			b.See(words.wrong)
			sound(b)
			b.Submit("end")
			b.See(words.consent)
			b.Click("allow")
			b.AwaitURL(s.URL + "/cb")
		})
	}
}

func TestGovBRIsAWayUpInABrowserWithoutScripts(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	city := idptest.Start(t, []string{s.manifest + "min_level: 2\n"}, idptest.WithGovBR())
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	city.GovBR.Set(govbrtest.Modes{Fail: map[string]int{"/token": http.StatusServiceUnavailable}})
	b := testbrowser.New(t, testbrowser.NoJS())
	_, start := s.request(city)
	b.Open(start)
	b.Fill("cpf", joao)
	b.Submit("continue")
	b.Fill("password", idptest.Password)
	b.Submit("continue")
	b.See("Entrar com gov.br")
	b.NoOverflow(320)
	b.Submit("govbr")
	agree(b, "11144477735")
	b.See("O gov.br não respondeu")
	b.NoOverflow(320)
	city.GovBR.Set(govbrtest.Modes{})
	b.Submit("govbr")
	b.See("Colocar seu nome na barraca")
	b.Click("allow")
	b.AwaitURL(s.URL + "/cb")
}
