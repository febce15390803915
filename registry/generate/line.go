package generate

import (
	"bytes"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// A line is one record being written in its source's layout, at the end of a chunk's bytes.
type line struct {
	*city
	b      []byte
	base   *source
	quoted bool // every value stands in quotes
}

// dateLayout is one of the ways sources write a day.
type dateLayout uint8

const (
	isoDate      dateLayout = iota // 2006-01-02
	slashedDate                    // 02/01/2006
	compactDate                    // 20060102
	dayFirstDate                   // 02012006
)

// write appends the record v and breaks the line where it is to be broken.
func (l *line) write(v *view) {
	start := len(l.b)
	for i := range l.base.columns {
		if i > 0 {
			l.b = append(l.b, l.base.separator)
		}
		if l.quoted {
			l.b = append(l.b, '"')
		}
		l.base.columns[i].put(l, v)
		if l.quoted {
			l.b = append(l.b, '"')
		}
	}
	if v.line == lineColumns || v.line == lineEncoding {
		l.damage(start, v)
	}
	l.b = append(l.b, l.base.newline...)
}

// damage spoils a line behind its third value: all before it is plain, so that no quote stays open.
func (l *line) damage(start int, v *view) {
	third := l.behind(start, 3)
	switch {
	case v.line == lineEncoding: // 'ã' of ISO 8859-1, behind the name's first letter
		l.b = slices.Insert(l.b, l.behind(start, l.base.nameColumn)+1+at(l.quoted), 0xe3)
	case v.brokenAt%2 == 0:
		l.b = l.b[:third-1]
	default:
		l.b = slices.Insert(l.b, third, l.base.separator)
	}
}

// behind is where the value after n separators begins.
func (l *line) behind(start, n int) int {
	for range n {
		start += 1 + bytes.IndexByte(l.b[start:], l.base.separator)
	}
	return start
}

func (l *line) str(s string) { l.b = append(l.b, s...) }

// text writes words of the lists as the source writes them.
func (l *line) text(f *[forms]string) { l.b = append(l.b, f[l.base.form]...) }

// free writes a text that may hold what the layout must quote.
func (l *line) free(f *[forms]string) {
	s := f[l.base.form]
	special := false
	for i := range len(s) {
		special = special || s[i] == l.base.separator || s[i] == '"' || s[i] == '\n'
	}
	if !special {
		l.b = append(l.b, s...)
		return
	}
	if !l.quoted {
		l.b = append(l.b, '"')
	}
	for i := range len(s) {
		if s[i] == '"' {
			l.b = append(l.b, '"')
		}
		l.b = append(l.b, s[i])
	}
	if !l.quoted {
		l.b = append(l.b, '"')
	}
}

func (l *line) name(f *fullName, typo uint64) {
	start := len(l.b)
	words := l.words[l.base.form]
	for i := range int(f.n) {
		if i > 0 {
			l.b = append(l.b, ' ')
		}
		l.b = append(l.b, words[f.words[i]]...)
	}
	if typo != 0 {
		l.b = mangled(l.b, start, typo)
	}
}

func (l *line) int(n uint64) {
	var t [20]byte // strconv's own buffer ends on the heap
	i := len(t) - 1
	for ; n > 9; n /= 10 {
		t[i] = byte('0' + n%10)
		i--
	}
	t[i] = byte('0' + n)
	l.b = append(l.b, t[i:]...)
}

// digits writes n with zeros before it; 0 is an empty value.
func (l *line) digits(n uint64, width int) {
	if n == 0 {
		return
	}
	l.b = append(l.b, "000000000000000"[:width]...)
	digitsInto(l.b[len(l.b)-width:], n)
}

func (l *line) date(d day) {
	if d == 0 {
		return
	}
	var t [8]byte
	digitsInto(t[:], uint64(d))
	switch l.base.dates {
	case isoDate:
		l.b = append(l.b, t[0], t[1], t[2], t[3], '-', t[4], t[5], '-', t[6], t[7])
	case slashedDate:
		l.b = append(l.b, t[6], t[7], '/', t[4], t[5], '/', t[0], t[1], t[2], t[3])
	case compactDate:
		l.b = append(l.b, t[:]...)
	case dayFirstDate:
		l.b = append(l.b, t[6], t[7], t[4], t[5], t[0], t[1], t[2], t[3])
	}
}

// utf16Of encodes UTF-8 bytes as UTF-16, little end first.
func utf16Of(dst, b []byte) []byte {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		b = b[n:]
		for _, u := range utf16.AppendRune(nil, r) {
			dst = append(dst, byte(u), byte(u>>8))
		}
	}
	return dst
}
