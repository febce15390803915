package ida

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Settings name what the city attests by. OpenID Connect for Identity Assurance 1.0 §12 leaves such
// names to whoever uses them.
type Settings struct {
	City      string // trust framework of the city's own registry
	GovBR     string // of gov.br accounts; "": the city has none
	ICPBrasil string // of certificates; "": the city takes none

	Organization string            // the city, as who checks: "Prefeitura de Vila Esperança"
	RecordTypes  map[string]string // source of the registry → type of electronic record
}

// Default names. A city has its own in place of the first: see [CityFramework].
const (
	DefaultCity      = "br_city"
	DefaultGovBR     = "br_govbr"
	DefaultICPBrasil = "br_icp_brasil"
)

// CityFramework is the default name of a city's trust framework, from the name of its theme.
func CityFramework(city string) string {
	if city == "" {
		return DefaultCity
	}
	return DefaultCity + "_" + strings.ReplaceAll(city, "-", "_")
}

// recordTypes are the types of the sources that a policy commonly has, by the words of the OpenID
// Foundation's list of predefined values where it has one.
var recordTypes = map[string]string{
	"receita": "tax", "fazenda": "tax", "educacao": "education", "assistencia": "social_security",
	"saude": "health", "habitacao": "housing", "empresas": "business_register",
}

// Types of what is no record of a source with a type of its own.
const (
	recordOther = "city_register"
	recordGovBR = "govbr_account"
	attestation = "digital_attestation"
)

// recordType is the type of a source's records.
func (s *Settings) recordType(source string) string {
	for _, types := range []map[string]string{s.RecordTypes, recordTypes} {
		if t, ok := types[source]; ok {
			return t
		}
	}
	return recordOther
}

var name = regexp.MustCompile(`^[A-Za-z0-9._:/#?=-]{1,128}$`)

// ParseRecordTypes reads "source=type,source=type"; "" is none.
func ParseRecordTypes(list string) (map[string]string, error) {
	types := map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		source, typ, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || source == "" || !name.MatchString(typ) {
			return nil, fmt.Errorf("%q is not source=type", pair)
		}
		types[source] = typ
	}
	return types, nil
}

// CheckFramework says what is wrong with the name of a trust framework.
func CheckFramework(framework string) error {
	if !name.MatchString(framework) {
		return fmt.Errorf("%q is no name: 1 to 128 letters, digits and . _ : / # ? = -", framework)
	}
	return nil
}

// Metadata is what discovery says, for documents of OpenID Connect for Identity Assurance 1.0 §8;
// verified_claims_supported is of its drafts, and services look for it.
func (s *Settings) Metadata() map[string]any {
	kinds := []string{ElectronicRecord, Vouch, Document}
	records := slices.Collect(maps.Values(recordTypes))
	for _, t := range s.RecordTypes {
		records = append(records, t)
	}
	records = append(records, recordOther)
	if s.GovBR != "" {
		records = append(records, recordGovBR)
	}
	if s.ICPBrasil != "" {
		kinds = append(kinds, ElectronicSignature)
	}
	slices.Sort(records)
	return map[string]any{
		"verified_claims_supported":           true,
		"trust_frameworks_supported":          s.frameworks(),
		"claims_in_verified_claims_supported": s.Claims(),
		"evidence_supported":                  kinds,
		"documents_supported":                 slices.Sorted(maps.Keys(documents)),
		"documents_check_methods_supported":   []string{checkInPerson, checkBiometric},
		"electronic_records_supported":        slices.Compact(records),
	}
}

func (s *Settings) frameworks() []string {
	return slices.DeleteFunc([]string{s.City, s.GovBR, s.ICPBrasil}, func(f string) bool { return f == "" })
}

// Claims lists what can be verified at all, in the order of the contract.
func (s *Settings) Claims() []string {
	all := slices.Clone(cityClaims)
	if s.GovBR != "" {
		all = append(all, "email", "phone_number")
	}
	return all
}
