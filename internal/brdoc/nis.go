package brdoc

import (
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"

	"github.com/loginunico/loginunico/internal/fail"
)

// ErrNIS says that a text is not a NIS.
var ErrNIS = fail.New(fail.Invalid, "nis_invalid")

// NIS is a social registration number (PIS, PASEP, NIT are the same series): 10 digits and a check
// digit. The zero value is "none".
type NIS string

var nisWeights = []int{3, 2, 9, 8, 7, 6, 5, 4, 3, 2}

// ParseNIS reads a NIS as people type it: 120.63724.82-4. The only error is ErrNIS.
func ParseNIS(typed string) (NIS, error) {
	digits, err := NISBytes(nil, []byte(typed))
	if err != nil {
		return "", ErrNIS
	}
	return NIS(digits), nil
}

// NISBytes appends the 11 digits to dst. Errors, with dst as it was: ErrNIS, ErrCheckDigit.
func NISBytes(dst, raw []byte) ([]byte, error) {
	var d number
	if !d.exact(raw, 11) {
		return dst, ErrNIS
	}
	if d[10] != checkDigit(d[:10], nisWeights) {
		return dst, ErrCheckDigit
	}
	return append(dst, d[:11]...), nil
}

// Digits is the number itself, 11 digits.
func (n NIS) Digits() string { return string(n) }

// Masked hides the ends: ***.63724.**-*.
func (n NIS) Masked() string {
	if len(n) != 11 {
		return ""
	}
	return string("***." + n[3:8] + ".**-*")
}

// String is Masked.
func (n NIS) String() string { return n.Masked() }

// Format writes Masked for every verb.
func (n NIS) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, n.Masked()) }

// LogValue is Masked.
func (n NIS) LogValue() slog.Value { return slog.StringValue(n.Masked()) }

// MarshalText always answers ErrHidden: use Digits.
func (n NIS) MarshalText() ([]byte, error) { return nil, ErrHidden }

// UnmarshalText is ParseNIS.
func (n *NIS) UnmarshalText(text []byte) (err error) {
	*n, err = ParseNIS(string(text))
	return err
}

// Value always answers ErrHidden: a NIS is stored sealed (internal/secret).
func (n NIS) Value() (driver.Value, error) { return nil, ErrHidden }
