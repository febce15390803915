package record

// Reason is why a value, or a part of one, was refused. Reasons are few and shared: compare
// pointers, keep them as long as you like. A reason says nothing of the value.
type Reason struct {
	Field Field
	Code  string // stable: birthdate_future, cns_check_digit, address_cep_invalid
}

// Error is the code.
func (r *Reason) Error() string { return r.Code }

// why is what is wrong, whatever the field.
type why uint8

const (
	fine         why = iota
	invalid          // not the shape of such a value
	checkDigit       // the shape is right, the check digits are not
	characters       // not UTF-8, or control characters
	long             // more characters than the field takes
	unknown          // none of the words of an enumeration
	future           // a date after today
	early            // a date before 1880
	twoDigitYear     // a date whose century is a guess
	areaCode         // a telephone number without area code
	whys         = iota
)

var suffixes = [whys]string{
	invalid: "invalid", checkDigit: "check_digit", characters: "characters", long: "long", unknown: "unknown",
	future: "future", early: "early", twoDigitYear: "two_digit_year", areaCode: "area_code",
}

var unknownField = &Reason{Code: "field_unknown"}

var (
	reasons     [fields][whys]*Reason
	partReasons [fields][maxParts][whys]*Reason
)

func init() {
	for _, f := range All() {
		reasons[f] = reasonsOf(f, f.String())
		for i, name := range PartsOf(f) {
			partReasons[f][i] = reasonsOf(f, f.String()+"_"+name)
		}
	}
}

func reasonsOf(f Field, name string) (all [whys]*Reason) {
	for w, suffix := range suffixes {
		all[w] = &Reason{Field: f, Code: name + "_" + suffix}
	}
	return all
}
