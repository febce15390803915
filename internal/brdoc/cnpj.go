package brdoc

import (
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/loginunico/loginunico/internal/fail"
)

// ErrCNPJ says that a text is not a CNPJ.
var ErrCNPJ = fail.New(fail.Invalid, "cnpj_invalid")

// CNPJ is a legal entity's number at the Receita Federal: 12 positions of digits or capital letters
// (letters since July 2026) and two check digits. The zero value is "no CNPJ".
type CNPJ string

var cnpjWeights = []int{6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}

// ParseCNPJ reads a CNPJ as people type it: 12.ABC.345/01DE-35, 12abc34501de35.
// The only error is ErrCNPJ.
func ParseCNPJ(typed string) (CNPJ, error) {
	bare, ok := compact(typed)
	if !ok || len(bare) != 14 {
		return "", ErrCNPJ
	}
	bare = upperASCII(bare)
	if !cnpjCharacters(bare) || repeats(bare) {
		return "", ErrCNPJ
	}
	if bare[12] != checkDigit(bare[:12], cnpjWeights) || bare[13] != checkDigit(bare[:13], cnpjWeights) {
		return "", ErrCNPJ
	}
	return CNPJ(bare), nil
}

// upperASCII leaves other letters alone: strings.ToUpper would turn "ı" into "I".
func upperASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

func cnpjCharacters(s string) bool {
	for i := range 12 {
		if !allDigits(s[i:i+1]) && (s[i] < 'A' || s[i] > 'Z') {
			return false
		}
	}
	return allDigits(s[12:])
}

// Text is the number itself, 14 characters.
func (c CNPJ) Text() string { return string(c) }

// Formatted is the number as documents show it: 12.ABC.345/01DE-35.
func (c CNPJ) Formatted() string {
	if len(c) != 14 {
		return ""
	}
	return string(c[:2] + "." + c[2:5] + "." + c[5:8] + "/" + c[8:12] + "-" + c[12:])
}

// Masked hides the ends: **.ABC.345/****-**. A sole trader's CNPJ names a person.
func (c CNPJ) Masked() string {
	if len(c) != 14 {
		return ""
	}
	return string("**." + c[2:5] + "." + c[5:8] + "/****-**")
}

// String is Masked.
func (c CNPJ) String() string { return c.Masked() }

// Format writes Masked for every verb.
func (c CNPJ) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.Masked()) }

// LogValue is Masked.
func (c CNPJ) LogValue() slog.Value { return slog.StringValue(c.Masked()) }

// MarshalText always answers ErrHidden: use Text.
func (c CNPJ) MarshalText() ([]byte, error) { return nil, ErrHidden }

// UnmarshalText is ParseCNPJ.
func (c *CNPJ) UnmarshalText(text []byte) (err error) {
	*c, err = ParseCNPJ(string(text))
	return err
}

// Value always answers ErrHidden: use Text where a CNPJ may be stored in clear.
func (c CNPJ) Value() (driver.Value, error) { return nil, ErrHidden }
