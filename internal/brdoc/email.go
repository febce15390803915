package brdoc

import (
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/loginunico/loginunico/internal/fail"
)

// ErrEmail says that a text is not a mail address we could write to.
var ErrEmail = fail.New(fail.Invalid, "email_invalid")

// Limits of RFC 5321 §4.5.3.1, in octets; 254 is what a path of 256 leaves for the address.
const (
	maxLocal   = 64
	maxAddress = 254
)

// Email is a mail address: an ASCII dot-atom, "@", and a lower-case ASCII domain of two labels or
// more. The local part keeps its case (RFC 5321 §2.4). The zero value is "no address".
type Email string

// ParseEmail reads a bare address: no display name, comment, quoted local part or address literal.
// A domain with other letters becomes its A-label form (RFC 5891). The only error is ErrEmail.
func ParseEmail(typed string) (Email, error) {
	text := strings.TrimSpace(typed)
	at := strings.LastIndexByte(text, '@')
	if at < 1 || at > maxLocal || len(text) > maxAddress {
		return "", ErrEmail
	}
	domain, ok := mailDomain(text[at+1:])
	if !ok {
		return "", ErrEmail
	}
	address := text[:at+1] + domain
	// net/mail unwraps names, comments and quotes, so an address that holds one comes back changed.
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > maxAddress || !isASCII(address) {
		return "", ErrEmail
	}
	return Email(address), nil
}

// mailDomain is the domain's lower-case ASCII form.
func mailDomain(typed string) (string, bool) {
	domain, err := idna.Lookup.ToASCII(typed)
	if err != nil || !utf8.ValidString(typed) {
		return "", false
	}
	domain = strings.ToLower(domain)
	host, top := cutLast(domain, '.')
	if host == "" || len(top) < 2 || allDigits(top) {
		return "", false // one label, a trailing dot, or an IPv4 address
	}
	return domain, true
}

func cutLast(s string, sep byte) (before, after string) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:]
	}
	return "", s
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// Address is the address itself.
func (e Email) Address() string { return string(e) }

// Masked keeps the first letters and the last label: m***@e***.org.
func (e Email) Masked() string {
	local, domain, _ := strings.Cut(string(e), "@")
	host, top := cutLast(domain, '.')
	if local == "" || host == "" {
		return ""
	}
	return local[:1] + "***@" + host[:1] + "***." + top
}

// String is Masked.
func (e Email) String() string { return e.Masked() }

// Format writes Masked for every verb.
func (e Email) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Masked()) }

// LogValue is Masked.
func (e Email) LogValue() slog.Value { return slog.StringValue(e.Masked()) }

// MarshalText always answers ErrHidden: use Address.
func (e Email) MarshalText() ([]byte, error) { return nil, ErrHidden }

// UnmarshalText is ParseEmail.
func (e *Email) UnmarshalText(text []byte) (err error) {
	*e, err = ParseEmail(string(text))
	return err
}

// Value always answers ErrHidden: an address is stored sealed (internal/secret).
func (e Email) Value() (driver.Value, error) { return nil, ErrHidden }
