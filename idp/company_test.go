package idp_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/idp/federation/govbrtest"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/pmcc"
)

const (
	nota = `
id: nota
name: {pt-BR: Nota Fiscal da Empresa, es: Factura, en: Invoices}
department: Secretaria da Fazenda
contact: nota@example.org
redirect_uris: [http://localhost:9/nota/callback]
grants: [authorization_code, refresh_token]
min_level: 2
claims:
  - {name: name, required: true, purpose: {pt-BR: Saber quem emite}, basis: legal_obligation}
  - {name: cnpj, required: true, purpose: {pt-BR: Emitir em nome da empresa}, basis: legal_obligation}
  - {name: company_name, required: true, purpose: {pt-BR: Escrever na nota}, basis: legal_obligation}
  - {name: company_role, required: true, purpose: {pt-BR: Saber sua função}, basis: legal_obligation}
`
	edital = `
id: edital
name: {pt-BR: Editais, es: Concursos, en: Tenders}
department: Secretaria da Fazenda
contact: edital@example.org
redirect_uris: [http://localhost:9/edital/callback]
claims:
  - {name: name, required: true, purpose: {pt-BR: Saber quem lê}, basis: public_policy}
  - {name: cnpj, required: false, purpose: {pt-BR: Avisar a empresa}, basis: consent}
`
	doces   = "11222333000181" // Ana is a partner
	padaria = "12ABC34501DE35" // and the accountant
	oficina = "19131243000197" // Carla represents it
)

func forCompany(city *idptest.City, service string, more ...string) idptest.Request {
	return city.Request(service, merged(with("scope", "openid profile cnpj"), with(more...)))
}

// toldFor is what userinfo says of a company: number, name and role.
func toldFor(city *idptest.City, r idptest.Request, p idptest.Page) (tokens idptest.Answer, company string) {
	tokens = city.Exchange(r, p.Params().Get("code"))
	return tokens, companyOf(city, tokens)
}

func companyOf(city *idptest.City, tokens idptest.Answer) string {
	info := city.Userinfo(tokens.Text("access_token"))
	return strings.Join([]string{info.Text("cnpj"), info.Text("company_name"), info.Text("company_role")}, " ")
}

func TestWhoHasSeveralCompaniesChoosesOneAndTheServiceSeesThatOne(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{nota, biblioteca}, idptest.WithGovBR())
	b, r := city.Browser(t), forCompany(city, "nota")
	p := at(t, b.ByGovBR(b.Open(r), ana), "/entrar/empresa")
	holds(t, p, "Em nome de qual empresa?", "FERREIRA DOCES LTDA", "11.222.333/0001-81", "PADARIA DA VILA LTDA", "12.ABC.345/01DE-35", "Contador ou contadora")
	for name, form := range map[string]url.Values{"nothing": {}, "a company that was not offered": with("company", oficina), "none": with("company", "-"),
		"several": {"company": {"x", padaria}}} {
		if wrong := b.Form(p, form); wrong.Status != http.StatusUnprocessableEntity || wrong.URL.Path != "/entrar/empresa" {
			t.Errorf("%s: %d %s", name, wrong.Status, wrong.URL)
		}
	}
	thief := city.Browser(t)
	thief.Open(r)
	if got := thief.Post(of(p, "/entrar/empresa"), with("company", padaria)); got.Status != http.StatusGone {
		t.Errorf("another browser chose: %d", got.Status)
	}
	p = at(t, b.Form(p, with("company", padaria)), "/consentimento")
	holds(t, p, "PADARIA DA VILA LTDA", "12.ABC.345/01DE-35", "Contador ou contadora", `id="company"`)
	lacks(t, p, "FERREIRA DOCES")
	back := at(t, b.Get(of(p, "/entrar/empresa")), "/entrar/empresa") // the back button, or the link
	holds(t, back, `value="`+padaria+`" checked`)
	old := p.Action()
	p = at(t, b.Form(back, with("company", doces)), "/consentimento")
	stale := b.Post(old, with("decision", "allow")) // the page that showed the bakery
	if stale.Status != http.StatusUnprocessableEntity {
		t.Errorf("agreed to a company that the page did not show: %d", stale.Status)
	}
	holds(t, stale, "FERREIRA DOCES LTDA")
	tokens, company := toldFor(city, r, b.Allow(p))
	if company != doces+" FERREIRA DOCES LTDA partner" {
		t.Errorf("told %q", company)
	}
	if late := b.Post(of(p, "/entrar/empresa"), with("company", padaria)); late.Status != http.StatusGone {
		t.Errorf("chosen after the end: %d", late.Status)
	}

	again := b.Open(forCompany(city, "nota")) // the session remembers
	if again.Params().Get("code") == "" {
		t.Fatalf("asked again: %s", again.URL)
	}
	other := forCompany(city, "nota", "prompt", "select_account")
	p = at(t, b.Form(at(t, b.Open(other), "/entrar/conta"), with("account", "current")), "/entrar/empresa")
	if _, company := toldFor(city, other, b.Form(p, with("company", padaria))); company != padaria+" PADARIA DA VILA LTDA accountant" {
		t.Errorf("told %q", company)
	}
	if company := companyOf(city, tokens); company != doces+" FERREIRA DOCES LTDA partner" {
		t.Errorf("the first grant tells %q now", company)
	}
	lib := everything(city, "biblioteca")
	claims := arrived(t, b, lib, b.Open(lib))
	if claims["cnpj"] != nil {
		t.Error("a service that does not ask learns the company")
	}
	lacks(t, b.Get("/conta"), "PADARIA", "FERREIRA DOCES")
	person := personOf(t, city, ana)
	if person.CNPJ != "" || person.Has("company_name") || person.Has("cnpj") {
		t.Error("the company is in the person's record")
	}
	var shown int
	if err := city.DB.QueryRow(t.Context(), `
		SELECT count(*) FROM session s, oauth_grant g, interaction i
		 WHERE position('DOCES'::bytea in coalesce(s.company, '')) + position('DOCES'::bytea in coalesce(g.company, ''))
		     + position('11222333000181'::bytea in coalesce(i.company, '')) > 0`).Scan(&shown); err != nil || shown > 0 {
		t.Errorf("%d rows show a company, %v", shown, err)
	}
}

func TestTwoTabsActForTwoCompanies(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{nota}, idptest.WithGovBR())
	b, one, two := city.Browser(t), forCompany(city, "nota", "state", "one"), forCompany(city, "nota", "state", "two")
	first := at(t, b.ByGovBR(b.Open(one), ana), "/entrar/empresa")
	second := at(t, b.Open(two), "/entrar/empresa")
	first = at(t, b.Form(first, with("company", doces)), "/consentimento")
	second = at(t, b.Form(second, with("company", padaria)), "/consentimento")
	_, company := toldFor(city, one, b.Allow(first))
	_, other := toldFor(city, two, b.Get(of(second, "/entrar/continuar")))
	if !strings.HasPrefix(company, doces) || !strings.HasPrefix(other, padaria) {
		t.Errorf("told %q and %q", company, other)
	}
}

func TestTheOnlyCompanyIsShownOnTheConsentPage(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{nota}, idptest.WithGovBR())
	b, r := city.Browser(t), forCompany(city, "nota")
	city.Person(carla, 2, map[string]string{"name": "Carla Mendes", "email": "carla@example.org"})
	p := at(t, b.SignIn(b.Open(r), carla, idptest.Password), "/entrar/empresa") // a password says nothing of companies
	holds(t, p, "Este serviço é para empresas", `id="govbr"`, "Voltar ao serviço")
	if none := b.Open(forCompany(city, "nota", "prompt", "none")); none.Params().Get("error") != "interaction_required" {
		t.Errorf("prompt=none: %v", none.Location)
	}
	p = at(t, b.ByGovBR(p, carla), "/consentimento")
	holds(t, p, "MENDES CONSERTOS LTDA", "19.131.243/0001-97", "Representante legal")
	lacks(t, p, `id="company"`)
	if _, company := toldFor(city, r, b.Allow(p)); company != oficina+" MENDES CONSERTOS LTDA legal_representative" {
		t.Errorf("told %q", company)
	}
}

func TestWhoHasNoCompanyIsToldHowToShowOneAndTheServiceLearnsIt(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{nota}, idptest.WithGovBR())
	past := city.Now().Add(-time.Hour)
	city.GovBR.Change("71428793860", func(p *govbrtest.Person) {
		p.Companies = []govbrtest.Company{{CNPJ: doces, Name: "VENCIDA LTDA", Role: "SOCIO", Since: past, Until: past},
			{CNPJ: padaria, Name: "PARADA LTDA", Role: "NAO_ATUANTE", Since: past}, {CNPJ: oficina, Name: "NOVA LTDA", Role: "PALAVRA_NOVA", Since: past}}
	})
	b, r := city.Browser(t), forCompany(city, "nota")
	p := at(t, b.ByGovBR(b.Open(r), rita), "/entrar/empresa")
	holds(t, p, "Este serviço é para empresas", "nenhuma empresa está ligada", `id="govbr"`)
	lacks(t, p, "VENCIDA", "PARADA", "NOVA LTDA", `name="company"`)
	if wrong := b.Post(of(p, "/entrar/empresa"), with("company", doces)); wrong.Status != http.StatusUnprocessableEntity {
		t.Errorf("chose an expired one: %d", wrong.Status)
	}
	city.GovBR.Set(govbrtest.Modes{Fail: map[string]int{"/empresas/v2/empresas": 503}})
	p = at(t, b.ByGovBR(p, rita), "/entrar/empresa")
	holds(t, p, "O gov.br não respondeu")
	out := b.Post(of(p, "/entrar/empresa"), with("decision", "leave"))
	if q := out.Params(); q.Get("error") != "access_denied" || !strings.Contains(q.Get("error_description"), "company") || q.Get("state") != "state-1" {
		t.Errorf("the service learns %v", q)
	}
	city.GovBR.Set(govbrtest.Modes{})
	city.GovBR.Change("71428793860", func(p *govbrtest.Person) {
		p.AMR, p.CNPJ, p.CNPJName = []string{"x509", "x509_token"}, "12.ABC.345/01DE-35", "PADARIA DA VILA LTDA"
	})
	other := city.Browser(t)
	p = at(t, other.ByGovBR(other.Open(r), rita), "/consentimento") // by the company's certificate at gov.br
	if _, company := toldFor(city, r, other.Allow(p)); company != padaria+" PADARIA DA VILA LTDA certificate_holder" {
		t.Errorf("told %q", company)
	}
}

func TestAnOptionalCompanyCanBeLeftOut(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{edital}, idptest.WithGovBR())
	city.Person(maria, 1, mariaFields())
	b, r := city.Browser(t), forCompany(city, "edital")
	p := at(t, b.SignIn(b.Open(r), maria, idptest.Password), "/entrar/empresa")
	holds(t, p, "Você usa este serviço por uma empresa?", "Continuar só em meu nome")
	p = at(t, b.Post(of(p, "/entrar/empresa"), with("company", "-")), "/consentimento")
	if _, company := toldFor(city, r, b.Allow(p)); company != "  " {
		t.Errorf("told %q", company)
	}
	if again := b.Open(forCompany(city, "edital", "prompt", "none")); again.Params().Get("code") == "" {
		t.Errorf("asked again: %v", again.Location)
	}

	with2 := city.Browser(t)
	p = at(t, with2.ByGovBR(with2.Open(r), ana), "/entrar/empresa")
	p = at(t, with2.Form(p, with("company", doces)), "/consentimento")
	if _, company := toldFor(city, r, with2.Allow(p, "cnpj")); company != doces+"  " {
		t.Errorf("told %q", company)
	}
	refusing := city.Browser(t)
	p = at(t, refusing.ByGovBR(refusing.Open(r), carla), "/consentimento")
	if _, company := toldFor(city, r, refusing.Allow(p)); company != "  " {
		t.Errorf("the citizen did not tick it, told %q", company)
	}
}

func TestACompanyEndsWithItsSessionAndAfterTwelveHours(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{nota}, idptest.WithGovBR())
	renew := func(tokens idptest.Answer) idptest.Answer {
		t.Helper()
		next := city.Call("/oauth/token", "nota", with("grant_type", "refresh_token", "refresh_token", tokens.Text("refresh_token")))
		if next.Status != http.StatusOK {
			t.Fatalf("%d %s", next.Status, next.Body)
		}
		return next
	}
	offline := func() (*idptest.Browser, idptest.Answer) {
		b, r := city.Browser(t), forCompany(city, "nota", "scope", "openid profile cnpj offline_access", "prompt", "consent")
		tokens, company := toldFor(city, r, b.Allow(b.ByGovBR(b.Open(r), carla)))
		if !strings.HasPrefix(company, oficina) {
			t.Fatalf("told %q", company)
		}
		return b, tokens
	}
	b, tokens := offline()
	if tokens = renew(tokens); !strings.HasPrefix(companyOf(city, tokens), oficina) {
		t.Errorf("while the session lasts: %q", companyOf(city, tokens))
	}
	b.Post("/sair/confirmar", with("decision", "logout"))
	if company := companyOf(city, tokens); company != "  " {
		t.Errorf("after the logout the same token tells %q", company)
	}
	if company := companyOf(city, renew(tokens)); company != "  " {
		t.Errorf("after the logout the next one tells %q", company)
	}
	_, tokens = offline()
	city.Advance(12*time.Hour - time.Minute)
	if tokens = renew(tokens); tokens.JSON("expires_in").(float64) > 60 {
		t.Errorf("a token outlives the word: %v s", tokens.JSON("expires_in"))
	}
	city.Advance(time.Minute)
	if company := companyOf(city, renew(tokens)); company != "  " {
		t.Errorf("after twelve hours it tells %q", company)
	}
}

// A service with companies costs what every other does. docs/architecture.md, statements per operation.
func TestActingForACompanyCostsNoStatement(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{nota}, idptest.WithGovBR())
	b, r := city.Browser(t), forCompany(city, "nota")
	toldFor(city, r, b.Allow(b.ByGovBR(b.Open(r), carla)))
	for name, c := range map[string]struct {
		want int
		do   func() idptest.Answer
	}{"authorize and redeem": {4, func() idptest.Answer { return city.Exchange(r, b.Open(r).Params().Get("code")) }}} {
		city.Statements()
		tokens := c.do()
		if got := city.Statements(); len(got) > c.want {
			t.Errorf("%s: %d statements\n%s", name, len(got), strings.Join(got, "\n"))
		}
		city.Statements()
		city.Userinfo(tokens.Text("access_token"))
		if got := city.Statements(); len(got) != 1 {
			t.Errorf("userinfo: %d statements", len(got))
		}
	}
}

func TestACompanyOfGovBRBecomesAnOrganizationWhereThePolicySaysSo(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{nota}, idptest.WithGovBR())
	store, r := registry.NewStore(city.Box), forCompany(city, "nota")
	find := func(cnpj brdoc.CNPJ) (registry.Person, error) { return store.ByCNPJ(t.Context(), city.DB, cnpj) }
	b := city.Browser(t)
	at(t, b.ByGovBR(b.Open(r), ana), "/entrar/empresa")
	if _, err := find(padaria); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("against the policy: %v", err)
	}
	policy := strings.Replace(string(pmcc.DefaultYAML()), "version: 1\n", "version: 2\n", 1)
	policy = strings.Replace(policy, "include: [receita, empresas, icp]\n    change: [receita]", "include: [receita, empresas, icp, govbr]\n    change: [receita]", 1)
	if err := pg.InTx(t.Context(), city.DB, func(tx pg.Tx) error {
		_, _, err := store.ApplyPolicy(t.Context(), tx, "policy.yaml", []byte(policy), audit.Actor{Kind: audit.Operator, ID: "paulo"}, city.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		other := city.Browser(t)
		back := other.FromGovBR(city.GovBR.Visitor(), other.ToGovBR(other.Open(r)), ana)
		wg.Go(func() { other.Get(back) })
	}
	wg.Wait()
	for cnpj, name := range map[brdoc.CNPJ]string{doces: "FERREIRA DOCES LTDA", padaria: "PADARIA DA VILA LTDA"} {
		if p, err := find(cnpj); err != nil || p.Fields["name"].Text != name || p.Fields["name"].Source != registry.SourceGovBR {
			t.Errorf("%v: %v %+v", cnpj, err, p.Fields["name"])
		}
	}
	if person := personOf(t, city, ana); person.CNPJ != "" {
		t.Error("the person has a CNPJ")
	}
}

func TestThePageOfCompaniesLeadsToTheCompanysCertificate(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{nota}, idptest.WithCertificates())
	city.Person(joao, 2, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	b, r := city.Browser(t), forCompany(city, "nota")
	p := at(t, b.SignIn(b.Open(r), joao, idptest.Password), "/entrar/empresa")
	holds(t, p, `id="certificate"`, "e-CNPJ")
	lacks(t, p, `id="govbr"`)
	p = at(t, b.ByCertificate(p, city.ICP.Issue(icptest.ECNPJ("PADARIA VILA LTDA", padaria, "JOAO BATISTA SOUZA", digits(joao)))), "/consentimento")
	holds(t, p, "PADARIA VILA LTDA", "12.ABC.345/01DE-35", "Responsável pelo certificado")
	if _, company := toldFor(city, r, b.Allow(p)); company != padaria+" PADARIA VILA LTDA certificate_holder" {
		t.Errorf("told %q", company)
	}
}
