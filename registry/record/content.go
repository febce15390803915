package record

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// Content is one record of one source in its stored form:
//
//	1 byte    version, 1
//	1 byte    trust level of the citizen who wrote it; 0 when a source did; 9 when the source says
//	          that the versions before were about somebody else
//	varint    effective day: seconds since 1970 at which the source says this was so
//	values    in the order of field and key, each
//	  1 byte    field
//	  1 byte    flags: 1 confirmed, 2 excluded, 4 keyed
//	  [uvarint  length, key]           keyed only
//	  [varint   seconds since 1970]    confirmed only: when the channel answered
//	  uvarint   length of the text, text (UTF-8, normalised)
//
// Equal records have equal bytes, so that a record that comes again is known by its digest.
type Content []byte

const (
	contentV1 = 1
	levelVoid = 9

	flagConfirmed = 1
	flagExcluded  = 2
	flagKeyed     = 4
)

// Value is one value of a content. Key and Text lie in the content's own bytes.
type Value struct {
	Field     Field
	Key, Text []byte
	Confirmed int64 // seconds since 1970; 0: not confirmed
	Excluded  bool  // the source says that it has no value any more
}

// ErrContent: the bytes are no content.
var ErrContent = errors.New("record: malformed content")

// Begin starts a content in dst. level is 1 to 5 for a citizen's own words and 0 for a source.
func Begin(dst []byte, level int, effective time.Time) Content {
	return binary.AppendVarint(append(dst, contentV1, byte(level)), effective.Unix())
}

// Undated is what a content says without the day it is of: a record whose source knows no days is
// the same one whenever it is delivered.
func (c Content) Undated() []byte {
	_, values, _ := c.Open()
	return values.rest
}

// Void is the version that ends a record: what its source said before was about somebody else, and
// counts for nothing from now on. It has no values.
func Void(at time.Time) Content { return Begin(nil, levelVoid, at) }

// IsVoid recognises what [Void] made.
func (c Content) IsVoid() bool { return len(c) > 1 && c[1] == levelVoid }

// Append adds a value, which the caller has normalised. Values must come in the order of field and
// key; see [Sort].
func (c Content) Append(v Value) Content {
	var flags byte
	if v.Confirmed != 0 {
		flags |= flagConfirmed
	}
	if v.Excluded {
		flags |= flagExcluded
	}
	if len(v.Key) > 0 {
		flags |= flagKeyed
	}
	c = append(c, byte(v.Field), flags)
	if flags&flagKeyed != 0 {
		c = append(binary.AppendUvarint(c, uint64(len(v.Key))), v.Key...)
	}
	if flags&flagConfirmed != 0 {
		c = binary.AppendVarint(c, v.Confirmed)
	}
	return append(binary.AppendUvarint(c, uint64(len(v.Text))), v.Text...)
}

// Sort brings values into the order a content keeps them in.
func Sort(values []Value) {
	slices.SortStableFunc(values, func(a, b Value) int {
		if a.Field != b.Field {
			return int(a.Field) - int(b.Field)
		}
		return slices.Compare(a.Key, b.Key)
	})
}

// Header is what a content says of itself.
type Header struct {
	Level     int
	Effective int64 // seconds since 1970
}

// Open reads the header and returns the values behind it. Error: ErrContent.
func (c Content) Open() (h Header, values Values, err error) {
	if len(c) < 3 || c[0] != contentV1 || c[1] > 5 && c[1] != levelVoid {
		return h, values, ErrContent
	}
	effective, n := binary.Varint(c[2:])
	if n <= 0 {
		return h, values, ErrContent
	}
	return Header{Level: int(c[1]), Effective: effective}, Values{rest: c[2+n:]}, nil
}

// Values walks through a content without copying it:
//
//	for v, ok := values.Next(); ok; v, ok = values.Next() { … }
//	if values.Err() != nil { … }
type Values struct {
	rest []byte
	err  error
}

// Next is the next value; ok is false at the end and where the bytes are malformed.
func (w *Values) Next() (v Value, ok bool) {
	ok = w.Into(&v)
	return v, ok
}

// Into is Next for a zero value that lies somewhere already; at the end it may be left half read.
func (w *Values) Into(v *Value) bool {
	if len(w.rest) == 0 || w.err != nil {
		return false
	}
	if len(w.rest) < 3 || !Field(w.rest[0]).Valid() {
		return w.fail()
	}
	v.Field = Field(w.rest[0])
	flags, at, ok := w.rest[1], w.rest[2:], true
	if flags&flagKeyed != 0 {
		if v.Key, at, ok = cut(at); !ok {
			return w.fail()
		}
	}
	if flags&flagConfirmed != 0 {
		seconds, n := binary.Varint(at)
		if n <= 0 {
			return w.fail()
		}
		v.Confirmed, at = seconds, at[n:]
	}
	v.Excluded = flags&flagExcluded != 0
	if v.Text, w.rest, ok = cut(at); !ok {
		return w.fail()
	}
	return true
}

// Err is ErrContent when the walk ended at malformed bytes.
func (w *Values) Err() error { return w.err }

func (w *Values) fail() bool {
	w.err = ErrContent
	return false
}

// cut takes a length-prefixed piece off the front.
func cut(b []byte) (piece, rest []byte, ok bool) {
	if len(b) > 0 && b[0] < 0x80 && int(b[0]) < len(b) { // nearly all are shorter than 128 bytes
		end := 1 + int(b[0])
		return b[1:end:end], b[end:], true
	}
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	end := size + int(n)
	return b[size:end:end], b[end:], true
}
