package brdoc_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/brdoc"
)

func TestCPFIsReadAsPeopleTypeIt(t *testing.T) {
	t.Parallel()

	for _, typed := range []string{
		"52998224725", "529.982.247-25", " 529 982 247 25 ", "529.982.247/25",
		"529\u00a0982\u00a0247\u00a025", "529.982.247\u201125", "529.982.247–25", "\u200e529.982.247-25\ufeff",
	} {
		c, err := brdoc.ParseCPF(typed)
		if err != nil || c.Digits() != "52998224725" {
			t.Errorf("%q: %q, %v", typed, c.Digits(), err)
		}
	}
	for _, digits := range []string{"11144477735", "39053344705", "16899535009", "93541134780"} {
		if c, err := brdoc.ParseCPF(digits); err != nil || c.Digits() != digits {
			t.Errorf("%s: %v", digits, err)
		}
	}
}

func TestWhatIsNoCPFIsRefused(t *testing.T) {
	t.Parallel()

	for _, typed := range []string{
		"", " ", "5299822472", "529982247255", "52998224726", "52998224715", "52998a24725",
		"00000000000", "11111111111", "99999999999", "529.982.247-2x", "52998224725" + strings.Repeat(" ", 100),
		"٥٢٩٩٨٢٢٤٧٢٥", "52998224725\xff", "529_982_247_25", "529982247\x0025",
	} {
		if c, err := brdoc.ParseCPF(typed); !errors.Is(err, brdoc.ErrCPF) || c != "" {
			t.Errorf("%q: %q, %v", typed, c.Digits(), err)
		}
	}
}

func TestCNPJTakesLettersInTheFirstTwelvePositions(t *testing.T) {
	t.Parallel()

	for typed, want := range map[string]string{
		"12ABC34501DE35":         "12ABC34501DE35",
		"12.abc.345/01de-35":     "12ABC34501DE35",
		"11.222.333/0001-81":     "11222333000181",
		"11\u00a0222 333 000181": "11222333000181",
	} {
		if c, err := brdoc.ParseCNPJ(typed); err != nil || c.Text() != want {
			t.Errorf("%q: %q, %v", typed, c.Text(), err)
		}
	}
	for _, typed := range []string{
		"", "12ABC34501DE36", "12ABC34501DE3A", "12ABC34501DEA5", "11222333000182", "1122233300018",
		"00000000000000", "12ÀBC34501DE3", "12ABC34501D\u013135", "12ABC34501D@35",
	} {
		if c, err := brdoc.ParseCNPJ(typed); !errors.Is(err, brdoc.ErrCNPJ) || c != "" {
			t.Errorf("%q: %q, %v", typed, c.Text(), err)
		}
	}
}

func TestEmailKeepsLocalPartAndFoldsDomain(t *testing.T) {
	t.Parallel()

	for typed, want := range map[string]string{
		"maria@example.org":                     "maria@example.org",
		"  Maria.Silva+x@EXAMPLE.Org\t":         "Maria.Silva+x@example.org",
		"joao@prefeitura.são-paulo.br":          "joao@prefeitura.xn--so-paulo-rza.br",
		"ana@EXEMPLO.XN--P1AI":                  "ana@exemplo.xn--p1ai",
		strings.Repeat("a", 64) + "@exemplo.br": strings.Repeat("a", 64) + "@exemplo.br",
	} {
		if e, err := brdoc.ParseEmail(typed); err != nil || e.Address() != want {
			t.Errorf("%q: %q, %v", typed, e.Address(), err)
		}
	}
}

func TestWhatIsNoBareAddressIsRefused(t *testing.T) {
	t.Parallel()

	for _, typed := range []string{
		"", "@", "maria", "maria@", "@example.org", "maria@localhost", "maria@example.org.",
		"Maria <maria@example.org>", "<maria@example.org>", "maria(x)@example.org", `"a b"@example.org`, `"a"@example.org`,
		"a@b@example.org", "a..b@example.org", ".a@example.org", "maria@[127.0.0.1]", "maria@127.0.0.1", "maria@-a.org",
		"joão@example.org", "maria@example.org\r\nBcc: x@example.org", "ma ria@example.org", "maria@exam ple.org",
		"maria@example..org", "maria@example.org, ana@example.org", strings.Repeat("a", 65) + "@example.org",
		"a@" + strings.Repeat(strings.Repeat("b", 60)+".", 5) + "org", "maria@exa_mple.org", "m@example.o",
	} {
		if e, err := brdoc.ParseEmail(typed); !errors.Is(err, brdoc.ErrEmail) || e != "" {
			t.Errorf("%q: %q, %v", typed, e.Address(), err)
		}
	}
}

func TestFormsOfOneIdentifier(t *testing.T) {
	t.Parallel()

	cpf, cnpj, email := brdoc.CPF("52998224725"), brdoc.CNPJ("12ABC34501DE35"), brdoc.Email("maria@mail.example.org")
	for _, c := range []struct{ got, want string }{
		{cpf.Formatted(), "529.982.247-25"},
		{cpf.Masked(), "***.982.247-**"},
		{cnpj.Formatted(), "12.ABC.345/01DE-35"},
		{cnpj.Masked(), "**.ABC.345/****-**"},
		{email.Masked(), "m***@m***.org"},
		{brdoc.CPF("").Formatted() + brdoc.CPF("").Masked(), ""},
		{brdoc.CNPJ("").Formatted() + brdoc.CNPJ("").Masked(), ""},
		{brdoc.Email("").Masked(), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestNoVerbOrLogShowsTheValue(t *testing.T) {
	t.Parallel()

	values := []any{brdoc.CPF("52998224725"), brdoc.CNPJ("12ABC34501DE35"), brdoc.Email("maria@example.org"),
		brdoc.VoterID("102385010671"), brdoc.NIS("12063724824"), brdoc.CNS("174598435280018"), brdoc.CEP("80010123")}
	secrets := []string{"52998224725", "529", "12ABC34501DE35", "maria", "example", "0671", "824", "0018", "010123"}
	var out bytes.Buffer
	timeless := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{} // its digits would be taken for a secret's now and then
		}
		return a
	}}
	text, js := slog.New(slog.NewTextHandler(&out, timeless)), slog.New(slog.NewJSONHandler(&out, timeless))
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T %v"} {
			if strings.Contains(verb, "%T") {
				_, _ = fmt.Fprintf(&out, verb, v, v)
			} else {
				_, _ = fmt.Fprintf(&out, verb, v)
			}
		}
		_, _ = fmt.Fprintf(&out, "%v %+v", []any{v}, struct{ Field any }{v})
		text.Info("m", "v", v)
		js.Info("m", "v", v)
	}
	for _, s := range secrets {
		if strings.Contains(out.String(), s) {
			t.Errorf("%s shown", s)
		}
	}
	if !strings.Contains(out.String(), "***.982.247-**") {
		t.Error("the mask is missing")
	}
}

func TestMarshallingByAccidentIsAnError(t *testing.T) {
	t.Parallel()

	for _, v := range []interface{ MarshalText() ([]byte, error) }{
		brdoc.CPF("52998224725"), brdoc.CNPJ("12ABC34501DE35"), brdoc.Email("maria@example.org"),
		brdoc.VoterID("102385010671"), brdoc.NIS("12063724824"), brdoc.CNS("174598435280018"), brdoc.CEP("80010123"),
	} {
		if _, err := json.Marshal(struct{ V any }{v}); !errors.Is(err, brdoc.ErrHidden) {
			t.Errorf("JSON: %v", err)
		}
		if _, err := xml.Marshal(v); !errors.Is(err, brdoc.ErrHidden) {
			t.Errorf("XML: %v", err)
		}
	}
	if _, err := brdoc.CPF("52998224725").Value(); !errors.Is(err, brdoc.ErrHidden) {
		t.Errorf("database: %v", err)
	}
}

func TestUnmarshallingChecks(t *testing.T) {
	t.Parallel()

	var in struct {
		CPF   brdoc.CPF
		CNPJ  brdoc.CNPJ
		Email brdoc.Email
	}
	good := `{"CPF":"529.982.247-25","CNPJ":"12.ABC.345/01DE-35","Email":"maria@Example.org"}`
	if err := json.Unmarshal([]byte(good), &in); err != nil || in.CPF != "52998224725" || in.Email != "maria@example.org" {
		t.Errorf("%v", err)
	}
	if err := json.Unmarshal([]byte(`{"CPF":"52998224726"}`), &in); !errors.Is(err, brdoc.ErrCPF) {
		t.Errorf("wrong check digit: %v", err)
	}
}

func FuzzParseCPF(f *testing.F) {
	for _, s := range []string{"52998224725", "529.982.247-25", "", "0", "\u00a0", "111.444.777-35"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		c, err := brdoc.ParseCPF(typed)
		if err != nil {
			if c != "" {
				t.Fatal("a value beside an error")
			}
			return
		}
		if again, err := brdoc.ParseCPF(c.Formatted()); err != nil || again != c || len(c) != 11 {
			t.Fatalf("%q does not round-trip", typed)
		}
	})
}

func FuzzParseCNPJ(f *testing.F) {
	for _, s := range []string{"12ABC34501DE35", "11.222.333/0001-81", "", "z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		c, err := brdoc.ParseCNPJ(typed)
		if err != nil {
			return
		}
		if again, err := brdoc.ParseCNPJ(c.Formatted()); err != nil || again != c || len(c) != 14 {
			t.Fatalf("%q does not round-trip", typed)
		}
	})
}

func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"maria@example.org", "a@são.br", `"x"@y.zz`, "@", "a@b.c\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		e, err := brdoc.ParseEmail(typed)
		if err != nil {
			return
		}
		if again, err := brdoc.ParseEmail(e.Address()); err != nil || again != e {
			t.Fatalf("%q: %q does not round-trip", typed, e.Address())
		}
		if strings.ContainsAny(e.Address(), "\r\n <>,;\"\x00") {
			t.Fatalf("%q: %q", typed, e.Address())
		}
	})
}
