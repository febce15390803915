package load

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry"
)

// Records are sorted by document in two steps: into buckets on disk by the first byte of the
// document's key, which is as good as random, and then each bucket in memory. Memory stays flat
// whatever the size of a file: a bucket of the whole country's CPFs has 250 MB.
const (
	documentBuckets = 256
	keyBuckets      = 16 // of records without document, by their key
	buckets         = documentBuckets + keyBuckets
	pieceSize       = 48 << 10 // gathered by each worker for each bucket before it is written
)

// spill is the buckets: one file without a name, which is gone when this process is, however it
// ends, because it holds personal data.
type spill struct {
	file   *os.File
	end    atomic.Int64
	mu     sync.Mutex
	pieces [buckets][]piece
	counts [buckets]int // records
}

type piece struct {
	at   int64
	size int
}

func newSpill(dir string) (*spill, error) {
	f, err := os.CreateTemp(dir, ".loginunico-load-*") // mode 0600
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, cmp.Or(f.Close(), err)
	}
	return &spill{file: f}, nil
}

func (s *spill) close() error { return s.file.Close() }

// sorter is one worker's way into the buckets.
type sorter struct {
	spill   *spill
	waiting [buckets][]byte
	counts  [buckets]int
}

// bucketOf keeps the order of documents: all of one bucket come before all of the next.
func bucketOf(in *registry.Incoming) int {
	if in.Document != uuid.Nil {
		return int(in.Document[0])
	}
	return documentBuckets + int(uint64(in.Key)>>60)
}

// entry is a record in a bucket:
//
//	16 bytes  document
//	 8 bytes  key, 8 bytes digest, 8 bytes line, big-endian
//	 1 byte   source, 1 byte 1 for an organization
//	uvarint   length, content
const entryHead = 16 + 3*8 + 2

func (w *sorter) add(in *registry.Incoming, source byte) error {
	bucket := bucketOf(in)
	b := w.waiting[bucket]
	if b == nil {
		b = make([]byte, 0, pieceSize+pieceSize/16)
	}
	b = append(b, in.Document[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(in.Key))
	b = binary.BigEndian.AppendUint64(b, uint64(in.Digest))
	b = binary.BigEndian.AppendUint64(b, uint64(in.Line))
	legal := byte(0)
	if in.Legal {
		legal = 1
	}
	b = append(b, source, legal)
	b = append(binary.AppendUvarint(b, uint64(len(in.Content))), in.Content...)
	w.waiting[bucket] = b
	w.counts[bucket]++
	if len(b) < pieceSize {
		return nil
	}
	return w.flush(bucket)
}

func (w *sorter) flush(bucket int) error {
	b := w.waiting[bucket]
	if len(b) == 0 {
		return nil
	}
	at := w.spill.end.Add(int64(len(b))) - int64(len(b))
	if _, err := w.spill.file.WriteAt(b, at); err != nil {
		return fmt.Errorf("temporary file: %w", err)
	}
	w.spill.mu.Lock()
	w.spill.pieces[bucket] = append(w.spill.pieces[bucket], piece{at, len(b)})
	w.spill.mu.Unlock()
	w.waiting[bucket] = b[:0]
	return nil
}

func (w *sorter) finish() error {
	for bucket := range w.waiting {
		if err := w.flush(bucket); err != nil {
			return err
		}
		w.waiting[bucket] = nil
	}
	w.spill.mu.Lock()
	for bucket, n := range w.counts {
		w.spill.counts[bucket] += n
	}
	w.spill.mu.Unlock()
	return nil
}

// span is buckets that stand side by side, from first to before end.
type span struct{ first, end int }

// runs cuts the buckets into spans of at least so many records, the last perhaps fewer: COPY has a
// price of its own, which a small base's buckets would pay over and over.
func (s *spill) runs(least int) []span {
	var all []span
	for first := 0; first < buckets; {
		end, n := first, 0
		for end < buckets && n < least {
			n += s.counts[end]
			end++
		}
		all = append(all, span{first, end})
		first = end
	}
	return all
}

// bucket is one bucket in memory; it keeps its memory for the next.
type bucket struct {
	bytes   []byte
	records []registry.Incoming
	spare   []registry.Incoming
	order   []place
	starts  []int
}

// place is where a record stands, with the beginning of its document, which nearly always decides
// between two: far less to compare and move than the records.
type place struct {
	document uint64
	at       int
}

// sort sorts the records of one bucket, from first on. Their documents are as good as random behind
// the byte they have in common: spread by the next bits they lie nearly in order.
func (b *bucket) sort(first int) {
	records := b.records[first:]
	b.spread(records)
	from := 0
	for _, to := range b.starts { // each start has moved to its end
		if to-from > 1 {
			slices.SortFunc(b.order[from:to], func(x, y place) int {
				if x.document != y.document {
					return cmp.Compare(x.document, y.document)
				}
				return records[x.at].Compare(&records[y.at])
			})
		}
		from = to
	}
	b.spare = append(b.spare[:0], records...)
	for i, p := range b.order {
		records[i] = b.spare[p.at]
	}
}

// spread fills order by as many of the documents' bits as there are records, about.
func (b *bucket) spread(records []registry.Incoming) {
	width := min(bits.Len(uint(len(records))), 16)
	slot := func(r *registry.Incoming) uint64 { return binary.BigEndian.Uint64(r.Document[:]) << 8 >> (64 - width) }
	b.starts = slices.Grow(b.starts[:0], 1<<width)[:1<<width]
	clear(b.starts)
	for i := range records {
		b.starts[slot(&records[i])]++
	}
	sum := 0
	for i, n := range b.starts {
		b.starts[i], sum = sum, sum+n
	}
	b.order = slices.Grow(b.order[:0], len(records))[:len(records)]
	for i := range records {
		at := &b.starts[slot(&records[i])]
		b.order[*at] = place{binary.BigEndian.Uint64(records[i].Document[:]), i}
		*at++
	}
}

// read fills b with the records of some buckets, sorted.
func (s *spill) read(run span, b *bucket, sources []string) error {
	size, count := 0, 0
	for n := run.first; n < run.end; n++ {
		count += s.counts[n]
		for _, p := range s.pieces[n] {
			size += p.size
		}
	}
	b.bytes = slices.Grow(b.bytes[:0], size)[:size]
	b.records = slices.Grow(b.records[:0], count)
	at := 0
	for n := run.first; n < run.end; n++ {
		begin, sorted := at, len(b.records)
		for _, p := range s.pieces[n] {
			if _, err := s.file.ReadAt(b.bytes[at:at+p.size], p.at); err != nil {
				return fmt.Errorf("temporary file: %w", err)
			}
			at += p.size
		}
		b.parse(b.bytes[begin:at], sources)
		b.sort(sorted)
	}
	return nil
}

// parse appends the entries of one bucket.
func (b *bucket) parse(rest []byte, sources []string) {
	for len(rest) > 0 {
		length, n := binary.Uvarint(rest[entryHead:])
		end := entryHead + n + int(length)
		b.records = append(b.records, registry.Incoming{
			Document: uuid.UUID(rest[:16]), Key: int64(binary.BigEndian.Uint64(rest[16:])), Digest: int64(binary.BigEndian.Uint64(rest[24:])),
			Line: int64(binary.BigEndian.Uint64(rest[32:])), Source: sources[rest[40]], Legal: rest[41] == 1, Content: rest[entryHead+n : end : end],
		})
		rest = rest[end:]
	}
}
