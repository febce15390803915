package registry

import (
	"encoding/binary"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// A row of source_record holds what came in of one person at one time: in a load several records,
// which are worth one seal, one row and one index entry, not one each. Unsealed it is
//
//	1 byte    version, 1
//	records   each: uvarint length, source; 8 bytes key, big-endian; uvarint length, record.Content
//
// The id of a record is that of its row, which ends in a zero byte, with its place there instead.
const (
	rowVersion = 1
	rowRecords = 256
	rowBytes   = 1700 // beyond, and the row would be stored in pieces; a longer record has one of its own
)

// recordAAD binds a row of source_record to its place.
func recordAAD(person PersonID, row uuid.UUID) []byte { return append(person[:], row[:]...) }

// rowID is the id of the row of a record.
func rowID(record uuid.UUID) uuid.UUID {
	record[15] = 0
	return record
}

// appendRecord writes a record into an unsealed row, which begins empty.
func appendRecord(row []byte, source string, key int64, content record.Content) []byte {
	if len(row) == 0 {
		row = append(row, rowVersion)
	}
	row = append(binary.AppendUvarint(row, uint64(len(source))), source...)
	row = binary.BigEndian.AppendUint64(row, uint64(key))
	return append(binary.AppendUvarint(row, uint64(len(content))), content...)
}

// recordsIn reads an unsealed row. The contents lie in plain. Error: errSealed.
func recordsIn(row uuid.UUID, plain []byte) (records []pmcc.Record, err error) {
	r := scanner{b: plain}
	if r.byte() != rowVersion {
		return nil, errSealed
	}
	for len(r.b) > 0 && !r.bad {
		id := row
		id[15] = byte(len(records))
		source := string(r.take(int(r.uvarint())))
		key := int64(binary.BigEndian.Uint64(r.take(8)))
		records = append(records, pmcc.Record{ID: id, Source: source, Key: key, Content: record.Content(r.take(int(r.uvarint())))})
	}
	if r.bad || len(records) > rowRecords {
		return nil, errSealed
	}
	return records, nil
}
