package load

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// decoding turns a record into UTF-8 in memory it reuses.
type decoding struct{ buffer []byte }

// utf8 returns raw itself where it is UTF-8 already; ok is false for bytes that are nothing in e.
func (d *decoding) utf8(raw []byte, e Encoding) (text []byte, ok bool) {
	if e != Latin1 && e != Windows1252 {
		return raw, utf8.Valid(raw)
	}
	at := firstHigh(raw)
	if at == len(raw) {
		return raw, true
	}
	ok = true
	out := slices.Grow(d.buffer[:0], at+3*(len(raw)-at))
	out = append(out, raw[:at]...)
	for raw = raw[at:]; len(raw) > 0; raw = raw[at:] {
		switch c := raw[0]; {
		case c >= 0xA0 || e == Latin1:
			out = append(out, 0xC0|c>>6, 0x80|c&0x3F)
		default:
			r := windows[c-0x80]
			ok = ok && r != utf8.RuneError
			out = utf8.AppendRune(out, r)
		}
		at = 1 + firstHigh(raw[1:])
		out = append(out, raw[1:at]...)
	}
	d.buffer = out
	return out, ok
}

// firstHigh is the place of the first byte beyond ASCII; len(b) when there is none.
func firstHigh(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for i < len(b) && b[i] < 0x80 {
		i++
	}
	return i
}

// windows are 0x80 to 0x9F of windows-1252, U+FFFD where it has nothing.
var windows = [32]rune{
	'€', utf8.RuneError, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', utf8.RuneError, 'Ž', utf8.RuneError,
	utf8.RuneError, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', utf8.RuneError, 'ž', 'Ÿ',
}

// columns are the columns of one record, in memory that is reused.
type columns struct {
	list     [][]byte
	unquoted []byte // texts that had doubled quotes in them
}

// split takes a record apart; false for a quote that is not closed or followed by anything but a
// separator. A quote inside a column that does not begin with one is a character like any other.
func (c *columns) split(text []byte, g grammar) bool {
	c.list, c.unquoted = c.list[:0], c.unquoted[:0]
	if g.quote == 0 || bytes.IndexByte(text, g.quote) < 0 {
		c.splitPlain(text, g.separator)
		return true
	}
	for {
		var column []byte
		if len(text) > 0 && text[0] == g.quote {
			end := g.closing(text, 1)
			if end < 0 || end < len(text) && text[end] != g.separator {
				return false
			}
			column, text = c.unquote(text[1:end-1], g.quote), text[end:]
		} else {
			end := bytes.IndexByte(text, g.separator)
			if end < 0 {
				end = len(text)
			}
			column, text = text[:end], text[end:]
		}
		c.list = append(c.list, column)
		if len(text) == 0 {
			return true
		}
		text = text[1:]
	}
}

// splitPlain looks at eight bytes at a time: a byte of x is 0 where text has a separator, and there
// alone a byte of found has its highest bit set.
func (c *columns) splitPlain(text []byte, separator byte) {
	const low, ones = 0x7F7F7F7F7F7F7F7F, 0x0101010101010101
	list, start, i := c.list, 0, 0
	for ; i+8 <= len(text); i += 8 {
		x := binary.LittleEndian.Uint64(text[i:]) ^ ones*uint64(separator)
		for found := ^(x&low + low | x | low); found != 0; found &= found - 1 {
			at := i + bits.TrailingZeros64(found)/8
			list = append(list, text[start:at])
			start = at + 1
		}
	}
	for ; i < len(text); i++ {
		if text[i] == separator {
			list = append(list, text[start:i])
			start = i + 1
		}
	}
	c.list = append(list, text[start:])
}

// unquote halves doubled quotes.
func (c *columns) unquote(text []byte, quote byte) []byte {
	at := bytes.IndexByte(text, quote)
	if at < 0 {
		return text
	}
	start := len(c.unquoted)
	for at >= 0 {
		c.unquoted = append(c.unquoted, text[:at+1]...)
		text = text[at+2:]
		at = bytes.IndexByte(text, quote)
	}
	c.unquoted = append(c.unquoted, text...)
	return c.unquoted[start:len(c.unquoted):len(c.unquoted)]
}

// trimLine drops the carriage return of a line and lines of nothing but white space.
func trimLine(raw []byte) []byte {
	if n := len(raw); n > 0 && raw[n-1] == '\r' {
		raw = raw[:n-1]
	}
	if len(raw) > 0 && raw[0] <= ' ' && len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	return raw
}
