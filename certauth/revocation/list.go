package revocation

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sort"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Reason is why a certificate was revoked. RFC 5280 §5.3.1
type Reason byte

// The reasons that mean something to us; the others stand as they came.
const (
	Unspecified     Reason = 0
	CertificateHold Reason = 6
)

// A compact list is a header and records of one width, sorted: 8 bytes of mark and version, scope,
// count, the two times, the SHA-256 of its distribution point; then the records. Numbers are
// big-endian.
const (
	mark       = "LUCRL\x00\x00\x01"
	headerSize = 8 + 4 + 4 + 8 + 8 + 32
	recordSize = 24
	keySize    = 16
)

// record is one revoked certificate: the first 16 bytes of the SHA-256 of its serial number's
// octets, which makes all of one width whatever a CA writes; when, in seconds since 1970; why.
type record [recordSize]byte

func newRecord(serial []byte, at time.Time, reason Reason) (r record) {
	key := serialKey(serial)
	copy(r[:], key[:])
	binary.BigEndian.PutUint32(r[keySize:], uint32(max(0, min(at.Unix(), 1<<32-1))))
	r[keySize+4] = byte(reason)
	return r
}

func compareRecords(a, b record) int { return bytes.Compare(a[:], b[:]) }

// serialKey is made of the content octets of an INTEGER.
func serialKey(content []byte) (key [keySize]byte) {
	sum := sha256.Sum256(content)
	copy(key[:], sum[:])
	return key
}

// keyOf is the key of a certificate's serial number.
func keyOf(serial *big.Int) [keySize]byte {
	var b cryptobyte.Builder
	b.AddASN1BigInt(serial)
	der := cryptobyte.String(b.BytesOrPanic()) // an integer is never refused
	var content cryptobyte.String
	_ = der.ReadASN1(&content, cbasn1.INTEGER) // nor is it anything else
	return serialKey(content)
}

// writeTo writes the compact list.
func (c *CRL) writeTo(w io.Writer, point pointID) error {
	out := bufio.NewWriterSize(w, 64<<10)
	head := make([]byte, 0, headerSize)
	head = append(head, mark...)
	head = append(head, byte(c.Scope), 0, 0, 0)
	head = binary.BigEndian.AppendUint32(head, uint32(len(c.records)))
	head = binary.BigEndian.AppendUint64(head, uint64(c.ThisUpdate.Unix()))
	head = binary.BigEndian.AppendUint64(head, uint64(c.NextUpdate.Unix()))
	head = append(head, point[:]...)
	_, _ = out.Write(head) // Flush tells of it
	for i := range c.records {
		_, _ = out.Write(c.records[i][:])
	}
	return out.Flush()
}

// List is a compact list, asked where it lies.
type List struct {
	ThisUpdate, NextUpdate time.Time
	Scope                  Scope
	Count                  int
	at                     io.ReaderAt

	bits   int      // of a key that lead to its bucket
	starts []uint32 // index of the first record of each bucket, and Count
}

var errList = errors.New("not a compact list of this point")

// openList reads a list once and keeps where its buckets begin: keys are hashes, so that a bucket has
// about fullBucket records and one read finds a certificate. size must be what the header says.
func openList(at io.ReaderAt, size int64, point pointID) (*List, error) {
	head := make([]byte, headerSize)
	if _, err := at.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("%w: %w", errList, err)
	}
	l := &List{at: at, Scope: Scope(head[8]), Count: int(binary.BigEndian.Uint32(head[12:])),
		ThisUpdate: time.Unix(int64(binary.BigEndian.Uint64(head[16:])), 0).UTC(),
		NextUpdate: time.Unix(int64(binary.BigEndian.Uint64(head[24:])), 0).UTC()}
	if string(head[:8]) != mark || l.Scope > CACertificates || size != headerSize+int64(l.Count)*recordSize || !bytes.Equal(head[32:], point[:]) {
		return nil, errList
	}
	for l.bits < 20 && l.Count>>l.bits > fullBucket {
		l.bits++
	}
	return l, l.index(size)
}

const fullBucket = 32

// bucket is where a key belongs.
func (l *List) bucket(key []byte) int { return int(binary.BigEndian.Uint32(key) >> (32 - l.bits)) }

// index reads all records; they must be in order, or it would find none.
func (l *List) index(size int64) error {
	in := bufio.NewReaderSize(io.NewSectionReader(l.at, headerSize, size-headerSize), 64<<10)
	l.starts = make([]uint32, 1, 1<<l.bits+1)
	var r, before record
	for i := range l.Count {
		if _, err := io.ReadFull(in, r[:]); err != nil || compareRecords(before, r) > 0 {
			return errList
		}
		for b := l.bucket(r[:]); len(l.starts) <= b; {
			l.starts = append(l.starts, uint32(i))
		}
		before = r
	}
	for len(l.starts) <= 1<<l.bits {
		l.starts = append(l.starts, uint32(l.Count))
	}
	return nil
}

// Revocation is what a list says of a certificate.
type Revocation struct {
	At     time.Time
	Reason Reason
}

// Find looks a serial number up; nil when the list does not have it.
func (l *List) Find(serial *big.Int) (*Revocation, error) {
	key := keyOf(serial)
	b := l.bucket(key[:])
	first, end := int64(l.starts[b]), int64(l.starts[b+1])
	var few [4 * fullBucket * recordSize]byte
	all := few[:]
	if need := (end - first) * recordSize; need > int64(len(all)) {
		all = make([]byte, need)
	}
	all = all[:(end-first)*recordSize]
	if _, err := l.at.ReadAt(all, headerSize+first*recordSize); err != nil && len(all) > 0 {
		return nil, err
	}
	record := func(i int) []byte { return all[i*recordSize : (i+1)*recordSize] }
	i := sort.Search(int(end-first), func(i int) bool { return bytes.Compare(record(i)[:keySize], key[:]) >= 0 })
	if i == int(end-first) || !bytes.Equal(record(i)[:keySize], key[:]) {
		return nil, nil
	}
	r := record(i)
	return &Revocation{At: time.Unix(int64(binary.BigEndian.Uint32(r[keySize:])), 0).UTC(), Reason: Reason(r[keySize+4])}, nil
}
