package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
)

// A visitor signs in by the phone alone: a password or a passkey would open nothing to them.
func TestAVisitorSeesTheirSessionsAndHasNothingToChange(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia})
	b := newTourist(t, city)
	b.register(everything(city, "guia"), rosa, "1985-03-12")
	p := at(t, b.Get("/conta/seguranca"), "/conta/seguranca")
	if strings.Contains(p.Body, "/conta/seguranca/senha") || !strings.Contains(p.Main(), "Este aparato") {
		t.Errorf("%s", p.Main())
	}
	for _, form := range []string{"senha", "aparelho", "aparelho/opcoes", "aplicativo", "email", "telefone", "confirmar"} {
		if p := b.Post("/conta/seguranca/"+form, url.Values{"password": {idptest.Password}, "name": {"X"}, "email": {"x@example.org"}}); p.Status != http.StatusNotFound {
			t.Errorf("%s: %d at %s", form, p.Status, p.URL)
		}
	}
	at(t, b.Post("/conta/seguranca/sair-dos-outros", nil), "/conta/seguranca")
}
