package record_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/registry/record"
)

var normal = record.At(time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC))

func TestValuesComeInTheirNormalForm(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		field     record.Field
		raw, want string
	}{
		{record.Name, "  MARIA   APARECIDA DA SILVA ", "Maria Aparecida da Silva"},
		{record.Name, "joão e maria dos santos", "João e Maria dos Santos"},
		{record.Name, "Maria DA Silva", "Maria DA Silva"},
		{record.Name, "JOANA D'ÁVILA SANT’ANNA", "Joana D'Ávila Sant’Anna"},
		{record.Name, "ANA-MARIA D'OESTE", "Ana-Maria D'Oeste"},
		{record.Name, "PÃO-DE-AÇÚCAR", "Pão-de-Açúcar"},
		{record.Name, "DAS DORES E. SOUZA", "Das Dores E. Souza"},
		{record.Name, "JOÃO PAULO II", "João Paulo II"},
		{record.Name, "IIDA YUKI", "Iida Yuki"},
		{record.Name, "3M DO BRASIL S/A", "3M do Brasil S/A"},
		{record.Name, "JOA\u0303O", "João"},
		{record.Name, "joa\u0303o", "João"},
		{record.Name, "ANA\u200b\u00a0LÚCIA\u00ad", "Ana Lúcia"},
		{record.Name, "ÑUSTA ÇÉLIA ÿ", "ÑUSTA ÇÉLIA ÿ"},
		{record.Name, "Ł", "Ł"},
		{record.Name, " \t\u00a0 ", ""},
		{record.Birthdate, "21/11/2026", "2026-11-21"},
		{record.Birthdate, "2/1/1980", "1980-01-02"},
		{record.Birthdate, "02-01-1980", "1980-01-02"},
		{record.Birthdate, "1980-01-02", "1980-01-02"},
		{record.Birthdate, "1980-01-02T00:00:00", "1980-01-02"},
		{record.Birthdate, "02/01/1980 00:00:00.000", "1980-01-02"},
		{record.Birthdate, "02011980", "1980-01-02"},
		{record.Birthdate, "19800102", "1980-01-02"},
		{record.Birthdate, "20121912", "1912-12-20"},
		{record.Birthdate, "29/02/2000", "2000-02-29"},
		{record.Phone, "(41) 99999-1234", "+5541999991234"},
		{record.Phone, "041 3232-1234", "+554132321234"},
		{record.Phone, "0 15 11 99999 1234", "+5511999991234"},
		{record.Phone, "55 41 99999 1234", "+5541999991234"},
		{record.Phone, "+55 (41) 99999-1234", "+5541999991234"},
		{record.Phone, "+351 912 345 678", "+351912345678"},
		{record.Phone, "00351912345678", "+351912345678"},
		{record.Phone, "(  )    -    ", ""},
		{record.Email, " Maria.Silva@Example.ORG ", "maria.silva@example.org"},
		{record.Email, "joao@prefeitura.são-paulo.br", "joao@prefeitura.xn--so-paulo-rza.br"},
		{record.Email, "a'b@Example.org", "a'b@example.org"},
		{record.CPF, "529.982.247-25", "52998224725"},
		{record.MotherCPF, "   .   .   -  ", ""},
		{record.CNPJ, "12abc34501de35", "12ABC34501DE35"},
		{record.VoterID, "1023 8501 0671", "102385010671"},
		{record.NIS, "120.63724.82-4", "12063724824"},
		{record.CNS, "174598435280018", "174598435280018"},
		{record.Birthplace, "410690", "4106902"},
		{record.Gender, "Female", "female"},
		{record.MaritalStatus, "union", "union"},
		{record.Situation, "REGULAR", "regular"},
		{record.Nationality, "br", "BR"},
		{record.Locale, "pt_br", "pt-BR"},
		{record.LegalNature, "206-2", "2062"},
		{record.Passport, "fa 123456", "FA123456"},
		{record.RG, record.Composite("12.345.678-x", "ssp", "pr"), record.Composite("12345678X", "SSP", "PR")},
		{record.RG, record.Composite("12.345.678-9", "SSP/PR"), record.Composite("123456789", "SSP", "PR")},
		{record.RG, record.Composite("", "SSP", "PR"), ""},
		{record.RG, "123456", "123456"},
		{record.Address, record.Composite("RUA XV DE NOVEMBRO", "S/N", "", "CENTRO", "VILA ESPERANÇA", "PR", "80010-000", "4106902"),
			record.Composite("Rua Xv de Novembro", "S/N", "", "Centro", "Vila Esperança", "PR", "80010000", "4106902")},
		{record.Benefit, record.Composite("01/02/2020", "31/12/2030", "active"), record.Composite("2020-02-01", "2030-12-31", "active")},
		{record.Relation, record.Composite("JOÃO DA SILVA", "52998224725"), record.Composite("João da Silva", "52998224725")},
		{record.Complement, "  two   words ", "two words"},
	} {
		got, err := normal.Append([]byte("x"), c.field, []byte(c.raw))
		if err != nil || string(got) != "x"+c.want {
			t.Errorf("%s %q: %q, %v; want %q", c.field, c.raw, got, err, c.want)
		}
	}
}

func TestRefusalsHaveStableCodes(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		field     record.Field
		raw, code string
	}{
		{record.Name, "Ana\x00", "name_characters"},
		{record.Name, "Ana\xff", "name_characters"},
		{record.Name, "Ana \ufffd", "name_characters"},
		{record.MotherName, strings.Repeat("á", 201), "mother_name_long"},
		{record.Birthdate, "22/11/2026", "birthdate_future"},
		{record.Birthdate, "31/12/1879", "birthdate_early"},
		{record.Birthdate, "02/01/80", "birthdate_two_digit_year"},
		{record.Birthdate, "020180", "birthdate_two_digit_year"},
		{record.Birthdate, "29/02/1900", "birthdate_invalid"},
		{record.Birthdate, "31/04/1980", "birthdate_invalid"},
		{record.Birthdate, "00/00/0000", "birthdate_invalid"},
		{record.Birthdate, "1980", "birthdate_invalid"},
		{record.Birthdate, "1980-01-02 at noon", "birthdate_invalid"},
		{record.Birthdate, "99999999999999999999", "birthdate_invalid"},
		{record.Death, "2027-01-01", "death_future"},
		{record.Phone, "99999-1234", "phone_number_area_code"},
		{record.Phone, "(23) 99999-1234", "phone_number_invalid"},
		{record.Phone, "(41) 89999-1234", "phone_number_invalid"},
		{record.Phone, "+55 41 0999-1234", "phone_number_invalid"},
		{record.Phone, "4199999123x", "phone_number_invalid"},
		{record.Phone, "12345678901234567890123", "phone_number_invalid"},
		{record.Phone, "+", "phone_number_invalid"},
		{record.Email, "maria", "email_invalid"},
		{record.Email, "maria@localhost", "email_invalid"},
		{record.Email, "maria@10.0.0.1", "email_invalid"},
		{record.CPF, "52998224726", "cpf_check_digit"},
		{record.CPF, "1", "cpf_invalid"},
		{record.CNS, "174598435280019", "cns_check_digit"},
		{record.Birthplace, "4106903", "birthplace_check_digit"},
		{record.Gender, "F", "gender_unknown"},
		{record.Nationality, "XX", "nationality_unknown"},
		{record.Locale, "??", "locale_invalid"},
		{record.LegalNature, "20", "legal_nature_invalid"},
		{record.RG, record.Composite("0000000", "SSP", "PR"), "rg_number_invalid"},
		{record.RG, record.Composite("1234567", "SSP", "XX"), "rg_state_unknown"},
		{record.RG, record.Composite("1234567", "SSP", "PR", "x"), "rg_invalid"},
		{record.Address, record.Composite("Rua A", "", "", "", "", "", "123"), "address_cep_invalid"},
		{record.Benefit, record.Composite("01/02/20"), "benefit_since_two_digit_year"},
		{record.Field(200), "x", "field_unknown"},
	} {
		got, err := normal.Append([]byte("x"), c.field, []byte(c.raw))
		var reason *record.Reason
		if !errors.As(err, &reason) || reason.Code != c.code || string(got) != "x" {
			t.Errorf("%s %q: %q, %v; want %s", c.field, c.raw, got, err, c.code)
		}
	}
}

func TestALoadKeepsTheGoodPartsOfAnAddress(t *testing.T) {
	t.Parallel()

	parts := [][]byte{[]byte("RUA A"), nil, nil, nil, nil, []byte("XX"), []byte("80010-000"), []byte("1")}
	got, dropped := normal.AppendParts(nil, record.Address, parts, nil)
	if want := record.Composite("Rua A", "", "", "", "", "", "80010000"); string(got) != want {
		t.Errorf("%q", got)
	}
	if len(dropped) != 2 || dropped[0].Code != "address_state_unknown" || dropped[1].Code != "address_ibge_code_invalid" {
		t.Errorf("dropped %v", dropped)
	}
}

func TestADeclaredLayoutIsTheOnlyOneRead(t *testing.T) {
	t.Parallel()

	written := map[string]string{"02/01/2006": "02/01/1980", "2006-01-02": "1980-01-02", "02012006": "02011980", "20060102": "19800102"}
	for layout := range written {
		l, ok := record.ParseLayout(layout)
		if !ok {
			t.Fatal(layout)
		}
		for other, raw := range written {
			got, err := normal.Dates(l).Append(nil, record.Birthdate, []byte(raw))
			if (err == nil) != (other == layout) || err == nil && string(got) != "1980-01-02" {
				t.Errorf("%s read as %s: %q, %v", raw, layout, got, err)
			}
		}
	}
	if got, err := normal.Dates(record.DayMonthDigits).Append(nil, record.Birthdate, []byte("2011980")); err != nil || string(got) != "1980-01-02" {
		t.Errorf("lost zero: %q, %v", got, err)
	}
	for _, text := range []string{"", "02/01/06", "01/02/2006"} {
		if _, ok := record.ParseLayout(text); ok {
			t.Errorf("%q is a layout", text)
		}
	}
}

func TestDayIsADateUpToToday(t *testing.T) {
	t.Parallel()

	if y, m, d, err := normal.Day([]byte("20/11/2026")); err != nil || y != 2026 || m != 11 || d != 20 {
		t.Errorf("%d-%d-%d, %v", y, m, d, err)
	}
	for _, raw := range []string{"22/11/2026", "x", "1/1/1800"} {
		if _, _, _, err := normal.Day([]byte(raw)); err == nil {
			t.Errorf("%s accepted", raw)
		}
	}
}

func FuzzNormalFormsAreNormal(f *testing.F) {
	for _, s := range []string{"MARIA DA SILVA", "d'ávila", "JOA\u0303O", "02/01/1980", "(41) 99999-1234", "A@B.ORG", "ǅ", "ẞ ß", "12.345\x1fSSP/PR", "\x1f\x1fx"} {
		for _, field := range []record.Field{record.Name, record.RG, record.Email, record.Phone, record.Birthdate} {
			f.Add(byte(field), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, number byte, raw []byte) {
		field := record.Field(number)
		once, err := normal.Append(nil, field, raw)
		if err != nil {
			if len(once) > 0 {
				t.Fatalf("a value beside an error")
			}
			return
		}
		if twice, err := normal.Append(nil, field, once); err != nil || string(twice) != string(once) {
			t.Fatalf("%s %q: %q becomes %q, %v", field, raw, once, twice, err)
		}
		if field == record.Email && len(once) > 0 {
			if mail, err := brdoc.ParseEmail(string(once)); err != nil || mail.Address() != string(once) {
				t.Fatalf("%q is no address", once)
			}
		}
	})
}

func BenchmarkName(b *testing.B) {
	raw, dst := []byte("MARIA APARECIDA DA CONCEIÇÃO SOUZA"), make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := normal.Append(dst, record.Name, raw); err != nil {
			b.Fatal(err)
		}
	}
}
