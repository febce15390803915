package record

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits in characters.
const (
	maxName  = 200
	maxShort = 60
	maxNote  = 1000
)

// name is the form of names of people, streets and cities. Bases in capitals lost the case of
// their names, not their spelling: those get it back, mixed case stays as somebody wrote it.
func name(_ Normalizer, dst, raw []byte) ([]byte, why) {
	if out, ok := titleCapitals(dst, raw); ok {
		return out, fine
	}
	start := len(dst)
	dst, cases, wrong := appendText(dst, raw, maxName)
	if wrong == fine && (cases == upperCase || cases == lowerCase) {
		dst = title(dst, start)
	}
	return dst, wrong
}

func short(_ Normalizer, dst, raw []byte) ([]byte, why) {
	dst, _, wrong := appendText(dst, raw, maxShort)
	return dst, wrong
}

func note(_ Normalizer, dst, raw []byte) ([]byte, why) {
	dst, _, wrong := appendText(dst, raw, maxNote)
	return dst, wrong
}

// kind says how a character is treated in a text.
type kind uint8

const (
	upperCase kind = 1 << iota
	lowerCase
	plain     // stands as it is
	space     // one blank for any number of them
	invisible // left out: zero width, soft hyphen, byte order mark
	refused   // control characters, and U+FFFD, where something was lost already
)

// latinKinds is the kind of each character below U+0100, where nearly all are.
var latinKinds = func() (table [0x100]kind) {
	for r := range rune(len(table)) {
		table[r] = kindOf(r)
	}
	return table
}()

func kindOf(r rune) kind {
	switch {
	case unicode.IsSpace(r):
		return space
	case unicode.Is(unicode.Cf, r):
		return invisible
	case r == unicode.ReplacementChar || !unicode.IsPrint(r):
		return refused
	case unicode.IsUpper(r):
		return upperCase
	case unicode.IsLower(r):
		return lowerCase
	}
	return plain
}

// appendText folds white space, composes accents (Unicode NFC) and says which cases occur.
func appendText(dst, raw []byte, most int) (out []byte, cases kind, wrong why) {
	start, gap, far := len(dst), false, false
	for i := 0; i < len(raw); {
		size, k := run(raw[i:])
		if size == 0 {
			r, n := utf8.DecodeRune(raw[i:])
			if size, k, far = n, kindOf(r), true; n == 1 && r == utf8.RuneError {
				k = refused
			}
		}
		piece := raw[i : i+size]
		i += size
		switch {
		case k&refused != 0:
			return dst[:start], 0, characters
		case k&space != 0:
			gap = true
			continue
		case k&invisible != 0:
			continue
		}
		if gap && len(dst) > start {
			dst = append(dst, ' ')
		}
		gap = false
		cases |= k & (upperCase | lowerCase)
		dst = append(dst, piece...)
	}
	if far && !norm.NFC.IsNormal(dst[start:]) {
		dst = append(dst[:start], norm.NFC.Bytes(dst[start:])...)
	}
	if len(dst)-start > most && utf8.RuneCount(dst[start:]) > most {
		return dst[:start], 0, long
	}
	return dst, cases, fine
}

// run measures the visible characters below U+0100 that b begins with, and or-s their kinds; where
// there is none it takes one character that is not visible; 0 where the first is not below U+0100.
func run(b []byte) (size int, kinds kind) {
	const visible = upperCase | lowerCase | plain
	for size < len(b) {
		c, n := b[size], 1
		if c >= utf8.RuneSelf {
			if c&^1 != 0xC2 || size+1 == len(b) || b[size+1]&0xC0 != 0x80 {
				return size, kinds
			}
			c, n = c<<6|b[size+1]&0x3F, 2
		}
		k := latinKinds[c]
		if k&visible == 0 {
			if size == 0 {
				return n, k
			}
			return size, kinds
		}
		kinds |= k
		size += n
	}
	return size, kinds
}

// title gives the text that begins at start capitals where Portuguese has them: each word begins
// with one, also behind hyphen and apostrophe, but for da, de, do, das, dos and e inside a name.
func title(dst []byte, start int) []byte {
	end := len(dst)
	for i := start; i < end; {
		stop := wordEnd(dst[:end], i)
		if stop == i { // no letter
			size := 1
			if dst[i] >= utf8.RuneSelf {
				_, size = utf8.DecodeRune(dst[i:end])
			}
			dst = append(dst, dst[i:i+size]...)
			i += size
			continue
		}
		dst = appendWord(dst, i, stop, start, end)
		i = stop
	}
	n := copy(dst[start:], dst[end:]) // the titled text was written behind the raw one
	return dst[:start+n]
}

func wordEnd(b []byte, i int) int {
	for i < len(b) {
		if c := b[i]; c < utf8.RuneSelf {
			if c|0x20 < 'a' || c|0x20 > 'z' {
				return i
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if (r < 0xC0 || r > 0xFF || r == 0xD7 || r == 0xF7) && !unicode.IsLetter(r) && !unicode.IsMark(r) {
			return i
		}
		i += size
	}
	return i
}

// appendWord writes the word dst[i:stop] of the text dst[start:end] behind it.
func appendWord(dst []byte, i, stop, start, end int) []byte {
	inside := i > start && (dst[i-1] == ' ' || dst[i-1] == '-') && (stop == end || dst[stop] == ' ' || dst[stop] == '-')
	at := len(dst)
	if inside && stop-i <= 3 && allOf(dst[i:stop], 'i') {
		return append(dst, "III"[:stop-i]...) // João Paulo II
	}
	for j := i; j < stop; {
		c := dst[j]
		if c < utf8.RuneSelf { // inside a word it is a letter
			dst = append(dst, c|0x20)
			j++
			continue
		}
		r, size := utf8.DecodeRune(dst[j:stop])
		dst = utf8.AppendRune(dst, lower(r))
		j += size
	}
	if inside && particle(dst[at:]) {
		return dst
	}
	return capital(dst, at)
}

func allOf(b []byte, letter byte) bool {
	for _, c := range b {
		if c|0x20 != letter {
			return false
		}
	}
	return true
}

func particle(word []byte) bool {
	switch string(word) {
	case "da", "de", "do", "das", "dos", "e":
		return true
	}
	return false
}

// capital turns the first letter of the word at the end of dst into its capital.
func capital(dst []byte, at int) []byte {
	if c := dst[at]; c < utf8.RuneSelf {
		dst[at] = c &^ 0x20
		return dst
	}
	r, size := utf8.DecodeRune(dst[at:])
	if u := unicode.ToUpper(r); utf8.RuneLen(u) == size {
		utf8.EncodeRune(dst[at:], u)
	}
	return dst
}

func lower(r rune) rune {
	if r >= 0xC0 && r <= 0xDE { // À to Þ; × is no letter
		return r + 0x20
	}
	return unicode.ToLower(r)
}
