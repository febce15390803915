package registry

import (
	"encoding/binary"
	"slices"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// A row of source_record holds what came in of one person at one time, a row of first_record what came
// in of several whom a load met for the first time. Unsealed it is
//
//	1 byte    version: 1, of one person; 2, of several
//	version 1, records
//	          each: uvarint length, source; 8 bytes key, big-endian; uvarint length, record.Content
//	version 2, people
//	          each: 16 bytes person; uvarint number of records, each as above, but of the source
//	          1 byte n: the n-th of those named before; 0: one more, uvarint length, source
//
// The id of a record is that of its row, which ends in a zero byte, with its place there instead.
const (
	ownRow     = 1
	sharedRow  = 2
	rowRecords = 256
	rowBytes   = 1700 // of one person: beyond, and the row would be stored in pieces; a longer record has one of its own
	rowShared  = 2619 // of several: three rows to a page; whoever wants one person's reads the others' too
)

// recordAAD binds a row to its place; one of first_record has its own id for the person's.
func recordAAD(person PersonID, row uuid.UUID) []byte { return append(person[:], row[:]...) }

// rowID is the id of the row of a record.
func rowID(record uuid.UUID) uuid.UUID {
	record[15] = 0
	return record
}

// appendRecord writes a record into an unsealed row of one person, which begins empty.
func appendRecord(row []byte, source string, key int64, content record.Content) []byte {
	if len(row) == 0 {
		row = append(row, ownRow)
	}
	row = append(binary.AppendUvarint(row, uint64(len(source))), source...)
	return appendKeyed(row, key, content)
}

func appendKeyed(row []byte, key int64, content record.Content) []byte {
	row = binary.BigEndian.AppendUint64(row, uint64(key))
	return append(binary.AppendUvarint(row, uint64(len(content))), content...)
}

// shared is an unsealed row of several people that is being written.
type shared struct {
	id      uuid.UUID
	plain   []byte
	records int
	sources []string
}

func (s *shared) begin(id uuid.UUID) {
	s.id, s.plain, s.records, s.sources = id, append(s.plain[:0], sharedRow), 0, s.sources[:0]
}

// fits says whether a person's records can join those of others; a person of more has rows alone.
func (s *shared) fits(records []pmcc.Record) bool {
	size := len(s.plain) + 32
	for i := range records {
		size += len(records[i].Content) + 12
	}
	return size <= rowShared && s.records+len(records) <= rowRecords
}

// add writes a person's records and gives them their ids.
func (s *shared) add(person PersonID, records []pmcc.Record) {
	s.plain = binary.AppendUvarint(append(s.plain, person[:]...), uint64(len(records)))
	for i := range records {
		r := &records[i]
		r.ID = s.id
		r.ID[15] = byte(s.records)
		s.records++
		n := slices.Index(s.sources, r.Source)
		s.plain = append(s.plain, byte(n+1))
		if n < 0 && len(s.sources) < 255 {
			s.sources = append(s.sources, r.Source)
		}
		if n < 0 {
			s.plain = append(binary.AppendUvarint(s.plain, uint64(len(r.Source))), r.Source...)
		}
		s.plain = appendKeyed(s.plain, r.Key, r.Content)
	}
}

// recordsIn gives take each record of an unsealed row, in their order. The contents lie in plain.
// Error: errSealed.
func recordsIn(person PersonID, row uuid.UUID, plain []byte, take func(PersonID, pmcc.Record)) error {
	r := rowReader{scanner: scanner{b: plain}, id: row}
	switch r.byte() {
	case ownRow:
		for len(r.b) > 0 && !r.bad {
			r.one(person, string(r.take(int(r.uvarint()))), take)
		}
	case sharedRow:
		for len(r.b) > 0 && !r.bad {
			copy(person[:], r.take(16))
			for n := r.uvarint(); n > 0 && !r.bad; n-- {
				r.one(person, r.source(), take)
			}
		}
	default:
		r.bad = true
	}
	if r.bad {
		return errSealed
	}
	return nil
}

type rowReader struct {
	scanner
	id      uuid.UUID
	records int
	sources []string
}

func (r *rowReader) source() string {
	n := int(r.byte())
	if n == 0 {
		r.sources = append(r.sources, string(r.take(int(r.uvarint()))))
		return r.sources[len(r.sources)-1]
	}
	if n > len(r.sources) {
		r.bad = true
		return ""
	}
	return r.sources[n-1]
}

func (r *rowReader) one(person PersonID, source string, take func(PersonID, pmcc.Record)) {
	key := int64(binary.BigEndian.Uint64(r.take(8)))
	content := record.Content(r.take(int(r.uvarint())))
	if r.bad || r.records == rowRecords {
		r.bad = true
		return
	}
	r.id[15] = byte(r.records)
	r.records++
	take(person, pmcc.Record{ID: r.id, Source: source, Key: key, Content: content})
}
