package ida

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// Requests of the specification's own examples, with claims that exist here.
var examples = map[string]string{
	"§5.3 claims":              `{"verification":{"trust_framework":null},"claims":{"name":null,"birthdate":null}}`,
	"§5.3 essential":           `{"verification":{"trust_framework":null},"claims":{"name":{"essential":true},"birthdate":{"essential":false}}}`,
	"§5.3 empty objects":       `{"verification":{"trust_framework":{}},"claims":{"name":{}}}`,
	"§5.4 time":                `{"verification":{"trust_framework":null,"time":null},"claims":{"name":null}}`,
	"§5.4 evidence":            `{"verification":{"trust_framework":null,"time":null,"evidence":[{"type":{"value":"document"},"method":null,"document_details":{"type":null}}]},"claims":{"name":null}}`,
	"§5.4 document":            `{"verification":{"trust_framework":null,"evidence":[{"type":{"value":"document"},"document_details":{"type":null,"issuer":{"country":null,"name":null},"document_number":null,"date_of_issuance":null}}]},"claims":{"name":null}}`,
	"§5.5.1 trust frameworks":  `{"verification":{"trust_framework":{"values":["silver","gold"]}},"claims":{"name":null}}`,
	"§5.5.1 methods and types": `{"verification":{"trust_framework":{"value":"de_aml"},"evidence":[{"type":{"value":"document"},"check_details":[{"check_method":{"value":"pvp"}}],"document_details":{"type":{"values":["idcard","passport"]}}}]},"claims":{"name":null,"birthdate":null}}`,
	"§5.5.2 max_age":           `{"verification":{"trust_framework":{"value":"jp_aml"},"time":{"max_age":63113852}},"claims":{"name":null}}`,
	"§5.6 several":             `[{"verification":{"trust_framework":{"value":"gold"},"evidence":[{"type":{"value":"document"}}]},"claims":{"name":null}},{"verification":{"trust_framework":{"values":["silver","bronze"]},"evidence":[{"type":{"value":"electronic_record"}}]},"claims":{"name":null}}]`,
	"unknown members":          `{"verification":{"trust_framework":{"purpose":"x","value":"a"},"loa":{"value":3},"evidence":[{"type":{"value":"vouch"},"colour":null}]},"claims":{"name":{"purpose":"why not"},"shoe size":null},"more":[]}`,
	"a check by its name":      `{"verification":{"trust_framework":null,"evidence":[{"type":{"value":"electronic_record"},"check_details":[{"check_method":"data"}],"record":null}]},"claims":{"name":null}}`,
	"derived claims":           `{"verification":{"trust_framework":null,"evidence":[{"type":{"value":"electronic_record"},"derived_claims":{"name":null}}]},"claims":{"name":null}}`,
}

func TestRequestsOfTheSpecificationAreRead(t *testing.T) {
	t.Parallel()
	for name, text := range examples {
		t.Run(name, func(t *testing.T) {
			asks, err := Parse("userinfo", json.RawMessage(text))
			if err != nil || len(asks) == 0 || len(asks[0].Claims) == 0 {
				t.Fatal(asks, err)
			}
			kept := &Request{Userinfo: asks}
			stored, err := kept.Text()
			if err != nil {
				t.Fatal(err)
			}
			again, err := Read(stored)
			if err != nil {
				t.Fatal(err)
			}
			if twice, err := again.Text(); err != nil || string(twice) != string(stored) {
				t.Errorf("kept as %s, read as %s %v", stored, twice, err)
			}
		})
	}
}

func TestMalformedRequestsAreRefusedAndSayWhere(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"verification":`, 50) + "1" + strings.Repeat("}", 50)
	for name, c := range map[string]struct{ text, where string }{
		"null":                                 {`null`, "id_token.verified_claims must be an object"},
		"a text":                               {`"name"`, "must be an object"},
		"an empty list":                        {`[]`, "1 to 10"},
		"a list of no objects":                 {`[1]`, "must be an object"},
		"too many":                             {`[` + strings.Repeat(`{},`, 10) + `{}]`, "1 to 10"},
		"§5.3 no claims":                       {`{"verification":{"trust_framework":null}}`, "verified_claims.claims is missing"},
		"§5.4 no verification":                 {`{"claims":{"name":null}}`, "verification is missing"},
		"§5.4 no trust_framework":              {`{"verification":{},"claims":{"name":null}}`, "trust_framework is missing"},
		"§5.4 evidence is no list":             {`{"verification":{"trust_framework":null,"evidence":null},"claims":{"name":null}}`, "evidence must be a list"},
		"§5.4 evidence without type":           {`{"verification":{"trust_framework":null,"evidence":[{}]},"claims":{"name":null}}`, "evidence[0].type is missing"},
		"§5.4 evidence type null":              {`{"verification":{"trust_framework":null,"evidence":[{"type":null}]},"claims":{"name":null}}`, "evidence[0].type is missing"},
		"§5.4 evidence type by values":         {`{"verification":{"trust_framework":null,"evidence":[{"type":{"values":["vouch"]}}]},"claims":{"name":null}}`, "one value"},
		"§5.4 check_details is an object":      {`{"verification":{"trust_framework":null,"evidence":[{"type":{"value":"vouch"},"check_details":{}}]},"claims":{"name":null}}`, "check_details must be a list"},
		"§5.4 record is a list":                {`{"verification":{"trust_framework":null,"evidence":[{"type":{"value":"electronic_record"},"record":[]}]},"claims":{"name":null}}`, "record must be an object"},
		"§5.5.1 a constraint that is a text":   {`{"verification":{"trust_framework":"eidas"},"claims":{"name":null}}`, "trust_framework must be an object"},
		"§5.5.1 no values":                     {`{"verification":{"trust_framework":{"values":[]}},"claims":{"name":null}}`, "values must be a list"},
		"§5.5.1 values of numbers":             {`{"verification":{"trust_framework":{"values":[1]}},"claims":{"name":null}}`, "hold strings"},
		"§5.5.2 max_age of text":               {`{"verification":{"trust_framework":null,"time":{"max_age":"1"}},"claims":{"name":null}}`, "max_age must be a number"},
		"§5.5.2 max_age below zero":            {`{"verification":{"trust_framework":null,"time":{"max_age":-1}},"claims":{"name":null}}`, "max_age must be a number"},
		"§5.5.2 max_age of more than there is": {`{"verification":{"trust_framework":null,"time":{"max_age":1e30}},"claims":{"name":null}}`, "max_age must be a number"},
		"a value that no database keeps":       {`{"verification":{"trust_framework":{"value":"\u0000"}},"claims":{"name":null}}`, "control characters"},
		"more values than are kept":            {`[` + strings.Repeat(`{"verification":{"trust_framework":null},"claims":{"a":{"values":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}}},`, 4) + `{"verification":{"trust_framework":null},"claims":{"a":{"values":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}}}]`, "more than 100 values"},
		"a claim that is a list":               {`{"verification":{"trust_framework":null},"claims":{"name":[]}}`, "must be an object"},
		"claims that are a list":               {`{"verification":{"trust_framework":null},"claims":[]}`, "claims must be an object"},
		"deep nesting":                         {deep, "claims is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse("id_token", json.RawMessage(c.text)); err == nil || !strings.Contains(err.Error(), c.where) {
				t.Errorf("%v, want %q", err, c.where)
			}
		})
	}
}

// description is what RFC 6749 §4.1.2.1 allows in error_description.
var description = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]+$`)

func FuzzParse(f *testing.F) {
	for _, text := range examples {
		f.Add(text)
	}
	f.Add(`{"verification":{"trust_framework":{"value":"a","values":["b"]}},"claims":{"birthdate":{"max_age":1,"value":{}}}}`)
	world := newWorld()
	f.Fuzz(func(t *testing.T, text string) {
		asks, err := Parse("userinfo", json.RawMessage(text))
		if err != nil {
			if !description.MatchString(err.Error()) {
				t.Fatalf("%q is no error_description", err)
			}
			return
		}
		r := (&Request{Userinfo: asks, IDToken: asks}).Cut(func(name string) bool { return len(name) < 20 })
		stored, err := r.Text()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Read(stored)
		if err != nil || r != nil && !reflect.DeepEqual(again.Claims(), r.Claims()) {
			t.Fatalf("%s: %v", stored, err)
		}
		given := world.given()
		answer, _ := given.Answer(asks)
		for _, object := range objects(decoded(t, answer)) {
			for name := range object["claims"].(map[string]any) {
				if !strings.Contains(text, name) && !strings.Contains(text, `\`) {
					t.Fatalf("%s was not asked for: %s", name, text)
				}
			}
		}
	})
}

func objects(answer any) (all []map[string]any) {
	switch v := answer.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		for _, one := range v {
			all = append(all, one.(map[string]any))
		}
	}
	return all
}
