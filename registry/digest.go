package registry

import (
	"context"
	"crypto/rand"
	"encoding/binary"

	"github.com/dchest/siphash"

	"github.com/loginunico/loginunico/internal/pg"
)

// Digester makes keyed digests of 64 bits (SipHash-2-4): equal for equal values, telling nothing
// to whoever has the database alone, and a tenth of the cost of an HMAC, since every record of a
// load has two.
type Digester struct{ k0, k1 uint64 }

// Key is the digest a record is found by: of its source and the source's own key.
func (d Digester) Key(source string, key []byte) int64 {
	return d.of('k', append(append(make([]byte, 0, 96), source...), 0), key)
}

// Content is the digest equal records are known by.
func (d Digester) Content(content []byte) int64 {
	return int64(siphash.Hash(d.k0, d.k1, content))
}

// Block is the digest of a blocking key of registry/match.
func (d Digester) Block(key string) int64 { return d.of('b', nil, []byte(key)) }

func (d Digester) of(domain byte, prefix, value []byte) int64 {
	b := append(append(append(make([]byte, 0, 160), domain), prefix...), value...)
	return int64(siphash.Hash(d.k0, ^d.k1, b))
}

// Digester returns the city's digest key, made at first use. It is one for good: records are
// immutable, and so are their digests.
func (s *Store) Digester(ctx context.Context, db pg.DB) (Digester, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.digester != (Digester{}) {
		return s.digester, nil
	}
	fresh := make([]byte, 16)
	_, _ = rand.Read(fresh) // never fails: crypto/rand ends the process instead
	sealed, err := digestKey(ctx, db, s.box.Class(recordPurpose).Seal(fresh, []byte("registry_key")))
	if err != nil {
		return Digester{}, err
	}
	key, err := s.box.Class(recordPurpose).Open(sealed, []byte("registry_key"))
	if err != nil {
		return Digester{}, err
	}
	s.digester = Digester{binary.LittleEndian.Uint64(key), binary.LittleEndian.Uint64(key[8:])}
	return s.digester, nil
}
