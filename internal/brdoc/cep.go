package brdoc

import (
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"

	"github.com/loginunico/loginunico/internal/fail"
)

// ErrCEP says that a text is not a CEP.
var ErrCEP = fail.New(fail.Invalid, "cep_invalid")

// CEP is a postal code: 8 digits without a check digit, 01000-000 being the lowest. It may tell one
// street, or one building, from all others. The zero value is "none".
type CEP string

// ParseCEP reads a CEP as people type it: 80010-000. The only error is ErrCEP.
func ParseCEP(typed string) (CEP, error) {
	var d number
	if d.collect([]byte(typed), false) != 8 || !cepRange(&d) {
		return "", ErrCEP
	}
	return CEP(d[:8]), nil
}

// CEPBytes appends the 8 digits to dst. 7 digits are a CEP of São Paulo that lost its zero. The
// only error, with dst as it was, is ErrCEP.
func CEPBytes(dst, raw []byte) ([]byte, error) {
	var d number
	n := d.collect(raw, false)
	if n != 7 && n != 8 {
		return dst, ErrCEP
	}
	d.pad(n, 8)
	if !cepRange(&d) {
		return dst, ErrCEP
	}
	return append(dst, d[:8]...), nil
}

func cepRange(d *number) bool { return !same(d[:8]) && (d[0] != '0' || d[1] != '0') }

// Digits is the code itself, 8 digits.
func (c CEP) Digits() string { return string(c) }

// Formatted is the code as envelopes show it: 80010-000.
func (c CEP) Formatted() string {
	if len(c) != 8 {
		return ""
	}
	return string(c[:5] + "-" + c[5:])
}

// Masked keeps the region: 80***-***.
func (c CEP) Masked() string {
	if len(c) != 8 {
		return ""
	}
	return string(c[:2] + "***-***")
}

// String is Masked.
func (c CEP) String() string { return c.Masked() }

// Format writes Masked for every verb.
func (c CEP) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.Masked()) }

// LogValue is Masked.
func (c CEP) LogValue() slog.Value { return slog.StringValue(c.Masked()) }

// MarshalText always answers ErrHidden: use Digits.
func (c CEP) MarshalText() ([]byte, error) { return nil, ErrHidden }

// UnmarshalText is ParseCEP.
func (c *CEP) UnmarshalText(text []byte) (err error) {
	*c, err = ParseCEP(string(text))
	return err
}

// Value always answers ErrHidden: a CEP is stored sealed with its address.
func (c CEP) Value() (driver.Value, error) { return nil, ErrHidden }
