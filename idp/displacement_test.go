package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

// bring lets somebody prove a person's CPF, as gov.br, a certificate or a desk will.
func bring(t *testing.T, city *idptest.City, person registry.PersonID, kind trust.Kind) factor.Claim {
	t.Helper()
	var claim factor.Claim
	err := pg.InTx(t.Context(), city.DB, func(tx pg.Tx) (err error) {
		claim, err = city.IDP.Displacer().Bring(t.Context(), tx, person, trust.Evidence{Kind: kind, Source: "test", Method: "test", Verifier: "test",
			VerifiedAt: city.Now(), ExpiresAt: city.Now().AddDate(1, 0, 0)}, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return claim
}

func TestAStrongerProofEndsAllThatTheWeakerClaimHadOpened(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	person := city.Person(maria, 1, map[string]string{"name": "Quem Chegou Antes", "email": "antes@example.org"})
	squatter := city.Browser(t)
	r := everything(city, "biblioteca")
	tokens := city.Exchange(r, squatter.Authorize(r, maria))
	access, refresh := tokens.Text("access_token"), tokens.Text("refresh_token")
	if access == "" || refresh == "" || city.Userinfo(access).Status != http.StatusOK {
		t.Fatalf("before: %s", tokens.Body)
	}
	if claim := bring(t, city, person, trust.ICPCertificate); claim != factor.Displaces {
		t.Fatalf("claim %v", claim)
	}
	if p := squatter.Get("/conta"); p.URL.Path != "/entrar" {
		t.Errorf("the session goes on, at %s", p.URL)
	}
	if a := city.Userinfo(access); a.Status != http.StatusUnauthorized {
		t.Errorf("the access token: %d %s", a.Status, a.Body)
	}
	if a := city.Call("/oauth/token", "biblioteca", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}); a.Text("error") != "invalid_grant" {
		t.Errorf("the refresh token: %d %s", a.Status, a.Body)
	}
	if latest, err := consent.Latest(t.Context(), city.DB, person, "biblioteca"); err != nil || latest == nil || latest.Kind != consent.Revoked {
		t.Errorf("the consent: %+v, %v", latest, err)
	}
	b := city.Browser(t)
	if p := b.SignIn(b.Get("/conta"), maria, idptest.Password); p.URL.Path == "/conta" {
		t.Error("the password still opens the account")
	}
	if letter := city.Letter("antes@example.org"); !strings.Contains(letter, "Esta conta acabou") || strings.Contains(letter, maria) {
		t.Errorf("letter: %q", letter)
	}
	events, _, err := audit.Of(t.Context(), city.DB, person, audit.Page{})
	if err != nil || !displaced(events) {
		t.Errorf("the audit: %+v, %v", events, err)
	}
	p, err := registry.NewStore(city.Box).ByID(t.Context(), city.DB, person)
	if err != nil || p.Has("name") || p.Has("email") || p.CPF.Formatted() != maria {
		t.Errorf("what the former holder said of themselves stays: %v %v, %v", p.Has("name"), p.Has("email"), err)
	}
}

func displaced(events []audit.Event) bool {
	for _, e := range events {
		if e.Action == "account.displace" && e.Detail["by"] == string(trust.ICPCertificate) && e.Detail["held_by"] == string(trust.SelfDeclared) {
			return true
		}
	}
	return false
}

func TestAProofOfTheSameWeightEndsNothing(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	person := city.Person(maria, 2, mariaFields())
	b := city.Browser(t)
	b.Authorize(everything(city, "biblioteca"), maria)
	if claim := bring(t, city, person, trust.GovBR); claim != factor.Joins {
		t.Fatalf("claim %v", claim)
	}
	if p := b.Get("/conta"); p.URL.Path != "/conta" {
		t.Errorf("the session ended: at %s", p.URL)
	}
}

func TestACPFThatWasProvenIsNotRegisteredByWordAndLooksAsIfItHadAnAccount(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	person := city.Person(maria, 1, mariaFields())
	bring(t, city, person, trust.BiometricEnrollment)
	stranger := city.Browser(t)
	p := stranger.Get(of(at(t, stranger.Open(everything(city, "biblioteca")), "/entrar"), "/cadastro"))
	p = at(t, stranger.Form(p, with("cpf", maria, "email", novoEmail, "password", "Outra-Senha-2026")), "/cadastro/codigo")
	at(t, stranger.Form(p, with("code", "000000")), "/cadastro/codigo")
	if m, sent := city.Outbox.Last(novoEmail); sent {
		t.Errorf("a code was sent: %q", m.Text)
	}
}
