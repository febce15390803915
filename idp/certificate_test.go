package idp_test

import (
	"crypto/x509"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/registry/trust"
)

const companyCNPJ = "12ABC34501DE35"

func certificateCity(t *testing.T, manifest string) (*idptest.City, *idptest.Browser, idptest.Request) {
	t.Helper()
	city := idptest.Start(t, []string{manifest}, idptest.WithCertificates())
	return city, city.Browser(t), everything(city, "biblioteca")
}

// digits is a CPF as certificates have it.
func digits(cpf string) string { return strings.NewReplacer(".", "", "-", "").Replace(cpf) }

// certificatesOf are the live evidence of certificates of the person of a CPF.
func certificatesOf(t *testing.T, city *idptest.City, cpf string) []trust.Evidence {
	t.Helper()
	evidence, err := trust.Of(t.Context(), city.DB, personOf(t, city, cpf).ID)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(evidence, func(e trust.Evidence) bool { return e.Kind != trust.ICPCertificate || !e.LiveAt(city.Now()) })
}

// turnedAway fails unless the page says this reason.
func turnedAway(t *testing.T, p idptest.Page, reason certauth.Reason) idptest.Page {
	t.Helper()
	if at(t, p, "/entrar/certificado/aviso"); p.URL.Query().Get("motivo") != string(reason) {
		t.Errorf("the reason is %s, want %s", p.URL.Query().Get("motivo"), reason)
	}
	return p
}

func TestACertificateOpensAnAccountAndCarriesLevelFiveUntilItEnds(t *testing.T) {
	t.Parallel()

	city, b, r := certificateCity(t, needing("5"))
	leaf := city.ICP.Issue(icptest.ECPF("RITA DE CASSIA NOGUEIRA", digits(rita)))
	claims := arrived(t, b, r, b.ByCertificate(b.Open(r), leaf))
	if amr := texts(claims["amr"]); claims["trust_level"] != 5.0 || claims["acr"] != "urn:loginunico:nivel:5" || !slices.Equal(amr, []string{"x509"}) {
		t.Errorf("level %v, acr %v by %v", claims["trust_level"], claims["acr"], amr)
	}
	proofs := certificatesOf(t, city, rita)
	if len(proofs) != 1 || !proofs[0].ExpiresAt.Equal(leaf.Cert.NotAfter) || proofs[0].Source != "AC Vila Teste RFB v5" || proofs[0].Method != "mtls" {
		t.Fatalf("%+v", proofs)
	}
	identity := certauth.IdentityOf([]*x509.Certificate{leaf.Cert, city.ICP.Issuing.Cert})
	for name, want := range map[string]string{"issuer": "AC Vila Teste RFB v5", "serial": identity.SerialText(), "profile": "e-CPF A1",
		"not_before": leaf.Cert.NotBefore.UTC().Format(time.RFC3339)} {
		if got := proofs[0].Attributes[name]; got != want {
			t.Errorf("%s is %v, want %s", name, got, want)
		}
	}
	person := personOf(t, city, rita)
	if name := person.Fields["name"]; !strings.EqualFold(name.Text, "Rita de Cassia Nogueira") || name.Source != "icp" {
		t.Errorf("the registry's name is %+v", name)
	}
	if born := person.Fields["birthdate"]; born.Text != "1980-01-01" {
		t.Errorf("born %+v", born)
	}

	again := city.Browser(t)
	if second := arrived(t, again, r, again.ByCertificate(again.Open(r), leaf)); second["sub"] != claims["sub"] || len(certificatesOf(t, city, rita)) != 1 {
		t.Errorf("sub %v, then %v; %d proofs", claims["sub"], second["sub"], len(certificatesOf(t, city, rita)))
	}
	renewed := city.Browser(t) // people renew: another key, another serial, the same person
	third := arrived(t, renewed, r, renewed.ByCertificate(renewed.Open(r), city.ICP.Issue(icptest.NewECPF("RITA DE CASSIA NOGUEIRA", digits(rita)))))
	if third["sub"] != claims["sub"] || len(certificatesOf(t, city, rita)) != 2 {
		t.Errorf("renewed: sub %v, %d proofs", third["sub"], len(certificatesOf(t, city, rita)))
	}
	var history int
	if err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM person_certificate WHERE person_id = $1`, person.ID).Scan(&history); err != nil || history != 2 {
		t.Errorf("%d certificates in the history, %v", history, err)
	}
	city.Advance(12 * 31 * 24 * time.Hour)
	if left := certificatesOf(t, city, rita); len(left) != 0 {
		t.Errorf("%d count after their end", len(left))
	}
}

func TestACertificateRaisesSomebodyInTheMiddleOfAVisit(t *testing.T) {
	t.Parallel()

	city, b, r := certificateCity(t, needing("5"))
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	p := at(t, b.SignIn(b.Open(r), joao, idptest.Password), "/entrar/nivel")
	claims := arrived(t, b, r, b.ByCertificate(p, city.ICP.Issue(icptest.ECPF("JOAO", digits(joao)))))
	if claims["acr"] != "urn:loginunico:nivel:5" || !slices.Contains(texts(claims["amr"]), "x509") || !slices.Contains(texts(claims["amr"]), "pwd") {
		t.Errorf("acr %v by %v", claims["acr"], claims["amr"])
	}
	if n := len(certificatesOf(t, city, joao)); n != 1 {
		t.Errorf("%d proofs", n)
	}
}

func TestAPersonAtTheirAccountRaisesTheirLevelByCertificate(t *testing.T) {
	t.Parallel()

	city, b, _ := certificateCity(t, biblioteca)
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	p := at(t, b.SignIn(b.Get("/conta/nivel"), joao, idptest.Password), "/conta/nivel")
	holds(t, p, `href="/conta/nivel/provar?kind=icp_certificate"`)
	page := at(t, b.Get("/conta/nivel/provar?kind=icp_certificate"), "/entrar/certificado")
	out := b.Get(strings.Replace(page.URL.RequestURI(), "/certificado?", "/certificado/ir?", 1))
	back := at(t, b.Get(city.Shows(out.Location.String(), city.ICP.Issue(icptest.ECPF("JOAO", digits(joao))))), "/conta/nivel")
	holds(t, back, `<p class="num" aria-hidden="true">5</p>`)
}

func TestACompanysCertificateSignsInWhoAnswersForIt(t *testing.T) {
	t.Parallel()

	city, b, r := certificateCity(t, strings.Replace(needing("5"), "claims:", `claims:
  - {name: cnpj, required: true, purpose: {pt-BR: Emitir o alvará}, basis: legal_obligation}
  - {name: company_name, required: true, purpose: {pt-BR: Escrever a razão social}, basis: legal_obligation}
  - {name: company_role, required: true, purpose: {pt-BR: Saber em que função}, basis: legal_obligation}`, 1))
	r.Params.Set("scope", r.Params.Get("scope")+" cnpj")
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	inc := city.ICP.Issue(icptest.ECNPJ("PADARIA VILA LTDA", companyCNPJ, "JOAO BATISTA SOUZA", digits(joao)))
	p := at(t, b.ByCertificate(b.Open(r), inc), "/entrar/certificado/conta") // somebody has opened an account of the CPF by their word
	consent := at(t, b.Form(p, url.Values{"password": {idptest.Password}}), "/consentimento")
	holds(t, consent, "PADARIA VILA LTDA")
	tokens := city.Exchange(r, b.Allow(consent).Params().Get("code"))
	claims, info := idptest.Claims(t, tokens.Text("id_token")), city.Userinfo(tokens.Text("access_token"))
	if claims["acr"] != "urn:loginunico:nivel:5" || info.Text("cnpj") != companyCNPJ || info.Text("company_name") != "PADARIA VILA LTDA" ||
		info.Text("company_role") != "certificate_holder" {
		t.Errorf("acr %v, %s", claims["acr"], info.Body)
	}
	var session uuid.UUID
	var sealed []byte
	if err := city.DB.QueryRow(t.Context(), `SELECT id, company FROM session WHERE ended_at IS NULL`).Scan(&session, &sealed); err != nil {
		t.Fatal(err)
	}
	acts, err := company.OpenSet(city.Box, sealed, session)
	if err != nil || len(acts.Companies) != 1 || acts.Companies[0].CNPJ != companyCNPJ || acts.Companies[0].Role != company.CertificateHolder {
		t.Errorf("the session acts for %+v, %v", acts, err)
	}
	person := personOf(t, city, joao)
	for name, f := range person.Fields {
		if strings.Contains(f.Text, "PADARIA") || f.Text == companyCNPJ {
			t.Errorf("the company became %s of the person", name)
		}
	}
}

func TestASquattedAccountEndsWhenACertificateProvesItsCPF(t *testing.T) {
	t.Parallel()

	city, b, r := certificateCity(t, biblioteca)
	city.Person(joao, 1, map[string]string{"name": "Outra Pessoa", "email": "outra@example.org"})
	leaf := city.ICP.Issue(icptest.ECPF("JOAO BATISTA SOUZA", digits(joao)))
	p := at(t, b.ByCertificate(b.Open(r), leaf), "/entrar/certificado/conta")
	if n := len(certificatesOf(t, city, joao)); n != 0 {
		t.Fatalf("%d proofs before the decision", n)
	}
	holds(t, b.Form(p, url.Values{"password": {"wrong-password-2026"}}), "problem")
	elsewhere := city.Browser(t)
	if q := elsewhere.Get(p.URL.RequestURI()); q.URL.Path == "/entrar/certificado/conta" && q.Status == 200 {
		t.Error("another browser decides")
	}
	lost, late := city.ICP.Issue(icptest.ECPF("JOAO BATISTA SOUZA", digits(joao))), city.Browser(t)
	q := at(t, late.ByCertificate(late.Open(r), lost), "/entrar/certificado/conta")
	city.ICP.Refuse(lost, certauth.Revoked) // while they decide
	turnedAway(t, late.Post(q.URL.RequestURI(), url.Values{"account": {"end"}}), certauth.Revoked)
	if n := len(certificatesOf(t, city, joao)); n != 0 {
		t.Fatalf("%d proofs by a revoked certificate", n)
	}
	claims := arrived(t, b, r, b.Post(p.URL.RequestURI(), url.Values{"account": {"end"}}))
	if claims["trust_level"] != 5.0 {
		t.Errorf("level %v", claims["trust_level"])
	}
	if q := city.Browser(t); q.SignIn(q.Open(r), joao, idptest.Password).Location != nil {
		t.Error("the password of before signs in")
	}
	if q := b.Post(p.URL.RequestURI(), url.Values{"account": {"end"}}); q.Status < 400 && q.URL.Path == "/entrar/certificado/conta" {
		t.Error("it is decided twice")
	}
}

func TestACertificateThatDoesNotCountSaysWhyAndTheVisitGoesOn(t *testing.T) {
	t.Parallel()

	city, b, r := certificateCity(t, biblioteca)
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	mine := icptest.ECPF("JOAO", digits(joao))
	old := mine
	old.NotBefore, old.NotAfter = city.Now().AddDate(-2, 0, 0), city.Now().AddDate(-1, 0, 0)
	revoked, dark := city.ICP.Issue(mine), city.ICP.Issue(mine)
	city.ICP.Refuse(revoked, certauth.Revoked)
	city.ICP.Refuse(dark, certauth.Unchecked)
	foreign := icptest.Must(icptest.New(icptest.Options{Now: city.Now()}))
	for reason, leaf := range map[certauth.Reason]*icptest.Leaf{
		certauth.NoCertificate: nil,
		certauth.Untrusted:     foreign.Issue(mine),
		certauth.Expired:       city.ICP.Issue(old),
		certauth.Revoked:       revoked,
		certauth.Unchecked:     dark,
		certauth.IsSeal:        city.ICP.Issue(icptest.Seal("PADARIA", companyCNPJ, icptest.SEH)),
		certauth.NotPersonal:   city.ICP.Issue(icptest.SSL("www.example.org")),
		certauth.BadNumber:     city.ICP.Issue(icptest.ECPF("JOAO", "11144477734")),
	} {
		p := turnedAway(t, b.ByCertificate(b.Open(r), leaf), reason)
		lacks(t, p, "certificate.why", "11144477734")
		if back := b.Get("/entrar/continuar?i=" + p.URL.Query().Get("i")); back.URL.Path != "/entrar" {
			t.Errorf("%s: somebody is signed in", reason)
		}
	}
	if n := len(certificatesOf(t, city, joao)); n != 0 {
		t.Errorf("%d proofs", n)
	}
	p := b.Open(r)
	b.Form(p, url.Values{"cpf": {maria}})
	other := turnedAway(t, b.ByCertificate(b.Get("/entrar/senha?"+p.URL.RawQuery), city.ICP.Issue(mine)), "other")
	holds(t, other, "***.982.247-**")
}

func TestAWayBackCountsOnceAndInItsOwnBrowser(t *testing.T) {
	t.Parallel()

	city, b, r := certificateCity(t, needing("2"))
	leaf := city.ICP.Issue(icptest.ECPF("RITA DE CASSIA NOGUEIRA", digits(rita)))
	back := city.Shows(b.ToCertificates(b.Open(r)), leaf)
	thief := city.Browser(t)
	thief.Open(r)
	if p := thief.Get(back); p.Status != 410 {
		t.Errorf("another browser: %d at %s", p.Status, p.URL)
	}
	at(t, b.Get(back), "/consentimento")
	if p := b.Get(back); p.Status != 410 {
		t.Errorf("the second time: %d at %s", p.Status, p.URL)
	}
	if p := b.Get("/entrar/certificado/retorno"); p.Status != 410 {
		t.Errorf("without a code: %d", p.Status)
	}
}
