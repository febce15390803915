package flow

import (
	"encoding/json"
	"hash/maphash"
	"sync/atomic"
)

// Every page of a visit reads the same request from its row, and decoding it costs as much as the
// look-up. The last ones decoded are remembered by their text, in a fixed number of places.
var (
	decodedSeed  = maphash.MakeSeed()
	decodedSlots [1024]atomic.Pointer[decoded]
)

// decoded is a request and the JSON it was read from. Requests are never changed, so visits share
// what they point to.
type decoded struct {
	text    string
	request Request
}

// ScanBytes reads the column request; it makes Request a pgtype.BytesScanner.
func (r *Request) ScanBytes(text []byte) error {
	slot := &decodedSlots[maphash.Bytes(decodedSeed, text)%uint64(len(decodedSlots))]
	if found := slot.Load(); found != nil && found.text == string(text) {
		*r = found.request
		return nil
	}
	fresh := &decoded{text: string(text)}
	if err := json.Unmarshal(text, &fresh.request); err != nil {
		return err
	}
	slot.Store(fresh)
	*r = fresh.request
	return nil
}
