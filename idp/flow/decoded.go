package flow

import (
	"encoding/json"
	"hash/maphash"
	"sync/atomic"
)

// lastOnes remembers what texts were read as, the last of them, in a fixed number of places. What it
// gives is shared by all who ask, and never changed.
type lastOnes[V any] struct {
	places [1024]atomic.Pointer[lastOne[V]]
}

type lastOne[V any] struct {
	text  string
	value V
}

var lastSeed = maphash.MakeSeed()

func (l *lastOnes[V]) place(text string) *atomic.Pointer[lastOne[V]] {
	return &l.places[maphash.String(lastSeed, text)%uint64(len(l.places))]
}

func (l *lastOnes[V]) find(text string) (v V, ok bool) {
	if one := l.place(text).Load(); one != nil && one.text == text {
		return one.value, true
	}
	return v, false
}

func (l *lastOnes[V]) keep(text string, v V) { l.place(text).Store(&lastOne[V]{text, v}) }

// Every page of a visit that is a row reads the same request, and decoding it costs as much as the look-up.
var decodedRequests lastOnes[Request]

// ScanBytes reads the column request; it makes Request a pgtype.BytesScanner.
func (r *Request) ScanBytes(text []byte) error {
	key := string(text)
	if found, ok := decodedRequests.find(key); ok {
		*r = found
		return nil
	}
	var fresh Request
	if err := json.Unmarshal(text, &fresh); err != nil {
		return err
	}
	decodedRequests.keep(key, fresh)
	*r = fresh
	return nil
}
