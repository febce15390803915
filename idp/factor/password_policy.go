package factor

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A password has this many characters, counted as Unicode code points after NFC.
const (
	minPasswordRunes = 8
	maxPasswordRunes = 128
)

// PolicyError is why a new password is refused. Code is also the id of the message.
type PolicyError struct{ Code string }

func (e *PolicyError) Error() string { return e.Code }

// The reasons CheckPassword refuses a password for.
var (
	ErrPasswordShort  = &PolicyError{"password_short"}
	ErrPasswordLong   = &PolicyError{"password_long"}
	ErrPasswordCommon = &PolicyError{"password_common"}
	ErrPasswordIsCPF  = &PolicyError{"password_is_cpf"} // the person's CPF or mail address
)

//go:embed common.txt
var commonText string

// CheckPassword tells whether a person may choose this password: 8 to 128 characters, not on
// the list of common passwords, not the person's own CPF or mail address. Everything else is
// welcome: spaces, any script, no rule about digits or capitals.
//
//	cpf    11 digits, punctuation allowed, or ""
//	email  mail address, or ""
//
// Errors: ErrPasswordShort, ErrPasswordLong, ErrPasswordCommon, ErrPasswordIsCPF.
//
// NIST SP 800-63B-4 §3.1.1.2.
func CheckPassword(pw, cpf, email string) error {
	if len(pw) > maxPasswordBytes {
		return ErrPasswordLong
	}
	switch n := utf8.RuneCount(norm.NFC.Bytes([]byte(pw))); {
	case n < minPasswordRunes:
		return ErrPasswordShort
	case n > maxPasswordRunes:
		return ErrPasswordLong
	}
	folded := fold(pw)
	if isCPF(folded, cpf) || (email != "" && folded == fold(email)) {
		return ErrPasswordIsCPF
	}
	if _, common := commonPasswords()[folded]; common {
		return ErrPasswordCommon
	}
	return nil
}

// fold makes one text of what people hold to be the same password: full-width and ligature
// forms, capitals, spaces around it.
func fold(s string) string {
	return strings.TrimSpace(strings.ToLower(norm.NFKC.String(s)))
}

// isCPF tells whether the password is the CPF, however punctuated.
func isCPF(folded, cpf string) bool {
	bare := strings.NewReplacer(".", "", "-", "", "/", "", " ", "")
	cpf = bare.Replace(cpf)
	return cpf != "" && bare.Replace(folded) == cpf
}

// commonPasswords is the list as a set, read at first use.
var commonPasswords = sync.OnceValue(func() map[string]struct{} {
	set := make(map[string]struct{}, strings.Count(commonText, "\n"))
	for line := range strings.Lines(commonText) {
		line = strings.TrimSuffix(line, "\n")
		if line != "" && !strings.HasPrefix(line, "#") {
			set[line] = struct{}{}
		}
	}
	return set
})
