package ida

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// world is one person whom everybody knows something of, a little each.
type world struct {
	settings Settings
	person   registry.Person
	proofs   []trust.Evidence
	level    int
	number   bool
	at       time.Time
}

func newWorld() *world {
	since := time.Date(2020, 2, 13, 0, 0, 0, 0, time.UTC)
	value := func(text, source string) registry.Value { return registry.Value{Text: text, Source: source, At: since} }
	return &world{
		settings: Settings{City: "br_city_x", GovBR: "br_govbr", ICPBrasil: "br_icp_brasil", Organization: "Prefeitura de X"},
		person: registry.Person{CPF: brdoc.CPF("52998224725"), UpdatedAt: noon,
			Fields: registry.Fields{"name": value("Maria Aparecida da Silva", "saude"), "birthdate": value("1958-05-14", "receita"),
				"cpf": value("52998224725", "receita"), "gender": value("female", registry.SourceSelf), "mother_name": value("Aparecida da Silva", registry.SourceOperator),
				"email": value("maria@example.org", registry.SourceGovBR)},
			Declared: registry.Fields{"name": value("MARIA APARECIDA DA SILVA", registry.SourceGovBR), "gender": value("female", registry.SourceSelf),
				"birthdate": value("1958-05-14", registry.SourceSelf)}},
		proofs: []trust.Evidence{
			{Kind: trust.SelfDeclared, VerifiedAt: noon.AddDate(-3, 0, 0)},
			{Kind: trust.RegistryMatch, VerifiedAt: noon.AddDate(0, 0, -30)},
			{Kind: trust.BiometricEnrollment, VerifiedAt: noon.AddDate(-2, 0, 0), ExpiresAt: noon.AddDate(8, 0, 0)},
			{Kind: trust.GovBR, VerifiedAt: noon.AddDate(0, 0, -3), ExpiresAt: noon.AddDate(1, 0, -3),
				Attributes: map[string]any{"level": "gold", "selos": []any{map[string]any{"id": "701", "updated_at": "2025-01-02T03:04:05.6Z"}, map[string]any{"id": "801"}}}},
			{Kind: trust.ICPCertificate, VerifiedAt: noon.Add(-time.Minute), ExpiresAt: noon.AddDate(1, 0, 0),
				Attributes: map[string]any{"issuer": "CN=AC X", "serial": "0a1b", "fingerprint": "ff", "profile": "A3"}},
		},
		level: 5, number: true, at: noon,
	}
}

func (w *world) given() Given {
	person := w.person.Seen(w.level)
	return Given{Sets: w.settings.Sets(person, w.proofs, func(s string) string { return "Base " + s }, w.at), Value: person.Claim, Number: w.number, At: w.at,
		Same: func(wanted json.RawMessage, value []byte) bool {
			return bytes.Equal(canonical(wanted), canonical(value))
		}}
}

func (w *world) only(kinds ...trust.Kind) *world {
	w.proofs = slices.DeleteFunc(w.proofs, func(e trust.Evidence) bool { return !slices.Contains(kinds, e.Kind) })
	w.level = trust.Level(w.proofs, w.at)
	return w
}

// ask answers one request; each object by its framework.
func (w *world) ask(t *testing.T, request string) (byFramework map[string]map[string]any, until time.Time) {
	t.Helper()
	asks, err := Parse("userinfo", json.RawMessage(request))
	if err != nil {
		t.Fatal(err)
	}
	given := w.given()
	answer, until := given.Answer(asks)
	byFramework = map[string]map[string]any{}
	for _, object := range objects(decoded(t, answer)) {
		byFramework[object["verification"].(map[string]any)["trust_framework"].(string)] = object
	}
	return byFramework, until
}

func claimsOf(object map[string]any) (names []string) {
	all, _ := object["claims"].(map[string]any)
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

const allClaims = `"claims":{"name":null,"birthdate":null,"gender":null,"cpf":null,"email":null,"mother_name":null,"nis":null,"trust_evidence":null}`

func TestEachFrameworkSaysWhatItsEvidenceVerified(t *testing.T) {
	t.Parallel()
	got, _ := newWorld().ask(t, `{"verification":{"trust_framework":null,"assurance_level":null},`+allClaims+`}`)
	for framework, want := range map[string]struct {
		level  any
		claims []string
	}{
		"br_city_x":     {"urn:loginunico:nivel:5", []string{"birthdate", "cpf", "mother_name", "name"}}, // gender is her own word
		"br_govbr":      {"gold", []string{"cpf", "email", "name"}},
		"br_icp_brasil": {nil, []string{"cpf"}},
	} {
		if object := got[framework]; !slices.Equal(claimsOf(object), want.claims) || object["verification"].(map[string]any)["assurance_level"] != want.level {
			t.Errorf("%s: %v", framework, object)
		}
	}
	if len(got) != 3 {
		t.Errorf("%v", got)
	}
}

func TestASelfDeclaredValueIsVerifiedByNobody(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]*world{
		"level 1":                     newWorld().only(trust.SelfDeclared),
		"level 5, all her own":        newWorld(),
		"a social name that she gave": newWorld(),
	} {
		switch name {
		case "level 5, all her own":
			for field, v := range w.person.Fields {
				v.Source = registry.SourceSelf
				w.person.Fields[field] = v
			}
			w.person.Declared = w.person.Fields
		case "a social name that she gave":
			w.person.Fields["social_name"] = registry.Value{Text: "Maria Silva", Source: registry.SourceSelf}
		}
		got, _ := w.ask(t, `{"verification":{"trust_framework":null},"claims":{"name":null,"gender":null}}`)
		if len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestBelowLevelThreeTheCityVerifiesNothing(t *testing.T) {
	t.Parallel()
	got, _ := newWorld().only(trust.SelfDeclared, trust.GovBR).ask(t, `{"verification":{"trust_framework":null},`+allClaims+`}`)
	if len(got) != 1 || !slices.Equal(claimsOf(got["br_govbr"]), []string{"cpf", "name"}) {
		t.Errorf("%v", got)
	}
}

func TestEvidenceIsTemplateAndFilter(t *testing.T) {
	t.Parallel()
	verification := func(t *testing.T, w *world, ask string) map[string]any {
		t.Helper()
		got, _ := w.ask(t, `{"verification":{"trust_framework":{"value":"br_city_x"},`+ask+`},"claims":{"name":null,"birthdate":null}}`)
		return got["br_city_x"]
	}
	t.Run("§5.4 nothing of verification that was not asked for", func(t *testing.T) {
		got, _ := newWorld().ask(t, `{"verification":{"trust_framework":{"value":"br_city_x"}},"claims":{"name":null}}`)
		if want := map[string]any{"trust_framework": "br_city_x"}; !reflect.DeepEqual(got["br_city_x"]["verification"], want) {
			t.Errorf("%v", got)
		}
	})
	t.Run("Schema Definition §5.4.4.3 electronic_record by provenance", func(t *testing.T) {
		object := verification(t, newWorld().only(trust.RegistryMatch), `"time":null,"evidence":[{"type":{"value":"electronic_record"},
			"check_details":[{"check_method":null,"time":null}],"record":{"type":null,"created_at":null,"source":{"name":null}},"derived_claims":null}]`)
		want := []any{
			map[string]any{"type": "electronic_record", "check_details": []any{map[string]any{"check_method": "data", "time": "2026-10-22T12:00:00Z"}},
				"record":         map[string]any{"type": "health", "created_at": "2020-02-13T00:00:00Z", "source": map[string]any{"name": "Base saude"}},
				"derived_claims": map[string]any{"name": "Maria Aparecida da Silva"}},
			map[string]any{"type": "electronic_record", "check_details": []any{map[string]any{"check_method": "data", "time": "2026-10-22T12:00:00Z"}},
				"record":         map[string]any{"type": "tax", "created_at": "2020-02-13T00:00:00Z", "source": map[string]any{"name": "Base receita"}},
				"derived_claims": map[string]any{"birthdate": "1958-05-14"}},
		}
		v := object["verification"].(map[string]any)
		if !reflect.DeepEqual(v["evidence"], want) || v["time"] != "2026-10-22T12:00:00Z" {
			t.Errorf("%v", object)
		}
	})
	t.Run("§5.4 a filter keeps the claims of what it lets through", func(t *testing.T) {
		object := verification(t, newWorld().only(trust.RegistryMatch), `"evidence":[{"type":{"value":"electronic_record"},"record":{"type":{"values":["health","education"]}}}]`)
		if !slices.Equal(claimsOf(object), []string{"name"}) {
			t.Errorf("%v", object)
		}
	})
	t.Run("§5.4 several entries are an or", func(t *testing.T) {
		object := verification(t, newWorld().only(trust.RegistryMatch), `"evidence":[{"type":{"value":"document"}},{"type":{"value":"electronic_record"},"record":{"type":{"value":"tax"}}}]`)
		if !slices.Equal(claimsOf(object), []string{"birthdate"}) {
			t.Errorf("%v", object)
		}
	})
	t.Run("Schema Definition §5.4.4.4 biometrics are vouched for by the city's people", func(t *testing.T) {
		object := verification(t, newWorld().only(trust.BiometricEnrollment), `"evidence":[{"type":{"value":"vouch"},"check_details":[{"check_method":null}],
			"attestation":{"type":null,"date_of_issuance":null,"date_of_expiry":null,"voucher":{"organization":null,"name":null}}}]`)
		want := []any{map[string]any{"type": "vouch", "check_details": []any{map[string]any{"check_method": "bvp"}}, "attestation": map[string]any{
			"type": "digital_attestation", "date_of_issuance": "2024-11-21", "date_of_expiry": "2034-11-21", "voucher": map[string]any{"organization": "Prefeitura de X"}}}}
		if v := object["verification"].(map[string]any); !reflect.DeepEqual(v["evidence"], want) || len(claimsOf(object)) != 2 {
			t.Errorf("%v", object)
		}
	})
	t.Run("Schema Definition §5.4.4.2 or by the document that was seen", func(t *testing.T) {
		w := newWorld().only(trust.BiometricEnrollment)
		w.proofs[0].Attributes = map[string]any{"document_type": "idcard", "document_issuer": "SSP PR", "check_method": "pvp"}
		object := verification(t, w, `"evidence":[{"type":{"value":"document"},"check_details":[{"check_method":{"value":"pvp"}}],"document_details":{"type":null,"document_number":null,"issuer":{"name":null}}}]`)
		want := []any{map[string]any{"type": "document", "check_details": []any{map[string]any{"check_method": "pvp"}},
			"document_details": map[string]any{"type": "idcard", "issuer": map[string]any{"name": "SSP PR"}}}}
		if v, _ := object["verification"].(map[string]any); !reflect.DeepEqual(v["evidence"], want) {
			t.Errorf("%v", object)
		}
	})
	t.Run("gov.br tells its seals as checks", func(t *testing.T) {
		got, _ := newWorld().ask(t, `{"verification":{"trust_framework":{"value":"br_govbr"},"assurance_level":{"values":["silver","gold"]},
			"evidence":[{"type":{"value":"electronic_record"},"check_details":[{"check_method":{"value":"govbr_selo_701"},"time":null}],"record":{"type":null,"date_of_expiry":null}}]},"claims":{"name":null}}`)
		want := []any{map[string]any{"type": "electronic_record", "check_details": []any{map[string]any{"check_method": "govbr_selo_701", "time": "2025-01-02T03:04:05Z"}},
			"record": map[string]any{"type": "govbr_account", "date_of_expiry": "2027-11-18"}}}
		if v, _ := got["br_govbr"]["verification"].(map[string]any); !reflect.DeepEqual(v["evidence"], want) || v["assurance_level"] != "gold" {
			t.Errorf("%v", got)
		}
	})
	t.Run("Schema Definition §5.4.4.5 a certificate is an electronic_signature with all that one needs", func(t *testing.T) {
		const ask = `{"verification":{"trust_framework":{"value":"br_icp_brasil"},"evidence":[{"type":{"value":"electronic_signature"},"created_at":null}]},"claims":{"cpf":null}}`
		w := newWorld()
		got, _ := w.ask(t, ask)
		want := []any{map[string]any{"type": "electronic_signature", "signature_type": "A3", "issuer": "CN=AC X", "serial_number": "0a1b", "created_at": "2026-11-21T11:59:00Z"}}
		if v, _ := got["br_icp_brasil"]["verification"].(map[string]any); !reflect.DeepEqual(v["evidence"], want) {
			t.Errorf("%v", got)
		}
		w.number = false // its number would name the person to a service that may not have the CPF
		if got, _ = w.ask(t, ask); len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
}

func TestWhatDoesNotMatchIsLeftOut(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]string{
		"§5.7.4 another trust framework":           `"trust_framework":{"value":"de_aml"}`,
		"§5.7.4 none of the levels":                `"trust_framework":{"value":"br_city_x"},"assurance_level":{"values":["high"]}`,
		"§5.7.4 a level of what has none":          `"trust_framework":{"value":"br_icp_brasil"},"assurance_level":{"value":"5"}`,
		"§5.7.4 evidence of another type":          `"trust_framework":{"value":"br_govbr"},"evidence":[{"type":{"value":"vouch"}}]`,
		"§5.7.4 evidence of a type nobody has":     `"trust_framework":null,"evidence":[{"type":{"value":"utility_bill"}}]`,
		"§5.7.4 another check":                     `"trust_framework":{"value":"br_govbr"},"evidence":[{"type":{"value":"electronic_record"},"check_details":[{"check_method":{"value":"vpip"}}]}]`,
		"§5.7.4 a constraint on what is not said":  `"trust_framework":null,"assurance_process":{"policy":{"value":"gpg45"}}`,
		"§5.5.2 older than wanted":                 `"trust_framework":{"value":"br_govbr"},"time":{"max_age":86400}`,
		"value and values that exclude each other": `"trust_framework":{"value":"br_govbr","values":["br_city_x"]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := newWorld().ask(t, `{"verification":{`+ask+`},"claims":{"name":null,"cpf":null}}`); len(got) != 0 {
				t.Errorf("%v", got)
			}
		})
	}
	t.Run("§5.7.4 a claim of another value alone", func(t *testing.T) {
		got, _ := newWorld().ask(t, `{"verification":{"trust_framework":{"value":"br_city_x"}},"claims":{"name":{"value":"João"},"birthdate":{"values":["1958-05-14"]}}}`)
		if !slices.Equal(claimsOf(got["br_city_x"]), []string{"birthdate"}) {
			t.Errorf("%v", got)
		}
	})
	t.Run("§5.7.2 no claim left, no object", func(t *testing.T) {
		got, _ := newWorld().ask(t, `{"verification":{"trust_framework":null},"claims":{"nis":null,"shoe_size":null}}`)
		if len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
	t.Run("§5.6 each ask by itself", func(t *testing.T) {
		asks, err := Parse("userinfo", json.RawMessage(examples["§5.6 several"]))
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld()
		w.settings.City, w.settings.GovBR = "gold", "bronze"
		w.proofs[2].Attributes = map[string]any{"document_type": "passport"}
		w.only(trust.BiometricEnrollment, trust.GovBR)
		given := w.given()
		answer, _ := given.Answer(asks)
		if got := objects(decoded(t, answer)); len(got) != 2 || got[0]["verification"].(map[string]any)["trust_framework"] != "gold" {
			t.Errorf("%v", got)
		}
	})
}

func TestAgeIsCountedFromTheLastSecondOfADate(t *testing.T) {
	t.Parallel()
	const day = 24 * 60 * 60
	ask := func(age string) string {
		return `{"verification":{"trust_framework":{"value":"br_city_x"},"evidence":[{"type":{"value":"vouch"},"attestation":{"date_of_issuance":{"max_age":` + age + `}}}]},"claims":{"name":null}}`
	}
	w := newWorld().only(trust.BiometricEnrollment)
	w.proofs[0].VerifiedAt = noon.AddDate(0, 0, -1) // the day ended 43201 seconds before noon
	if got, until := w.ask(t, ask("43201")); len(got) != 1 || !until.Equal(noon) {
		t.Errorf("%v until %v", got, until)
	}
	if got, _ := w.ask(t, ask("43200")); len(got) != 0 {
		t.Errorf("%v", got)
	}
	_, until := w.ask(t, `{"verification":{"trust_framework":null,"time":{"max_age":172800}},"claims":{"name":null}}`)
	if want := w.proofs[0].VerifiedAt.Add(2 * day * time.Second); !until.Equal(want) {
		t.Errorf("§5.5.2 an answer stands until %v, want %v", until, want)
	}
}

func TestEvidenceThatHasEndedVerifiesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for i := range w.proofs {
		w.proofs[i].RevokedAt = noon.Add(-time.Second)
	}
	if got, _ := w.ask(t, `{"verification":{"trust_framework":null},`+allClaims+`}`); len(got) != 0 {
		t.Errorf("revoked: %v", got)
	}
	w = newWorld()
	w.at = noon.AddDate(20, 0, 0)
	if got, _ := w.ask(t, `{"verification":{"trust_framework":null},`+allClaims+`}`); len(got) != 1 || got["br_city_x"] == nil {
		t.Errorf("expired: %v", got) // the match does not end
	}
}

func TestOlderEvidenceServesWhereTheStrongestWillNotDo(t *testing.T) {
	t.Parallel()
	w := newWorld().only(trust.RegistryMatch, trust.BiometricEnrollment)
	got, _ := w.ask(t, `{"verification":{"trust_framework":null,"assurance_level":null,"time":{"max_age":8640000}},"claims":{"name":null}}`)
	if v, _ := got["br_city_x"]["verification"].(map[string]any); v["assurance_level"] != "urn:loginunico:nivel:3" {
		t.Errorf("%v", got)
	}
}

func TestOnlyTheNewestWordOfGovBRIsTold(t *testing.T) {
	t.Parallel()
	const gold = `{"verification":{"trust_framework":null,"assurance_level":{"value":"gold"}},"claims":{"cpf":null}}`
	w := newWorld().only(trust.GovBR)
	if got, _ := w.ask(t, gold); got["br_govbr"] == nil {
		t.Fatalf("nothing to begin with: %v", got)
	}
	w.proofs = append(w.proofs, trust.Evidence{Kind: trust.GovBR, VerifiedAt: noon, Attributes: map[string]any{"level": "bronze"}})
	if got, _ := w.ask(t, gold); got["br_govbr"] != nil {
		t.Errorf("the account is bronze now, and is told as %v", got)
	}
	if got, _ := w.ask(t, `{"verification":{"trust_framework":null,"assurance_level":null},"claims":{"cpf":null}}`); !strings.Contains(fmt.Sprint(got["br_govbr"]), "bronze") {
		t.Errorf("%v", got)
	}
}
