package ida

// kind is what sort of value an element has.
type kind uint8

const (
	text   kind = iota // string
	date               // 2006-01-02, or with a time; max_age is for these
	object             // members
	list               // entries of one form
	claims             // claims by name: derived_claims
)

// element is the form of one element: what a request may ask of it and an answer has.
//
// OpenID Identity Assurance Schema Definition 1.0 §5.4. What the city never says (attachments,
// assurance_process) is here all the same: asked for plainly it is left out, with a constraint it
// cannot be met.
type element struct {
	kind    kind
	members map[string]*element
	entry   *element
	need    []string // members without which an answer is not valid
	bare    bool     // a string alone stands for its value, as the request's JSON schema has it in check_details
}

var (
	plain  = &element{kind: text}
	dated  = &element{kind: date}
	named  = &element{kind: text, bare: true}
	origin = map[string]*element{"name": plain, "formatted": plain, "street_address": plain, "locality": plain, "region": plain,
		"postal_code": plain, "country": plain, "country_code": plain, "jurisdiction": plain}
	checks = &element{kind: list, entry: &element{kind: object, need: []string{"check_method"},
		members: map[string]*element{"check_method": named, "organization": named, "check_id": named, "time": dated}}}
)

// verification is the element of that name. §5.4.2
var verification = &element{kind: object, need: []string{"trust_framework"}, members: map[string]*element{
	"trust_framework": plain, "assurance_level": plain, "time": dated, "verification_process": plain,
	"assurance_process": {kind: object, members: map[string]*element{"policy": plain, "procedure": plain}},
	"evidence":          {kind: list}, // each entry by its type
}}

// Types of evidence. §5.4.4.1
const (
	Document            = "document"
	ElectronicRecord    = "electronic_record"
	Vouch               = "vouch"
	ElectronicSignature = "electronic_signature"
)

// evidence are the forms by type. §5.4.4.2 to §5.4.4.5
var evidence = map[string]*element{
	Document: entryOf(map[string]*element{"check_details": checks, "document_details": {kind: object, need: []string{"type"},
		members: map[string]*element{"type": plain, "document_number": plain, "serial_number": plain, "date_of_issuance": dated,
			"date_of_expiry": dated, "issuer": {kind: object, members: origin}}}}),
	ElectronicRecord: entryOf(map[string]*element{"check_details": checks, "record": {kind: object, need: []string{"type"},
		members: map[string]*element{"type": plain, "created_at": dated, "date_of_expiry": dated, "source": {kind: object, members: origin}}}}),
	Vouch: entryOf(map[string]*element{"check_details": checks, "attestation": {kind: object, need: []string{"type"},
		members: map[string]*element{"type": plain, "reference_number": plain, "date_of_issuance": dated, "date_of_expiry": dated,
			"voucher": {kind: object, members: with(origin, map[string]*element{"birthdate": dated, "occupation": plain, "organization": plain})}}}}),
	ElectronicSignature: entryOf(map[string]*element{"signature_type": plain, "issuer": plain, "serial_number": plain, "created_at": dated},
		"signature_type", "issuer", "serial_number"),
}

func entryOf(members map[string]*element, need ...string) *element {
	return &element{kind: object, need: append([]string{"type"}, need...),
		members: with(members, map[string]*element{"type": plain, "attachments": plain, "derived_claims": {kind: claims}})}
}

func with(a, b map[string]*element) map[string]*element {
	all := make(map[string]*element, len(a)+len(b))
	for _, m := range []map[string]*element{a, b} {
		for name, e := range m {
			all[name] = e
		}
	}
	return all
}

// entryForm is the form of one entry of evidence that is asked for; of a type that the
// specification does not have, only the type itself, which nothing then meets.
func entryForm(typ string) *element {
	if form, ok := evidence[typ]; ok {
		return form
	}
	return &element{kind: object, need: []string{"type"}, members: map[string]*element{"type": plain}}
}
