package phone

import (
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/fail"
)

var (
	// ErrPhone says that a text is not a number of the country it was typed for. It does not repeat
	// the text.
	ErrPhone = fail.New(fail.Invalid, "phone_invalid")
	// ErrCountry says that a country is unknown, or that the city sends nothing there.
	ErrCountry = fail.New(fail.Invalid, "phone_country")
	// ErrFixed says that a number is a fixed line, which gets no texts.
	ErrFixed = fail.New(fail.Invalid, "phone_fixed")
)

// maxTyped bounds what a form field may hold, in bytes.
const maxTyped = 40

// Number is a telephone number in E.164: "+", calling code and national number, at most 15 digits.
// The zero value is "no number".
type Number string

// Parse reads a number as people of a country write it, or in the international form of that same
// country: (11) 98765-4321, 0 11 98765 4321, +55 11 98765-4321, 0055 11 98765 4321.
//
//	country  ISO 3166-1 alpha-2, as chosen: "BR"
//
// A number whose plan gives it to another country is refused, though its calling code be the same:
// who chose the United States has not chosen Jamaica. A Brazilian mobile number without its ninth
// digit gets it back where that is certain, see [ninthDigit].
//
// Errors: ErrCountry, ErrPhone. E.164, ITU-T, 2010.
func Parse(country, typed string) (Number, error) {
	if !known(country) {
		return "", ErrCountry
	}
	if len(typed) > maxTyped || strings.ContainsAny(typed, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ;") {
		return "", ErrPhone // no vanity numbers, extensions or tel: parameters
	}
	if n, ok := parse(country, typed); ok {
		return n, nil
	}
	// 00 is how most of the world dials abroad, Brazil and North America apart.
	if rest, ok := strings.CutPrefix(strings.TrimSpace(typed), "00"); ok {
		if n, ok := parse(country, "+"+rest); ok {
			return n, nil
		}
	}
	return "", ErrPhone
}

func parse(country, typed string) (Number, bool) {
	parsed, err := phonenumbers.Parse(typed, country)
	if err != nil {
		return "", false
	}
	if country == "BR" {
		parsed = ninthDigit(parsed)
	}
	// A few numbers are valid in two plans (Åland, Finland): the one they are ascribed to decides.
	ok := phonenumbers.IsValidNumber(parsed) && phonenumbers.GetRegionCodeForNumber(parsed) == country && parsed.GetExtension() == ""
	return Number(phonenumbers.Format(parsed, phonenumbers.E164)), ok
}

// ParseMobile is Parse for a number that is to get texts: a fixed line is ErrFixed. Where a plan does
// not tell the two apart (North America), any number will do.
func ParseMobile(country, typed string) (Number, error) {
	n, err := Parse(country, typed)
	if err != nil {
		return "", err
	}
	switch phonenumbers.GetNumberType(n.parsed()) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
		return n, nil
	}
	return "", ErrFixed
}

// FromE164 reads back what E164 gave: from a sealed column, or from a configuration.
func FromE164(text string) (Number, error) {
	parsed, err := phonenumbers.Parse(text, phonenumbers.UNKNOWN_REGION)
	if err != nil || phonenumbers.Format(parsed, phonenumbers.E164) != text || !phonenumbers.IsValidNumber(parsed) {
		return "", ErrPhone
	}
	return Number(text), nil
}

// ninthDigit puts the 9 before a Brazilian mobile number written in the eight digits of before
// November 2016 (Anatel, Resolução 553/2010): area code, then 6 or 8. No fixed line and no number in
// use begins so, hence the 9 can only be missing. Trunked radio begins with 7 and never got one.
//
// Eight digits that begin with 9 stay as they are and are refused: they may be an old number, but as
// well one of today that lost a digit at its end, and then the 9 would make it somebody else's.
func ninthDigit(n *phonenumbers.PhoneNumber) *phonenumbers.PhoneNumber {
	area, local := n.GetNationalNumber()/1_0000_0000, n.GetNationalNumber()%1_0000_0000
	first := local / 1000_0000
	if area < 11 || area > 99 || first != 6 && first != 8 {
		return n
	}
	whole := area*10_0000_0000 + 9_0000_0000 + local
	restored := &phonenumbers.PhoneNumber{CountryCode: n.CountryCode, Extension: n.Extension, NationalNumber: &whole}
	if n.GetCountryCode() != 55 || phonenumbers.IsValidNumber(n) || phonenumbers.GetNumberType(restored) != phonenumbers.MOBILE {
		return n
	}
	return restored
}

// parsed never fails on what Parse gave; of the zero value it is an empty number.
func (n Number) parsed() *phonenumbers.PhoneNumber {
	p, err := phonenumbers.Parse(string(n), phonenumbers.UNKNOWN_REGION)
	if err != nil {
		return &phonenumbers.PhoneNumber{}
	}
	return p
}

// E164 is the number itself: +5511987654321.
func (n Number) E164() string { return string(n) }

// Digits is E164 without the "+", as SMPP and some providers want it.
func (n Number) Digits() string { return strings.TrimPrefix(string(n), "+") }

// International is the number as people of other countries write it: +55 11 98765-4321.
func (n Number) International() string {
	if n == "" {
		return ""
	}
	return phonenumbers.Format(n.parsed(), phonenumbers.INTERNATIONAL)
}

// Country is ISO 3166-1 alpha-2; "" of the zero value.
func (n Number) Country() string {
	if n == "" {
		return ""
	}
	return phonenumbers.GetRegionCodeForNumber(n.parsed())
}

// Masked keeps the last four digits, which the owner knows the number by: ***4321.
func (n Number) Masked() string {
	if len(n) < 8 {
		return ""
	}
	return "***" + string(n[len(n)-4:])
}

// String is Masked.
func (n Number) String() string { return n.Masked() }

// Format writes Masked for every verb.
func (n Number) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, n.Masked()) }

// LogValue is Masked.
func (n Number) LogValue() slog.Value { return slog.StringValue(n.Masked()) }

// MarshalText always answers brdoc.ErrHidden: use E164.
func (n Number) MarshalText() ([]byte, error) { return nil, brdoc.ErrHidden }

// Value always answers brdoc.ErrHidden: a number is stored sealed or as a blind index.
func (n Number) Value() (driver.Value, error) { return nil, brdoc.ErrHidden }
