package record

import (
	"strings"
)

// separator stands between the parts of a composite value: US, "unit separator" in ASCII, which no
// normalised part contains.
const separator = "\x1f"

// Composite joins the parts of a value that changes as a whole: an RG is number, issuer and state,
// and the number of one with the issuer of another would be a document that does not exist.
// Empty parts at the end are left out.
func Composite(parts ...string) string {
	return strings.TrimRight(strings.Join(parts, separator), separator)
}

// Parts splits what [Composite] joined into n parts; missing ones are empty.
func Parts(text string, n int) []string {
	parts := strings.SplitN(text, separator, n)
	for len(parts) < n {
		parts = append(parts, "")
	}
	return parts
}

// Location is an address in its parts. What a person typed as one line stands in Street alone.
type Location struct {
	Street, Number, Complement, District string
	City                                 string // name
	State                                string // two letters
	CEP                                  string // 8 digits
	IBGECode                             string // 7 digits, of the municipality
}

// Text is the location as a field's text.
func (l Location) Text() string {
	return Composite(l.Street, l.Number, l.Complement, l.District, l.City, l.State, l.CEP, l.IBGECode)
}

// ParseLocation reads the text of an Address.
func ParseLocation(text string) Location {
	p := Parts(text, 8)
	return Location{Street: p[0], Number: p[1], Complement: p[2], District: p[3], City: p[4], State: p[5], CEP: p[6], IBGECode: p[7]}
}

// Line is the location in one line, as an envelope in Brazil says it.
func (l Location) Line() string {
	city := l.City
	if l.State != "" {
		city = strings.TrimLeft(city+"/"+l.State, "/")
	}
	cep := l.CEP
	if len(cep) == 8 {
		cep = cep[:5] + "-" + cep[5:]
	}
	return joined(", ", l.Street, l.Number, l.Complement, l.District, city, cep)
}

// RGLine is an RG in one line: "12.345.678-9 SSP/PR".
func RGLine(text string) string {
	p := Parts(text, 3)
	return joined(" ", p[0], joined("/", p[1], p[2]))
}

// IdentityCard is the kind of a travel document that is no passport.
const IdentityCard = "id"

// Document joins the number of a travel document, the country that issued it (ISO 3166-1 alpha-2)
// and its kind, "" for a passport: the text of a Passport. A base may know the number alone.
func Document(number, country, kind string) string { return Composite(number, country, kind) }

// DocumentLine is such a text in one line: "AB123456", "PY AB123456", "AR ID 12345678".
func DocumentLine(text string) string {
	p := Parts(text, 3)
	return joined(" ", p[1], strings.ToUpper(p[2]), p[0])
}

func joined(by string, parts ...string) string {
	full := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			full = append(full, p)
		}
	}
	return strings.Join(full, by)
}
