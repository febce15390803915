package brdoc

import (
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"

	"github.com/loginunico/loginunico/internal/fail"
)

// ErrCPF says that a text is not a CPF. It does not say where, nor repeat the text.
var ErrCPF = fail.New(fail.Invalid, "cpf_invalid")

// CPF is a natural person's number at the Receita Federal: 11 digits with right check digits.
// The zero value is "no CPF".
type CPF string

var cpfWeights = []int{11, 10, 9, 8, 7, 6, 5, 4, 3, 2}

// ParseCPF reads a CPF as people type it: 52998224725, 529.982.247-25, with spaces.
// The only error is ErrCPF.
func ParseCPF(typed string) (CPF, error) {
	bare, ok := compact(typed)
	if !ok || len(bare) != 11 || !allDigits(bare) || repeats(bare) {
		return "", ErrCPF
	}
	if bare[9] != checkDigit(bare[:9], cpfWeights) || bare[10] != checkDigit(bare[:10], cpfWeights) {
		return "", ErrCPF
	}
	return CPF(bare), nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Digits is the number itself, 11 digits.
func (c CPF) Digits() string { return string(c) }

// Formatted is the number as documents show it: 529.982.247-25.
func (c CPF) Formatted() string {
	if len(c) != 11 {
		return ""
	}
	return string(c[:3] + "." + c[3:6] + "." + c[6:9] + "-" + c[9:])
}

// Masked hides the ends, as the federal transparency portal does: ***.982.247-**.
func (c CPF) Masked() string {
	if len(c) != 11 {
		return ""
	}
	return string("***." + c[3:6] + "." + c[6:9] + "-**")
}

// String is Masked.
func (c CPF) String() string { return c.Masked() }

// Format writes Masked for every verb.
func (c CPF) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.Masked()) }

// LogValue is Masked.
func (c CPF) LogValue() slog.Value { return slog.StringValue(c.Masked()) }

// MarshalText always answers ErrHidden: use Digits.
func (c CPF) MarshalText() ([]byte, error) { return nil, ErrHidden }

// UnmarshalText is ParseCPF.
func (c *CPF) UnmarshalText(text []byte) (err error) {
	*c, err = ParseCPF(string(text))
	return err
}

// Value always answers ErrHidden: a CPF is stored sealed or as a blind index (internal/secret).
func (c CPF) Value() (driver.Value, error) { return nil, ErrHidden }
