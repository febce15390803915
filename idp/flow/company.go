package flow

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/idp/federation"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

// openChoice opens the choice made in this visit; "" when there is none.
func (in *Interaction) openChoice(box registry.Sealer) (string, error) {
	if in.Company == nil {
		return "", nil
	}
	plain, err := box.Open(in.Company, in.ID[:])
	return string(plain), err
}

// wantsCompany says whether the service asks for a company at all.
func (v *visit) wantsCompany() bool {
	return v.client != nil && slices.ContainsFunc(company.Claims, func(name string) bool { return contains(v.Request.Claims, name) })
}

// asksCompany says whether a company may be told to the service, and whether the service cannot do
// without. What the citizen has refused before is not asked again.
func (v *visit) asksCompany(now time.Time) (asked, required bool) {
	shown := v.known.Consent
	for _, name := range both(v.ask(now).Claims, company.Claims) {
		m, _ := v.client.Claim(name)
		refused := shown != nil && shown.Kind == consent.Granted && contains(shown.Offered, name) && !contains(shown.Claims, name)
		if m.Required || !refused || contains(v.Request.Prompt, "consent") {
			asked, required = true, required || m.Required
		}
	}
	return asked, required
}

// choiceOf is what the citizen chose: in this visit, else the last time in this session, unless the
// service asks them to choose anew. Nobody is without a company where the service needs one.
func (v *visit) choiceOf(required bool) string {
	choice := v.choice
	if choice == "" && !contains(v.Request.Prompt, "select_account") {
		choice = v.known.Acts.Choice
	}
	if choice == company.Without && required {
		return ""
	}
	return choice
}

// acting is the company that the citizen uses the service for; nil for themselves, and while it is
// not known.
func (v *visit) acting(now time.Time) *company.Company {
	asked, required := v.asksCompany(now)
	if !asked {
		return nil
	}
	return v.known.Acts.Acting(v.choiceOf(required), now)
}

// actsForUnknown says whether the citizen has to say for whom they use the service. Who may not be
// asked (prompt=none) goes without what is optional.
func (v *visit) actsForUnknown(now time.Time) bool {
	asked, required := v.asksCompany(now)
	if !asked || v.known.Acts.Acting(v.choiceOf(required), now) != nil {
		return false
	}
	return required || v.choiceOf(required) != company.Without && !contains(v.Request.Prompt, "none")
}

// grantedCompany is the company of a grant of these claims; nil where none of them tells of it.
func (v *visit) grantedCompany(claims []string, now time.Time) *company.Company {
	if len(both(claims, company.Claims)) == 0 {
		return nil
	}
	return v.acting(now)
}

// choose records for whom the citizen uses the service, in this visit and for the next of the session.
func (d *Dependencies) choose(ctx context.Context, v *visit, choice string) error {
	return pg.InTx(ctx, d.DB, func(tx pg.Tx) error {
		if err := v.settle(ctx, tx); err != nil {
			return err
		}
		if err := actsFor(ctx, tx, v.ID, d.Box.Seal([]byte(choice), v.ID[:]), d.Now()); err != nil {
			return err
		}
		return d.Sessions.Choose(ctx, tx, v.known, choice)
	})
}

// attestCompanies files the companies that gov.br's register names as organizations of the city's,
// where its policy lets gov.br bring them in. In the order of their numbers, so that two sign-ins do
// not wait for each other.
func (d *Dependencies) attestCompanies(ctx context.Context, tx pg.Tx, a federation.Account) error {
	byNumber := func(a, b federation.Company) int { return strings.Compare(a.CNPJ, b.CNPJ) }
	for _, c := range slices.SortedFunc(slices.Values(a.Companies), byNumber) {
		name, err := registry.ParseDeclared("company_name", c.Name, d.Now())
		if err != nil {
			continue
		}
		fields := registry.Fields{"name": {Text: name, Source: registry.SourceGovBR, At: d.Now()}}
		if _, err := d.People.AttestOrganization(ctx, tx, brdoc.CNPJ(c.CNPJ), registry.SourceGovBR, fields, d.Now()); err != nil {
			return err
		}
	}
	return nil
}

// roles are what gov.br calls them.
var roles = map[federation.Role]company.Role{federation.Partner: company.Partner, federation.Representative: company.LegalRepresentative,
	federation.Accountant: company.Accountant, federation.Collaborator: company.Collaborator}

// saidByGovBR is what gov.br says of companies: the one whose certificate was shown there, and those of
// its register.
func saidByGovBR(a federation.Account) (said company.Said) {
	if !a.Asked && a.CNPJ == "" {
		return said
	}
	said = company.Said{From: company.GovBR, Asked: a.Asked, Silent: a.Silent, More: a.More}
	for _, c := range a.Companies {
		said.Companies = append(said.Companies, company.Company{CNPJ: brdoc.CNPJ(c.CNPJ), Name: c.Name, Role: roles[c.Role], Until: c.Until})
	}
	if a.CNPJ != "" && !slices.ContainsFunc(said.Companies, func(c company.Company) bool { return c.CNPJ.Text() == a.CNPJ }) {
		said.Companies = append(said.Companies, company.Company{CNPJ: brdoc.CNPJ(a.CNPJ), Name: a.CNPJName, Role: company.CertificateHolder})
	}
	return said
}
