package ida

import (
	"cmp"
	"slices"
	"time"

	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/record"
	"github.com/loginunico/loginunico/registry/trust"
)

// Set is one verification of a person: under which framework, when, by which evidence, and which of
// the person's claims it covers.
type Set struct {
	Framework string
	Level     string // assurance_level; "" unknown
	Time      time.Time
	Entries   []Entry
}

// Entry is one piece of evidence and the claims that it verifies; the same claim may be in several.
type Entry struct {
	Type   string
	Claims []string
	data   map[string]any // string, day, moment, map[string]any, []any
	Source string         // of the registry; "" where it is none
}

// day and moment are the two forms of dates in an answer.
type (
	day    time.Time
	moment time.Time
)

// Check methods, by the words of the OpenID Foundation's list of predefined values.
const (
	checkData      = "data" // an existing record that agrees with what the person claims
	checkAuth      = "auth" // they signed in where only the holder can
	checkInPerson  = "pvp"  // somebody compared the person with the image
	checkBiometric = "bvp"  // a machine did, with the person present
)

const brazil = "BRA" // ISO 3166, as ICAO Doc 9303 writes it

// documents are the types of documents that a desk may have seen.
var documents = map[string]bool{"idcard": true, "passport": true, "driving_permit": true, "residence_permit": true,
	"work_permit": true, "birth_certificate": true, "marriage_certificate": true}

// cityClaims are what the registry's bases can vouch for. Mail and telephone are not: a base has what
// somebody once told a clerk, and email_verified says more.
var cityClaims = []string{"name", "birthdate", "gender", "civil_name", "address", "cpf", "rg", "voter_id", "cns", "nis", "passport",
	"mother_name", "mother_cpf", "father_name", "father_cpf"}

// Sets lists who verified what of a person, the city first, under one framework the strongest and
// newest first. Nothing that the person alone says is in any of them.
//
//	p         as their trust level lets them be seen ([registry.Person.Seen])
//	proofs    evidence with its attributes, of any age; what is not live at the instant counts nothing
//	nameOf    what the city calls a source of its registry
//
// OpenID Identity Assurance Schema Definition 1.0 §5.
func (s *Settings) Sets(p registry.Person, proofs []trust.Evidence, nameOf func(source string) string, at time.Time) []Set {
	live := slices.DeleteFunc(slices.Clone(proofs), func(e trust.Evidence) bool { return !e.LiveAt(at) })
	slices.SortStableFunc(live, func(a, b trust.Evidence) int {
		return cmp.Or(cmp.Compare(b.Kind.Level(), a.Kind.Level()), b.VerifiedAt.Compare(a.VerifiedAt))
	})
	var city, govbr, icp []Set
	heard := false
	for _, e := range live {
		switch e.Kind {
		case trust.GovBR:
			if !heard { // its newest word is its word: the level of an account falls too
				govbr, heard = s.govbr(p, e), true
			}
		case trust.ICPCertificate:
			icp = append(icp, s.icp(p, e)...)
			city = append(city, s.city(p, e, nameOf)...)
		case trust.RegistryMatch, trust.BiometricEnrollment:
			city = append(city, s.city(p, e, nameOf)...)
		}
	}
	return slices.Concat(city, govbr, icp)
}

// city is what the registry's bases hold of a person who has shown by some evidence that the record
// is theirs. Each record is an entry with the claims whose value came from it; how the person was
// bound to the record is an entry over all of them, unless that was by the records' data alone.
func (s *Settings) city(p registry.Person, binding trust.Evidence, nameOf func(string) string) []Set {
	set := Set{Framework: s.City, Level: trust.ACR(binding.Kind.Level(), binding.Kind.Level()), Time: binding.VerifiedAt}
	for _, claim := range cityClaims {
		_, v, ok := p.Origin(claim)
		if !ok || !p.Has(claim) || slices.Contains([]string{registry.SourceSelf, registry.SourceGovBR, registry.SourceICP, ""}, v.Source) {
			continue
		}
		set.add(claim, s.entry(v, binding, nameOf))
	}
	if s.City == "" || len(set.Entries) == 0 {
		return nil
	}
	switch binding.Kind {
	case trust.BiometricEnrollment:
		set.bind(s.desk(binding))
	case trust.ICPCertificate:
		set.bind(signature(binding))
	}
	return []Set{set}
}

// add gives a claim to the entry that it came from.
func (s *Set) add(claim string, e Entry) {
	for i := range s.Entries {
		if same := &s.Entries[i]; same.Type == e.Type && same.Source == e.Source && sameData(same.data, e.data) {
			same.Claims = append(same.Claims, claim)
			return
		}
	}
	e.Claims = []string{claim}
	s.Entries = append(s.Entries, e)
}

// bind adds an entry over every claim of the set.
func (s *Set) bind(e Entry) {
	for _, other := range s.Entries {
		e.Claims = append(e.Claims, other.Claims...)
	}
	s.Entries = append(s.Entries, e)
}

// entry is the record that a value came from. What people of the city set by hand, at a desk or in the
// registry, is their word.
func (s *Settings) entry(v registry.Value, binding trust.Evidence, nameOf func(string) string) Entry {
	if v.Source == registry.SourceOperator || v.Source == "desk" {
		return Entry{Type: Vouch, Source: v.Source, data: map[string]any{"type": Vouch, "attestation": map[string]any{"type": attestation,
			"date_of_issuance": day(v.At), "voucher": map[string]any{"organization": s.Organization}}}}
	}
	return Entry{Type: ElectronicRecord, Source: v.Source, data: map[string]any{"type": ElectronicRecord,
		"check_details": []any{map[string]any{"check_method": checkData, "organization": s.Organization, "time": moment(binding.VerifiedAt)}},
		"record": map[string]any{"type": s.recordType(v.Source), "created_at": moment(v.At),
			"source": map[string]any{"name": nameOf(v.Source), "country_code": brazil}}}}
}

// desk is what an enrolment of biometrics proves: with a document where the evidence names its type,
// else the word of the city's people.
func (s *Settings) desk(e trust.Evidence) Entry {
	check := checkBiometric
	if word(e, "check_method") == checkInPerson {
		check = checkInPerson
	}
	checked := []any{map[string]any{"check_method": check, "organization": s.Organization, "time": moment(e.VerifiedAt)}}
	if typ := word(e, "document_type"); documents[typ] {
		details := map[string]any{"type": typ}
		if issuer := word(e, "document_issuer"); issuer != "" {
			details["issuer"] = map[string]any{"name": issuer, "country_code": brazil}
		}
		return Entry{Type: Document, data: map[string]any{"type": Document, "check_details": checked, "document_details": details}}
	}
	vouched := map[string]any{"type": attestation, "date_of_issuance": day(e.VerifiedAt), "voucher": map[string]any{"organization": s.Organization}}
	if !e.ExpiresAt.IsZero() {
		vouched["date_of_expiry"] = day(e.ExpiresAt)
	}
	return Entry{Type: Vouch, data: map[string]any{"type": Vouch, "check_details": checked, "attestation": vouched}}
}

// govbr is what a gov.br account says of a person, with its level and its seals, each a check of its
// own. The CPF is the account's name.
func (s *Settings) govbr(p registry.Person, e trust.Evidence) []Set {
	const organization = "gov.br"
	checked := []any{map[string]any{"check_method": checkAuth, "organization": organization, "time": moment(e.VerifiedAt)}}
	for _, seal := range seals(e) {
		one := map[string]any{"check_method": "govbr_selo_" + seal.ID, "organization": organization}
		if !seal.UpdatedAt.IsZero() {
			one["time"] = moment(seal.UpdatedAt)
		}
		checked = append(checked, one)
	}
	account := map[string]any{"type": recordGovBR, "source": map[string]any{"name": organization, "country_code": brazil}}
	if !e.ExpiresAt.IsZero() {
		account["date_of_expiry"] = day(e.ExpiresAt)
	}
	entry := Entry{Type: ElectronicRecord, Source: registry.SourceGovBR, Claims: given(p, registry.SourceGovBR, "name", "civil_name", "email", "phone_number"),
		data: map[string]any{"type": ElectronicRecord, "check_details": checked, "record": account}}
	return one(s.GovBR, word(e, "level"), e, entry)
}

// icp is what stands in a certificate of ICP-Brasil: its holder's CPF, and what the registry has from
// there, such as name and birth date.
func (s *Settings) icp(p registry.Person, e trust.Evidence) []Set {
	entry := signature(e)
	entry.Claims = given(p, registry.SourceICP, cityClaims...)
	return one(s.ICPBrasil, "", e, entry)
}

func signature(e trust.Evidence) Entry {
	data := map[string]any{"type": ElectronicSignature, "signature_type": "icp_brasil", "created_at": moment(e.VerifiedAt)}
	if profile := word(e, "profile"); profile != "" {
		data["signature_type"] = profile
	}
	for member, attribute := range map[string]string{"issuer": "issuer", "serial_number": "serial"} {
		if text := word(e, attribute); text != "" {
			data[member] = text
		}
	}
	return Entry{Type: ElectronicSignature, Source: registry.SourceICP, data: data}
}

func one(framework, level string, e trust.Evidence, entry Entry) []Set {
	if framework == "" || len(entry.Claims) == 0 {
		return nil
	}
	return []Set{{Framework: framework, Level: level, Time: e.VerifiedAt, Entries: []Entry{entry}}}
}

// given lists the claims whose value a source gave, cpf always: the proof is of a CPF.
func given(p registry.Person, source string, of ...string) (all []string) {
	if p.CPF != "" {
		all = append(all, "cpf")
	}
	for _, claim := range of {
		field, v, ok := p.Origin(claim)
		if !ok || !p.Has(claim) || claim == "cpf" {
			continue
		}
		said, declared := p.Declared[field]
		if v.Source == source || declared && said.Source == source && record.SameText([]byte(said.Text), []byte(v.Text)) {
			all = append(all, claim)
		}
	}
	return all
}

// word is an attribute of the evidence; "" where it is no text.
func word(e trust.Evidence, attribute string) string {
	text, _ := e.Attributes[attribute].(string)
	return text
}
