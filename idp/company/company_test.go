package company_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const (
	doces   = "11222333000181"
	padaria = "12ABC34501DE35" // letters, as since July 2026
)

func said(from company.Source, all ...company.Company) company.Said {
	return company.Said{From: from, Companies: all}
}

func TestAWordCountsForTwelveHoursAtMostAndNotPastItsEnd(t *testing.T) {
	t.Parallel()

	set := company.Set{}.With(said(company.GovBR,
		company.Company{CNPJ: doces, Name: "B", Until: now.AddDate(1, 0, 0)},
		company.Company{CNPJ: padaria, Name: "A", Until: now.Add(time.Hour)},
		company.Company{CNPJ: "19131243000197", Name: "C", Until: now},
		company.Company{Name: "without a number"}), now)
	for after, want := range map[time.Duration]int{0: 2, time.Hour - 1: 2, time.Hour: 1, company.Lasts - 1: 1, company.Lasts: 0} {
		if got := set.Live(now.Add(after)); len(got) != want {
			t.Errorf("after %v: %d companies, want %d", after, len(got), want)
		}
	}
	if set.Companies[0].CNPJ != padaria || set.Companies[0].Source != company.GovBR {
		t.Errorf("%+v", set.Companies)
	}
}

func TestEachSourceReplacesItsOwnWord(t *testing.T) {
	t.Parallel()

	set := company.Set{}.With(said(company.Certificate, company.Company{CNPJ: padaria, Name: "P", Role: company.CertificateHolder}), now)
	set = set.With(said(company.GovBR, company.Company{CNPJ: doces, Name: "D", Role: company.Partner}), now)
	if len(set.Companies) != 2 || set.Asked || set.Silent {
		t.Fatalf("%+v", set)
	}
	set.Choice = doces
	set = set.With(company.Said{From: company.GovBR, Asked: true, Silent: true}, now)
	if len(set.Companies) != 1 || set.Companies[0].CNPJ != padaria || !set.Asked || !set.Silent {
		t.Errorf("what gov.br said before still counts: %+v", set)
	}
	if c := set.Acting(set.Choice, now); c != nil {
		t.Errorf("who chose another company acts for %+v", c)
	}
	if !(company.Said{}).Nothing() || (company.Said{From: company.GovBR}).Nothing() {
		t.Error("a source that names no company has said something")
	}
}

func TestOnlyAChoiceOrTheOnlyOneIsActedFor(t *testing.T) {
	t.Parallel()

	one := company.Set{}.With(said(company.GovBR, company.Company{CNPJ: doces, Name: "D", Until: now.Add(time.Hour)}), now)
	two := one.With(said(company.Certificate, company.Company{CNPJ: padaria, Name: "P"}), now)
	for _, c := range []struct {
		set    company.Set
		choice string
		after  time.Duration
		want   string
	}{
		{company.Set{}, "", 0, ""}, {company.Set{}, doces, 0, ""},
		{one, "", 0, doces}, {one, padaria, 0, ""}, {one, company.Without, 0, ""}, {one, "", time.Hour, ""}, {one, doces, time.Hour, ""},
		{two, "", 0, ""}, {two, padaria, 0, padaria}, {two, "19131243000197", 0, ""}, {two, doces, time.Hour, ""}, {two, "", time.Hour, padaria},
	} {
		got := c.set.Acting(c.choice, now.Add(c.after))
		if (got == nil) != (c.want == "") || got != nil && got.CNPJ.Text() != c.want {
			t.Errorf("choice %q of %d after %v: %v, want %q", c.choice, len(c.set.Companies), c.after, got, c.want)
		}
	}
}

func TestWhatIsSealedOpensInItsOwnRowAlone(t *testing.T) {
	t.Parallel()

	box, err := secret.Open(t.Context(), testpg.New(t), secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	mine, other := uuid.New(), uuid.New()
	set := company.Set{Choice: doces}.With(company.Said{From: company.GovBR, Asked: true,
		Companies: []company.Company{{CNPJ: doces, Name: "FERREIRA DOCES", Role: company.Partner}}}, now)
	sealed := set.Seal(box, mine)
	if strings.Contains(string(sealed), doces) || strings.Contains(string(sealed), "DOCES") {
		t.Error("the row shows the company")
	}
	back, err := company.OpenSet(box, sealed, mine)
	if err != nil || len(back.Companies) != 1 || back.Companies[0] != set.Companies[0] || back.Choice != doces || !back.Asked {
		t.Errorf("%v %+v", err, back)
	}
	if _, err := company.OpenSet(box, sealed, other); err == nil {
		t.Error("it opens for another session")
	}
	granted := set.Companies[0].Seal(box, mine)
	if c, err := company.Open(box, granted, mine); err != nil || *c != set.Companies[0] {
		t.Errorf("%v %+v", err, c)
	}
	if _, err := company.Open(box, sealed, mine); err == nil {
		t.Error("a session's set opens as a grant's company")
	}
	if c, err := company.Open(box, (*company.Company)(nil).Seal(box, mine), mine); c != nil || err != nil {
		t.Errorf("nobody: %v %v", c, err)
	}
	if empty, err := company.OpenSet(box, nil, mine); err != nil || len(empty.Companies) != 0 {
		t.Errorf("%v %v", empty, err)
	}
}
