package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"sync"
	"time"
)

// indexKey is one version of the key of the blind index.
type indexKey struct {
	version    int16
	activeFrom time.Time
	key        [keySize]byte
	macs       *sync.Pool // of hash.Hash, with the key in them: to put it there costs as much as a short value
}

func newIndexKey(version int16, activeFrom time.Time, key [keySize]byte) indexKey {
	return indexKey{version, activeFrom, key, &sync.Pool{New: func() any { return hmac.New(sha256.New, key[:]) }}}
}

// sum is the index of one value.
func (k *indexKey) sum(domain string, value []byte) []byte {
	mac := k.macs.Get().(hash.Hash)
	defer k.macs.Put(mac)
	x := Indexer{mac, lengthened(domain), k.version}
	return x.Sum(nil, value)
}

// Index is a keyed blind index: HMAC-SHA-256, 32 bytes, equal for equal value, domain and version.
// A domain names what is looked up ("person.cpf"), so that two columns cannot be compared with each
// other. It is of IndexVersion: for what lives hours or days. What is kept notes the version.
func (b *Box) Index(domain string, value []byte) []byte {
	return b.ring.Load().primaryIndex(time.Now()).sum(domain, value)
}

// IndexVersion is the version that Index and Indexer use now.
func (b *Box) IndexVersion() int16 { return b.ring.Load().primaryIndex(time.Now()).version }

// IndexVersions lists the versions there are, newest first. The first may be newer than
// IndexVersion: every process knows a version before one uses it.
func (b *Box) IndexVersions() []int16 {
	keys := b.ring.Load().index
	all := make([]int16, len(keys))
	for i, k := range keys {
		all[i] = k.version
	}
	return all
}

// IndexAt is Index of one of IndexVersions; nil, which equals nothing in SQL, of any other.
func (b *Box) IndexAt(version int16, domain string, value []byte) []byte {
	for _, k := range b.ring.Load().index {
		if k.version == version {
			return k.sum(domain, value)
		}
	}
	return nil
}

// Indexer computes many indexes of one domain and version. It is not safe for concurrent use. Make
// one per batch, so that a new version is taken up.
type Indexer struct {
	mac     hash.Hash
	domain  []byte // with its length
	version int16
}

// Indexer makes one of IndexVersion.
func (b *Box) Indexer(domain string) *Indexer {
	k := b.ring.Load().primaryIndex(time.Now())
	return &Indexer{hmac.New(sha256.New, k.key[:]), lengthened(domain), k.version}
}

// lengthened is a domain behind its length, which keeps ("ab", "c") apart from ("a", "bc").
func lengthened(domain string) []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(domain)), uint64(len(domain))), domain...)
}

// Sum appends the 32 bytes of value's index to dst, and allocates nothing where dst has room.
func (x *Indexer) Sum(dst, value []byte) []byte {
	x.mac.Reset()
	x.mac.Write(x.domain)
	x.mac.Write(value)
	return x.mac.Sum(dst)
}

// Version is the version of what Sum computes.
func (x *Indexer) Version() int16 { return x.version }

// Format writes a placeholder for every verb.
func (*Indexer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue is the placeholder.
func (*Indexer) LogValue() slog.Value { return slog.StringValue(hidden) }
