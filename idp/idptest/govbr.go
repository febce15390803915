package idptest

import (
	"slices"
	"strings"

	"github.com/loginunico/loginunico/idp/federation"
	"github.com/loginunico/loginunico/idp/federation/govbrtest"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/idp/session"
)

// WithGovBR makes a city that is registered at a gov.br of its own, with the people of the demo.
func WithGovBR() Option { return func(o *options) { o.govbr = true } }

// openGovBR starts the city's gov.br, whose clock is the city's.
func (c *City) openGovBR() federation.Settings {
	const id, secret = "cidade.example.org", "segredo-do-govbr"
	people := govbrtest.Demo()
	for _, p := range people {
		used.add(p.CPF, p.Email, p.Phone, p.Name)
		for _, one := range p.Companies {
			used.add(one.CNPJ, one.Name)
		}
	}
	c.GovBR = govbrtest.New("", govbrtest.Client{ID: id, Secret: secret, RedirectURIs: []string{c.Issuer + flow.PathGovBRBack},
		LogoutURIs: []string{c.Issuer + session.PathGoodbye}}, people...)
	c.GovBR.Now = c.Now
	c.t.Cleanup(must(c.GovBR.Listen())(c.t))
	c.t.Cleanup(func() { used.add(c.GovBR.Tokens()...) }) // no log may hold one
	return federation.Settings{Issuer: c.GovBR.Base, ClientID: id, Secret: secret,
		Scopes: append(slices.Clone(federation.DefaultScopes), federation.ScopeCompanies)}
}

// ToGovBR follows this page's way to gov.br and returns the address there.
func (b *Browser) ToGovBR(p Page) string {
	b.t.Helper()
	_, rest, _ := strings.Cut(p.Body, `id="govbr" href="`)
	link, _, ok := strings.Cut(rest, `"`)
	if !ok {
		b.t.Fatalf("no way to gov.br on %s\n%s", p.URL, p.Main())
	}
	out := b.Get(strings.ReplaceAll(link, "&amp;", "&"))
	if out.Location == nil {
		b.t.Fatalf("not sent to gov.br: %d %s\n%s", out.Status, out.URL, out.Main())
	}
	return out.Location.String()
}

// FromGovBR agrees at gov.br as the person of a CPF and returns the address of the callback.
func (b *Browser) FromGovBR(v *govbrtest.Visitor, at, cpf string) string {
	b.t.Helper()
	to := must(v.Allow(at, strings.NewReplacer(".", "", "-", "").Replace(cpf)))(b.t)
	if _, code, ok := strings.Cut(to, "code="); ok {
		code, _, _ = strings.Cut(code, "&")
		used.add(code)
	}
	return to
}

// ByGovBR goes from this page to gov.br, signs in there as the person of a CPF, and comes back.
func (b *Browser) ByGovBR(p Page, cpf string) Page {
	b.t.Helper()
	return b.Get(b.FromGovBR(b.City.GovBR.Visitor(), b.ToGovBR(p), cpf))
}
