package load

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"unicode/utf16"
	"unicode/utf8"
)

// sniffed is how much of a file is looked at to learn how its lines end.
const sniffed = 64 << 10

// stream is a file's text: unpacked, without byte order mark, UTF-16 turned into UTF-8, lines ending
// with LF or CR LF.
type stream struct {
	io.Reader
	file io.Closer // nil for standard input
}

func openStream(path string, in *Input, e Encoding) (*stream, error) {
	s := &stream{Reader: in.stdin}
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		s.Reader, s.file = file, file
	}
	if err := s.prepare(&in.read, e); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stream) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

func (s *stream) prepare(read *atomic.Int64, e Encoding) error {
	b := bufio.NewReaderSize(&counter{s.Reader, read}, sniffed)
	if magic, _ := b.Peek(2); bytes.Equal(magic, []byte{0x1F, 0x8B}) {
		unpacked, err := gzip.NewReader(b)
		if err != nil {
			return err
		}
		b = bufio.NewReaderSize(unpacked, sniffed)
	}
	if err := skipMark(b, e); err != nil {
		return err
	}
	if e == UTF16LE || e == UTF16BE {
		b = bufio.NewReaderSize(&utf16Reader{in: b, order: order(e)}, sniffed)
	}
	s.Reader = b
	start, err := b.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if bytes.IndexByte(start, '\n') < 0 && bytes.IndexByte(start, '\r') >= 0 {
		s.Reader = &carriageReturns{b}
	}
	return nil
}

func order(e Encoding) binary.ByteOrder {
	if e == UTF16BE {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// skipMark takes a byte order mark away. One of another encoding is an error: whoever delivered the
// file meant another mapping.
func skipMark(b *bufio.Reader, e Encoding) error {
	marks := map[Encoding]string{UTF8: "\xEF\xBB\xBF", UTF16LE: "\xFF\xFE", UTF16BE: "\xFE\xFF"}
	for encoding, mark := range marks {
		start, _ := b.Peek(len(mark)) // an error comes again with the first read
		if string(start) != mark {
			continue
		}
		if encoding != e {
			return errors.New("is " + encoding.String() + " by its byte order mark; the mapping says " + e.String())
		}
		_, err := b.Discard(len(mark))
		return err
	}
	return nil
}

// counter counts what is read.
type counter struct {
	in   io.Reader
	read *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// carriageReturns turns the line ends of old Macs into LF.
type carriageReturns struct{ in io.Reader }

func (c *carriageReturns) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// utf16Reader turns UTF-16 into UTF-8. What is no character becomes the byte 0xFF, which is none in
// UTF-8 either, so that the record it stands in is found undecodable.
type utf16Reader struct {
	in    *bufio.Reader
	order binary.ByteOrder
	ready []byte // decoded, not yet delivered
	store [8 << 10]byte
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.ready) == 0 {
		if err := u.decode(); err != nil {
			return 0, err
		}
	}
	n := copy(p, u.ready)
	u.ready = u.ready[n:]
	return n, nil
}

// decode fills ready; an error only when nothing came.
func (u *utf16Reader) decode() error {
	out := u.store[:0]
	for len(out)+utf8.UTFMax < len(u.store) {
		unit, err := u.unit()
		if err != nil {
			if len(out) == 0 {
				return err
			}
			break // the error comes again
		}
		out = u.appendRune(out, unit)
	}
	u.ready = out
	return nil
}

// noUnit stands for a last byte that has no second.
const noUnit = -1

func (u *utf16Reader) unit() (rune, error) {
	pair, err := u.in.Peek(2)
	if len(pair) == 2 {
		_, err = u.in.Discard(2)
		return rune(u.order.Uint16(pair)), err
	}
	if len(pair) == 1 && errors.Is(err, io.EOF) {
		_, err = u.in.Discard(1)
		return noUnit, err
	}
	return 0, err
}

func (u *utf16Reader) appendRune(out []byte, unit rune) []byte {
	if unit == noUnit {
		return append(out, 0xFF)
	}
	if !utf16.IsSurrogate(unit) {
		return utf8.AppendRune(out, unit)
	}
	if pair, _ := u.in.Peek(2); len(pair) == 2 {
		if r := utf16.DecodeRune(unit, rune(u.order.Uint16(pair))); r != utf8.RuneError {
			_, _ = u.in.Discard(2) // they were peeked
			return utf8.AppendRune(out, r)
		}
	}
	return append(out, 0xFF)
}
