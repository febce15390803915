package record

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/loginunico/loginunico/internal/brdoc"
)

// maxDigits is what E.164 allows, country code included.
const maxDigits = 15

// phone brings a telephone number into E.164. Without a country code it is Brazilian and needs its
// area code; trunk and carrier prefixes (0, 0 41) go. A ninth digit is neither added nor taken:
// whether a number is a mobile one cannot be told from eight.
func phone(_ Normalizer, dst, raw []byte) ([]byte, why) {
	var digits [maxDigits + 5]byte
	n, plus, ok := phoneDigits(&digits, raw)
	d := digits[:n]
	switch {
	case !ok:
		return dst, invalid
	case n == 0 && !plus:
		return dst, fine // an empty form: "(  )    -    "
	}
	if !plus && bytes.HasPrefix(d, []byte("00")) {
		plus, d = true, d[2:]
	}
	if !plus {
		var wrong why
		if d, wrong = national(d); wrong != fine {
			return dst, wrong
		}
		return append(append(dst, "+55"...), d...), fine
	}
	if len(d) < 8 || len(d) > maxDigits || d[0] == '0' || bytes.HasPrefix(d, []byte("55")) && !brazilian(d[2:]) {
		return dst, invalid
	}
	return append(append(dst, '+'), d...), fine
}

// phoneDigits collects the digits and says whether a plus stood before them.
func phoneDigits(digits *[maxDigits + 5]byte, raw []byte) (n int, plus, ok bool) {
	for i := 0; i < len(raw); {
		c, size := raw[i], 1
		switch {
		case c >= '0' && c <= '9':
			if n == len(digits) {
				return 0, false, false
			}
			digits[n] = c
			n++
		case c == '+' && n == 0 && !plus:
			plus = true
		case c == ' ' || c == '(' || c == ')' || c == '-' || c == '.' || c == '/':
		default:
			var r rune
			if r, size = utf8.DecodeRune(raw[i:]); r == utf8.RuneError || !unicode.IsSpace(r) && !unicode.Is(unicode.Pd, r) && !unicode.Is(unicode.Cf, r) {
				return 0, false, false
			}
		}
		i += size
	}
	return n, plus, true
}

// national takes the prefixes off a Brazilian number as people dial it.
func national(d []byte) ([]byte, why) {
	if len(d) > 0 && d[0] == '0' {
		d = d[1:]
		if len(d) >= 12 {
			d = d[2:] // the carrier's code
		}
	} else if (len(d) == 12 || len(d) == 13) && bytes.HasPrefix(d, []byte("55")) {
		d = d[2:]
	}
	switch {
	case len(d) == 8 || len(d) == 9:
		return d, areaCode
	case !brazilian(d):
		return d, invalid
	}
	return d, fine
}

// areas are the area codes in use, by their first digit.
var areas = [10]string{1: "123456789", 2: "12478", 3: "1234578", 4: "123456789", 5: "1345", 6: "123456789", 7: "134579", 8: "123456789", 9: "123456789"}

// brazilian checks an area code and 8 digits, or 9 that begin with 9.
func brazilian(d []byte) bool {
	switch {
	case len(d) != 10 && len(d) != 11, len(d) == 11 && d[2] != '9', d[2] == '0' || d[2] == '1':
		return false
	}
	return strings.IndexByte(areas[d[0]-'0'], d[1]) >= 0
}

// email is an address in lower case, since the letters of one person's address differ from base to
// base only in case. Nearly all are plain ASCII and take the short way.
func email(_ Normalizer, dst, raw []byte) ([]byte, why) {
	if plainEmail(raw) {
		for _, c := range raw {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
		}
		return dst, fine
	}
	address, err := brdoc.ParseEmail(string(raw))
	if err != nil {
		return dst, invalid
	}
	return append(dst, strings.ToLower(address.Address())...), fine
}

// plainEmail accepts some of what brdoc.ParseEmail does: a dot-atom of at most 64 characters, "@",
// two labels or more of letters, digits and single hyphens, the last of letters only.
func plainEmail(raw []byte) bool {
	at := bytes.IndexByte(raw, '@')
	return at >= 1 && at <= 64 && len(raw) <= 254 && plainLocal(raw[:at]) && plainDomain(raw[at+1:])
}

func plainLocal(b []byte) bool {
	last := byte('.')
	for _, c := range b {
		if !alphanumeric(c) && c != '_' && c != '-' && c != '+' && (c != '.' || last == '.') {
			return false
		}
		last = c
	}
	return last != '.'
}

func plainDomain(b []byte) bool {
	label, labels, letters := 0, 1, true // length of the label, number of labels, only letters in this one
	last := byte('.')
	for _, c := range b {
		switch {
		case alphanumeric(c):
			letters = letters && c > '9'
		case c == '-' && last != '.' && last != '-':
			letters = false
		case c == '.' && last != '.' && last != '-':
			labels, label, letters, last = labels+1, 0, true, c
			continue
		default:
			return false
		}
		if label++; label > 63 {
			return false
		}
		last = c
	}
	return labels >= 2 && letters && label >= 2
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z'
}
