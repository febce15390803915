package brdoc_test

import (
	"errors"
	"testing"

	"github.com/loginunico/loginunico/internal/brdoc"
)

// reader is any of the functions for loads.
type reader func(dst, raw []byte) ([]byte, error)

func TestLoadsReadNumbersAsSourcesWriteThem(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		name string
		read reader
		raw  string
		want string
		err  error
	}{
		{"CPF", brdoc.CPFBytes, "529.982.247-25", "52998224725", nil},
		{"CPF with no-break spaces", brdoc.CPFBytes, "529\u00a0982\u00a0247\u00a025", "52998224725", nil},
		{"CPF without its zero", brdoc.CPFBytes, "1234567890", "01234567890", nil},
		{"CPF without two zeros", brdoc.CPFBytes, "123456797", "00123456797", nil},
		{"CPF of 8 digits", brdoc.CPFBytes, "12345678", "", brdoc.ErrCPF},
		{"CPF of 12 digits", brdoc.CPFBytes, "529982247255", "", brdoc.ErrCPF},
		{"CPF repeated", brdoc.CPFBytes, "111.111.111-11", "", brdoc.ErrCPF},
		{"CPF mistyped", brdoc.CPFBytes, "52998224726", "", brdoc.ErrCheckDigit},
		{"CPF with a letter", brdoc.CPFBytes, "5299822472O", "", brdoc.ErrCPF},
		{"CPF in broken bytes", brdoc.CPFBytes, "52998224725\xff", "", brdoc.ErrCPF},
		{"CNPJ", brdoc.CNPJBytes, "12.abc.345/01de-35", "12ABC34501DE35", nil},
		{"CNPJ without its zero", brdoc.CNPJBytes, "191000000", "", brdoc.ErrCNPJ},
		{"CNPJ of 13 digits", brdoc.CNPJBytes, "1222333000191", "01222333000191", brdoc.ErrCheckDigit},
		{"CNPJ of 13 characters", brdoc.CNPJBytes, "2ABC34501DE35", "", brdoc.ErrCNPJ},
		{"CNPJ mistyped", brdoc.CNPJBytes, "12ABC34501DE36", "", brdoc.ErrCheckDigit},
		{"CNPJ with a letter at the end", brdoc.CNPJBytes, "12ABC34501DE3A", "", brdoc.ErrCNPJ},
		{"título", brdoc.VoterIDBytes, "1023 8501 0671", "102385010671", nil},
		{"título of a state that is none", brdoc.VoterIDBytes, "102385012971", "", brdoc.ErrCheckDigit},
		{"título mistyped", brdoc.VoterIDBytes, "102385010672", "", brdoc.ErrCheckDigit},
		{"título of 9 digits", brdoc.VoterIDBytes, "385010671", "", brdoc.ErrVoterID},
		{"título of São Paulo, remainder 0 written 1", brdoc.VoterIDBytes, "100000010116", "100000010116", nil},
		{"título of Paraná, remainder 0 written 0", brdoc.VoterIDBytes, "100000010604", "100000010604", nil},
		{"título without its zero", brdoc.VoterIDBytes, "12345670698", "012345670698", nil},
		{"NIS", brdoc.NISBytes, "120.63724.82-4", "12063724824", nil},
		{"NIS mistyped", brdoc.NISBytes, "12063724825", "", brdoc.ErrCheckDigit},
		{"NIS of zeros", brdoc.NISBytes, "00000000000", "", brdoc.ErrNIS},
		{"CNS", brdoc.CNSBytes, "174 5984 3528 0018", "174598435280018", nil},
		{"CNS mistyped", brdoc.CNSBytes, "174598435280019", "", brdoc.ErrCheckDigit},
		{"CNS that begins with 3", brdoc.CNSBytes, "374598435280018", "", brdoc.ErrCNS},
		{"CEP", brdoc.CEPBytes, "80010-000", "80010000", nil},
		{"CEP without its zero", brdoc.CEPBytes, "1310100", "01310100", nil},
		{"CEP below the lowest", brdoc.CEPBytes, "00123456", "", brdoc.ErrCEP},
		{"IBGE code", brdoc.IBGECodeBytes, "4106902", "4106902", nil},
		{"IBGE code of 6 digits", brdoc.IBGECodeBytes, "410690", "4106902", nil},
		{"IBGE code mistyped", brdoc.IBGECodeBytes, "4106903", "", brdoc.ErrCheckDigit},
		{"IBGE code of no state", brdoc.IBGECodeBytes, "3406902", "", brdoc.ErrIBGECode},
	} {
		got, err := c.read([]byte("before "), []byte(c.raw))
		if c.err != nil {
			c.want = ""
		}
		if !errors.Is(err, c.err) || string(got) != "before "+c.want {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

func TestDocumentsAreReadAsPeopleTypeThem(t *testing.T) {
	t.Parallel()

	voter, err := brdoc.ParseVoterID("1023 8501 0671")
	if err != nil || voter.Digits() != "102385010671" || voter.Masked() != "**** 8501 ****" {
		t.Errorf("título: %v", err)
	}
	nis, err := brdoc.ParseNIS("120.63724.82-4")
	if err != nil || nis.Digits() != "12063724824" || nis.Masked() != "***.63724.**-*" {
		t.Errorf("NIS: %v", err)
	}
	cns, err := brdoc.ParseCNS("174 5984 3528 0018")
	if err != nil || cns.Digits() != "174598435280018" || cns.Masked() != "*** 5984 3528 ****" {
		t.Errorf("CNS: %v", err)
	}
	cep, err := brdoc.ParseCEP("80.010-123")
	if err != nil || cep.Formatted() != "80010-123" || cep.Masked() != "80***-***" {
		t.Errorf("CEP: %v", err)
	}
	code, err := brdoc.ParseIBGECode("4106902")
	if err != nil || code.Digits() != "4106902" || code.State() != "PR" {
		t.Errorf("IBGE: %v", err)
	}
}

func TestWhatIsNoDocumentIsRefused(t *testing.T) {
	t.Parallel()

	for _, typed := range []string{"", "-", "1", "385010671", "102385010670", "1206372482", "74598435280018", "8001000", "410690", "x"} {
		_, voter := brdoc.ParseVoterID(typed)
		_, nis := brdoc.ParseNIS(typed)
		_, cns := brdoc.ParseCNS(typed)
		_, cep := brdoc.ParseCEP(typed)
		_, ibge := brdoc.ParseIBGECode(typed)
		for want, got := range map[error]error{
			brdoc.ErrVoterID: voter, brdoc.ErrNIS: nis, brdoc.ErrCNS: cns, brdoc.ErrCEP: cep, brdoc.ErrIBGECode: ibge,
		} {
			if !errors.Is(got, want) {
				t.Errorf("%q: %v instead of %v", typed, got, want)
			}
		}
	}
}

func TestTheNineCodesWithAWrongCheckDigitAreRight(t *testing.T) {
	t.Parallel()

	for _, code := range []string{"4305871", "2201919", "2202251", "2201988", "2611533", "3117836", "3152131", "5203939", "5203962"} {
		if _, err := brdoc.ParseIBGECode(code); err != nil {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestAnEmptyFormIsBlank(t *testing.T) {
	t.Parallel()

	for raw, want := range map[string]bool{"": true, "  ": true, "   .   .   -  ": true, "\u00a0": true, "0": false, "x": false, "\xff": false} {
		if brdoc.Blank([]byte(raw)) != want {
			t.Errorf("%q", raw)
		}
	}
}

func FuzzCPFBytesAgreesWithParseCPF(f *testing.F) {
	for _, s := range []string{"52998224725", "529.982.247-25", "123456797", "\u00a0", "111.444.777-35"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		want, parseErr := brdoc.ParseCPF(string(raw))
		got, err := brdoc.CPFBytes(nil, raw)
		if parseErr == nil && (err != nil || string(got) != want.Digits()) {
			t.Fatalf("%q: %v", raw, err)
		}
		if err != nil {
			return
		}
		if again, err := brdoc.ParseCPF(string(got)); err != nil || again.Digits() != string(got) {
			t.Fatalf("%q: %q is no CPF", raw, got)
		}
	})
}

func BenchmarkCPFBytes(b *testing.B) {
	raw, dst := []byte("529.982.247-25"), make([]byte, 0, 16)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := brdoc.CPFBytes(dst, raw); err != nil {
			b.Fatal(err)
		}
	}
}
