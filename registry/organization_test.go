package registry_test

import (
	"errors"
	"testing"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

// organizationsByGovBR lets gov.br bring in the CNPJ of an organization.
var organizationsByGovBR = []string{"rank: [receita, icp, empresas]\n    include: [receita, empresas, icp]",
	"rank: [receita, icp, govbr, empresas]\n    include: [receita, empresas, icp, govbr]"}

func TestAnOrganizationIsFiledWhereThePolicyLetsItsSourceBringItIn(t *testing.T) {
	t.Parallel()

	const padaria = brdoc.CNPJ("12ABC34501DE35")
	w := newWorld(t)
	file := func(name string) (known bool) {
		t.Helper()
		now := w.tick()
		w.must(w.tx(func(tx pg.Tx) (err error) {
			known, err = w.store.AttestOrganization(t.Context(), tx, padaria, registry.SourceGovBR, registry.Fields{"name": {Text: name}}, now)
			return err
		}))
		return known
	}
	if file("PADARIA DA VILA LTDA") {
		t.Error("the policy does not let gov.br")
	}
	if _, err := w.store.ByCNPJ(t.Context(), w.db, padaria); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
	w.put(policyOf(t, 2, organizationsByGovBR...))
	for range 2 {
		if !file("PADARIA DA VILA LTDA") {
			t.Fatal("the policy lets gov.br")
		}
	}
	p, err := w.store.ByCNPJ(t.Context(), w.db, padaria)
	w.must(err)
	if v := p.Fields["name"]; p.CNPJ != padaria || p.CPF != "" || v.Text != "PADARIA DA VILA LTDA" || v.Source != registry.SourceGovBR {
		t.Errorf("%v of %s: %+v", p.CNPJ, v.Source, v.Text)
	}
	if n := w.records(p.ID); n != 1 {
		t.Errorf("%d records of the same words", n)
	}
	file("PADARIA NOVA LTDA")
	p, err = w.store.ByCNPJ(t.Context(), w.db, padaria)
	w.must(err)
	if p.Fields["name"].Text != "PADARIA NOVA LTDA" || p.CNPJ != padaria {
		t.Errorf("%q", p.Fields["name"].Text)
	}
	w.consistent()
}
