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
