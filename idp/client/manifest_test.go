package client_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/yamlform"
)

// contractManifest is the contract's example.
const contractManifest = `
id: saude-agenda                       # = client_id
name: {pt-BR: Agenda da Saúde, es: Agenda de Salud, en: Health appointments}
department: Secretaria Municipal da Saúde
contact: saude@example.org
policy_uri: https://example.org/privacidade
redirect_uris: [http://localhost:8090/saude-agenda/callback]
post_logout_redirect_uris: [http://localhost:8090/]
backchannel_logout_uri: http://localhost:8090/saude-agenda/backchannel
auth: client_secret_basic
subject: pairwise
min_level: 2
foreigners: false                      # visitors by international phone
languages: [pt-BR, es, en]
claims:
  - {name: name, required: true, purpose: {pt-BR: Identificar você na consulta}, basis: public_policy}
  - {name: cns,  required: false, purpose: {pt-BR: Achar seu prontuário}, basis: consent, min_level: 3}
theme: {accent: "#0b6e4f"}
`

// minimal is the least a manifest needs; tests add lines to it.
const minimal = `id: portal
name: {pt-BR: Portal}
department: Secretaria de Governo
contact: portal@example.org
redirect_uris: [https://portal.example.org/callback]
`

func parse(t testing.TB, text string) *client.Manifest {
	t.Helper()
	m, err := client.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestContractExampleIsRead(t *testing.T) {
	t.Parallel()

	want := &client.Manifest{
		ID:                     "saude-agenda",
		Name:                   client.Text{"pt-BR": "Agenda da Saúde", "es": "Agenda de Salud", "en": "Health appointments"},
		Department:             "Secretaria Municipal da Saúde",
		Contact:                "saude@example.org",
		PolicyURI:              "https://example.org/privacidade",
		RedirectURIs:           []string{"http://localhost:8090/saude-agenda/callback"},
		PostLogoutRedirectURIs: []string{"http://localhost:8090/"},
		BackchannelLogoutURI:   "http://localhost:8090/saude-agenda/backchannel",
		Auth:                   "client_secret_basic",
		Subject:                "pairwise",
		Sector:                 "localhost",
		MinLevel:               2,
		Languages:              []string{"pt-BR", "es", "en"},
		Grants:                 []string{"authorization_code", "refresh_token"},
		IDTokenAlg:             "ES256",
		Claims: []client.Claim{
			{Name: "name", Required: true, Purpose: client.Text{"pt-BR": "Identificar você na consulta"}, Basis: "public_policy", MinLevel: 1},
			{Name: "cns", Purpose: client.Text{"pt-BR": "Achar seu prontuário"}, Basis: "consent", MinLevel: 3},
		},
		Theme: client.Theme{Accent: "#0b6e4f"},
	}
	if got := parse(t, contractManifest); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestManifestDefaults(t *testing.T) {
	t.Parallel()

	m := parse(t, minimal)
	if m.Auth != client.AuthBasic || m.Subject != client.SubjectPairwise || m.Sector != "portal.example.org" ||
		m.MinLevel != 1 || m.Foreigners || m.Internal || m.IDTokenAlg != "ES256" || m.UserinfoAlg != "" ||
		!slices.Equal(m.Languages, []string{"pt-BR"}) {
		t.Errorf("%+v", m)
	}
}

func TestEveryFaultIsNamedWithItsLineAtOnce(t *testing.T) {
	t.Parallel()

	_, err := client.Parse("bad.yaml", []byte(`id: Saude Agenda
name: {es: Agenda}
contact: nowhere
redirect_uris:
  - https://example.org/*
  - http://example.org/cb
auth: tls_client_auth
min_level: 6
colour: red
claims:
  - {name: shoe_size, purpose: {pt-BR: Saber}, basis: consent}
  - name: name
    basis: public_policy
    required: maybe
  - {name: civil_name, required: true, purpose: {pt-BR: Saber}, basis: public_policy}
`))
	var faults *yamlform.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("error %v", err)
	}
	var got []string
	for _, f := range faults.List {
		got = append(got, fmt.Sprintf("%d %s %s", f.Line, f.Path, f.Code))
		if f.Message == "" || !strings.Contains(err.Error(), f.Message) {
			t.Errorf("%s: message %q", f.Path, f.Message)
		}
	}
	want := []string{
		"1 id value", "1 department required", "2 name required", "3 contact value",
		"5 redirect_uris[0] value", "6 redirect_uris[1] value", "7 auth value", "8 min_level value", "9 colour unknown_key",
		"11 claims[0].name value", "12 claims[1].purpose required", "13 claims[1].basis basis", "14 claims[1].required type",
		"15 claims[2].name internal",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !strings.HasPrefix(err.Error(), "bad.yaml:1: ") {
		t.Errorf("message %q", err.Error())
	}
}

func TestAServiceForStaffAloneStandsAtTheirLevel(t *testing.T) {
	t.Parallel()

	const roles = "internal: true\nclaims:\n  - {name: roles, required: %t, purpose: {pt-BR: Saber}, basis: public_policy}\n"
	for required, level := range map[bool]int{true: 4, false: 1} {
		m := parse(t, minimal+fmt.Sprintf(roles, required))
		if m.StaffOnly() != required || m.MinLevel != level || !slices.Contains(m.Scopes(), "employee") || slices.Contains(m.Scopes(), "offline_access") == required {
			t.Errorf("required %v: for staff alone %v, level %d, %v", required, m.StaffOnly(), m.MinLevel, m.Scopes())
		}
	}
	if m := parse(t, minimal+"min_level: 5\n"+fmt.Sprintf(roles, true)); m.MinLevel != 5 {
		t.Errorf("level %d", m.MinLevel)
	}
	if m := parse(t, minimal); m.StaffOnly() || slices.Contains(m.Scopes(), "employee") {
		t.Errorf("%v", m.Scopes())
	}
}

func TestManifestRules(t *testing.T) {
	t.Parallel()

	const claim = "claims: [{name: name, required: true, purpose: {pt-BR: Saber}, basis: public_policy}"
	for name, c := range map[string]struct{ add, path, code string }{
		"optional claim without consent":        {"claims: [{name: cns, purpose: {pt-BR: Saber}, basis: public_policy}]", "claims[0].basis", "basis"},
		"claim given twice":                     {claim + ", {name: name, required: true, purpose: {pt-BR: Saber}, basis: consent}]", "claims[1]", "duplicate"},
		"claim of every token":                  {"claims: [{name: acr, required: true, purpose: {pt-BR: Saber}, basis: consent}]", "claims[0].name", "value"},
		"companion claim":                       {"claims: [{name: email_verified, required: true, purpose: {pt-BR: Saber}, basis: consent}]", "claims[0].name", "value"},
		"civil name of an external service":     {"claims: [{name: civil_name, required: true, purpose: {pt-BR: Saber}, basis: consent}]", "claims[0].name", "internal"},
		"roles of an external service":          {"claims: [{name: roles, required: true, purpose: {pt-BR: Saber}, basis: public_policy}]", "claims[0].name", "internal"},
		"department of an external service":     {claim + ", {name: department, purpose: {pt-BR: Saber}, basis: public_policy}]", "claims[1].name", "internal"},
		"roles by consent":                      {"internal: true\nclaims: [{name: roles, purpose: {pt-BR: Saber}, basis: consent}]", "claims[0].basis", "basis"},
		"staff below the level of staff":        {"internal: true\nmin_level: 3\nclaims: [{name: roles, required: true, purpose: {pt-BR: Saber}, basis: public_policy}]", "min_level", "value"},
		"unknown basis":                         {"claims: [{name: name, required: true, purpose: {pt-BR: Saber}, basis: whim}]", "claims[0].basis", "value"},
		"unknown language":                      {"languages: [pt-BR, fr]", "languages[1]", "value"},
		"no languages":                          {"languages: []", "languages", "required"},
		"no grants":                             {"grants: []", "grants", "required"},
		"refresh without code":                  {"grants: [refresh_token]", "grants", "value"},
		"unknown grant":                         {"grants: [implicit]", "grants[0]", "value"},
		"public client with its own grant":      {"auth: none\ngrants: [authorization_code, client_credentials]", "grants", "value"},
		"private_key_jwt without keys":          {"auth: private_key_jwt", "jwks", "required"},
		"unknown method":                        {"auth: client_secret_jwt", "auth", "value"},
		"mutual TLS":                            {"auth: self_signed_tls_client_auth", "auth", "value"},
		"alg none":                              {"id_token_alg: none", "id_token_alg", "value"},
		"userinfo alg":                          {"userinfo_alg: HS256", "userinfo_alg", "value"},
		"sector with public subjects":           {"subject: public\nsector: example.org", "sector", "value"},
		"sector that is a URL":                  {"sector: https://example.org", "sector", "value"},
		"sector in capitals":                    {"sector: Example.org", "sector", "value"},
		"level as text":                         {`min_level: "2"`, "min_level", "value"},
		"level zero":                            {"min_level: 0", "min_level", "value"},
		"level with a fraction":                 {"min_level: 1.5", "min_level", "value"},
		"boolean as text":                       {`internal: "true"`, "internal", "type"},
		"accent":                                {"theme: {accent: green}", "theme.accent", "value"},
		"unknown theme key":                     {"theme: {font: Comic}", "theme.font", "unknown_key"},
		"key given twice":                       {"contact: other@example.org", "contact", "duplicate"},
		"list instead of text":                  {"policy_uri: [https://example.org]", "policy_uri", "type"},
		"policy over http":                      {"policy_uri: http://example.org", "policy_uri", "value"},
		"back-channel over http":                {"backchannel_logout_uri: http://example.org/b", "backchannel_logout_uri", "value"},
		"resource with fragment":                {`resource_uri: "https://api.example.org/#a"`, "resource_uri", "value"},
		"relative resource":                     {"resources: [/api]", "resources[0]", "value"},
		"API scope without its grant":           {"api_scopes: [tickets.read]", "api_scopes", "value"},
		"API scope about a person":              {"grants: [client_credentials]\napi_scopes: [cpf]", "api_scopes", "value"},
		"API scope with a space":                {"grants: [client_credentials]\napi_scopes: [a b]", "api_scopes[0]", "value"},
		"anchor":                                {"theme: &t {accent: '#000000'}", "theme", "alias"},
		"alias":                                 {"theme: &t {accent: '#000000'}\nlanguages: *t", "languages", "alias"},
		"merge key":                             {"theme: {<<: {accent: '#000000'}}", "theme.<<", "unknown_key"},
		"invisible character":                   {"policy_uri: \"https://example.org/\u202e\"", "policy_uri", "value"},
		"private-use scheme of a secret client": {"post_logout_redirect_uris: [\"com.example.app:/out\"]", "post_logout_redirect_uris", "value"},
		"redirect URI given twice":              {"post_logout_redirect_uris: [https://a.org/, https://a.org/]", "post_logout_redirect_uris[1]", "duplicate"},
		"second document":                       {"---\nid: other", "", "documents"},
		"not YAML":                              {"a: [", "", "yaml"},
	} {
		_, err := client.Parse("x", []byte(minimal+c.add))
		var faults *yamlform.Faults
		if !errors.As(err, &faults) {
			t.Errorf("%s: accepted", name)
			continue
		}
		if !slices.ContainsFunc(faults.List, func(f yamlform.Fault) bool { return f.Path == c.path && f.Code == c.code && f.Line > 0 }) {
			t.Errorf("%s: %+v", name, faults.List)
		}
	}
}

func TestSeveralHostsNeedASector(t *testing.T) {
	t.Parallel()

	two := strings.Replace(minimal, "]\n", ", https://app.example.org/callback]\n", 1)
	_, err := client.Parse("x", []byte(two))
	var faults *yamlform.Faults
	if !errors.As(err, &faults) || faults.List[0].Path != "sector" || faults.List[0].Code != "required" {
		t.Errorf("error %v", err)
	}
	if m := parse(t, two+"sector: example.org\n"); m.Sector != "example.org" {
		t.Errorf("sector %q", m.Sector)
	}
	if m := parse(t, two+"subject: public\n"); m.Sector != "" {
		t.Errorf("sector %q", m.Sector)
	}
}

func TestMachineToMachineServiceNeedsNoRedirect(t *testing.T) {
	t.Parallel()

	m := parse(t, `{id: etl, name: {pt-BR: Carga}, department: TI, contact: ti@example.org, grants: [client_credentials],
		api_scopes: [registry.read, "156:write"]}`)
	if m.Sector != "" || !slices.Equal(m.APIScopes, []string{"registry.read", "156:write"}) || m.HasGrant(client.GrantAuthorizationCode) {
		t.Errorf("%+v", m)
	}
}

func TestOversizedManifestIsNotRead(t *testing.T) {
	t.Parallel()

	bomb := minimal + "# " + strings.Repeat("x", client.MaxManifest)
	if _, err := client.Parse("x", []byte(bomb)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("error %.100v", err)
	}
	list := minimal + "resources: [" + strings.Repeat("'https://a.org',", 51) + "]"
	if _, err := client.Parse("x", []byte(list)); err == nil || !strings.Contains(err.Error(), "at most 50") {
		t.Errorf("error %.100v", err)
	}
}

func TestFaultsOfAForeignFileStayReadable(t *testing.T) {
	t.Parallel()

	var faults *yamlform.Faults
	_, err := client.Parse("x", []byte(minimal+"\"a\\e[31m\\n\": 1\n"+strings.Repeat("b: 1\n", 10_000)))
	if !errors.As(err, &faults) || len(faults.List) != 100 {
		t.Fatalf("%d faults", len(faults.List))
	}
	if faults.List[0].Path != `"a\x1b[31m\n"` {
		t.Errorf("path %s", faults.List[0].Path)
	}
}

func TestEmptyManifestIsAFault(t *testing.T) {
	t.Parallel()

	for _, text := range []string{"", "# nothing", "---", "null", "[]", "text", "- a", "&a", "*a", "!!binary x"} {
		var faults *yamlform.Faults
		if _, err := client.Parse("x", []byte(text)); !errors.As(err, &faults) || len(faults.List) == 0 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

const publicEC = `{kty: EC, crv: P-256, kid: a, x: f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU, y: x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0}`

func TestJWKSTakesPublicSigningKeysOnly(t *testing.T) {
	t.Parallel()

	m := parse(t, minimal+"auth: private_key_jwt\njwks: {keys: ["+publicEC+"]}\n")
	if len(m.JWKS.Keys) != 1 || !m.JWKS.Keys[0].IsPublic() || m.JWKS.Keys[0].KeyID != "a" {
		t.Errorf("%+v", m.JWKS)
	}
	member := func(text string) string { return strings.Replace(publicEC, "kid: a", "kid: a, "+text, 1) }
	for name, c := range map[string]struct{ key, code string }{
		"private EC":       {member("d: jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"), "private_key"},
		"symmetric":        {"{kty: oct, k: AyM1SysPpbyDfgZld3umj1qzKObwVMko}", "private_key"},
		"private RSA part": {"{kty: RSA, n: AQAB, e: AQAB, qi: AQAB}", "private_key"},
		"encryption":       {member("use: enc"), "jwk"},
		"other alg":        {member("alg: RS256"), "jwk"},
		"short RSA":        {"{kty: RSA, n: " + strings.Repeat("u", 171) + ", e: AQAB}", "jwk"},
		"off the curve":    {strings.Replace(publicEC, "y: x_F", "y: x_G", 1), "jwk"},
		"no key":           {"{}", "jwk"},
		"alias":            {member("x5t: *a"), "yaml"},
		"same kid":         {publicEC + ", " + publicEC, "jwk"},
		"none":             {"", "required"},
	} {
		_, err := client.Parse("x", []byte(minimal+"auth: private_key_jwt\njwks: {keys: ["+c.key+"]}\n"))
		var faults *yamlform.Faults
		if !errors.As(err, &faults) || !slices.ContainsFunc(faults.List, func(f yamlform.Fault) bool { return f.Code == c.code }) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "jpsQ") {
			t.Errorf("%s: the private key is in the message", name)
		}
	}
}

func TestScopesFollowTheClaims(t *testing.T) {
	t.Parallel()

	m := parse(t, contractManifest+"")
	if got := m.Scopes(); !slices.Equal(got, []string{"openid", "profile", "documents", "offline_access"}) {
		t.Errorf("scopes %v", got)
	}
	if got := m.ScopeClaims("documents"); !slices.Equal(got, []string{"cns"}) {
		t.Errorf("documents %v", got)
	}
	if got := m.ScopeClaims("cpf"); len(got) != 0 {
		t.Errorf("cpf %v", got)
	}
	mail := parse(t, minimal+"claims: [{name: email, required: true, purpose: {pt-BR: Avisar}, basis: consent}]")
	if got := mail.ScopeClaims("email"); !slices.Equal(got, []string{"email", "email_verified"}) {
		t.Errorf("email %v", got)
	}
}

func TestEveryClaimHasOneScope(t *testing.T) {
	t.Parallel()

	seen := map[string]bool{}
	for _, scope := range client.Scopes() {
		for _, claim := range client.ClaimsOf(scope) {
			if seen[claim] || client.ScopeOf(claim) != scope {
				t.Errorf("%s: %s", scope, claim)
			}
			seen[claim] = true
		}
	}
	if len(seen) != 28 || client.ScopeOf("sub") != "" || client.ClaimsOf("openid") != nil {
		t.Errorf("%d claims", len(seen))
	}
	client.ClaimsOf("cpf")[0] = "changed"
	if client.ClaimsOf("cpf")[0] != "cpf" {
		t.Error("the table can be changed from outside")
	}
}

func TestTextFallsBackToBaseLanguageThenPortuguese(t *testing.T) {
	t.Parallel()

	text := client.Text{"pt-BR": "Olá", "es": "Hola"}
	for lang, want := range map[string]string{"pt-BR": "Olá", "es": "Hola", "es-AR": "Hola", "en": "Olá", "": "Olá", "pt": "Olá"} {
		if got := text.Localized(lang); got != want {
			t.Errorf("%q: %q", lang, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{contractManifest, minimal, "a: &a [*a]", "? {a: b}\n: c", "{", "id: !!int x", "<<: *x", "jwks: {keys: [" + publicEC + "]}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := client.Parse("fuzz", data)
		if err != nil {
			var faults *yamlform.Faults
			if !errors.As(err, &faults) || len(faults.List) == 0 || m != nil {
				t.Fatalf("%v", err)
			}
			return
		}
		if m.ID == "" || m.Name["pt-BR"] == "" || m.MinLevel < 1 || m.MinLevel > 5 || len(m.Languages) == 0 || len(m.Grants) == 0 {
			t.Fatalf("%+v", m)
		}
		for _, c := range m.Claims {
			if client.ScopeOf(c.Name) == "" || c.Purpose["pt-BR"] == "" || !c.Required && c.Basis != client.BasisConsent {
				t.Fatalf("%+v", c)
			}
		}
		for _, uri := range m.RedirectURIs {
			if strings.ContainsAny(uri, "#* \\") || !m.MatchRedirect(uri) {
				t.Fatalf("redirect %q", uri)
			}
		}
	})
}
