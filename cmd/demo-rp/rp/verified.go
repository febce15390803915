package rp

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// askVerified is the claims parameter that asks who vouches for the service's claims, where the
// provider says that it can tell; "" where there is nothing to ask.
//
// In the template null is "tell me"; a service that needs more writes constraints in its place, such
// as {"trust_framework": {"value": "br_city_…"}} or {"time": {"max_age": 31536000}}.
//
// OpenID Connect for Identity Assurance 1.0 §5.3, §5.4.
func askVerified(p *provider, s Service) string {
	claims := map[string]any{}
	for _, name := range s.Claims {
		if slices.Contains(p.Verifiable, name) {
			claims[name] = nil
		}
	}
	if len(claims) == 0 {
		return ""
	}
	of := func(typ, detail string, about object) object {
		entry := object{"type": object{"value": typ}, "derived_claims": nil}
		if detail != "" {
			entry[detail] = about
		}
		return entry
	}
	text, err := json.Marshal(object{"userinfo": object{"verified_claims": object{"claims": claims, "verification": object{
		"trust_framework": nil, "assurance_level": nil, "time": nil, "evidence": []object{
			of("electronic_record", "record", object{"type": nil, "created_at": nil, "source": object{"name": nil}}),
			of("document", "document_details", object{"type": nil}),
			of("vouch", "attestation", object{"voucher": object{"organization": nil}}),
			of("electronic_signature", "", nil),
		}}}}})
	if err != nil {
		return ""
	}
	return string(text)
}

// object is one of JSON.
type object = map[string]any

// proofs are what userinfo says of who vouches for the person.
type proofs struct {
	VerifiedClaims oneOrMore `json:"verified_claims"`
	TrustEvidence  []struct {
		Kind       string    `json:"kind"`
		Source     string    `json:"source"`
		VerifiedAt time.Time `json:"verified_at"`
		ExpiresAt  time.Time `json:"expires_at"`
	} `json:"trust_evidence"`
	GovBR *struct {
		Level string `json:"level"`
		Selos []struct {
			ID string `json:"id"`
		} `json:"selos"`
	} `json:"govbr"`
}

// verified is one object of verified_claims, as far as this page tells it. A service ignores members
// that it does not know, and objects of a trust framework that it does not know.
type verified struct {
	Verification struct {
		TrustFramework string    `json:"trust_framework"`
		AssuranceLevel string    `json:"assurance_level"`
		Time           time.Time `json:"time"`
		Evidence       []piece   `json:"evidence"`
	} `json:"verification"`
	Claims map[string]any `json:"claims"`
}

// piece is one piece of evidence.
type piece struct {
	Type   string `json:"type"`
	Record struct {
		Type      string    `json:"type"`
		CreatedAt time.Time `json:"created_at"`
		Source    struct {
			Name string `json:"name"`
		} `json:"source"`
	} `json:"record"`
	Document struct {
		Type string `json:"type"`
	} `json:"document_details"`
	Attestation struct {
		Voucher struct {
			Organization string `json:"organization"`
		} `json:"voucher"`
	} `json:"attestation"`
	Issuer  string         `json:"issuer"`
	Derived map[string]any `json:"derived_claims"`
}

// oneOrMore reads an object or a list of them. §5.6
type oneOrMore []verified

func (l *oneOrMore) UnmarshalJSON(data []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(data)), "[") {
		return json.Unmarshal(data, (*[]verified)(l))
	}
	*l = make(oneOrMore, 1)
	return json.Unmarshal(data, &(*l)[0])
}

// told is what the page says of one object.
type told struct {
	Framework, Level string
	Sentences        []string
}

// said puts userinfo's proofs into sentences.
func said(words map[string]string, info userinfo) (all []told, evidence []string) {
	var p proofs
	if json.Unmarshal([]byte(info.JSON), &p) != nil {
		return nil, nil
	}
	for _, v := range p.VerifiedClaims {
		one := told{Framework: v.Verification.TrustFramework, Level: v.Verification.AssuranceLevel}
		for _, e := range v.Verification.Evidence {
			one.Sentences = append(one.Sentences, e.sentence(words, who(words, one.Framework)))
		}
		all = append(all, one)
	}
	for _, e := range p.TrustEvidence {
		text := put(words["said_evidence"], "kind", word(words, "kind_", e.Kind), "since", day(words, e.VerifiedAt))
		if !e.ExpiresAt.IsZero() {
			text += " " + put(words["said_until"], "until", day(words, e.ExpiresAt))
		}
		evidence = append(evidence, text)
	}
	if p.GovBR != nil {
		var seals []string
		for _, s := range p.GovBR.Selos {
			seals = append(seals, s.ID)
		}
		evidence = append(evidence, put(words["said_govbr"], "level", word(words, "govbr_", p.GovBR.Level), "selos", strings.Join(seals, ", ")))
	}
	return all, evidence
}

// who is the trust framework in words. A service knows those that it relies on; these are the default
// names.
func who(words map[string]string, framework string) string {
	for _, known := range []string{"br_city", "br_govbr", "br_icp_brasil"} {
		if strings.HasPrefix(framework, known) {
			return words["who_"+known]
		}
	}
	return framework
}

// sentence: the city confirms name and birth date by the record of the Health Secretariat, since 2020.
func (e piece) sentence(words map[string]string, who string) string {
	var claims []string
	for name := range e.Derived {
		claims = append(claims, word(words, "claim_", name))
	}
	slices.Sort(claims)
	list := strings.Join(claims, ", ")
	if n := len(claims); n > 1 {
		list = strings.Join(claims[:n-1], ", ") + words["and"] + claims[n-1]
	}
	by := put(words["by_"+e.Type], "source", e.Record.Source.Name, "document", e.Document.Type, "organization", e.Attestation.Voucher.Organization,
		"issuer", e.Issuer)
	text := put(words["said"], "who", who, "claims", list, "by", by)
	if !e.Record.CreatedAt.IsZero() {
		text += put(words["said_since"], "since", day(words, e.Record.CreatedAt))
	}
	return text + "."
}

// put fills {name} into a text.
func put(text string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, "{"+pairs[i]+"}", pairs[i+1])
	}
	return text
}

func word(words map[string]string, prefix, code string) string {
	if w := words[prefix+code]; w != "" {
		return w
	}
	return code
}

func day(words map[string]string, at time.Time) string { return at.UTC().Format(words["day_format"]) }
