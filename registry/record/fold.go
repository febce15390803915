package record

import (
	"unicode"
	"unicode/utf8"
)

// plainLatin is the letter without its accent, in upper case, of U+00C0 to U+00FF.
const plainLatin = "AAAAAAACEEEEIIIIDNOOOOO×OUUUUYÞßAAAAAAACEEEEIIIIDNOOOOO÷OUUUUYÞY"

var unaccented = []rune(plainLatin)

// Fold is a letter without case and accent, for comparing names that one source writes JOSE and
// another José.
func Fold(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	case r >= 0xC0 && r <= 0xFF:
		return unaccented[r-0xC0]
	}
	return unicode.ToUpper(r)
}

// SameText says whether two texts differ in case and accents at most.
func SameText(a, b []byte) bool {
	for len(a) > 0 && len(b) > 0 {
		if a[0] < utf8.RuneSelf && b[0] < utf8.RuneSelf {
			if a[0] != b[0] && Fold(rune(a[0])) != Fold(rune(b[0])) {
				return false
			}
			a, b = a[1:], b[1:]
			continue
		}
		ra, na := utf8.DecodeRune(a)
		rb, nb := utf8.DecodeRune(b)
		if Fold(ra) != Fold(rb) {
			return false
		}
		a, b = a[na:], b[nb:]
	}
	return len(a) == len(b)
}
