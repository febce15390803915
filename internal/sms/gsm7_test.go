package sms

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/linxGnu/gosmpp/data"
)

func TestAlphabetIsThatOf23038(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"@":          "00",
		"Ç\n":        "090a",
		"Olá":        "",
		"código":     "",
		"é à ñ ¿ ¡":  "05207f207d20602040",
		"€":          "1b65",
		"[a]{b}":     "1b3c611b3e1b28621b29",
		"\x1b":       "",
		"123456 #Zz": "3132333435362023" + "5a7a",
		"":           "",
	} {
		got, ok := GSM7(text)
		if hex.EncodeToString(got) != want || ok != (want != "" || text == "") {
			t.Errorf("%q: %x, %v", text, got, ok)
		}
	}
}

// decodable is the whole alphabet but the escape, and the form feed that gosmpp does not know.
var decodable = strings.ReplaceAll(basic, "\x00", "") + `^{}\[~]|€`

func TestAnotherImplementationReadsWhatIsEncoded(t *testing.T) {
	t.Parallel()

	for n := range 161 {
		text := string([]rune(strings.Repeat(decodable, 2))[n%50 : n%50+n%130])
		coded, ok := GSM7(text)
		if !ok {
			t.Fatalf("%q", text)
		}
		if got, err := data.GSM7BIT.Decode(coded); err != nil || got != text {
			t.Errorf("%q reads as %q, %v", text, got, err)
		}
		packed := Pack(coded)
		if got, err := data.GSM7BITPACKED.Decode(packed); err != nil || strings.TrimRight(got, "\r") != strings.TrimRight(text, "\r") {
			t.Errorf("packed, %q reads as %q, %v", text, got, err)
		}
		if len(packed) != (len(coded)*7+7)/8 {
			t.Errorf("%d septets in %d octets", len(coded), len(packed))
		}
	}
}

func TestPackingIsThatOf23038(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"hello":    "e8329bfd06",
		"1234567":  "31d98c56b3dd1a", // seven spare bits hold a carriage return: 0x0D << 1
		"12345678": "31d98c56b3dd70",
		"":         "",
	} {
		coded, _ := GSM7(text)
		if got := hex.EncodeToString(Pack(coded)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestSegmentsAreThoseThatArePaid(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		text           string
		units, of, are int
	}{
		"nothing":                   {"", 0, 160, 1},
		"160 of the alphabet":       {strings.Repeat("a", 160), 160, 160, 1},
		"161":                       {strings.Repeat("a", 161), 161, 160, 2},
		"306":                       {strings.Repeat("a", 306), 306, 160, 2},
		"307":                       {strings.Repeat("a", 307), 307, 160, 3},
		"80 euros":                  {strings.Repeat("€", 80), 160, 160, 1},
		"an euro across the border": {strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), 306, 160, 3},
		"70 with one accent":        {strings.Repeat("a", 69) + "ã", 70, 70, 1},
		"71 with one accent":        {strings.Repeat("a", 70) + "ã", 71, 70, 2},
		"35 beyond the plane":       {strings.Repeat("😀", 35), 70, 70, 1},
		"a pair across the border":  {strings.Repeat("ã", 66) + "😀" + strings.Repeat("ã", 66), 134, 70, 3},
	} {
		units, of := Length(c.text)
		if got := Segments(c.text); units != c.units || of != c.of || got != c.are {
			t.Errorf("%s: %d of %d in %d, want %d of %d in %d", name, units, of, got, c.units, c.of, c.are)
		}
	}
}

func TestUCS2IsBigEndian(t *testing.T) {
	t.Parallel()

	if got := hex.EncodeToString(UCS2("aã😀")); got != "006100e3d83dde00" {
		t.Error(got)
	}
}

func TestAccentsAreFoldedOnlyWhereThatSuffices(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"Seu código é 123456. Não passe a ninguém – nunca…": "Seu codigo é 123456. Nao passe a ninguém - nunca...",
		"Prefeitura de São João d’Aliança":                  "Prefeitura de Sao Joao d'Alianca",
		"Ñandú, ¿qué?":                                      "Ñandu, ¿qué?",
		"e\u0301 a\u0303":                                   "é a",
		"Код 123 não":                                       "Код 123 não",
		"grátis 😀":                                          "grátis 😀",
		"1ª\u00a0via\tnº 2":                                 "1a via no 2",
	} {
		if got := Fold(text); got != want {
			t.Errorf("%q folds to %q, want %q", text, got, want)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Seu código é 123456.\n@login.cidade.example #123456")
	f.Add("ǻ€ﬁ½\x1b\xff")
	f.Fuzz(func(t *testing.T, text string) {
		folded := Fold(text)
		if again := Fold(folded); again != folded {
			t.Fatalf("%q folds to %q and that to %q", text, folded, again)
		}
		coded, ok := GSM7(folded)
		if !ok {
			return
		}
		if bytes.ContainsFunc(coded, func(r rune) bool { return r > 0x7F }) || Segments(folded) < 1 {
			t.Fatalf("%x", coded)
		}
	})
}
