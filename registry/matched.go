package registry

import "github.com/loginunico/loginunico/registry/record"

// Matched says whether what a person declares of themselves agrees with what the city's bases hold
// of their CPF: the name, the birth date, and the mother's name where a base knows one. It is what
// trust level 3 rests on. The rules are strict, and nothing that a base knows may be left unsaid,
// because leaked lists hold a part of it and a typing error costs its owner a visit to a desk, no
// more.
func Matched(p Person) bool {
	return agree(p, "name", true) && agree(p, "birthdate", true) && agree(p, "mother_name", false)
}

// agree compares a declared value with one that somebody else vouches for; where nobody does,
// a value that is not needed agrees.
func agree(p Person, field string, needed bool) bool {
	base, known := p.Fields[field]
	if !known || base.Source == SourceSelf {
		return !needed
	}
	said, declared := p.Declared[field]
	return declared && record.SameText([]byte(base.Text), []byte(said.Text))
}
