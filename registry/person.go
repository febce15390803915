package registry

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// PersonID is a UUIDv7.
type PersonID = uuid.UUID

// Sources that are no base of the city. Message "source.<Source>" names each for the citizen.
const (
	SourceSelf     = pmcc.SourceSelf // typed by the person
	SourceGovBR    = pmcc.SourceGovBR
	SourceICP      = "icp"      // a certificate of theirs, as the default policy names it
	SourceOperator = "operator" // set by hand, by two people of the registry
)

// Value is one field with its provenance.
type Value struct {
	Text       string
	Source     string
	At         time.Time  // since when, as the source says
	Confirmed  *time.Time // when a channel answered; nil: not confirmed
	Record     uuid.UUID  // the source's record; its time is when it was received
	Rule       int        // of the policy's version Person.Policy: what let the value in
	Confidence int        // 0 to 100
}

// Fields holds a person's values by field name (registry/record): name, birthdate, email, …, with
// social_name beside name, and "benefit/bpc" for a keyed one. Absent means unknown.
type Fields map[string]Value

// Person is one record of the registry.
type Person struct {
	ID        PersonID
	CPF       brdoc.CPF  // "" for people without one
	CNPJ      brdoc.CNPJ // of an organization
	Fields    Fields     // what the city knows
	Declared  Fields     // what the person says of themselves, or has brought from gov.br
	Policy    int        // version of the PMCC that Fields were computed by
	CreatedAt time.Time
	UpdatedAt time.Time
}

// seenFrom is the trust level from which a person is shown what the city's bases know of a CPF.
const seenFrom = 3

// Seen is the person as somebody of a trust level may see and pass on: below level 3 nobody has
// shown that the CPF is theirs, so they see what they declared and nothing that the city knew.
func (p Person) Seen(level int) Person {
	if level < seenFrom {
		p.Fields = p.Declared
	}
	return p
}

// DocumentKeys are the keys a CPF or CNPJ is looked up by, one for each live index key, newest
// first; all but the first are old, while the index is being made anew.
func DocumentKeys(s Sealer, document string) []uuid.UUID {
	versions := s.IndexVersions()
	keys := make([]uuid.UUID, len(versions))
	for i, v := range versions {
		keys[i] = uuid.UUID(s.IndexAt(v, "cpf", []byte(document))[:16])
	}
	return keys
}

// CPFIndex is a keyed digest of a CPF, 32 bytes, for what is counted per CPF.
func CPFIndex(s Sealer, cpf brdoc.CPF) []byte { return s.Index("cpf", []byte(cpf.Digits())) }

// DisplayName is what the person is called: the social name where there is one, else the name;
// "" when the city has neither.
func (p Person) DisplayName() string {
	if social := p.Fields["social_name"].Text; social != "" {
		return social
	}
	return p.Fields["name"].Text
}

// Claim returns the value of one claim of the contract as it leaves in JSON; ok is false when the
// city has none.
//
// OpenID Connect Core §5.1 for the standard ones; address is {"formatted": …}.
func (p Person) Claim(name string) (value any, ok bool) {
	switch name {
	case "name":
		value = p.DisplayName()
	case "civil_name":
		value = p.Fields["name"].Text
	case "cpf":
		value = p.CPF.Digits()
	case "email_verified", "phone_number_verified":
		field, has := p.Fields[strings.TrimSuffix(name, "_verified")]
		return field.Confirmed != nil, has
	case "address":
		at := record.ParseLocation(p.Fields["address"].Text)
		return addressClaim(at), at != record.Location{}
	case "rg":
		value = record.RGLine(p.Fields["rg"].Text)
	case "passport":
		value = record.DocumentLine(p.Fields["passport"].Text)
	case "cnpj":
		value = p.CNPJ.Text()
	case "company_name":
		if p.CNPJ != "" {
			value = p.Fields["name"].Text
		} else {
			value = ""
		}
	case "updated_at":
		return p.UpdatedAt.Unix(), !p.UpdatedAt.IsZero()
	default:
		value = p.Fields[name].Text
	}
	return value, value != ""
}

// Origin is the field that a claim's value stands in, with its provenance: the social name's for name
// where the person has one. ok is false where the city has no value.
func (p Person) Origin(claim string) (field string, v Value, ok bool) {
	switch field = claim; {
	case claim == "name" && p.Fields["social_name"].Text != "":
		field = "social_name"
	case claim == "civil_name":
		field = "name"
	}
	v, ok = p.Fields[field]
	return field, v, ok && v.Text != ""
}

// addressClaim is an address with the parts that are known.
//
// OpenID Connect Core §5.1.1
func addressClaim(at record.Location) map[string]string {
	claim := map[string]string{"formatted": at.Line()}
	street := strings.TrimSuffix(strings.Join([]string{at.Street, at.Number}, ", "), ", ")
	for name, text := range map[string]string{"street_address": street, "locality": at.City, "region": at.State, "postal_code": at.CEP} {
		if text != "" && text != claim["formatted"] {
			claim[name] = text
		}
	}
	return claim
}

// Has says whether the city holds a value for a claim.
func (p Person) Has(claim string) bool {
	_, ok := p.Claim(claim)
	return ok
}

// Why a value was refused; the page shows the message of the code beside the field.
var (
	ErrRequired  = fail.New(fail.Invalid, "field_required")
	ErrName      = fail.New(fail.Invalid, "name")
	ErrBirthdate = fail.New(fail.Invalid, "birthdate")
	ErrPhone     = fail.New(fail.Invalid, "phone")
	ErrTooLong   = fail.New(fail.Invalid, "field_long")
	ErrField     = fail.New(fail.Invalid, "field_unknown")
)

var phone = regexp.MustCompile(`^\+[1-9]\d{7,14}$`)

// Declarable lists the claims a person may state about themselves, in the order a form asks.
// The others (cns, company_name, …) come from the city's own sources.
func Declarable() []string {
	return []string{"name", "birthdate", "gender", "phone_number", "address", "mother_name", "father_name",
		"rg", "voter_id", "nis", "cns", "passport"}
}

// ParseDeclared checks and normalises what a person typed for a claim.
//
//	name         two words or more, white space folded
//	birthdate    2006-01-02 or 02/01/2006, in the past, at most 130 years ago; kept as ISO 8601
//	gender       female, male, other or undisclosed
//	phone        E.164; a Brazilian number may come without +55
//	other        1 to 200 characters without control characters
//
// Errors: ErrRequired, ErrName, ErrBirthdate, ErrPhone, ErrTooLong.
func ParseDeclared(claim, typed string, now time.Time) (string, error) {
	text := strings.Join(strings.Fields(typed), " ")
	if text == "" {
		return "", ErrRequired
	}
	if utf8.RuneCountInString(text) > 200 || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }) {
		return "", ErrTooLong
	}
	switch claim {
	case "name", "mother_name", "father_name":
		if len(strings.Fields(text)) < 2 || strings.ContainsAny(text, "0123456789<>@") {
			return "", ErrName
		}
	case "birthdate":
		return parseBirthdate(text, now)
	case "gender":
		if !slices.Contains([]string{"female", "male", "other", "undisclosed"}, text) {
			return "", ErrRequired
		}
	case "phone_number":
		return parsePhone(text)
	}
	return text, nil
}

func parseBirthdate(text string, now time.Time) (string, error) {
	for _, layout := range []string{"2006-01-02", "02/01/2006", "2/1/2006"} {
		if day, err := time.Parse(layout, text); err == nil {
			if day.After(now) || day.Before(now.AddDate(-130, 0, 0)) {
				return "", ErrBirthdate
			}
			return day.Format("2006-01-02"), nil
		}
	}
	return "", ErrBirthdate
}

func parsePhone(text string) (string, error) {
	number := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" ()-.", r) {
			return -1
		}
		return r
	}, text)
	if !strings.HasPrefix(number, "+") && (len(number) == 10 || len(number) == 11) {
		number = "+55" + number
	}
	if !phone.MatchString(number) {
		return "", ErrPhone
	}
	return number, nil
}

// Masked shows a claim's value on a page without showing all of it: enough for its owner to
// recognise, too little for somebody looking over the shoulder. "" when the city has none.
func (p Person) Masked(claim string) string {
	value, ok := p.Claim(claim)
	if !ok {
		return ""
	}
	switch claim {
	case "name", "civil_name", "social_name", "gender", "locale", "company_name", "company_role":
		return fmt.Sprint(value)
	case "cpf":
		return p.CPF.Masked()
	case "email":
		if mail, err := brdoc.ParseEmail(p.Fields["email"].Text); err == nil {
			return mail.Masked()
		}
		return "***"
	case "birthdate":
		return maskBirthdate(p.Fields["birthdate"].Text)
	case "address":
		return keepEnds(record.ParseLocation(p.Fields["address"].Text).Line(), 6, 0)
	}
	if text, isText := value.(string); isText {
		return keepEnds(text, 0, 3)
	}
	return ""
}

func maskBirthdate(iso string) string {
	if len(iso) != len("2006-01-02") {
		return "***"
	}
	return "**/**/" + iso[:4]
}

// keepEnds hides all but the first and last runes; short values are hidden whole.
func keepEnds(s string, first, last int) string {
	runes := []rune(s)
	if len(runes) < 2*(first+last) {
		return "***"
	}
	return string(runes[:first]) + "***" + string(runes[len(runes)-last:])
}
