package pg

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Copy gathers rows for COPY … FROM STDIN (FORMAT binary) and sends them at once. pgx's CopyFrom
// goes through reflection for every value; a bulk load has a hundred million of them.
//
// PostgreSQL 15, COPY, "Binary Format".
type Copy struct{ b []byte }

var copyHeader = append([]byte("PGCOPY\n\xff\r\n\x00"), 0, 0, 0, 0, 0, 0, 0, 0)

// Reset empties it and keeps its memory.
func (c *Copy) Reset() { c.b = append(c.b[:0], copyHeader...) }

// Grow makes room for so many bytes more.
func (c *Copy) Grow(bytes int) { c.b = slices.Grow(c.b, bytes) }

// Row begins a row of n values.
func (c *Copy) Row(n int16) {
	if len(c.b) == 0 {
		c.Reset()
	}
	c.b = binary.BigEndian.AppendUint16(c.b, uint16(n))
}

// Null, UUID, Int64, Int32, Int16, Bool, Bytes, Text and Time append one value; Bytes of nil is NULL.
func (c *Copy) Null() { c.b = append(c.b, 0xff, 0xff, 0xff, 0xff) }

// UUID appends a uuid.
func (c *Copy) UUID(id uuid.UUID) { c.b = append(append(c.b, 0, 0, 0, 16), id[:]...) }

// Int64 appends a bigint.
func (c *Copy) Int64(n int64) {
	c.b = binary.BigEndian.AppendUint64(append(c.b, 0, 0, 0, 8), uint64(n))
}

// Int32 appends an integer.
func (c *Copy) Int32(n int32) {
	c.b = binary.BigEndian.AppendUint32(append(c.b, 0, 0, 0, 4), uint32(n))
}

// Int16 appends a smallint.
func (c *Copy) Int16(n int16) {
	c.b = binary.BigEndian.AppendUint16(append(c.b, 0, 0, 0, 2), uint16(n))
}

// Bool appends a boolean.
func (c *Copy) Bool(v bool) {
	var b byte
	if v {
		b = 1
	}
	c.b = append(c.b, 0, 0, 0, 1, b)
}

// Bytes appends a bytea, or a text given as bytes.
func (c *Copy) Bytes(v []byte) {
	if v == nil {
		c.Null()
		return
	}
	c.b = append(binary.BigEndian.AppendUint32(c.b, uint32(len(v))), v...)
}

// Text appends a text.
func (c *Copy) Text(v string) {
	c.b = append(binary.BigEndian.AppendUint32(c.b, uint32(len(v))), v...)
}

// epoch is PostgreSQL's: 2000-01-01.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Time appends a timestamptz.
func (c *Copy) Time(t time.Time) { c.Int64(t.Sub(epoch).Microseconds()) }

// Append appends what fill writes as one bytea, without copying it.
func (c *Copy) Append(fill func(dst []byte) []byte) {
	at := len(c.b)
	c.b = fill(append(c.b, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(c.b[at:], uint32(len(c.b)-at-4))
}

// Empty says whether no row was begun.
func (c *Copy) Empty() bool { return len(c.b) <= len(copyHeader) }

// Send runs COPY with the rows in a transaction and empties the gathered ones. sql is the whole
// statement: COPY table (columns) FROM STDIN (FORMAT binary).
//
// After an error the memory is left alone too: where the connection broke, pgx returns while its other
// goroutine may still be reading.
func (c *Copy) Send(ctx context.Context, tx pgx.Tx, sql string) error {
	if c.Empty() {
		return nil
	}
	c.b = append(c.b, 0xff, 0xff) // the trailer
	_, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(c.b), sql)
	if err != nil {
		c.b = nil
		return err
	}
	c.Reset()
	return nil
}
