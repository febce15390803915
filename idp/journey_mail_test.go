package idp_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testnode"
)

// TestARegistrationsLetterTravelsByARealServer opens an account in each language with the letters
// that a mail server of others took over TLS and a parser of others read.
func TestARegistrationsLetterTravelsByARealServer(t *testing.T) {
	t.Parallel()

	sink := testnode.StartSink(t)
	city := idptest.Start(t, []string{biblioteca}, idptest.WithMail(sink.URL))
	for lang, c := range map[string]struct{ cpf, says string }{
		"pt-BR": {joao, "Não passe o código a ninguém."}, "es": {"390.533.447-05", "código"}, "en": {"168.995.350-09", "code"},
	} {
		b := city.Browser(t)
		email := strings.ToLower(lang) + "@example.com"
		p := b.Get(of(at(t, b.Open(everything(city, "biblioteca", "ui_locales", lang)), "/entrar"), "/cadastro"))
		p = at(t, b.Form(p, with("cpf", c.cpf, "email", email, "password", idptest.Password)), "/cadastro/codigo")
		letter := sink.Letter()
		if !letter.Secure || letter.To != email || letter.HTML || !strings.Contains(letter.Text, c.says) {
			t.Errorf("%s: %+v", lang, letter)
		}
		code := sixDigits.FindString(letter.Text)
		at(t, b.Form(p, with("code", code)), "/cadastro/dados")
	}
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)
