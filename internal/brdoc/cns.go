package brdoc

import (
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"

	"github.com/loginunico/loginunico/internal/fail"
)

// ErrCNS says that a text is not a CNS.
var ErrCNS = fail.New(fail.Invalid, "cns_invalid")

// CNS is the number of a cartão nacional de saúde: 15 digits, the first of which is 1 or 2 (for
// good) or 7, 8 or 9 (provisional). The zero value is "none".
type CNS string

// ParseCNS reads a CNS as people type it: 174 5984 3528 0018. The only error is ErrCNS.
func ParseCNS(typed string) (CNS, error) {
	digits, err := CNSBytes(nil, []byte(typed))
	if err != nil {
		return "", ErrCNS
	}
	return CNS(digits), nil
}

// CNSBytes appends the 15 digits to dst. Errors, with dst as it was: ErrCNS, ErrCheckDigit.
func CNSBytes(dst, raw []byte) ([]byte, error) {
	var d number
	if !d.exact(raw, 15) || d[0] == '0' || d[0] > '2' && d[0] < '7' {
		return dst, ErrCNS
	}
	sum := 0
	for i, c := range d[:15] {
		sum += int(c-'0') * (15 - i)
	}
	if sum%11 != 0 {
		return dst, ErrCheckDigit
	}
	return append(dst, d[:15]...), nil
}

// Digits is the number itself, 15 digits.
func (c CNS) Digits() string { return string(c) }

// Masked hides the ends: *** 5984 3528 ****.
func (c CNS) Masked() string {
	if len(c) != 15 {
		return ""
	}
	return string("*** " + c[3:7] + " " + c[7:11] + " ****")
}

// String is Masked.
func (c CNS) String() string { return c.Masked() }

// Format writes Masked for every verb.
func (c CNS) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.Masked()) }

// LogValue is Masked.
func (c CNS) LogValue() slog.Value { return slog.StringValue(c.Masked()) }

// MarshalText always answers ErrHidden: use Digits.
func (c CNS) MarshalText() ([]byte, error) { return nil, ErrHidden }

// UnmarshalText is ParseCNS.
func (c *CNS) UnmarshalText(text []byte) (err error) {
	*c, err = ParseCNS(string(text))
	return err
}

// Value always answers ErrHidden: a CNS is stored sealed (internal/secret).
func (c CNS) Value() (driver.Value, error) { return nil, ErrHidden }
