package load

import (
	"bytes"

	"github.com/loginunico/loginunico/registry/record"
)

// identify reads the record's CPF or CNPJ and puts it into its content first; false when the record
// is rejected for it.
func (p *Parser) identify(plan *plan, content record.Content) (record.Content, bool) {
	p.parsed.Outcome, p.parsed.CPF = WithoutCPF, p.parsed.CPF[:0]
	id := plan.identifier
	if id == nil {
		return content, true
	}
	before := len(p.parsed.Dropped)
	p.parsed.CPF, p.parsed.Dropped = p.value(p.parsed.CPF, id, p.parsed.Dropped)
	if wrong := p.parsed.Dropped[before:]; len(wrong) > 0 && !plan.m.KeepFalse {
		return content, p.refuse(InvalidCPF, wrong[0].Code, id.field)
	}
	if len(p.parsed.CPF) == 0 {
		return content, true
	}
	p.parsed.Outcome = Valid
	return content.Append(record.Value{Field: id.field, Text: p.parsed.CPF}), true
}

// values puts the other fields into the content; false when the record names nobody.
func (p *Parser) values(plan *plan) bool {
	content, named := p.parsed.Content, false
	for i := range plan.fields {
		f := &plan.fields[i]
		p.scratch, p.parsed.Dropped = p.value(p.scratch[:0], f, p.parsed.Dropped)
		if len(p.scratch) == 0 {
			continue
		}
		named = named || f.field == record.Name || f.field == record.SocialName
		content = content.Append(record.Value{Field: f.field, Key: f.key, Text: p.scratch})
	}
	p.parsed.Content = content
	if plan.named && !named {
		return p.refuse(Inconsistent, p.nameless(), record.Name)
	}
	return true
}

// nameless is why there is no name: its refusal, or that there was nothing.
func (p *Parser) nameless() string {
	for _, r := range p.parsed.Dropped {
		if r.Field == record.Name {
			return r.Code
		}
	}
	return NameEmpty
}

// value normalises what the record says of one field.
func (p *Parser) value(dst []byte, f *planField, dropped []*record.Reason) ([]byte, []*record.Reason) {
	some := false
	for i, positions := range f.columns {
		var raw []byte
		if len(positions) == 1 {
			raw = p.columns.list[positions[0]]
		} else {
			raw = p.joinColumns(positions)
		}
		if f.values != nil {
			raw = translate(f.values, raw)
		}
		p.pieces[i] = raw
		some = some || len(raw) > 0
	}
	if !some {
		return dst, dropped
	}
	return p.normal.Dates(f.layout).AppendParts(dst, f.field, p.pieces[:len(f.columns)], dropped)
}

// joinColumns is the text of several columns, or of none, with a blank between them.
func (p *Parser) joinColumns(positions []int) []byte {
	start := len(p.joined)
	for _, at := range positions {
		if column := bytes.TrimSpace(p.columns.list[at]); len(column) > 0 {
			if len(p.joined) > start {
				p.joined = append(p.joined, ' ')
			}
			p.joined = append(p.joined, column...)
		}
	}
	return p.joined[start:len(p.joined):len(p.joined)]
}

// translate turns a source's code into our value. What the table does not have stays as it is.
func translate(table map[string][]byte, raw []byte) []byte {
	if ours, ok := table[string(bytes.TrimSpace(raw))]; ok {
		return ours
	}
	return raw
}
