package registry

import (
	"encoding/json"
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
)

// PersonID is a UUIDv7.
type PersonID = uuid.UUID

// Sources a value may come from. Message "source.<Source>" names each for the citizen.
const (
	SourceSelf = "self" // typed by the person
	SourceDemo = "demo" // invented, for the demo city
)

// Value is one field with its provenance.
type Value struct {
	Text      string     `json:"v"`
	Source    string     `json:"s"`
	At        time.Time  `json:"t"`
	Confirmed *time.Time `json:"c,omitempty"` // when a channel answered; nil: not confirmed
}

// Fields holds a person's values by OIDC claim name (name, birthdate, email, phone_number, rg, …)
// with social_name beside name. Absent means unknown.
type Fields map[string]Value

// Person is one record of the registry.
type Person struct {
	ID        PersonID
	CPF       brdoc.CPF // "" for people without one
	Fields    Fields
	CreatedAt time.Time
	UpdatedAt time.Time
}

// sealed is the JSON inside the sealed column. The CPF travels in it because the index is one-way.
type sealed struct {
	CPF    string `json:"cpf,omitempty"`
	Fields Fields `json:"f"`
}

// Sealer seals and opens columns; *secret.Box is the one there is.
type Sealer interface {
	Seal(plaintext, aad []byte) []byte
	Open(sealed, aad []byte) ([]byte, error)
	Index(domain string, value []byte) []byte
}

// Seal packs the person's CPF and fields, bound to the person's id.
func (p Person) Seal(s Sealer) ([]byte, error) {
	plain, err := json.Marshal(sealed{CPF: p.CPF.Digits(), Fields: p.Fields})
	if err != nil {
		return nil, err
	}
	return s.Seal(plain, p.ID[:]), nil
}

// Unseal reads what [Person.Seal] packed for this id.
func Unseal(s Sealer, id PersonID, column []byte) (Person, error) {
	plain, err := s.Open(column, id[:])
	if err != nil {
		return Person{}, fmt.Errorf("person %s: %w", id, err)
	}
	var in sealed
	if err := json.Unmarshal(plain, &in); err != nil {
		return Person{}, fmt.Errorf("person %s: sealed fields are not JSON", id)
	}
	return Person{ID: id, CPF: brdoc.CPF(in.CPF), Fields: in.Fields}, nil
}

// CPFIndex is the blind index a CPF is looked up by.
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
		text := p.Fields["address"].Text
		return map[string]string{"formatted": text}, text != ""
	case "updated_at":
		return p.UpdatedAt.Unix(), !p.UpdatedAt.IsZero()
	default:
		value = p.Fields[name].Text
	}
	return value, value != ""
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
		return keepEnds(p.Fields["address"].Text, 6, 0)
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
