package revocation

import (
	"bufio"
	"errors"
	"fmt"
	"hash"
	"io"
)

// ErrFormat: the bytes are no certificate revocation list that we read.
var ErrFormat = errors.New("not a CRL of RFC 5280")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}

// stream reads DER from a reader, one element at a time, and never ahead of what it was asked for:
// a list of any length costs the memory of its longest element.
type stream struct {
	r   *bufio.Reader
	at  int64     // bytes read
	sum hash.Hash // of what is read; nil: not summed

	head [10]byte // the header read last
}

// element is an identifier and a length. X.690 §8.1, §10.1: definite, in the fewest octets.
type element struct {
	tag    byte
	length int64
	header []byte // as it stood; the next open overwrites it
	end    int64  // where the content ends
}

func (s *stream) read(b []byte) error {
	if _, err := io.ReadFull(s.r, b); err != nil {
		return malformed("it ends early")
	}
	s.at += int64(len(b))
	if s.sum != nil {
		s.sum.Write(b) // a hash never fails
	}
	return nil
}

// open reads the beginning of an element that ends within its parent.
func (s *stream) open(within int64) (e element, err error) {
	head := s.head[:2]
	if err := s.read(head); err != nil {
		return e, err
	}
	e.tag, e.length = head[0], int64(head[1])
	if e.tag&0x1f == 0x1f {
		return e, malformed("a tag of several octets")
	}
	if n := int(head[1]) - 0x80; n >= 0 {
		if n == 0 || n > 4 {
			return e, malformed("a length of no kind that DER has")
		}
		head = head[:2+n]
		if err := s.read(head[2:]); err != nil {
			return e, err
		}
		e.length = 0
		for _, b := range head[2:] {
			e.length = e.length<<8 | int64(b)
		}
		if e.length < 0x80 || e.length>>(8*(n-1)) == 0 {
			return e, malformed("a length in more octets than it needs")
		}
	}
	e.header, e.end = head, s.at+e.length
	if e.end > within {
		return e, malformed("an element that leaves its parent")
	}
	return e, nil
}

// peek is the tag that comes next within a parent; 0 at its end.
func (s *stream) peek(within int64) byte {
	if s.at >= within {
		return 0
	}
	b, err := s.r.Peek(1)
	if err != nil {
		return 0
	}
	return b[0]
}

// whole reads one element with its header, of a tag and at most so many bytes, into buf.
func (s *stream) whole(tag byte, within int64, most int, buf []byte) ([]byte, error) {
	e, err := s.open(within)
	if err != nil {
		return nil, err
	}
	if tag != 0 && e.tag != tag {
		return nil, malformed("tag %#x where %#x belongs", e.tag, tag)
	}
	if e.length > int64(most) {
		return nil, malformed("an element of %d bytes", e.length)
	}
	n := len(e.header)
	if need := n + int(e.length); cap(buf) < need {
		buf = make([]byte, need, need+64)
	}
	buf = buf[:n+int(e.length)]
	copy(buf, e.header)
	return buf, s.read(buf[n:])
}
