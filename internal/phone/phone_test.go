package phone

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/brdoc"
)

func TestNumbersAreReadAsTheirCountryWritesThem(t *testing.T) {
	t.Parallel()

	for _, c := range []struct{ country, typed, want string }{
		{"BR", "(11) 98765-4321", "+5511987654321"},
		{"BR", "11 98765 4321", "+5511987654321"},
		{"BR", "0 11 98765-4321", "+5511987654321"},
		{"BR", "0 15 11 98765-4321", "+5511987654321"}, // with the carrier's code
		{"BR", "+55 (11) 98765-4321", "+5511987654321"},
		{"BR", "0055 11 98765-4321", "+5511987654321"},
		{"BR", "(11) 3333-4444", "+551133334444"},
		{"AR", "011 15-2345-6789", "+5491123456789"},
		{"AR", "+54 9 11 2345-6789", "+5491123456789"},
		{"UY", "094 123 456", "+59894123456"},
		{"PY", "0981 123456", "+595981123456"},
		{"PT", "912 345 678", "+351912345678"},
		{"US", "(212) 555-2368", "+12125552368"},
	} {
		if got, err := Parse(c.country, c.typed); err != nil || got.E164() != c.want {
			t.Errorf("%s %q: %q, %v", c.country, c.typed, got.E164(), err)
		}
	}
}

func TestOtherTextsAndOtherCountriesAreRefused(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		country, typed string
		want           error
	}{
		{"BR", "", ErrPhone},
		{"BR", "98765-4321", ErrPhone}, // no area code
		{"BR", "(20) 98765-4321", ErrPhone},
		{"BR", "+54 9 11 2345-6789", ErrPhone},
		{"BR", "190", ErrPhone},
		{"BR", "(11) 98765-4321 ramal 5", ErrPhone},
		{"BR", "(11) 98765-4321;ext=5", ErrPhone},
		{"BR", strings.Repeat("1", 41), ErrPhone},
		{"US", "+1 416 555 2368", ErrPhone}, // Canada
		{"US", "+1 876 555 2368", ErrPhone}, // Jamaica
		{"GB", "+44 7781 123456", ErrPhone}, // Guernsey
		{"", "(11) 98765-4321", ErrCountry},
		{"XX", "(11) 98765-4321", ErrCountry},
		{"br", "(11) 98765-4321", ErrCountry},
	} {
		if got, err := Parse(c.country, c.typed); !errors.Is(err, c.want) || got != "" {
			t.Errorf("%s %q: %q, %v", c.country, c.typed, got.E164(), err)
		}
	}
}

func TestNinthDigitComesBackOnlyWhereItIsCertain(t *testing.T) {
	t.Parallel()

	for _, c := range []struct{ typed, want string }{
		{"(11) 8765-4321", "+5511987654321"},
		{"(21) 7765-4321", "+552177654321"}, // trunked radio never got one, and the plan still lists it
		{"(65) 6765-4321", "+5565967654321"},
		{"+55 84 8765-4321", "+5584987654321"},
		{"(11) 2765-4321", "+551127654321"}, // fixed lines begin with 2 to 5
		{"(11) 5765-4321", "+551157654321"},
		{"(11) 9876-5432", ""}, // an old number, or 98765-432? with its last digit forgotten
		{"(11) 98765-432", ""},
		{"(11) 8765-432", ""},
		{"(20) 8765-4321", ""},
		{"(11) 1765-4321", ""},
	} {
		got, err := Parse("BR", c.typed)
		if got.E164() != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v; want %q", c.typed, got.E164(), err, c.want)
		}
	}
}

func TestFixedLinesGetNoTexts(t *testing.T) {
	t.Parallel()

	if _, err := ParseMobile("BR", "(11) 3333-4444"); !errors.Is(err, ErrFixed) {
		t.Errorf("a fixed line: %v", err)
	}
	for country, typed := range map[string]string{"BR": "(11) 98765-4321", "US": "(212) 555-2368"} {
		if n, err := ParseMobile(country, typed); err != nil || n.Country() != country {
			t.Errorf("%s: %v", country, err)
		}
	}
	if _, err := ParseMobile("BR", "x"); !errors.Is(err, ErrPhone) {
		t.Errorf("no number: %v", err)
	}
}

func TestNumbersHideThemselves(t *testing.T) {
	t.Parallel()

	n, err := Parse("BR", "(11) 98765-4321")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("sent", "to", n)
	shown := fmt.Sprintf("%s %v %q %x %d %+v %#v", n, n, n, n, n, struct{ N Number }{n}, n) + log.String()
	if strings.Contains(shown, "8765") || !strings.Contains(shown, "***4321") {
		t.Error(shown)
	}
	if _, err := json.Marshal(n); !errors.Is(err, brdoc.ErrHidden) {
		t.Errorf("JSON: %v", err)
	}
	if _, err := n.Value(); !errors.Is(err, brdoc.ErrHidden) {
		t.Errorf("database: %v", err)
	}
	if n.International() != "+55 11 98765-4321" || n.Digits() != "5511987654321" || n.Country() != "BR" {
		t.Errorf("%s %s %s", n.International(), n.Digits(), n.Country())
	}
	if none := Number(""); none.International()+none.Country()+none.String()+none.Digits() != "" {
		t.Error("no number is shown as something")
	}
}

func TestStoredNumbersAreReadBack(t *testing.T) {
	t.Parallel()

	if n, err := FromE164("+5511987654321"); err != nil || n.E164() != "+5511987654321" {
		t.Errorf("%q, %v", n.E164(), err)
	}
	for _, text := range []string{"", "5511987654321", "+55 11 98765-4321", "+551", "+5511987654321x"} {
		if _, err := FromE164(text); !errors.Is(err, ErrPhone) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestCountriesAreNamedInTheReadersLanguage(t *testing.T) {
	t.Parallel()

	set, err := ParseCountries("US, BR,ZA,AT,AR")
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string]string{
		"pt-BR": "África do Sul +27, Argentina +54, Áustria +43, Brasil +55, Estados Unidos +1",
		"es":    "Argentina +54, Austria +43, Brasil +55, Estados Unidos +1, Sudáfrica +27",
		"en":    "Argentina +54, Austria +43, Brazil +55, South Africa +27, United States +1",
		"tlh":   "Argentina +54, Austria +43, Brazil +55, South Africa +27, United States +1",
		"?":     "Argentina +54, Austria +43, Brazil +55, South Africa +27, United States +1",
	} {
		var got []string
		for _, c := range set.List(lang) {
			got = append(got, fmt.Sprintf("%s +%d", c.Name, c.Calling))
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %s", lang, text)
		}
	}
}

func TestEveryCountryHasANameAndACallingCode(t *testing.T) {
	t.Parallel()

	all, err := ParseCountries("*")
	if err != nil || len(all) < 200 {
		t.Fatal(len(all), err)
	}
	for _, lang := range []string{"pt-BR", "es", "en"} {
		for _, c := range all.List(lang) {
			if c.Calling == 0 || c.Name == "" || c.Name == c.Code {
				t.Errorf("%s: %+v", lang, c)
			}
		}
	}
}

func TestWrongCountryCodesAreAllNamed(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{"": `""`, "BR,XX,br": `"XX", "br"`, "*,BR": `"*"`} {
		if _, err := ParseCountries(text); err == nil || !strings.HasPrefix(err.Error(), want+":") {
			t.Errorf("%q: %v", text, err)
		}
	}
	set, _ := ParseCountries("BR,AR")
	for number, want := range map[Number]bool{"+5511987654321": true, "+5491123456789": true, "+12125552368": false, "": false} {
		if set.Allow(number) != want {
			t.Errorf("%s of %v", number, set)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, typed := range []string{"(11) 98765-4321", "+55 11 8765-4321", "0015550100", "+", "tel:+55", "１１９８７６５４３２１", "11 9\u00a08765\u20104321"} {
		f.Add("BR", typed)
		f.Add("US", typed)
	}
	f.Fuzz(func(t *testing.T, country, typed string) {
		n, err := Parse(country, typed)
		if err != nil {
			if n != "" || !errors.Is(err, ErrPhone) && !errors.Is(err, ErrCountry) {
				t.Fatalf("%q, %v", n.E164(), err)
			}
			return
		}
		if again, err := Parse(country, n.E164()); err != nil || again != n || n.Country() != country {
			t.Fatalf("%q of %s reads back as %q of %s, %v", n.E164(), country, again.E164(), n.Country(), err)
		}
		if stored, err := FromE164(n.E164()); err != nil || stored != n || len(n) < 8 || len(n) > 16 {
			t.Fatalf("%q: %v", n.E164(), err)
		}
	})
}
