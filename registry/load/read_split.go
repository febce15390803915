package load

import (
	"bytes"
	"errors"
	"io"
)

// MaxRecord is how long a record may be, in bytes; it may span several lines inside quotes.
const MaxRecord = 1 << 20

// blockSize is what a block holds, about.
const blockSize = 1 << 20

// grammar says where a record ends. The rule depends on the bytes from the record's beginning on and
// on nothing else, so that reader and parsers agree wherever a block was cut:
//
//   - it ends with its line, unless the line leaves a quoted column open (RFC 4180 §2.6);
//   - then with the line that closes it, if what lies between is well formed, has the right number of
//     columns and at most limit bytes; otherwise the quote is a mistake, and the record that one line.
type grammar struct {
	separator, quote byte
	columns          int // 0: any number
	limit            int
}

// recordEnd finds the end of the record that data begins with: end without and next with its line
// end. ok is false when the end lies behind data and eof says that more may come; then, a line of
// more than limit bytes is there when len(data) > limit.
func (g grammar) recordEnd(data []byte, eof bool) (end, next int, ok bool) {
	end = bytes.IndexByte(data, '\n')
	if end < 0 {
		return len(data), len(data), eof
	}
	if g.quote == 0 || end > g.limit || bytes.Count(data[:end], []byte{g.quote})%2 == 0 {
		return end, end + 1, true
	}
	window := data[:min(len(data), g.limit)]
	long, more := g.quotedEnd(window)
	switch {
	case !more && long >= 0:
		return long, long + 1, true
	case more && len(window) < g.limit && !eof:
		return 0, 0, false
	case more && len(window) == len(data) && long >= 0:
		return long, long, true // the file's last line
	}
	return end, end + 1, true
}

// quotedEnd walks through the columns of a record that may span lines and returns where its last
// line ends; -1 where it is not well formed. more says that data ended before the record did: if
// nothing follows, the answer holds.
func (g grammar) quotedEnd(data []byte) (end int, more bool) {
	for i, columns := 0, 1; ; columns++ {
		if i < len(data) && data[i] == g.quote {
			if i = g.closing(data, i+1); i < 0 {
				return -1, true
			}
			if i < len(data) && data[i] != g.separator && data[i] != '\n' && data[i] != '\r' {
				return -1, false
			}
		}
		for i < len(data) && data[i] != g.separator && data[i] != '\n' {
			i++
		}
		if i < len(data) && data[i] == g.separator {
			i++
			continue
		}
		if g.columns > 0 && columns != g.columns && columns != g.columns+1 {
			return -1, i == len(data)
		}
		return i, i == len(data)
	}
}

// closing is the place behind the quote that closes the column whose text begins at i; -1: none.
func (g grammar) closing(data []byte, i int) int {
	for {
		j := bytes.IndexByte(data[i:], g.quote)
		if j < 0 {
			return -1
		}
		i += j + 1
		if i == len(data) || data[i] != g.quote {
			return i
		}
		i++
	}
}

// splitter cuts a stream into blocks at record ends.
type splitter struct {
	in      io.Reader
	grammar grammar
	size    int    // of a block
	rest    []byte // read, behind the last block
	line    int64  // physical line that rest begins on
	eof     bool
	skip    bool // rest lies inside a line that is too long
}

// next fills b, reusing its memory. At the end it returns io.EOF.
func (s *splitter) next(b *Block) error {
	if s.skip {
		if err := s.skipLine(b); err != nil {
			return err
		}
	}
	b.Fault, b.First = "", s.line
	b.Data = append(b.Data[:0], s.rest...)
	s.rest = s.rest[:0]
	for want := s.size; ; want += s.size {
		if err := s.fill(b, want); err != nil {
			return err
		}
		if len(b.Data) == 0 {
			return io.EOF
		}
		cut := s.cut(b.Data)
		if cut == 0 && len(b.Data) <= s.grammar.limit {
			continue // not one whole record yet
		}
		if cut == 0 {
			s.skip = true
			b.Fault = LineLong
			return nil
		}
		s.rest = append(s.rest, b.Data[cut:]...)
		b.Data = b.Data[:cut]
		s.line += int64(bytes.Count(b.Data, newline))
		return nil
	}
}

var newline = []byte{'\n'}

// fill reads until b holds want bytes or the stream ends.
func (s *splitter) fill(b *Block, want int) error {
	for len(b.Data) < want && !s.eof {
		if cap(b.Data) < want {
			b.Data = append(make([]byte, 0, want+want/8), b.Data...)
		}
		n, err := s.in.Read(b.Data[len(b.Data):want]) // no further: a block ends at the same place in every run
		b.Data = b.Data[:len(b.Data)+n]
		if s.eof = errors.Is(err, io.EOF); err != nil && !s.eof {
			return err
		}
	}
	return nil
}

// cut is the end of the last whole record in data; 0 when there is none.
func (s *splitter) cut(data []byte) int {
	if s.eof {
		return len(data)
	}
	if s.grammar.quote == 0 || bytes.IndexByte(data, s.grammar.quote) < 0 {
		return bytes.LastIndexByte(data, '\n') + 1
	}
	at := 0
	for at < len(data) {
		_, next, ok := s.grammar.recordEnd(data[at:], false)
		if !ok {
			break
		}
		at += next
	}
	return at
}

// skipLine passes over the rest of a line that is too long, in the memory of b.
func (s *splitter) skipLine(b *Block) error {
	s.skip = false
	for {
		b.Data = b.Data[:0]
		if err := s.fill(b, s.size); err != nil {
			return err
		}
		if at := bytes.IndexByte(b.Data, '\n'); at >= 0 {
			s.rest = append(s.rest[:0], b.Data[at+1:]...)
			s.line++
			return nil
		}
		if s.eof {
			return nil
		}
	}
}
