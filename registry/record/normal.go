package record

import (
	"bytes"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
)

// Normalizer checks raw values and brings them into the form a [Content] holds. The zero value
// takes every date after 1 January of the year 0 for future: use [At]. It may be copied and shared.
type Normalizer struct {
	today  int // year·10000 + month·100 + day
	layout Layout
}

// At is a normalizer that knows which day it is (in UTC), since a birth lies in the past. It reads
// dates in every layout.
func At(today time.Time) Normalizer {
	y, m, d := today.UTC().Date()
	return Normalizer{today: dayNumber(y, int(m), d)}
}

// Dates is the same normalizer for dates of one layout only.
func (n Normalizer) Dates(layout Layout) Normalizer {
	n.layout = layout
	return n
}

// form brings one raw value, without white space around it and not empty, into its normal form.
type form func(n Normalizer, dst, raw []byte) ([]byte, why)

// part is one piece of a composite field.
type part struct {
	name string
	form form
	need bool // without it the whole value says nothing
}

// forms are the fields of one piece.
var forms = [fields]form{
	CPF: cpf, CNPJ: cnpj,
	Name: name, SocialName: name, MotherName: name, FatherName: name,
	Gender: gender, MaritalStatus: maritalStatus, Situation: situation,
	Birthdate: pastDate, Death: pastDate,
	Birthplace: ibgeCode, Nationality: country, Locale: locale, LegalNature: legalNature,
	VoterID: voterID, NIS: nis, CNS: cns, Passport: passport,
	MotherCPF: cpf, FatherCPF: cpf,
	Email: email, EmailAlternative: email, Phone: phone, PhoneAlternative: phone,
	Complement: note,
}

// composites are the fields of several; see [Composite].
var composites = [fields][]part{
	RG: {{"number", rgNumber, true}, {"issuer", issuer, false}, {"state", state, false}},
	Address: {
		{"street", name, false}, {"number", short, false}, {"complement", name, false}, {"district", name, false},
		{"city", name, false}, {"state", state, false}, {"cep", cep, false}, {"ibge_code", ibgeCode, false},
	},
	Relation: {{"name", name, true}, {"cpf", cpf, false}},
	Benefit:  {{"since", anyDate, false}, {"until", anyDate, false}, {"status", short, false}},
}

// maxParts is the most parts a field has.
const maxParts = 8

// PartsOf names the parts of a composite field, in their order; nil for a field of one piece.
func PartsOf(f Field) []string {
	if !f.Valid() || composites[f] == nil {
		return nil
	}
	names := make([]string, len(composites[f]))
	for i, p := range composites[f] {
		names[i] = p.name
	}
	return names
}

// Append normalises a raw value and appends it to dst; of nothing but white space it appends
// nothing. The parts of a composite value stand in raw as [Composite] joins them.
//
// The error, with dst as it was, is a *Reason: in a composite one faulty part refuses the whole.
func (n Normalizer) Append(dst []byte, f Field, raw []byte) ([]byte, error) {
	if !f.Valid() {
		return dst, unknownField
	}
	if composites[f] == nil {
		out, wrong := n.one(dst, forms[f], raw)
		if wrong != fine {
			return dst, reasons[f][wrong]
		}
		return out, nil
	}
	var parts [maxParts][]byte
	count := 0
	for rest, more := raw, true; more; count++ {
		if count == len(composites[f]) {
			return dst, reasons[f][invalid]
		}
		parts[count], rest, more = bytes.Cut(rest, []byte(separator))
	}
	out, dropped := n.AppendParts(dst, f, parts[:count], nil)
	if len(dropped) > 0 {
		return dst, dropped[0]
	}
	return out, nil
}

// AppendParts is Append for loads: it takes the parts of a composite value apart (the value itself
// in parts[0] when the field has one piece), leaves out what is faulty and appends the reasons to
// dropped. A composite whose main part is missing or faulty is left out whole.
func (n Normalizer) AppendParts(dst []byte, f Field, parts [][]byte, dropped []*Reason) ([]byte, []*Reason) {
	if composites[f] == nil {
		out, wrong := n.one(dst, forms[f], parts[0])
		if wrong != fine {
			return dst, append(dropped, reasons[f][wrong])
		}
		return out, dropped
	}
	start, end := len(dst), len(dst)
	if f == RG {
		var split [3][]byte
		parts = splitIssuer(split[:], parts)
	}
	for i := range min(len(parts), len(composites[f])) {
		p := &composites[f][i]
		if i > 0 {
			dst = append(dst, separator...)
		}
		before := len(dst)
		var wrong why
		if dst, wrong = n.one(dst, p.form, parts[i]); wrong != fine {
			dropped = append(dropped, partReasons[f][i][wrong])
			dst = dst[:before]
		}
		if len(dst) > before {
			end = len(dst)
		} else if p.need {
			return dst[:start], dropped
		}
	}
	return dst[:end], dropped
}

// one trims, and passes over what is empty.
func (n Normalizer) one(dst []byte, f form, raw []byte) ([]byte, why) {
	if raw = trim(raw); len(raw) == 0 {
		return dst, fine
	}
	return f(n, dst, raw)
}

// trim is bytes.TrimSpace for text that mostly has nothing to trim.
func trim(b []byte) []byte {
	if n := len(b); n > 0 && b[0] > ' ' && b[n-1] > ' ' && b[0] < 0x80 && b[n-1] < 0x80 {
		return b
	}
	return bytes.TrimSpace(b)
}

func cpf(_ Normalizer, dst, raw []byte) ([]byte, why)  { return document(brdoc.CPFBytes, dst, raw) }
func cnpj(_ Normalizer, dst, raw []byte) ([]byte, why) { return document(brdoc.CNPJBytes, dst, raw) }
func nis(_ Normalizer, dst, raw []byte) ([]byte, why)  { return document(brdoc.NISBytes, dst, raw) }
func cns(_ Normalizer, dst, raw []byte) ([]byte, why)  { return document(brdoc.CNSBytes, dst, raw) }
func cep(_ Normalizer, dst, raw []byte) ([]byte, why)  { return document(brdoc.CEPBytes, dst, raw) }
func voterID(_ Normalizer, dst, raw []byte) ([]byte, why) {
	return document(brdoc.VoterIDBytes, dst, raw)
}
func ibgeCode(_ Normalizer, dst, raw []byte) ([]byte, why) {
	return document(brdoc.IBGECodeBytes, dst, raw)
}

// document passes over an empty form ("   .   .   -  ").
func document(read func(dst, raw []byte) ([]byte, error), dst, raw []byte) ([]byte, why) {
	out, err := read(dst, raw)
	switch {
	case err == nil:
		return out, fine
	case brdoc.Blank(raw):
		return dst, fine
	case err == brdoc.ErrCheckDigit: // as it is, never wrapped
		return dst, checkDigit
	}
	return dst, invalid
}
