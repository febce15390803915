package match

// Subject is what a source says of one person. Every field but ID may be empty: unknown.
//
// A source that keeps the name whole fills Name; one that splits it fills GivenName and Surname,
// which then win over Name.
type Subject struct {
	ID string // unique in its file; a uuid in the registry

	Name       string
	GivenName  string
	Surname    string
	SocialName string
	MotherName string
	FatherName string

	Birthdate  string // ISO 8601; also yyyymmdd and dd/mm/yyyy
	Gender     string // compared by its first letter
	Birthplace string // name or IBGE code

	CPF   string // 11 digits, punctuation ignored
	Phone string
	Email string

	Street     string
	Number     string
	Complement string
	District   string
	City       string
	Postcode   string
	State      string
}

// Field names a thing that two subjects are compared on.
type Field uint8

// The fields, in the order a [Result] lists them.
const (
	Given Field = iota // first name
	Surname
	Suffix // Júnior, Filho, Neto
	Mother
	Father
	Birthdate
	Gender
	Birthplace
	CPF
	Phone
	Email
	Street
	Number
	Complement
	District
	City
	Postcode
	State
	numFields
)

var fieldNames = [numFields]string{
	"given_name", "surname", "suffix", "mother_name", "father_name", "birthdate", "gender", "birthplace",
	"cpf", "phone", "email", "street", "number", "complement", "district", "city", "postcode", "state",
}

// String is the field's stable name, as stored and translated.
func (f Field) String() string { return fieldNames[f] }

// ofFamily says whether people of one family share the field, as they share surname and address.
func (f Field) ofFamily() bool {
	switch f {
	case Given, Suffix, Birthdate, Gender, CPF, Email:
		return false
	}
	return true
}

// Agreement says how two values compare. Missing carries no weight; the weight of each of the
// others is learnt per field, so their order here decides nothing.
type Agreement uint8

// The agreements. No field uses all of them.
const (
	Missing   Agreement = iota // one of the two is unknown
	Different                  // nothing in common
	Partial                    // a part is shared: a surname, the day and month, most trigrams
	Similar                    // Jaro–Winkler from 0.85; of a parent, first name and a surname
	Close                      // Jaro–Winkler from 0.92; one digit wrong; every word nearly equal
	Swapped                    // day and month, or the names of two fields, exchanged
	Abridged                   // the shorter name's words, or initials, are all in the longer
	Contained                  // the same, and both begin with the same word: a name was added at the end
	SameSound                  // sounds the same
	Exact
	numAgreements
)

var agreementNames = [numAgreements]string{
	"missing", "different", "partial", "similar", "close", "swapped", "abridged", "contained", "phonetic", "exact",
}

// String is the agreement's stable name, as stored and translated.
func (a Agreement) String() string { return agreementNames[a] }
