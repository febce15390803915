package themes

import (
	"fmt"
	"strings"
	"time"
)

// input is what the template "field" shows: label, hints, the message of its fault, the control.
type input struct {
	Kind, Name, Type string
	Value            string
	Mode, Complete   string // inputmode, autocomplete
	Label, Hint      string
	Purpose          string
	Problem          string
	Optional         bool
	Plain            bool // no capitals, no spelling help
	Options          []option
}

type option struct {
	Value, Label string
	Selected     bool
}

// control is what HTML needs to know of a field (WCAG 2.2 §1.3.5 for autocomplete).
type control struct {
	name, kind, mode, complete string
}

// controls by kind of field; a field that is not here is a line of text.
var controls = map[string]control{
	"cpf":            {"cpf", "text", "numeric", "username"},
	"email":          {"email", "email", "email", "email"},
	"password":       {"password", "password", "", "current-password"},
	"new_password":   {"password", "password", "", "new-password"},
	"code":           {"code", "text", "numeric", "one-time-code"},
	"second_code":    {"code", "text", "", "one-time-code"}, // recovery codes have letters
	"recovery_code":  {"code", "text", "numeric", "one-time-code"},
	"desk_code":      {"code", "text", "", "off"},
	"answer":         {"answer", "text", "", "off"},
	"name":           {"name", "text", "", "name"},
	"legal_name":     {"name", "text", "", "name"},
	"birthdate":      {"birthdate", "date", "", "bday"},
	"day":            {"day", "date", "", "off"},
	"gender":         {"gender", "text", "", "sex"},
	"phone_number":   {"phone_number", "tel", "tel", "tel"},
	"factor_name":    {"name", "text", "", "off"}, // of a device, as its owner calls it
	"question":       {"question", "text", "", "off"},
	"new_answer":     {"answer", "text", "", "off"},
	"country":        {"country", "text", "", "country"},
	"phone":          {"phone", "tel", "tel", "tel-national"},
	"street_address": {"street_address", "text", "", "street-address"},
	"locality":       {"locality", "text", "", "address-level2"},
	"region":         {"region", "text", "", "address-level1"},
	"postal_code":    {"postal_code", "text", "numeric", "postal-code"},
	"mother_cpf":     {"mother_cpf", "text", "numeric", "off"},
	"father_cpf":     {"father_cpf", "text", "numeric", "off"},
	"cns":            {"cns", "text", "numeric", "off"},
	"nis":            {"nis", "text", "numeric", "off"},
	"voter_id":       {"voter_id", "text", "numeric", "off"},
}

// genders are the values a citizen can choose; messages gender.<value>.
var genders = []string{"female", "male", "other", "undisclosed"}

// DescribedBy lists the ids of the hints and of the message, for aria-describedby.
func (i input) DescribedBy() string {
	var ids []string
	for _, part := range []struct{ suffix, text string }{
		{"-purpose", i.Purpose}, {"-hint", i.Hint}, {"-problem", i.Problem},
	} {
		if part.text != "" {
			ids = append(ids, i.Name+part.suffix)
		}
	}
	return strings.Join(ids, " ")
}

// field makes the input of one kind. Label is message field.<kind> or claim.<kind>, hint is the
// label's id with ".hint", when that message exists.
func (c *catalog) field(p page, kind, value string) (input, error) {
	k, ok := controls[kind]
	if !ok {
		k = control{kind, "text", "", "off"}
	}
	in := input{Kind: kind, Name: k.name, Type: k.kind, Value: value, Mode: k.mode, Complete: k.complete}
	in.Plain = kind == "email" || k.name == "code" || kind == "answer" || k.kind == "password"
	if k.kind == "date" && !isDate(value) {
		in.Type = "text" // a date picker would drop what was typed
	}
	label := "field." + kind
	if !c.has(label) {
		label = "claim." + kind
	}
	var err error
	if in.Label, err = c.text(label, nil); err != nil {
		return in, err
	}
	if c.has(label + ".hint") {
		in.Hint, err = c.text(label+".hint", nil)
	}
	if err == nil {
		in.Problem, err = c.problem(p.F.Problem, in.Name)
	}
	return in, err
}

// profileField makes the input of one missing datum.
func (c *catalog) profileField(p page, f Field) (input, error) {
	in, err := c.field(p, f.Name, f.Value)
	in.Optional, in.Purpose = !f.Required, f.Purpose
	if f.Name != "gender" || err != nil {
		return in, err
	}
	for _, value := range genders {
		label, err := c.text("gender."+value, nil)
		if err != nil {
			return in, err
		}
		in.Options = append(in.Options, option{value, label, value == f.Value})
	}
	return in, nil
}

// Country is one entry of a list of countries: internal/phone's, in the reader's language.
type Country struct {
	Code    string // ISO 3166-1 alpha-2
	Name    string
	Calling int // 55
}

// countryField makes the list of countries that a phone may be of; none is chosen for the citizen.
func (c *catalog) countryField(p page, countries []Country, chosen string) (input, error) {
	in, err := c.field(p, "country", chosen)
	for _, one := range countries {
		in.Options = append(in.Options, option{one.Code, fmt.Sprintf("%s (+%d)", one.Name, one.Calling), one.Code == chosen})
	}
	return in, err
}

// problem gives the message of the first fault of a field; "" when it has none.
func (c *catalog) problem(p *Problem, field string) (string, error) {
	if p == nil {
		return "", nil
	}
	for _, f := range p.Fields {
		if f.Field == field {
			return c.text("problem."+f.Code, f.Args)
		}
	}
	return "", nil
}

// show gives a claim's value as people write it.
func (c *catalog) show(name, value string) string {
	switch {
	case name == "birthdate" && value != "" && isDate(value):
		t, _ := time.Parse(time.DateOnly, value)
		return c.day(t)
	case name == "gender" && c.has("gender."+value):
		return c.ready["gender."+value]
	case name == "company_role" && c.has("company.role."+value):
		return c.ready["company.role."+value]
	case name == "locale":
		for _, l := range languageNames {
			if l.Code == value {
				return l.Name
			}
		}
	}
	return value
}

// day writes a date; t is already in the place where it is read.
func (c *catalog) day(t time.Time) string {
	if c.lang == "en" {
		return t.Format("2 January 2006")
	}
	return t.Format("02/01/2006")
}

// Moment writes a day and time where the city is, for letters and lists: 24/07/2026, 14:05.
func (r *Renderer) Moment(lang string, t time.Time) string {
	t = t.In(r.city.zone)
	return r.catalogs[known(lang)].day(t) + ", " + t.Format("15:04")
}

// isDate tells whether value is empty or a full date of ISO 8601, as type=date wants it.
func isDate(value string) bool {
	_, err := time.Parse(time.DateOnly, value)
	return value == "" || err == nil
}

// pairsOf makes a map of name, value, name, value …
func pairsOf(list []any) (map[string]any, error) {
	if len(list)%2 != 0 {
		return nil, fmt.Errorf("placeholders come in pairs, not %d", len(list))
	}
	args := make(map[string]any, len(list)/2)
	for i := 0; i < len(list); i += 2 {
		name, ok := list[i].(string)
		if !ok {
			return nil, fmt.Errorf("placeholder %v is no name", list[i])
		}
		args[name] = list[i+1]
	}
	return args, nil
}
