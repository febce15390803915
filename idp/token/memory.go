package token

import (
	"sync"
	"time"

	"github.com/loginunico/loginunico/registry"
)

// memory keeps what the codes and refresh tokens given out last by this process stand for, so that
// whoever redeems one here spares a reading. Nothing is decided by it: what writes the tokens asks
// the database whether all of it still holds, and where it does not, or the code came from another
// process, the holder is read. So it may be lost at any time.
//
// A person lies in it as sealed as in the database.
type memory struct {
	mu      sync.Mutex
	holders map[[32]byte]remembered // by the hash of the code or refresh token
	ring    [remembers][32]byte     // the order they came in
	next    int
}

type remembered struct {
	holder
	place int // in the ring
	at    time.Time
}

const (
	remembers   = 4096                         // about 3 KiB each
	rememberFor = AccessLifetime + time.Minute // a service refreshes when its access token ends
)

func newMemory() *memory { return &memory{holders: map[[32]byte]remembered{}} }

// keep remembers a holder, and forgets the one that came first where there are many.
func (m *memory) keep(hash []byte, h holder, now time.Time) {
	key := [32]byte(hash)
	m.mu.Lock()
	defer m.mu.Unlock()
	if oldest := m.ring[m.next]; m.holders[oldest].place == m.next {
		delete(m.holders, oldest)
	}
	m.ring[m.next] = key
	m.holders[key] = remembered{h, m.next, now}
	m.next = (m.next + 1) % remembers
}

// take returns what a hash stands for, once; nil where it has to be read.
func (m *memory) take(hash []byte, s registry.Sealer, now time.Time) *holder {
	m.mu.Lock()
	r, ok := m.holders[[32]byte(hash)]
	delete(m.holders, [32]byte(hash))
	m.mu.Unlock()
	if !ok || now.Sub(r.at) > rememberFor || r.open(s) != nil {
		return nil
	}
	return &r.holder
}
