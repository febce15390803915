package load

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/loginunico/loginunico/internal/yamlform"
	"github.com/loginunico/loginunico/registry/record"
)

// fields reads the table of registry fields to columns.
func (r *mappingReader) fields(n *yaml.Node, path string) {
	if !r.Want(n, path, yaml.MappingNode, "a mapping of fields to columns") {
		return
	}
	r.Pairs(n, path, func(name string, value *yaml.Node, at string) {
		field, key, ok := record.Parse(name)
		if !ok {
			r.Fault(r.Line(at), at, "value", "is no field of the registry; keyed ones are written benefit/name")
			return
		}
		f := Field{Field: field, Key: key}
		r.source(&f, value, at)
		r.m.Fields = append(r.m.Fields, f)
	})
	if len(n.Content) == 0 {
		r.Fault(n.Line, path, "required", "must not be empty")
	}
}

// source reads where a field comes from, in one of the forms
//
//	COLUMN
//	{column: COLUMN, layout: 02/01/2006}
//	{columns: [DDD, FONE]}
//	{parts: [RG, ORGAO, UF]}
//	{street: RUA, number: NUMERO, …}
func (r *mappingReader) source(f *Field, n *yaml.Node, path string) {
	parts := record.PartsOf(f.Field)
	if n.Kind == yaml.ScalarNode {
		if c, ok := r.column(n, path); ok {
			f.Parts = [][]Column{{c}}
		}
		if f.Field == record.Benefit {
			r.Fault(n.Line, path, "value", "has the parts %s; write them as parts: […]", strings.Join(parts, ", "))
		}
		return
	}
	known := map[string]yamlform.Field{"layout": r.layout(&f.Layout)}
	if parts == nil {
		f.Parts = make([][]Column, 1)
		known["column"] = r.piece(&f.Parts[0])
		known["columns"] = r.columnList(&f.Parts[0])
	} else {
		f.Parts = make([][]Column, len(parts))
		known["parts"] = r.partList(f.Parts)
		for i, name := range parts {
			known[name] = r.piece(&f.Parts[i])
		}
	}
	before := r.Count()
	if r.Object(n, path, known); r.Count() == before && !slices.ContainsFunc(f.Parts, func(p []Column) bool { return len(p) > 0 }) {
		r.Fault(n.Line, path, "required", "names no column")
	}
}

// partList reads the parts in their order; "" stands for one the source does not have.
func (r *mappingReader) partList(into [][]Column) yamlform.Field {
	return func(n *yaml.Node, path string) {
		if !r.Want(n, path, yaml.SequenceNode, "a list of columns") {
			return
		}
		if len(n.Content) > len(into) {
			r.Fault(n.Line, path, "value", "has %d parts; the field has %d", len(n.Content), len(into))
			return
		}
		for i, item := range n.Content {
			if item.Kind != yaml.ScalarNode || item.Value != "" {
				r.piece(&into[i])(item, path)
			}
		}
	}
}

// piece reads one column, or a list of columns that are joined with a blank.
func (r *mappingReader) piece(into *[]Column) yamlform.Field {
	return func(n *yaml.Node, path string) {
		if n.Kind == yaml.SequenceNode {
			r.columnList(into)(n, path)
		} else if c, ok := r.column(n, path); ok {
			*into = []Column{c}
		}
	}
}

func (r *mappingReader) columnList(into *[]Column) yamlform.Field {
	return func(n *yaml.Node, path string) {
		if !r.Want(n, path, yaml.SequenceNode, "a list of columns") {
			return
		}
		if len(n.Content) == 0 {
			r.Fault(n.Line, path, "required", "must not be empty")
		}
		for _, item := range n.Content {
			if c, ok := r.column(item, path); ok {
				*into = append(*into, c)
			}
		}
	}
}

// column reads a column's name or number.
func (r *mappingReader) column(n *yaml.Node, path string) (Column, bool) {
	text, ok := r.scalar(n, path)
	if !ok {
		return "", false
	}
	if text = strings.TrimSpace(text); text == "" || len(text) > 200 {
		r.Fault(n.Line, path, "value", "must be a column's name or number")
		return "", false
	}
	r.Note("column:"+text, n.Line)
	return Column(text), true
}
