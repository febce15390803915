package load

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/loginunico/loginunico/registry/record"
)

// Kind is what the records of a source are about.
type Kind uint8

// The kinds.
const (
	Person       Kind = iota // known by CPF
	Organization             // known by CNPJ
)

// String is the kind's name in a mapping.
func (k Kind) String() string { return kinds[k] }

var kinds = []string{Person: "person", Organization: "organization"}

// Encoding is how a source writes characters.
type Encoding uint8

// The encodings.
const (
	UTF8 Encoding = iota // with or without a byte order mark
	Latin1
	Windows1252
	UTF16LE
	UTF16BE
)

// String is the encoding's name in a mapping.
func (e Encoding) String() string { return encodings[e] }

var encodings = []string{UTF8: "utf-8", Latin1: "iso-8859-1", Windows1252: "windows-1252", UTF16LE: "utf-16le", UTF16BE: "utf-16be"}

// Mapping says what the files of one source look like. It is shared: never change one.
type Mapping struct {
	Source    string // name in the policy
	Name      string // for people
	Kind      Kind
	Encoding  Encoding
	Separator byte
	Quote     byte // 0: none
	Header    bool // the first record names the columns
	Columns   int  // how many a record has, without a header; 0: as many as are used, at least
	Key       []Column
	Effective *Effective // nil: the day of the load
	KeepFalse bool       // invalid_cpf: without_cpf
	Fields    []Field    // in the order of field and key
}

// Column is a column's name, or its number from 1 in a file without header.
type Column string

// Effective is the column that says since when a record is so.
type Effective struct {
	Column Column
	Layout record.Layout
}

// Field is where one field of the registry comes from.
type Field struct {
	Field  record.Field
	Key    string            // of keyed fields
	Parts  [][]Column        // of each part its columns, joined with a blank; one part for most fields
	Layout record.Layout     // of dates
	Values map[string]string // source code → raw value of ours; for parts too
}

// Named is the field as a mapping names it: benefit/iptu_isento.
func (f Field) Named() string { return record.Join(f.Field, f.Key) }

// Identifier is the field that says who the record is about: CPF, or an organization's CNPJ.
func (m *Mapping) Identifier() record.Field {
	if m.Kind == Organization {
		return record.CNPJ
	}
	return record.CPF
}

// columns lists every column the mapping uses.
func (m *Mapping) columns() []Column {
	used := slices.Clone(m.Key)
	if m.Effective != nil {
		used = append(used, m.Effective.Column)
	}
	for _, f := range m.Fields {
		used = append(used, slices.Concat(f.Parts...)...)
	}
	slices.Sort(used)
	return slices.Compact(used)
}

// plan is a mapping bound to the columns of one file.
type plan struct {
	m          *Mapping
	grammar    grammar
	least      int // columns a record needs
	key        []int
	effective  int         // -1: none
	identifier *planField  // nil: the source has none
	fields     []planField // without the identifier
	named      bool        // the source delivers names
}

type planField struct {
	field   record.Field
	key     []byte
	columns [][]int
	layout  record.Layout
	values  map[string][]byte
}

// bind finds the mapping's columns in a header; nil for a file without.
func (m *Mapping) bind(header []string) (*plan, error) {
	at, err := m.positions(header)
	if err != nil {
		return nil, err
	}
	p := &plan{m: m, effective: -1, grammar: grammar{separator: m.Separator, quote: m.Quote, columns: m.Columns, limit: MaxRecord}}
	if m.Header {
		p.grammar.columns = len(header)
	}
	for _, position := range at {
		p.least = max(p.least, position+1)
	}
	for _, c := range m.Key {
		p.key = append(p.key, at[c])
	}
	if m.Effective != nil {
		p.effective = at[m.Effective.Column]
	}
	for _, f := range m.Fields {
		p.add(f, at)
	}
	return p, nil
}

func (p *plan) add(f Field, at map[Column]int) {
	bound := planField{field: f.Field, key: []byte(f.Key), layout: f.Layout}
	if f.Values != nil {
		bound.values = make(map[string][]byte, len(f.Values))
	}
	for code, ours := range f.Values {
		bound.values[code] = []byte(ours)
	}
	for _, part := range f.Parts {
		var positions []int
		for _, c := range part {
			positions = append(positions, at[c])
		}
		bound.columns = append(bound.columns, positions)
	}
	if f.Field == p.m.Identifier() {
		p.identifier = &bound
		return
	}
	p.named = p.named || f.Field == record.Name
	p.fields = append(p.fields, bound)
}

// positions finds each column: by number, or by name whatever its case and the blanks around it.
func (m *Mapping) positions(header []string) (map[Column]int, error) {
	at := map[Column]int{}
	var missing []string
	for _, c := range m.columns() {
		if !m.Header {
			number, _ := strconv.Atoi(string(c)) // the mapping was checked
			at[c] = number - 1
			continue
		}
		found := 0
		for i, name := range header {
			if strings.EqualFold(strings.TrimSpace(name), string(c)) {
				at[c] = i
				found++
			}
		}
		if found != 1 {
			missing = append(missing, fmt.Sprintf("%s (%d times)", c, found))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("the header must have each of these columns once: %s", strings.Join(missing, ", "))
	}
	return at, nil
}
