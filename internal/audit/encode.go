package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"
	"time"
)

// What is hashed, and so can never change: docs/audit.md gives it in words. Numbers are 8 bytes,
// big-endian; a text is its length and its bytes; times are microseconds since 1970. The first byte
// keeps the three kinds of hashes apart.
const (
	hashesEvent = 1
	hashesRoot  = 2
	hashesBatch = 3
)

const markSize = 8 // bytes of an event's hash that its batch keeps, to tell which event differs

// sum is a SHA-256.
type sum [sha256.Size]byte

// encoding is the canonical form of an event, reused from one to the next.
type encoding struct{ buf []byte }

func (w *encoding) number(n uint64) { w.buf = binary.BigEndian.AppendUint64(w.buf, n) }

func (w *encoding) text(s string) {
	w.number(uint64(len(s)))
	w.buf = append(w.buf, s...)
}

// sumOf hashes one event.
func (w *encoding) sumOf(e *Event) sum {
	w.buf = append(w.buf[:0], hashesEvent)
	w.buf = append(append(w.buf, e.ID[:]...), e.Person[:]...)
	w.number(uint64(e.At.UnixMicro()))
	for _, s := range []string{string(e.Actor.Kind), e.Actor.ID, e.Action, e.Purpose, e.LegalBasis, e.RequestID} {
		w.text(s)
	}
	w.number(uint64(len(e.Fields)))
	for _, f := range e.Fields {
		w.text(f)
	}
	w.number(uint64(len(e.Detail)))
	if len(e.Detail) > 0 {
		for _, k := range slices.Sorted(maps.Keys(e.Detail)) {
			w.text(k)
			w.text(e.Detail[k])
		}
	}
	return sha256.Sum256(w.buf)
}

// roots hashes a batch's events one after the other, whatever their number.
type roots struct {
	encoding
	over hash.Hash
}

func newRoots() *roots {
	r := &roots{over: sha256.New()}
	r.reset()
	return r
}

func (r *roots) reset() {
	r.over.Reset()
	r.over.Write([]byte{hashesRoot})
}

// add hashes the next event and returns its mark.
func (r *roots) add(e *Event) []byte {
	s := r.sumOf(e)
	r.over.Write(s[:])
	return s[:markSize]
}

func (r *roots) root() []byte { return r.over.Sum(nil) }

// batch is one row of audit_batch.
type batch struct {
	Seq    int64
	At     time.Time
	Events int
	Marks  []byte // markSize bytes per event
	Root   []byte
	Prev   []byte
	Hash   []byte
}

// head is the last batch, of which the next must know.
type head struct {
	Seq  int64 // 0: there is none yet
	At   time.Time
	Hash []byte
}

var noBatch = make([]byte, sha256.Size) // before the first

// next is the batch that follows h with these events.
func (h head) next(events []Event, now time.Time) batch {
	b := batch{Seq: h.Seq + 1, At: now.UTC().Truncate(time.Microsecond), Events: len(events), Prev: h.Hash}
	if b.At.Before(h.At) { // the clocks of two processes; the chain's never goes back
		b.At = h.At
	}
	r := newRoots()
	for i := range events {
		b.Marks = append(b.Marks, r.add(&events[i])...)
	}
	b.Root = r.root()
	b.Hash = b.sum()
	return b
}

// sum is the hash that the batch must have.
func (b *batch) sum() []byte {
	w := encoding{buf: []byte{hashesBatch}}
	w.number(uint64(b.Seq))
	w.number(uint64(b.At.UnixMicro()))
	w.number(uint64(b.Events))
	s := sha256.Sum256(append(append(w.buf, b.Prev...), b.Root...))
	return s[:]
}

func (b *batch) mark(i int) []byte { return b.Marks[i*markSize:][:markSize] }

func (b *batch) head() head { return head{b.Seq, b.At, b.Hash} }

// follows says whether b stands right behind h.
func (b *batch) follows(h head) bool { return bytes.Equal(b.Prev, h.Hash) }
