package idp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/idp/ida/idatest"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

// cartorio wants data that somebody vouches for.
const cartorio = `
id: cartorio
name: {pt-BR: Cartório, es: Notaría, en: Notary}
department: Secretaria de Governo
contact: cartorio@example.org
redirect_uris: [https://cartorio.example.org/callback]
claims:
  - {name: name, required: true, purpose: {pt-BR: Escrever seu nome}, basis: public_policy}
  - {name: birthdate, required: false, purpose: {pt-BR: Sua idade}, basis: consent}
  - {name: mother_name, required: false, purpose: {pt-BR: Sua filiação}, basis: consent, min_level: 3}
  - {name: govbr, required: true, purpose: {pt-BR: Saber o nível da sua conta}, basis: public_policy}
  - {name: trust_evidence, required: true, purpose: {pt-BR: Saber como a cidade conhece você}, basis: public_policy}
`

// attested is a city in which the registry knows Maria, biometrics Ana, and nobody but gov.br João.
func attested(t *testing.T) (city *idptest.City, mariaID, anaID registry.PersonID) {
	city = idptest.Start(t, []string{cartorio, portal}, idptest.WithGovBR())
	if err := registry.NewStore(city.Box).KeepPolicy(t.Context(), city.DB); err != nil {
		t.Fatal(err)
	}
	mariaID = city.Known(maria, "saude", map[string]string{"name": "Maria Aparecida da Silva", "birthdate": "1958-05-14", "mother_name": "Aparecida da Silva"})
	city.Settle(mariaID, map[string]string{"name": "Maria Aparecida da Silva", "birthdate": "1958-05-14", "mother_name": "Aparecida da Silva", "gender": "female"})
	anaID = city.Known(ana, "receita", map[string]string{"name": "ANA LUCIA FERREIRA", "birthdate": "1990-09-02"})
	city.Settle(anaID, map[string]string{"name": "Ana Lúcia Ferreira", "social_name": "Ana Ferreira", "birthdate": "1990-09-02"},
		trust.Evidence{Kind: trust.BiometricEnrollment, Source: "desk", Method: "desk", Verifier: "carla", VerifiedAt: city.Now(), ExpiresAt: city.Now().AddDate(10, 0, 0),
			Attributes: map[string]any{"document_type": "idcard", "check_method": "pvp"}})
	return city, mariaID, anaID
}

// asking is the parameter claims, and no scope but openid.
func asking(claims string) url.Values { return url.Values{"scope": {"openid"}, "claims": {claims}} }

// verifiedIn reads verified_claims of an answer or token, after the schema.
func verifiedIn(t *testing.T, claims map[string]any) (all []map[string]any) {
	t.Helper()
	answer, there := claims["verified_claims"]
	if !there {
		return nil
	}
	if faults := idatest.Faults(answer); len(faults) > 0 {
		t.Errorf("%s\n%v", strings.Join(faults, "\n"), answer)
	}
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

func infoOf(t *testing.T, a idptest.Answer) (claims map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.Body), &claims); err != nil || a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return claims
}

// decided goes to a code with these optional claims allowed.
func decided(t *testing.T, city *idptest.City, r idptest.Request, cpf string, optional ...string) idptest.Answer {
	t.Helper()
	b := city.Browser(t)
	p := b.SignIn(b.Open(r), cpf, idptest.Password)
	if p.Location == nil {
		p = b.Allow(p, optional...)
	}
	a := city.Exchange(r, p.Params().Get("code"))
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return a
}

const wantsRecord = `"verification":{"trust_framework":null,"assurance_level":null,"time":null,"evidence":[
	{"type":{"value":"electronic_record"},"record":{"type":null,"source":{"name":null}}},
	{"type":{"value":"document"},"check_details":[{"check_method":null}],"document_details":null}]}`

func TestVerifiedClaimsOfTheDemoPeople(t *testing.T) {
	t.Parallel()
	city, _, _ := attested(t)

	t.Run("IDA §5.2 Maria is matched with the registry: userinfo", func(t *testing.T) {
		r := city.Request("cartorio", asking(`{"userinfo":{"verified_claims":{`+wantsRecord+`,"claims":{"name":null,"birthdate":null,"mother_name":null}}}}`))
		tokens := decided(t, city, r, maria, "birthdate")
		info := infoOf(t, city.Userinfo(tokens.Text("access_token")))
		all := verifiedIn(t, info)
		want := map[string]any{"name": "Maria Aparecida da Silva", "birthdate": "1958-05-14"} // mother_name was not ticked
		if len(all) != 1 || !reflect.DeepEqual(all[0]["claims"], want) {
			t.Fatalf("§5.7.3 what was not consented to: %v", all)
		}
		v := all[0]["verification"].(map[string]any)
		record := map[string]any{"type": "electronic_record", "record": map[string]any{"type": "health", "source": map[string]any{"name": "Secretaria Municipal da Saúde"}}}
		if v["trust_framework"] != "br_city" || v["assurance_level"] != "urn:loginunico:nivel:3" || !reflect.DeepEqual(v["evidence"], []any{record}) {
			t.Errorf("%v", v)
		}
		if info["name"] != nil {
			t.Error("§5.3 a claim asked for with a verification came without one too")
		}
		if id := idptest.Claims(t, tokens.Text("id_token")); id["verified_claims"] != nil {
			t.Errorf("§5.2 asked for in userinfo alone: %v", id)
		}
	})
	t.Run("IDA §5.2 the ID token alone", func(t *testing.T) {
		r := city.Request("cartorio", asking(`{"id_token":{"verified_claims":{"verification":{"trust_framework":{"value":"br_city"}},"claims":{"name":null}}}}`))
		tokens := decided(t, city, r, maria)
		all := verifiedIn(t, idptest.Claims(t, tokens.Text("id_token")))
		if len(all) != 1 || !reflect.DeepEqual(all[0]["claims"], map[string]any{"name": "Maria Aparecida da Silva"}) {
			t.Errorf("%v", all)
		}
		if info := infoOf(t, city.Userinfo(tokens.Text("access_token"))); info["verified_claims"] != nil {
			t.Errorf("%v", info)
		}
	})
	t.Run("Ana's social name is her own word, her birth date the Receita's and a document's", func(t *testing.T) {
		r := city.Request("cartorio", asking(`{"userinfo":{"name":null,"verified_claims":{`+wantsRecord+`,"claims":{"name":null,"birthdate":null}}}}`))
		info := infoOf(t, city.Userinfo(decided(t, city, r, ana, "birthdate").Text("access_token")))
		all := verifiedIn(t, info)
		if len(all) != 1 || !reflect.DeepEqual(all[0]["claims"], map[string]any{"birthdate": "1990-09-02"}) || info["name"] != "Ana Ferreira" {
			t.Fatalf("%v", info)
		}
		v := all[0]["verification"].(map[string]any)
		evidence, _ := json.Marshal(v["evidence"])
		if v["assurance_level"] != "urn:loginunico:nivel:4" || !strings.Contains(string(evidence), `"document_details":{"type":"idcard"}`) ||
			!strings.Contains(string(evidence), `"check_method":"pvp"`) || !strings.Contains(string(evidence), "Receita Federal") {
			t.Errorf("%v", v)
		}
	})
	t.Run("João is known to gov.br alone", func(t *testing.T) {
		const joaoAsks = `{"id_token":{"govbr":null,"trust_evidence":null},"userinfo":{"govbr":null,"trust_evidence":null,"verified_claims":{"verification":{"trust_framework":null,"assurance_level":{"values":["bronze","silver","gold"]},
			"evidence":[{"type":{"value":"electronic_record"},"check_details":[{"check_method":null,"organization":null,"time":null}],"record":{"type":null,"source":{"name":null}},"derived_claims":null}]},"claims":{"name":null,"birthdate":null}}}}`
		r := city.Request("cartorio", asking(joaoAsks))
		b := city.Browser(t)
		p := b.ByGovBR(b.Open(r), joao)
		for p.Location == nil && p.URL.Path != "/consentimento" {
			t.Fatalf("%s\n%s", p.URL, p.Main())
		}
		if !strings.Contains(p.Body, "Confirmado pelo gov.br") {
			t.Errorf("the page does not say who confirms\n%s", p.Main())
		}
		tokens := city.Exchange(r, b.Allow(p).Params().Get("code"))
		info := infoOf(t, city.Userinfo(tokens.Text("access_token")))
		all := verifiedIn(t, info)
		if len(all) != 1 || len(all[0]["claims"].(map[string]any)) != 1 || all[0]["claims"].(map[string]any)["name"] != "João Batista Souza" {
			t.Fatalf("%v", info)
		}
		v, _ := all[0]["verification"].(map[string]any)
		claim, _ := info["govbr"].(map[string]any)
		if v["trust_framework"] != "br_govbr" || v["assurance_level"] != claim["level"] || claim["level"] == nil || claim["selos"] == nil {
			t.Errorf("%v beside %v", v, claim)
		}
		if id := idptest.Claims(t, tokens.Text("id_token")); !reflect.DeepEqual(id["govbr"], info["govbr"]) || !reflect.DeepEqual(id["trust_evidence"], info["trust_evidence"]) || id["trust_level"] != 2.0 {
			t.Errorf("govbr and trust_evidence in the ID token: %v", id)
		}
		evidence, _ := info["trust_evidence"].([]any)
		first, _ := evidence[0].(map[string]any)
		if len(evidence) == 0 || first["kind"] == nil || first["verified_at"] == nil {
			t.Errorf("trust_evidence: %v", info["trust_evidence"])
		}
	})
	t.Run("what Carla says of herself is not verified, whatever her level", func(t *testing.T) {
		city.Person(carla, 4, map[string]string{"name": "Carla Mendes", "birthdate": "1985-03-21", "email": "carla@example.org"})
		r := city.Request("cartorio", asking(`{"userinfo":{"name":null,"verified_claims":{"verification":{"trust_framework":null},"claims":{"name":null,"birthdate":null}}}}`))
		info := infoOf(t, city.Userinfo(decided(t, city, r, carla, "birthdate").Text("access_token")))
		if info["name"] != "Carla Mendes" || info["verified_claims"] != nil {
			t.Errorf("%v", info)
		}
	})
	t.Run("IDA §5.7.2 and §5.7.4 nothing that is met, nothing told", func(t *testing.T) {
		for name, ask := range map[string]string{
			"her own word":               `{"verification":{"trust_framework":null},"claims":{"gender":null}}`,
			"an unknown claim":           `{"verification":{"trust_framework":null},"claims":{"shoe_size":{"essential":true}}}`,
			"a random value":             `{"verification":{"trust_framework":null},"claims":{"name":{"value":"x4c7"}}}`,
			"an unknown trust framework": `{"verification":{"trust_framework":{"value":"de_aml"}},"claims":{"name":null}}`,
			"no claims":                  `{"verification":{"trust_framework":null},"claims":null}`,
			"not in the manifest":        `{"verification":{"trust_framework":null},"claims":{"cpf":null}}`,
		} {
			r := city.Request("cartorio", asking(`{"id_token":{"verified_claims":`+ask+`}}`))
			if id := idptest.Claims(t, decided(t, city, r, maria).Text("id_token")); id["verified_claims"] != nil {
				t.Errorf("%s: %v", name, id)
			}
		}
	})
	t.Run("IDA §5.5.1 the right value is met, and kept unreadable", func(t *testing.T) {
		r := city.Request("cartorio", asking(`{"id_token":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"name":{"values":["Maria Aparecida da Silva","Outra"]}}}}}`))
		if all := verifiedIn(t, idptest.Claims(t, decided(t, city, r, maria).Text("id_token"))); len(all) != 1 {
			t.Errorf("%v", all)
		}
		var kept int
		if err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM oauth_grant WHERE verified_claims::text ~ 'Aparecida'`).Scan(&kept); err != nil || kept != 0 {
			t.Errorf("%d grants hold a name %v", kept, err)
		}
	})
	t.Run("what the database would not keep is no error of ours", func(t *testing.T) {
		r := city.Request("cartorio", asking(`{"id_token":{"verified_claims":{"verification":{"trust_framework":{"values":["\ud800","br_city"]},"evidence":[{"type":{"value":"electronic_record"},
			"derived_claims":{"\u0000":null}}]},"claims":{"name":{"values":["\u0000","Maria Aparecida da Silva"]},"\u0000":null}}}}`))
		if all := verifiedIn(t, idptest.Claims(t, decided(t, city, r, maria).Text("id_token"))); len(all) != 1 {
			t.Errorf("%v", all)
		}
	})
	t.Run("malformed requests come back as invalid_request", func(t *testing.T) {
		for _, claims := range []string{`{"userinfo":{"verified_claims":{"claims":{"name":null}}}}`, `{"userinfo":{"verified_claims":null}}`, `{"userinfo":{"name":[]}}`,
			`{"id_token":{"verified_claims":{"verification":{"trust_framework":null,"evidence":[{"type":null}]},"claims":{"name":null}}}}`} {
			p := city.Browser(t).Open(city.Request("cartorio", asking(claims))).Params()
			if p.Get("error") != "invalid_request" || p.Get("error_description") == "" {
				t.Errorf("%s: %v", claims, p)
			}
		}
	})
}

func TestVerifiedClaimsFollowPersonEvidenceManifestAndTime(t *testing.T) {
	t.Parallel()
	city, mariaID, anaID := attested(t)
	const age = `{"userinfo":{"verified_claims":{"verification":{"trust_framework":{"value":"br_city"},"time":{"max_age":300}},"claims":{"name":null,"birthdate":null}}}}`
	hers := decided(t, city, city.Request("cartorio", asking(age)), maria, "birthdate").Text("access_token")
	told := func(access string) int { return len(verifiedIn(t, infoOf(t, city.Userinfo(access)))) }

	t.Run("IDA §5.5.2 a stored answer grows too old by itself", func(t *testing.T) {
		if told(hers) != 1 {
			t.Fatal("nothing to begin with")
		}
		city.Advance(301 * time.Second)
		if told(hers) != 0 {
			t.Error("told although it is older than the service wants")
		}
	})
	const evidence = `{"userinfo":{"trust_evidence":null,"verified_claims":{"verification":{"trust_framework":{"value":"br_city"},"assurance_level":null},"claims":{"birthdate":null}}}}`
	level := func(access string) any {
		all := verifiedIn(t, infoOf(t, city.Userinfo(access)))
		if len(all) == 0 {
			return nil
		}
		return all[0]["verification"].(map[string]any)["assurance_level"]
	}
	access := decided(t, city, city.Request("cartorio", asking(evidence)), ana, "birthdate").Text("access_token")
	t.Run("evidence is added and revoked", func(t *testing.T) {
		if level(access) != "urn:loginunico:nivel:4" {
			t.Fatal(level(access))
		}
		city.Evidence(anaID, trust.Evidence{Kind: trust.ICPCertificate, Source: "icp", VerifiedAt: city.Now(), ExpiresAt: city.Now().Add(time.Minute),
			Attributes: map[string]any{"issuer": "AC", "serial": "1", "profile": "A3"}})
		if level(access) != "urn:loginunico:nivel:5" {
			t.Error(level(access))
		}
		city.Advance(2 * time.Minute) // the certificate ends; what the answer says of it must, too
		if level(access) != "urn:loginunico:nivel:4" {
			t.Error(level(access))
		}
		if info := city.Userinfo(access); strings.Contains(info.Body, "icp_certificate") {
			t.Errorf("expired evidence is told: %s", info.Body)
		}
		revoke(t, city, anaID, trust.BiometricEnrollment)
		if got := level(access); got == "urn:loginunico:nivel:4" {
			t.Error(got)
		}
	})
	t.Run("the manifest loses a claim", func(t *testing.T) {
		city.Apply(strings.Replace(cartorio, "  - {name: birthdate, required: false, purpose: {pt-BR: Sua idade}, basis: consent}\n", "", 1))
		if level(access) != nil {
			t.Error(level(access))
		}
		city.Apply(cartorio)
	})
	t.Run("the value becomes her own word", func(t *testing.T) {
		tokens := decided(t, city, city.Request("cartorio", asking(`{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"name":null}}}}`)), maria)
		if told(tokens.Text("access_token")) != 1 {
			t.Fatal("nothing to begin with")
		}
		err := pg.InTx(t.Context(), city.DB, func(tx pg.Tx) error {
			return registry.NewStore(city.Box).Update(t.Context(), tx, mariaID, registry.Fields{"social_name": {Text: "Maria Silva"}}, 3, city.Now())
		})
		if err != nil {
			t.Fatal(err)
		}
		if info := city.Userinfo(tokens.Text("access_token")); strings.Contains(info.Body, "verified_claims") || strings.Contains(info.Body, "Maria") {
			t.Errorf("%s", info.Body)
		}
	})
	t.Run("a refresh asks as the authorization did", func(t *testing.T) {
		tokens := decided(t, city, city.Request("cartorio", asking(`{"id_token":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"birthdate":null}}}}`)), ana, "birthdate")
		for range 2 { // by this process's memory, and by what it then keeps
			tokens = city.Call("/oauth/token", "cartorio", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Text("refresh_token")}})
			if all := verifiedIn(t, idptest.Claims(t, tokens.Text("id_token"))); len(all) != 1 {
				t.Fatalf("%s", tokens.Body)
			}
		}
	})
}

func revoke(t *testing.T, city *idptest.City, person registry.PersonID, kind trust.Kind) {
	t.Helper()
	all, err := trust.Of(t.Context(), city.DB, person)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Kind == kind {
			if _, err := trust.Revoke(t.Context(), city.DB, person, uuid.UUID(e.ID), "lost", "test", city.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestWhoAsksNothingVerifiedPaysNothingForIt(t *testing.T) {
	t.Parallel()
	city, _, _ := attested(t)
	cost := func(r idptest.Request) (code, userinfo, refresh int) {
		b := city.Browser(t)
		p := b.SignIn(b.Open(r), maria, idptest.Password)
		if p.Location == nil {
			p = b.Allow(p)
		}
		city.Statements()
		a := city.Exchange(r, p.Params().Get("code"))
		code = len(city.Statements())
		city.Userinfo(a.Text("access_token"))
		userinfo = len(city.Statements())
		city.Call("/oauth/token", r.ClientID, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.Text("refresh_token")}})
		return code, userinfo, len(city.Statements())
	}
	plain := city.Request("portal", url.Values{"scope": {"openid profile"}})
	asked := city.Request("portal", asking(`{"id_token":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"name":null}}},"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"name":null}}}}`))
	cost(plain) // statements are prepared, and the policy read, at their first use
	cost(asked)
	code, info, refresh := cost(plain)
	if code != 1 || info != 1 || refresh != 1 {
		t.Errorf("code %d, userinfo %d, refresh %d statements", code, info, refresh)
	}
	more, same, again := cost(asked)
	if more != code+1 || same != info || again != refresh+1 {
		t.Errorf("asked: code %d, userinfo %d, refresh %d statements", more, same, again)
	}
}

func TestDiscoverySaysWhatCanBeVerified(t *testing.T) {
	t.Parallel()
	has := func(city *idptest.City, member string) []string {
		var names []string
		list, _ := members(t, request(t, city, "GET", "/.well-known/openid-configuration", ""))[member].([]any)
		for _, one := range list {
			names = append(names, one.(string))
		}
		return names
	}
	city := idptest.Start(t, []string{cartorio}, idptest.WithGovBR())
	for member, want := range map[string][]string{
		"trust_frameworks_supported":          {"br_city", "br_govbr", "br_icp_brasil"},
		"evidence_supported":                  {"electronic_record", "vouch", "document", "electronic_signature"},
		"documents_check_methods_supported":   {"pvp", "bvp"},
		"claims_in_verified_claims_supported": {"name", "birthdate", "gender", "civil_name", "address", "cpf", "rg", "voter_id", "cns", "nis", "passport", "mother_name", "mother_cpf", "father_name", "father_cpf", "email", "phone_number"},
	} {
		if got := has(city, member); !slices.Equal(got, want) {
			t.Errorf("IDA §8 %s: %v", member, got)
		}
	}
	for _, member := range []string{"documents_supported", "electronic_records_supported"} {
		if len(has(city, member)) == 0 {
			t.Errorf("IDA §8 %s is required here", member)
		}
	}
	without := idptest.Start(t, []string{cartorio})
	if got := has(without, "trust_frameworks_supported"); slices.Contains(got, "br_govbr") {
		t.Errorf("a city without gov.br: %v", got)
	}
}

func TestTheExampleOfVerifiedClaimsIsWhatIsAnswered(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/services.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Verified claims\n")
	var blocks []string
	for rest, more := section, true; more && len(blocks) < 2; {
		_, rest, _ = strings.Cut(rest, "```json\n")
		var block string
		block, rest, more = strings.Cut(rest, "```")
		blocks = append(blocks, block)
	}
	city, _, _ := attested(t)
	info := infoOf(t, city.Userinfo(decided(t, city, city.Request("cartorio", asking(blocks[0])), maria, "birthdate").Text("access_token")))
	verifiedIn(t, info)
	day := regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:]+Z`)
	told, err := json.Marshal(map[string]any{"verified_claims": info["verified_claims"]})
	if err != nil {
		t.Fatal(err)
	}
	var said map[string]any
	if err := json.Unmarshal([]byte(blocks[1]), &said); err != nil {
		t.Fatal(err)
	}
	example, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := day.ReplaceAllString(string(told), "T"), day.ReplaceAllString(string(example), "T"); got != want {
		t.Errorf("answered\n%s\nthe page has\n%s", got, want)
	}
}

func TestACertificateVerifiesItsHolder(t *testing.T) {
	t.Parallel()
	city := idptest.Start(t, []string{strings.Replace(cartorio, "claims:\n", "claims:\n  - {name: cpf, required: true, purpose: {pt-BR: Achar seu registro}, basis: public_policy}\n", 1)},
		idptest.WithCertificates())
	leaf := city.ICP.Issue(icptest.ECPF("RITA DE CASSIA NOGUEIRA", digits(rita)))
	r := city.Request("cartorio", asking(`{"id_token":{"verified_claims":{"verification":{"trust_framework":{"value":"br_icp_brasil"},
		"evidence":[{"type":{"value":"electronic_signature"},"created_at":null}]},"claims":{"name":null,"birthdate":null,"cpf":null}}}}`))
	b := city.Browser(t)
	p := b.ByCertificate(b.Open(r), leaf)
	if p.Location == nil {
		p = b.Allow(p, "birthdate")
	}
	id := idptest.Claims(t, city.Exchange(r, p.Params().Get("code")).Text("id_token"))
	all := verifiedIn(t, id)
	if len(all) != 1 {
		t.Fatalf("Schema Definition §5.4.4.5: %v", id)
	}
	claims := all[0]["claims"].(map[string]any)
	if name, _ := claims["name"].(string); claims["cpf"] != digits(rita) || claims["birthdate"] != "1980-01-01" || !strings.EqualFold(name, "Rita de Cassia Nogueira") {
		t.Errorf("%v", claims)
	}
	signature := all[0]["verification"].(map[string]any)["evidence"].([]any)[0].(map[string]any)
	if signature["issuer"] != "AC Vila Teste RFB v5" || signature["signature_type"] != "e-CPF A1" || signature["serial_number"] == "" || signature["created_at"] == nil {
		t.Errorf("%v", signature)
	}
}
