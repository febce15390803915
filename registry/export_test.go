package registry

import (
	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry/pmcc"
)

// Unpack reads the opened part of a person, as Unseal does.
func Unpack(plain []byte, part int) (Fields, int, error) {
	u := unpacker{fields: Fields{}}
	if part != 0 {
		u.records = make([]contribution, 3)
	}
	err := u.read(plain, part)
	return u.fields, u.policy, err
}

// Pack writes the parts of a person, as they are sealed.
func Pack(g *pmcc.Golden, records []pmcc.Record, policy int) [][]byte {
	return new(packer).pack(g, records, policy)[:]
}

// ErrUnpack is what malformed parts give.
var ErrUnpack = errSealed

// RecordsIn reads an unsealed row of records.
func RecordsIn(person PersonID, row uuid.UUID, plain []byte, take func(PersonID, pmcc.Record)) error {
	return recordsIn(person, row, plain, take)
}

// SharedRow writes the records of people, each with one list of them, into one unsealed row.
func SharedRow(row uuid.UUID, people []PersonID, records [][]pmcc.Record) []byte {
	var s shared
	s.begin(row)
	for i, person := range people {
		s.add(person, records[i])
	}
	return s.plain
}
