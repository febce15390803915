package match

import "strings"

// Vector is how two subjects agree, field by field.
type Vector [numFields]Agreement

// Thresholds of Jaro–Winkler for two words that are nearly one, and of trigrams for a text whose
// words were moved about. They cut levels, each of which gets its own learnt weight, so their exact
// place matters little.
const (
	closeFrom   = 0.92
	similarFrom = 0.85
	gramsFrom   = 0.5
)

// Compare tells how two subjects agree. It is symmetric.
func Compare(a, b *Prepared) Vector {
	var v Vector
	v[Given], v[Surname] = compareNames(a, b)
	v[Suffix] = compareSuffix(a, b)
	v[Mother] = compareParents(&a.mother, &b.mother)
	v[Father] = compareParents(&a.father, &b.father)
	v[Birthdate] = compareDates(a.birth, b.birth)
	if a.gender != 0 && b.gender != 0 {
		v[Gender] = eitherOr(a.gender == b.gender)
	}
	v[CPF] = compareCodes(a.cpf, b.cpf)
	v[Phone] = compareCodes(a.phone, b.phone)
	v[Email] = compareEmails(a.email, b.email)
	v[Birthplace] = compareTexts(&a.text[textBirthplace], &b.text[textBirthplace])
	v[Street], v[Complement] = compareStreets(a, b)
	v[District] = compareTexts(&a.text[textDistrict], &b.text[textDistrict])
	v[City] = compareTexts(&a.text[textCity], &b.text[textCity])
	v[Number] = compareCodes(a.code[codeNumber], b.code[codeNumber])
	v[Postcode] = comparePostcodes(a.code[codePostcode], b.code[codePostcode])
	v[State] = compareCodes(a.code[codeState], b.code[codeState])
	return v
}

func eitherOr(same bool) Agreement {
	if same {
		return Exact
	}
	return Different
}

func compareSuffix(a, b *Prepared) Agreement {
	switch {
	case a.suffix == "" && b.suffix == "":
		return Missing
	case a.suffix == "" || b.suffix == "":
		return Partial // often left out
	}
	return eitherOr(a.suffix == b.suffix)
}

// compareCodes compares numbers of houses, phones, documents.
func compareCodes(a, b string) Agreement {
	switch {
	case a == "" || b == "":
		return Missing
	case a == b:
		return Exact
	case oneSlip(a, b):
		return Close
	}
	return Different
}

// comparePostcodes knows that the first digits name the region (five of a CEP's eight).
func comparePostcodes(a, b string) Agreement {
	g := compareCodes(a, b)
	if g != Different {
		return g
	}
	if n := (len(a) + 2) / 2; len(a) == len(b) && a[:n] == b[:n] {
		return Partial
	}
	return Different
}

func compareEmails(a, b string) Agreement {
	switch {
	case a == "" || b == "":
		return Missing
	case a == b:
		return Exact
	}
	ua, _, _ := strings.Cut(a, "@")
	ub, _, _ := strings.Cut(b, "@")
	if ua == ub {
		return Similar // one person, two providers; or two persons
	}
	if oneSlip(a, b) {
		return Close
	}
	return Different
}

func compareTexts(a, b *text) Agreement {
	switch {
	case a.text == "" || b.text == "":
		return Missing
	case a.tight == b.tight:
		return Exact
	}
	if canReach(a.tight, b.tight, a.set, b.set, similarFrom) {
		switch j := jaroWinkler(a.tight, b.tight); {
		case j >= closeFrom:
			return Close
		case j >= similarFrom:
			return Similar
		}
	}
	if dice(a, b, gramsFrom) >= gramsFrom {
		return Partial
	}
	return Different
}

// compareStreets compares street and complement, which clerks write in each other's place.
func compareStreets(a, b *Prepared) (street, complement Agreement) {
	sa, ca, sb, cb := &a.text[textStreet], &a.text[textComplement], &b.text[textStreet], &b.text[textComplement]
	street, complement = compareTexts(sa, sb), compareTexts(ca, cb)
	if street > Different || complement > Different {
		return street, complement
	}
	if crossed := max(compareTexts(sa, cb), compareTexts(ca, sb)); crossed >= Close {
		return Swapped, Missing // one piece of evidence, counted once
	}
	return street, complement
}
