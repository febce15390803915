// Package idatest checks verified_claims as a service receives it.
package idatest

import (
	"fmt"
	"regexp"
	"slices"
)

// The rules are those of the JSON schema that goes with OpenID Identity Assurance Schema Definition 1.0
// (verified_claims.json),
// written as checks, with the sections' own "Required" where the schema is
// looser, and without its slips: it puts created_at of a record under a pattern for dates, and the
// text says a time.

var (
	schemaDate = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$`)                                                                    // YYYY-MM-DD
	schemaTime = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)$`) // YYYY-MM-DDThh:mm[:ss]TZD
)

type checker func(at string, v any) []string

func isText(at string, v any) []string {
	if s, ok := v.(string); !ok || s == "" {
		return []string{at + " is no text"}
	}
	return nil
}

func matches(re *regexp.Regexp) checker {
	return func(at string, v any) []string {
		if s, _ := v.(string); !re.MatchString(s) {
			return []string{fmt.Sprintf("%s: %v", at, v)}
		}
		return nil
	}
}

func oneOf(words ...string) checker {
	return func(at string, v any) []string {
		if s, _ := v.(string); !slices.Contains(words, s) {
			return []string{fmt.Sprintf("%s: %v", at, v)}
		}
		return nil
	}
}

// shape is an object; closed ones have no other members.
func shape(closed bool, need []string, members map[string]checker) checker {
	return func(at string, v any) (faults []string) {
		all, ok := v.(map[string]any)
		if !ok {
			return []string{at + " is no object"}
		}
		for _, n := range need {
			if all[n] == nil {
				faults = append(faults, at+" lacks "+n)
			}
		}
		for name, one := range all {
			check, known := members[name]
			if known {
				faults = append(faults, check(at+"."+name, one)...)
			} else if closed {
				faults = append(faults, at+"."+name+" is unknown")
			}
		}
		return faults
	}
}

func listOf(least int, entry checker) checker {
	return func(at string, v any) (faults []string) {
		all, ok := v.([]any)
		if !ok || len(all) < least {
			return []string{at + " is no list of so many"}
		}
		for i, one := range all {
			faults = append(faults, entry(fmt.Sprintf("%s[%d]", at, i), one)...)
		}
		return faults
	}
}

func schemaParty(more map[string]checker) checker {
	m := map[string]checker{"name": isText, "formatted": isText, "street_address": isText, "locality": isText, "region": isText, "postal_code": isText,
		"country": isText, "country_code": matches(regexp.MustCompile(`^[A-Z]{2,3}$`)), "jurisdiction": isText}
	for name, c := range more {
		m[name] = c
	}
	return shape(true, nil, m)
}

func schemaEvidence(at string, v any) []string {
	checks := listOf(1, shape(true, []string{"check_method"}, map[string]checker{"check_method": isText, "organization": isText, "check_id": isText, "time": matches(schemaTime)}))
	derived := shape(false, nil, nil)
	of, _ := v.(map[string]any)
	members := map[string]checker{"type": oneOf("document", "electronic_record", "vouch", "electronic_signature"), "derived_claims": derived}
	need := []string{"type"}
	switch of["type"] {
	case "document":
		members["check_details"] = checks
		members["document_details"] = shape(true, []string{"type"}, map[string]checker{"type": isText, "document_number": isText, "serial_number": isText,
			"date_of_issuance": matches(schemaDate), "date_of_expiry": matches(schemaDate), "issuer": schemaParty(nil)})
	case "electronic_record":
		members["check_details"] = checks
		members["record"] = shape(true, []string{"type"}, map[string]checker{"type": isText, "created_at": matches(schemaTime),
			"date_of_expiry": matches(schemaDate), "source": schemaParty(nil)})
	case "vouch":
		members["check_details"] = checks
		members["attestation"] = shape(true, []string{"type"}, map[string]checker{"type": isText, "reference_number": isText,
			"date_of_issuance": matches(schemaDate), "date_of_expiry": matches(schemaDate),
			"voucher": schemaParty(map[string]checker{"birthdate": matches(schemaDate), "occupation": isText, "organization": isText})})
	case "electronic_signature":
		need = append(need, "signature_type", "issuer", "serial_number")
		members["signature_type"], members["issuer"], members["serial_number"], members["created_at"] = isText, isText, isText, matches(schemaTime)
	}
	faults := shape(true, need, members)(at, v)
	if d, ok := of["derived_claims"].(map[string]any); ok && len(d) == 0 {
		faults = append(faults, at+".derived_claims is empty")
	}
	return faults
}

var schemaObject = shape(true, []string{"verification", "claims"}, map[string]checker{
	"verification": shape(true, []string{"trust_framework"}, map[string]checker{"trust_framework": isText, "assurance_level": isText,
		"time": matches(schemaTime), "verification_process": isText, "evidence": listOf(1, schemaEvidence)}),
	"claims": func(at string, v any) []string {
		if all, ok := v.(map[string]any); !ok || len(all) == 0 {
			return []string{at + " has none"}
		}
		return nil
	}})

// Faults says what is wrong with a verified_claims of an answer, an object or a list.
func Faults(v any) []string {
	if list, ok := v.([]any); ok {
		return listOf(1, schemaObject)("verified_claims", list)
	}
	return schemaObject("verified_claims", v)
}
