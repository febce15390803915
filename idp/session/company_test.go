package session_test

import (
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

func TestASessionKnowsTheCompaniesThatItsSignInsSaid(t *testing.T) {
	t.Parallel()

	ctx, db := t.Context(), testpg.New(t)
	box, err := secret.Open(ctx, db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	person, err := registry.NewStore(box).Create(ctx, db, registry.Person{CPF: "52998224725"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	caps, err := trust.ParseCaps(trust.DefaultCaps)
	if err != nil {
		t.Fatal(err)
	}
	s := session.New(db, pg.Share(db), box, nil, nil, caps, false, time.Now)
	begin := func(before *session.Known, said company.Said) (k *session.Known) {
		t.Helper()
		if err := pg.InTx(ctx, db, func(tx pg.Tx) (err error) {
			_, k, err = s.Begin(ctx, tx, session.Entry{Person: person.ID, AMR: []string{"pwd"}, Companies: said}, before, "", "")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return k
	}
	k := begin(nil, company.Said{})
	if len(k.Acts.Companies) != 0 || k.Companies != nil {
		t.Errorf("a password says %+v", k.Acts)
	}
	k = begin(k, company.Said{From: company.GovBR, Companies: []company.Company{{CNPJ: "11222333000181", Name: "A"}, {CNPJ: "12ABC34501DE35", Name: "B"}}, Asked: true})
	if len(k.Acts.Companies) != 2 || !k.Acts.Asked {
		t.Fatalf("gov.br says %+v", k.Acts)
	}
	if err := s.Choose(ctx, db, k, "12ABC34501DE35"); err != nil {
		t.Fatal(err)
	}
	if err := s.Choose(ctx, db, k, company.Without); err != nil { // of a page that knows the session as it was
		t.Fatal(err)
	}
	k = begin(k, company.Said{})
	if c := k.Acts.Acting(k.Acts.Choice, time.Now()); c == nil || c.Name != "B" {
		t.Errorf("after another password the session acts for %+v", c)
	}
	k = begin(k, company.Said{From: company.GovBR})
	if len(k.Acts.Companies) != 0 {
		t.Errorf("gov.br says there are none, and it knows %+v", k.Acts)
	}
	var ended int
	if err := db.QueryRow(ctx, `SELECT count(*) FROM session`).Scan(&ended); err != nil || ended != 1 {
		t.Errorf("%d sessions, %v", ended, err)
	}
}
