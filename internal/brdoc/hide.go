package brdoc

import (
	"errors"
	"strings"
	"unicode"
)

// ErrHidden is what marshalling or storing an identifier by accident answers.
var ErrHidden = errors.New("brdoc: personal data is not marshalled; write the conversion out")

// maxTyped bounds what a form field may hold, in bytes, before anything is looked at.
const maxTyped = 100

// compact drops what people and copied texts put between the characters of a number: dots, dashes,
// slashes, white space (no-break spaces too) and invisible marks. ok is false when typed is too long.
func compact(typed string) (bare string, ok bool) {
	if len(typed) > maxTyped {
		return "", false
	}
	return strings.Map(func(r rune) rune {
		if isSeparator(r) {
			return -1
		}
		return r
	}, typed), true
}

func isSeparator(r rune) bool {
	switch r {
	case '.', '-', '/', '−':
		return true
	case unicode.ReplacementChar:
		return false
	}
	return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || unicode.Is(unicode.Cf, r)
}

// checkDigit is the modulus 11 rule of the Receita Federal: values times weights, aligned at the
// end, with 0 for remainders 0 and 1. A character's value is its ASCII code minus 48.
func checkDigit[T string | []byte](text T, weights []int) byte {
	sum := 0
	for i := range len(text) {
		sum += int(text[i]-'0') * weights[len(weights)-len(text)+i]
	}
	if r := sum % 11; r >= 2 {
		return byte('0' + 11 - r)
	}
	return '0'
}

// repeats tells whether text is one character throughout: such numbers pass the check digits and
// are never issued.
func repeats(text string) bool { return strings.Count(text, text[:1]) == len(text) }
