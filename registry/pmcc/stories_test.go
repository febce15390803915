package pmcc_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/registry/pmcc"
)

// What the policy a city starts with makes of what happens in a city.
func TestStoriesUnderThePolicyACityStartsWith(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct {
		name      string
		records   []string
		decisions []string
		want      []string // the values, and what waits
	}{
		{"somebody who typed a CPF cannot change the phone that the city has",
			[]string{"saude 2020-01-01 phone_number=+5541987654321", "self:1 2026-01-01 phone_number=+5541912345678"}, nil,
			[]string{"phone_number=+5541987654321 saude"}},
		{"somebody known can",
			[]string{"saude 2020-01-01 phone_number=+5541987654321", "self:3 2026-01-01 phone_number=+5541912345678"}, nil,
			[]string{"phone_number=+5541912345678 self"}},
		{"until a base hears of a newer one",
			[]string{"self:3 2025-01-01 phone_number=+5541912345678", "saude 2026-01-01 phone_number=+5541987654321"}, nil,
			[]string{"phone_number=+5541987654321 saude"}},
		{"what a typist invents is no phone",
			[]string{"fazenda 2026-01-01 phone_number=+5541999999999 email=NAO@TEM.COM"}, nil, nil},
		{"the social name is what the person says",
			[]string{"saude 2020-01-01 name=João_Souza social_name=Jô", "self:2 2026-01-01 social_name=Joana_Souza"}, nil,
			[]string{"name=João Souza saude", "social_name=Joana Souza self"}},
		{"no older base puts another in its place",
			[]string{"self:2 2026-01-01 social_name=Joana_Souza", "assistencia 2025-01-01 social_name=Jô"}, nil,
			[]string{"social_name=Joana Souza self"}},
		{"the person gives it up",
			[]string{"self:2 2025-01-01 social_name=Joana_Souza", "self:2 2026-01-01 -social_name"}, nil, nil},
		{"the civil name is the Receita's, whatever is newer",
			[]string{"receita 2010-01-01 name=ANA_SILVA", "fazenda 2026-01-01 name=Ana_Sylva"}, nil,
			[]string{"name=ANA SILVA receita"}},
		{"a person at level 1 does not ask for another civil name",
			[]string{"receita 2010-01-01 name=ANA_SILVA", "self:1 2026-01-01 name=Ana_Souza"}, nil,
			[]string{"name=ANA SILVA receita"}},
		{"a known person asks, and somebody looks",
			[]string{"receita 2010-01-01 name=ANA_SILVA", "self:3 2026-01-01 name=Ana_Souza"}, nil,
			[]string{"?name=Ana Souza self", "name=ANA SILVA receita"}},
		{"and gets it",
			[]string{"receita/1 2010-01-01 name=ANA_SILVA", "self:3 2026-01-01 name=Ana_Souza", "receita/1 2026-06-01 name=ANA_SILVA"}, []string{"approve name 1"},
			[]string{"name=Ana Souza self"}},
		{"a death that Saúde reports waits",
			[]string{"saude 2026-01-01 death=2025-12-31"}, nil,
			[]string{"?death=2025-12-31 saude"}},
		{"the Receita's does not",
			[]string{"saude 2026-01-01 death=2025-12-31", "receita 2026-02-01 death=2025-12-31"}, nil,
			[]string{"?death=2025-12-31 saude", "death=2025-12-31 receita"}},
		{"nobody who is alive can undo it from home",
			[]string{"receita 2026-02-01 death=2025-12-31", "self:3 2026-03-01 -death"}, nil,
			[]string{"death=2025-12-31 receita"}},
		{"the desk can",
			[]string{"receita 2026-02-01 death=2025-12-31", "desk 2026-03-01 -death"}, nil,
			nil},
		{"nobody was born on the day that systems write",
			[]string{"saude 2026-01-01 birthdate=1900-01-01", "fazenda 2020-01-01 birthdate=1958-05-14"}, nil,
			[]string{"birthdate=1958-05-14 fazenda"}},
		{"nor tomorrow",
			[]string{"saude 2026-01-01 birthdate=2026-11-22"}, nil, nil},
		{"a name that says that there is none is none",
			[]string{"saude 2026-01-01 name=Não_Consta mother_name=MÃE_NÃO_DECLARADA father_name=XXXX"}, nil, nil},
		{"an address is one base's whole",
			[]string{"saude 2026-01-01 address=Rua_A,_1", "fazenda 2025-01-01 address=Rua_B,_2"}, nil,
			[]string{"address=Rua A, 1 saude"}},
		{"a benefit ends with the delivery that leaves it out",
			[]string{"assistencia/1 2025-01-01 benefit/bpc=2020 benefit/bolsa=2021", "assistencia/1 2026-01-01 benefit/bpc=2020"}, nil,
			[]string{"benefit/bpc=2020 assistencia"}},
		{"a person does not grant themselves one, nor another a mother",
			[]string{"self:5 2026-01-01 benefit/bpc=2020 mother_cpf=52998224725 death=2025-01-01 situation=regular"}, nil, nil},
		{"the number of a health card is Saúde's alone to change",
			[]string{"self:1 2020-01-01 cns=898001160656771", "assistencia 2021-01-01 cns=700000000000005", "saude 2019-01-01 cns=711013705638742"}, nil,
			[]string{"cns=711013705638742 saude"}},
		{"somebody who typed a CPF takes away nothing that the city has",
			[]string{"saude 2020-01-01 phone_number=+5541987654321 email=ana@example.org", "self:1 2026-01-01 -phone_number -email"}, nil,
			[]string{"email=ana@example.org saude", "phone_number=+5541987654321 saude"}},
		{"but what they gave themselves",
			[]string{"self:1 2025-01-01 phone_number=+5541987654321 email=ana@example.org", "self:1 2026-01-01 -phone_number -email"}, nil, nil},
	} {
		p := pmcc.Default()
		records := story(t, tc.records...)
		g, err := pmcc.NewComputer(p).Compute(records, decided(t, records, tc.decisions...))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range rendered(p, g, func(n int) string { return records[n].Source }) {
			what, _, _ := strings.Cut(line, " #")
			if line[0] != '!' && line[0] != '~' {
				source, _, _ := strings.Cut(line[len(what)+2:], " ")
				got = append(got, what+" "+source)
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", tc.name, got, tc.want)
		}
	}
}
