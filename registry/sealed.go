package registry

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// Sealed is a person as the database keeps it: one sealed value per sensitivity class, in the order
// of record.Class, and last what the citizen declared. nil: nothing of that class.
//
// Unsealed, a class is
//
//	1 byte    version, 2
//	          in Identity only: uvarint policy version, uvarint number of records and of each
//	          1 byte 0, or 1 where its row is that of the record before; 15 bytes row, where it is
//	          not; 1 byte place in the row; uvarint length, source; varint effective
//	values    each: 1 byte field, 1 byte flags (1 confirmed, 4 keyed), [uvarint length, key],
//	          uvarint record (0: a human; n: the n-th above), uvarint rule, 1 byte confidence,
//	          [varint effective], of a human's only, [varint confirmed], uvarint length, text
//
// so that identity must be opened to know where the values of the others came from.
type Sealed [][]byte

const (
	sealedParts   = int(record.Classes) + 1
	declaredPart  = int(record.Classes)
	sealedVersion = 2

	flagConfirmed = 1
	flagKeyed     = 4
	flagGovBR     = 8 // declared by way of gov.br
)

var errSealed = errors.New("registry: sealed values are malformed")

// Sealer seals and opens columns.
type Sealer = *secret.Box

// purposes are the keys of the parts; what a citizen declared is of every class and under the key
// of contact data, the most sensitive that everybody declares.
var purposes = [sealedParts]secret.Purpose{secret.Identity, secret.Documents, secret.Contact, secret.Family, secret.Complement, secret.Contact}

// aad binds a sealed value to the person and its column.
func aad(id PersonID, part int) []byte { return append(id[:], byte(part)) }

// packer writes golden values into the parts; it keeps its memory.
type packer struct {
	parts  [sealedParts][]byte
	out    [sealedParts][]byte
	places []int // record → place in the list of identity, 1-based; 0: not in it
}

// pack returns the unsealed parts, valid until the next call; an empty part is nil, except
// Identity, which every person has.
func (k *packer) pack(g *pmcc.Golden, records []pmcc.Record, policy int) *[sealedParts][]byte {
	for i := range k.parts {
		k.parts[i] = k.parts[i][:0]
	}
	k.header(g, records, policy)
	for i := range g.Values {
		v := &g.Values[i]
		place := 0
		if v.Record >= 0 {
			place = k.places[v.Record]
		}
		k.value(int(v.Field.Class()), v, place, 0)
	}
	for i := range g.Declared {
		var brought byte
		if v := &g.Declared[i]; records[v.Record].Source == SourceGovBR {
			brought = flagGovBR
		}
		k.value(declaredPart, &g.Declared[i], 0, brought)
	}
	for i := range k.parts {
		if k.out[i] = k.parts[i]; len(k.parts[i]) == 0 {
			k.out[i] = nil
		}
	}
	return &k.out
}

// header lists the records that values came from, as they are met.
func (k *packer) header(g *pmcc.Golden, records []pmcc.Record, policy int) {
	k.places = slices.Grow(k.places[:0], len(records))[:len(records)]
	clear(k.places)
	used := 0
	for i := range g.Values {
		if r := g.Values[i].Record; r >= 0 && k.places[r] == 0 {
			used++
			k.places[r] = used
		}
	}
	b := append(k.parts[record.Identity], sealedVersion)
	b = binary.AppendUvarint(b, uint64(policy))
	b = binary.AppendUvarint(b, uint64(used))
	var row uuid.UUID
	for i, listed := 0, 0; listed < used; i++ {
		v := &g.Values[i]
		if v.Record < 0 || k.places[v.Record] != listed+1 {
			continue
		}
		listed++
		b = appendContribution(b, &records[v.Record], row, v.Effective)
		row = rowID(records[v.Record].ID)
	}
	k.parts[record.Identity] = b
}

func appendContribution(b []byte, r *pmcc.Record, before uuid.UUID, effective int64) []byte {
	if row := rowID(r.ID); row == before {
		b = append(b, 1)
	} else {
		b = append(append(b, 0), row[:15]...)
	}
	b = append(b, r.ID[15])
	b = append(binary.AppendUvarint(b, uint64(len(r.Source))), r.Source...)
	return binary.AppendVarint(b, effective)
}

func (k *packer) value(part int, v *pmcc.Value, place int, flags byte) {
	b := k.parts[part]
	if len(b) == 0 {
		b = append(b, sealedVersion)
	}
	if v.Confirmed != 0 {
		flags |= flagConfirmed
	}
	if len(v.Key) > 0 {
		flags |= flagKeyed
	}
	b = append(b, byte(v.Field), flags)
	if flags&flagKeyed != 0 {
		b = append(binary.AppendUvarint(b, uint64(len(v.Key))), v.Key...)
	}
	b = binary.AppendUvarint(b, uint64(place))
	b = binary.AppendUvarint(b, uint64(v.Rule))
	b = append(b, byte(v.Confidence))
	if place == 0 {
		b = binary.AppendVarint(b, v.Effective)
	}
	if flags&flagConfirmed != 0 {
		b = binary.AppendVarint(b, v.Confirmed)
	}
	k.parts[part] = append(binary.AppendUvarint(b, uint64(len(v.Text))), v.Text...)
}

// Unseal opens what the database keeps of a person.
func Unseal(s Sealer, id PersonID, sealed Sealed) (Person, error) {
	p := Person{ID: id}
	if len(sealed) != sealedParts {
		return p, fmt.Errorf("person %s: %d sealed parts", id, len(sealed))
	}
	u := unpacker{fields: make(Fields, 16)}
	for part, column := range sealed {
		if column == nil {
			continue
		}
		plain, err := s.Class(purposes[part]).Open(column, aad(id, part))
		if err != nil {
			return Person{}, fmt.Errorf("person %s: %w", id, err)
		}
		if part == declaredPart {
			p.Fields, u.fields, u.records = u.fields, make(Fields, 8), nil
		}
		if err := u.read(plain, part); err != nil {
			return Person{}, fmt.Errorf("person %s: %w", id, err)
		}
	}
	if sealed[declaredPart] != nil {
		p.Declared = u.fields
	} else {
		p.Fields = u.fields
	}
	p.Policy = u.policy
	p.CPF, p.CNPJ = brdoc.CPF(p.Fields["cpf"].Text), brdoc.CNPJ(p.Fields["cnpj"].Text)
	return p, nil
}

type unpacker struct {
	fields  Fields
	policy  int
	records []contribution
}

type contribution struct {
	id        uuid.UUID
	source    string
	effective int64
}

// contribution reads one of the list; row is that of the one before.
func (r *scanner) contribution(row uuid.UUID) (c contribution) {
	if c.id = row; r.byte() == 0 {
		copy(c.id[:], r.take(15))
	}
	c.id[15] = r.byte()
	c.source = string(r.take(int(r.uvarint())))
	c.effective = r.varint()
	return c
}

func (u *unpacker) read(b []byte, part int) error {
	r := scanner{b: b}
	if r.byte() != sealedVersion {
		return errSealed
	}
	if part == int(record.Identity) {
		u.policy = int(r.uvarint())
		var row uuid.UUID
		for n := r.uvarint(); n > 0 && !r.bad; n-- {
			c := r.contribution(row)
			u.records, row = append(u.records, c), c.id
		}
	}
	for len(r.b) > 0 && !r.bad {
		u.value(&r, part == declaredPart)
	}
	if r.bad {
		return errSealed
	}
	return nil
}

func (u *unpacker) value(r *scanner, declared bool) {
	field, flags := record.Field(r.byte()), r.byte()
	key := ""
	if flags&flagKeyed != 0 {
		key = string(r.take(int(r.uvarint())))
	}
	place := int(r.uvarint())
	v := Value{Rule: int(r.uvarint()), Confidence: int(r.byte()), Source: SourceOperator}
	if place == 0 {
		v.At = time.Unix(r.varint(), 0).UTC()
	}
	if flags&flagConfirmed != 0 {
		at := time.Unix(r.varint(), 0).UTC()
		v.Confirmed = &at
	}
	v.Text = string(r.take(int(r.uvarint())))
	switch {
	case !field.Valid() || place > len(u.records):
		r.bad = true
		return
	case declared && flags&flagGovBR != 0:
		v.Source = SourceGovBR
	case declared:
		v.Source = SourceSelf
	case place > 0:
		from := &u.records[place-1]
		v.Source, v.Record, v.At = from.source, from.id, time.Unix(from.effective, 0).UTC()
	}
	u.fields[record.Join(field, key)] = v
}

// scanner reads; once something is missing it is bad and gives zeros.
type scanner struct {
	b   []byte
	bad bool
}

func (r *scanner) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return make([]byte, max(0, min(n, 16)))
	}
	piece := r.b[:n]
	r.b = r.b[n:]
	return piece
}

func (r *scanner) byte() byte { return r.take(1)[0] }

func (r *scanner) uvarint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > 1<<40 {
		r.bad = true
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *scanner) varint() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[size:]
	return n
}

// documentsOf finds the CPF and the CNPJ among golden values.
func documentsOf(g *pmcc.Golden) (cpf brdoc.CPF, cnpj brdoc.CNPJ) {
	for i := range g.Values {
		switch g.Values[i].Field {
		case record.CPF:
			cpf = brdoc.CPF(g.Values[i].Text)
		case record.CNPJ:
			cnpj = brdoc.CNPJ(g.Values[i].Text)
		}
	}
	return cpf, cnpj
}
