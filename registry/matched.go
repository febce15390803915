package registry

import "github.com/loginunico/loginunico/registry/record"

// Matched says whether what a person declares of themselves agrees with what the city's bases hold
// of their CPF: the name and the birth date, and the mother's name where both know one. It is what
// trust level 3 rests on; the rules are strict, because leaked lists hold all three and a typing
// error costs its owner a visit to a desk, no more.
func Matched(p Person) bool {
	return agree(p, "name", true) && agree(p, "birthdate", true) && agree(p, "mother_name", false)
}

// agree compares a declared value with one that somebody else vouches for.
func agree(p Person, field string, needed bool) bool {
	base, known := p.Fields[field]
	said, declared := p.Declared[field]
	if !known || !declared || base.Source == SourceSelf {
		return !needed
	}
	return record.SameText([]byte(base.Text), []byte(said.Text))
}
