package record

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"

	"github.com/google/uuid"
)

// IDs makes the ids of records and decisions: UUIDv7 whose time is the given one, each larger than
// the one before. Their time is when the registry learnt something, which is what a look at the
// past goes by. The zero value is ready; it is safe for concurrent use.
type IDs struct {
	mu   sync.Mutex
	last uint64 // milliseconds << 12 | fraction
}

// At is the next id of an instant. RFC 9562 §5.7 and §6.2, method 3: 12 bits of sub-millisecond
// time follow the milliseconds.
func (ids *IDs) At(at time.Time) uuid.UUID {
	ids.mu.Lock()
	ids.last = max(ids.last+1, clock(at))
	now := ids.last
	ids.mu.Unlock()
	var id uuid.UUID
	_, _ = rand.Read(id[8:]) // never fails: crypto/rand ends the process instead
	return stamp(id, now)
}

// Series is a row of ids that follow one another, none of anybody else between: what is filed
// together stands side by side in an index, and two who file at once stay out of each other's way.
// It serves one goroutine.
type Series struct {
	ids       *IDs
	at        time.Time
	size      int
	next, end uint64
	random    [1024]byte
	left      int // of random
}

// Begin sets aside n ids of an instant, and as many again whenever those are used.
func (s *Series) Begin(ids *IDs, at time.Time, n int) {
	s.ids, s.at, s.size = ids, at, max(n, 1)
	s.more()
}

func (s *Series) more() {
	s.ids.mu.Lock()
	defer s.ids.mu.Unlock()
	s.ids.last = max(s.ids.last, clock(s.at))
	s.next = s.ids.last + 1
	s.ids.last += uint64(s.size)
	s.end = s.ids.last
}

// Next is the next id.
func (s *Series) Next() uuid.UUID {
	if s.next > s.end {
		s.more()
	}
	if s.left == 0 {
		_, _ = rand.Read(s.random[:]) // never fails: crypto/rand ends the process instead
		s.left = len(s.random)
	}
	var id uuid.UUID
	s.left -= copy(id[8:], s.random[len(s.random)-s.left:])
	id = stamp(id, s.next)
	s.next++
	return id
}

// Floor is the smallest id of an instant, for comparisons: everything before at is smaller.
func Floor(at time.Time) uuid.UUID { return stamp(uuid.UUID{}, clock(at)) }

// TimeOf is the instant of an id, to a quarter of a microsecond.
func TimeOf(id uuid.UUID) time.Time {
	ms := int64(binary.BigEndian.Uint64(id[:8]) >> 16)
	fraction := int64(binary.BigEndian.Uint16(id[6:]) & 0x0fff)
	return time.UnixMilli(ms).Add(time.Duration(fraction * int64(time.Millisecond) >> 12)).UTC()
}

func clock(at time.Time) uint64 {
	ms := at.UnixMilli()
	fraction := at.Sub(time.UnixMilli(ms)) << 12 / time.Millisecond
	return uint64(ms)<<12 | uint64(fraction)
}

func stamp(id uuid.UUID, now uint64) uuid.UUID {
	binary.BigEndian.PutUint64(id[:], now>>12<<16|0x7000|now&0x0fff)
	id[8] = id[8]&0x3f | 0x80
	return id
}
