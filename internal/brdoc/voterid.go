package brdoc

import (
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"

	"github.com/loginunico/loginunico/internal/fail"
)

// ErrVoterID says that a text is not a título de eleitor.
var ErrVoterID = fail.New(fail.Invalid, "voter_id_invalid")

// VoterID is a título de eleitor at the Tribunal Superior Eleitoral: 8 digits of sequence, 2 of the
// state (01 São Paulo to 28 abroad) and 2 check digits. The zero value is "none".
type VoterID string

// ParseVoterID reads a título as people type it: 1023 8501 0671. The only error is ErrVoterID.
func ParseVoterID(typed string) (VoterID, error) {
	var d number
	if !d.exact([]byte(typed), 12) || !voterDigits(&d) {
		return "", ErrVoterID
	}
	return VoterID(d[:12]), nil
}

// VoterIDBytes appends the 12 digits to dst. 10 or 11 digits are a number that lost its zeros.
// Errors, with dst as it was: ErrVoterID, ErrCheckDigit.
func VoterIDBytes(dst, raw []byte) ([]byte, error) {
	var d number
	n := d.collect(raw, false)
	if n < 10 || n > 12 {
		return dst, ErrVoterID
	}
	d.pad(n, 12)
	if same(d[:12]) {
		return dst, ErrVoterID
	}
	if !voterDigits(&d) {
		return dst, ErrCheckDigit
	}
	return append(dst, d[:12]...), nil
}

// voterDigits checks state and check digits: the remainder by 11 itself, 10 counting as 0; in São
// Paulo and Minas Gerais (01, 02) 0 is written 1.
func voterDigits(d *number) bool {
	state := int(d[8]-'0')*10 + int(d[9]-'0')
	if state < 1 || state > 28 {
		return false
	}
	sum := 0
	for i := range 8 {
		sum += int(d[i]-'0') * (i + 2)
	}
	first := voterDigit(sum, state)
	second := voterDigit(int(d[8]-'0')*7+int(d[9]-'0')*8+first*9, state)
	return d[10] == '0'+byte(first) && d[11] == '0'+byte(second)
}

func voterDigit(sum, state int) int {
	switch r := sum % 11; {
	case r == 10:
		return 0
	case r == 0 && state <= 2:
		return 1
	default:
		return r
	}
}

// Digits is the number itself, 12 digits.
func (v VoterID) Digits() string { return string(v) }

// Masked hides all but the sequence's middle: **** 8501 ****.
func (v VoterID) Masked() string {
	if len(v) != 12 {
		return ""
	}
	return string("**** " + v[4:8] + " ****")
}

// String is Masked.
func (v VoterID) String() string { return v.Masked() }

// Format writes Masked for every verb.
func (v VoterID) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, v.Masked()) }

// LogValue is Masked.
func (v VoterID) LogValue() slog.Value { return slog.StringValue(v.Masked()) }

// MarshalText always answers ErrHidden: use Digits.
func (v VoterID) MarshalText() ([]byte, error) { return nil, ErrHidden }

// UnmarshalText is ParseVoterID.
func (v *VoterID) UnmarshalText(text []byte) (err error) {
	*v, err = ParseVoterID(string(text))
	return err
}

// Value always answers ErrHidden: a título is stored sealed (internal/secret).
func (v VoterID) Value() (driver.Value, error) { return nil, ErrHidden }
