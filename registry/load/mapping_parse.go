package load

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/loginunico/loginunico/internal/yamlform"
	"github.com/loginunico/loginunico/registry/record"
)

// MaxMapping is the size of a mapping in bytes, at most.
const MaxMapping = 64 << 10

// maxColumns is how many columns a record may have.
const maxColumns = 2000

var (
	sourcePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{1,30}$`)
	policies      = []string{"reject", "without_cpf"}
)

// ParseMapping reads a mapping.
//
//	name  file name, for messages
//	data  YAML, one document, at most MaxMapping bytes
//
// The only error is *yamlform.Faults, with everything that is wrong.
func ParseMapping(name string, data []byte) (*Mapping, error) {
	m := &Mapping{Separator: ';', Quote: '"', Header: true}
	r := &mappingReader{m: m, values: map[string]map[string]string{}}
	if err := yamlform.Read(name, data, MaxMapping, r.vocabulary, r.check); err != nil {
		return nil, err
	}
	return m, nil
}

// mappingReader reads a document into m.
type mappingReader struct {
	decoder
	m                      *Mapping
	encoding, kind, policy int
	values                 map[string]map[string]string // field → source code → our value
}

func (r *mappingReader) vocabulary(d *yamlform.Decoder) map[string]yamlform.Field {
	r.decoder = decoder{d}
	m := r.m
	return map[string]yamlform.Field{
		"source":      r.text(&m.Source, sourcePattern.MatchString, "2 to 31 lower-case letters, digits and _, a letter first"),
		"name":        r.text(&m.Name, func(s string) bool { return strings.TrimSpace(s) != "" && len(s) <= 200 }, "a text of at most 200 bytes"),
		"kind":        r.word(&r.kind, kinds),
		"encoding":    r.word(&r.encoding, encodings),
		"separator":   r.separator,
		"quote":       r.quote,
		"header":      r.Boolean(&m.Header),
		"columns":     r.number(&m.Columns, maxColumns),
		"key":         r.columnList(&m.Key),
		"effective":   r.effective,
		"invalid_cpf": r.word(&r.policy, policies),
		"values":      r.valueTables,
		"fields":      r.fields,
	}
}

// check looks at what the keys say together.
func (r *mappingReader) check(d *yamlform.Decoder) {
	m := r.m
	m.Kind, m.Encoding, m.KeepFalse = Kind(r.kind), Encoding(r.encoding), r.policy == 1
	d.Require("source", "name", "encoding", "key", "fields")
	if m.Separator == m.Quote {
		r.Fault(r.Line("quote"), "quote", "value", "must differ from the separator")
	}
	if m.Header && m.Columns != 0 {
		r.Fault(r.Line("columns"), "columns", "value", "is for files without header")
	}
	if !m.Header {
		r.checkNumbers()
	}
	for name, table := range r.values {
		r.checkValues(name, table)
	}
	slices.SortStableFunc(m.Fields, func(a, b Field) int {
		return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Key, b.Key))
	})
	for _, f := range m.Fields {
		if f.Field == record.CPF && m.Kind == Organization || f.Field == record.CNPJ && m.Kind == Person {
			at := "fields." + f.Named()
			r.Fault(r.Line(at), at, "value", "does not fit kind %s, which is known by its %s", m.Kind, m.Identifier())
		}
	}
}

func (r *mappingReader) checkNumbers() {
	for _, c := range r.m.columns() {
		n, err := strconv.Atoi(string(c))
		if err != nil || n < 1 || n > maxColumns || strconv.Itoa(n) != string(c) || r.m.Columns != 0 && n > r.m.Columns {
			r.Fault(r.columnLine(c), "", "value", "column %q: a file without header names its columns by number, from 1", c)
		}
	}
}

// checkValues hands the tables to their fields. A value of ours must be one the field takes.
func (r *mappingReader) checkValues(name string, table map[string]string) {
	at := "values." + name
	i := slices.IndexFunc(r.m.Fields, func(f Field) bool { return f.Named() == name })
	if i < 0 {
		r.Fault(r.Line(at), at, "value", "is a table for a field that fields does not have")
		return
	}
	f := &r.m.Fields[i]
	f.Values = table
	if record.PartsOf(f.Field) != nil {
		return // a table for any of its parts
	}
	for code, ours := range table {
		if _, err := record.At(time.Unix(1<<33, 0)).Append(nil, f.Field, []byte(ours)); err != nil {
			r.Fault(r.Line(at+"."+code), at, "value", "%q is no value of %s: %v", ours, f.Field, err)
		}
	}
}

func (r *mappingReader) separator(n *yaml.Node, path string) {
	text, ok := r.scalar(n, path)
	switch {
	case !ok:
	case text == "tab":
		r.m.Separator = '\t'
	case len(text) != 1 || text[0] >= 0x80 || text[0] == '\n' || text[0] == '\r' || text[0] == 0:
		r.Fault(n.Line, path, "value", "must be one ASCII character, or tab")
	default:
		r.m.Separator = text[0]
	}
}

func (r *mappingReader) quote(n *yaml.Node, path string) {
	text, ok := r.scalar(n, path)
	switch {
	case !ok:
	case text == "":
		r.m.Quote = 0
	case len(text) != 1 || text[0] <= ' ' || text[0] >= 0x7F:
		r.Fault(n.Line, path, "value", `must be one visible ASCII character, or "" for none`)
	default:
		r.m.Quote = text[0]
	}
}

func (r *mappingReader) effective(n *yaml.Node, path string) {
	e := &Effective{}
	r.Object(n, path, map[string]yamlform.Field{
		"column": func(n *yaml.Node, path string) { e.Column, _ = r.column(n, path) },
		"layout": r.layout(&e.Layout),
	})
	if e.Column == "" && n.Kind == yaml.MappingNode && r.Line(path+".column") == 0 {
		r.Fault(n.Line, path+".column", "required", "is missing")
	}
	r.m.Effective = e
}

func (r *mappingReader) layout(into *record.Layout) yamlform.Field {
	return func(n *yaml.Node, path string) {
		text, ok := r.scalar(n, path)
		if !ok {
			return
		}
		if *into, ok = record.ParseLayout(text); !ok {
			r.Fault(n.Line, path, "value", "must be one of 02/01/2006, 2006-01-02, 02012006, 20060102; put it in quotes")
		}
	}
}

func (r *mappingReader) valueTables(n *yaml.Node, path string) {
	if !r.Want(n, path, yaml.MappingNode, "a mapping of fields to tables") {
		return
	}
	r.Pairs(n, path, func(name string, table *yaml.Node, at string) {
		if !r.Want(table, at, yaml.MappingNode, "a table of codes to values") {
			return
		}
		codes := map[string]string{}
		r.Pairs(table, at, func(code string, value *yaml.Node, at string) {
			if text, ok := r.scalar(value, at); ok {
				codes[strings.TrimSpace(code)] = text
			}
		})
		r.values[name] = codes
	})
}

func (r *mappingReader) columnLine(c Column) int {
	return cmp.Or(r.Line("column:"+string(c)), r.Line("fields"), 1)
}

// String lists a mapping's fields, for dry runs.
func (m *Mapping) String() string {
	return fmt.Sprintf("%s: %s, %s, %d fields", m.Source, m.Kind, m.Encoding, len(m.Fields))
}
