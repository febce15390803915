package record

import "strings"

// Field is one thing the registry may know. The numbers are stored: never reuse one.
type Field uint8

// The fields. Those marked keyed occur several times for one person, each under a key of its own:
// "benefit/bpc", "relation/spouse", "complement/saude.prontuario".
const (
	CPF              Field = 1 // 11 digits
	CNPJ             Field = 2 // 14 characters, letters in upper case
	Name             Field = 3 // civil name; an organization's registered name
	SocialName       Field = 4 // Decreto 8.727/2016; an organization's trade name
	Gender           Field = 5 // female, male, other, undisclosed
	Birthdate        Field = 6 // ISO 8601; the day an organization was opened
	Birthplace       Field = 7 // IBGE code, 7 digits
	Nationality      Field = 8 // ISO 3166-1 alpha-2
	MaritalStatus    Field = 9 // single, married, divorced, separated, widowed, union
	Death            Field = 10
	Locale           Field = 11 // BCP 47
	RG               Field = 12 // number, issuer, state: see [Composite]
	VoterID          Field = 13 // título de eleitor, 12 digits
	NIS              Field = 14 // 11 digits
	CNS              Field = 15 // cartão nacional de saúde, 15 digits
	Passport         Field = 16
	MotherName       Field = 17
	MotherCPF        Field = 18
	FatherName       Field = 19
	FatherCPF        Field = 20
	Email            Field = 21
	EmailAlternative Field = 22
	Phone            Field = 23 // E.164
	PhoneAlternative Field = 24 // E.164
	Address          Field = 25 // see [Address]
	Relation         Field = 26 // keyed: spouse, child.1 …; name and CPF, composite
	Benefit          Field = 27 // keyed by the benefit; since, until, status, composite
	Complement       Field = 28 // keyed by theme and item
	Situation        Field = 29 // of a CPF or CNPJ at the Receita: regular, suspended, cancelled, null, deceased
	LegalNature      Field = 30 // of an organization, 4 digits

	fields = 31

	// Fields is the number of field numbers, for tables by field.
	Fields = fields
)

// Class is how sensitive a field is: every class of a person is sealed as one value under a key of
// its own.
type Class uint8

// The classes, in the order their columns stand in.
const (
	Identity Class = iota
	Documents
	Contact
	Family
	Complements
	Classes = iota
)

var table = [fields]struct {
	name  string
	class Class
	keyed bool
}{
	CPF: {"cpf", Documents, false}, CNPJ: {"cnpj", Documents, false},
	Name: {"name", Identity, false}, SocialName: {"social_name", Identity, false}, Gender: {"gender", Identity, false},
	Birthdate: {"birthdate", Identity, false}, Birthplace: {"birthplace", Identity, false},
	Nationality: {"nationality", Identity, false}, MaritalStatus: {"marital_status", Identity, false},
	Death: {"death", Identity, false}, Locale: {"locale", Identity, false},
	Situation: {"situation", Identity, false}, LegalNature: {"legal_nature", Identity, false},
	RG: {"rg", Documents, false}, VoterID: {"voter_id", Documents, false}, NIS: {"nis", Documents, false},
	CNS: {"cns", Documents, false}, Passport: {"passport", Documents, false},
	MotherName: {"mother_name", Family, false}, MotherCPF: {"mother_cpf", Family, false},
	FatherName: {"father_name", Family, false}, FatherCPF: {"father_cpf", Family, false}, Relation: {"relation", Family, true},
	Email: {"email", Contact, false}, EmailAlternative: {"email_alternative", Contact, false},
	Phone: {"phone_number", Contact, false}, PhoneAlternative: {"phone_alternative", Contact, false},
	Address: {"address", Contact, false},
	Benefit: {"benefit", Complements, true}, Complement: {"complement", Complements, true},
}

var byName = func() map[string]Field {
	m := make(map[string]Field, fields)
	for f, t := range table {
		if t.name != "" {
			m[t.name] = Field(f)
		}
	}
	return m
}()

// String is the field's name in policies, mappings and the API: the OIDC claim where there is one.
func (f Field) String() string {
	if f.Valid() {
		return table[f].name
	}
	return "?"
}

// Valid says whether the number is one of the fields.
func (f Field) Valid() bool { return int(f) < len(table) && table[f].name != "" }

// Class is what the field is sealed with.
func (f Field) Class() Class { return table[f].class }

// Keyed says whether a person may have several, each under a key.
func (f Field) Keyed() bool { return table[f].keyed }

// All lists the fields by number.
func All() []Field {
	all := make([]Field, 0, fields)
	for f := range table {
		if Field(f).Valid() {
			all = append(all, Field(f))
		}
	}
	return all
}

// Parse reads "name" or, for a keyed field, "benefit/bpc"; ok is false for anything else. A key is
// 1 to 60 characters of a–z, 0–9, '.', '_' and '-'.
func Parse(name string) (f Field, key string, ok bool) {
	base, key, hasKey := strings.Cut(name, "/")
	f, ok = byName[base]
	if !ok || hasKey != f.Keyed() || hasKey && !validKey(key) {
		return 0, "", false
	}
	return f, key, true
}

// Join is the inverse of [Parse].
func Join(f Field, key string) string {
	if key == "" {
		return f.String()
	}
	return f.String() + "/" + key
}

func validKey(key string) bool {
	if len(key) == 0 || len(key) > 60 {
		return false
	}
	for _, c := range []byte(key) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
