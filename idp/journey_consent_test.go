package idp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/registry/trust"
)

// latest reads the newest consent record of a service.
func latest(t *testing.T, city *idptest.City, service string) (r struct {
	Kind, Text, Language, Purposes, Bases string
	Claims, Offered                       []string
	Version, Rows                         int
}) {
	t.Helper()
	err := city.DB.QueryRow(t.Context(), `
		SELECT kind, text_shown, language, purposes::text, bases::text, claims, offered, manifest_version, (SELECT count(*) FROM consent)
		  FROM consent
		 WHERE client_id = $1
		 ORDER BY id DESC
		 LIMIT 1`, service).Scan(&r.Kind, &r.Text, &r.Language, &r.Purposes, &r.Bases, &r.Claims, &r.Offered, &r.Version, &r.Rows)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestConsentIsARecordOfWhatWasShownAndDecided(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 3, mariaFields())
	b := city.Browser(t)
	p := at(t, b.SignIn(b.Open(everything(city, "biblioteca", "ui_locales", "en")), maria, idptest.Password), "/consentimento")
	holds(t, p, "Library", "Make your card", "Suggest books", "Maria Aparecida da Silva", "m***@e***.org", "**/**/1958",
		`<input type="checkbox" id="optional-birthdate" name="optional" value="birthdate">`)
	lacks(t, p, " checked", "maria@example.org", "1958-05-14")
	if p = b.Form(p, with("decision", "allow", "optional", "cpf")); p.Params().Get("code") == "" {
		t.Fatalf("no code at %s", p.URL)
	}
	r := latest(t, city, "biblioteca")
	if r.Kind != "granted" || r.Language != "en" || r.Version != 1 || !slices.Equal(r.Claims, []string{"name", "email"}) ||
		!slices.Equal(r.Offered, []string{"name", "email", "birthdate"}) {
		t.Errorf("%+v", r)
	}
	var purposes, bases map[string]string
	if json.Unmarshal([]byte(r.Purposes), &purposes) != nil || json.Unmarshal([]byte(r.Bases), &bases) != nil ||
		purposes["name"] != "Make your card" || purposes["email"] != "Avisar do prazo" || bases["name"] != "public_policy" || bases["birthdate"] != "consent" {
		t.Errorf("%+v", r)
	}
	for _, text := range []string{"Library", "Secretaria de Cultura", "Make your card", "Suggest books"} {
		if !strings.Contains(r.Text, text) {
			t.Errorf("the record lacks %q: %s", text, r.Text)
		}
	}
	for _, value := range []string{"Maria", "m***@", "1958"} {
		if strings.Contains(r.Text, value) {
			t.Errorf("the record is a copy of the data: %s", r.Text)
		}
	}
	if p = b.Open(everything(city, "biblioteca")); p.Params().Get("code") == "" {
		t.Errorf("asked again at %s", p.URL)
	}
	city.Apply(strings.Replace(biblioteca, "claims:\n", "claims:\n  - {name: cpf, required: true, purpose: {pt-BR: Evitar dois cartões}, basis: public_policy}\n", 1))
	p = at(t, b.Open(everything(city, "biblioteca")), "/consentimento")
	asked, known, _ := strings.Cut(p.Body, "<details>")
	if !strings.Contains(asked, "***.982.247-**") || strings.Contains(asked, "Make your card") || !strings.Contains(known, "Make your card") || strings.Contains(p.Body, "checkbox") {
		t.Errorf("only the new claim is asked, what was allowed is folded, what was refused is left in peace: %s", p.Body)
	}
	if p = b.Form(p, with("decision", "deny")); p.Params().Get("error") != "access_denied" || p.Params().Get("state") != "state-1" || p.Params().Get("code") != "" {
		t.Errorf("denied: %v", p.Location)
	}
	if got := latest(t, city, "biblioteca"); got.Rows != 1 {
		t.Errorf("a refusal left %+v", got)
	}
	if p = b.Allow(at(t, b.Open(everything(city, "biblioteca")), "/consentimento")); p.Params().Get("code") == "" {
		t.Fatalf("no code at %s", p.URL)
	}
	if r = latest(t, city, "biblioteca"); r.Version != 2 || r.Rows != 2 || !slices.Equal(r.Claims, []string{"cpf", "name", "email"}) {
		t.Errorf("%+v", r)
	}
}

func TestWhatChangedWhileThePageWasOpenIsShownAgainNotAgreedTo(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 3, mariaFields())
	b := city.Browser(t)
	open := at(t, b.SignIn(b.Open(everything(city, "biblioteca")), maria, idptest.Password), "/consentimento")
	city.Apply(strings.Replace(biblioteca, "birthdate, required: false, purpose: {pt-BR: Sugerir livros, en: Suggest books}, basis: consent",
		"birthdate, required: true, purpose: {pt-BR: Conferir a idade, en: Check your age}, basis: public_policy", 1))
	p := at(t, b.Allow(open), "/consentimento")
	holds(t, p, problems(t, "pt-BR", "consent_changed"), "Conferir a idade")
	lacks(t, p, "checkbox")
	if got := b.Get("/idioma?lang=en&volta=" + url.QueryEscape(of(open, "/consentimento"))); !strings.Contains(got.Body, `<html lang="en"`) {
		t.Fatalf("%s is not in English: %s", got.URL, got.Body)
	}
	p = at(t, b.Allow(p), "/consentimento")
	holds(t, p, problems(t, "en", "consent_changed"), "Check your age")
	if p = b.Allow(p); p.Params().Get("code") == "" {
		t.Fatalf("no code at %s", p.URL)
	}
	if r := latest(t, city, "biblioteca"); r.Rows != 1 || r.Language != "en" || r.Version != 2 || !slices.Contains(r.Claims, "birthdate") {
		t.Errorf("%+v", r)
	}
}

func TestRevokingAServiceEndsItsTokensAndAsksAgain(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca, posto})
	city.Person(maria, 3, merged2(mariaFields(), "phone_number", "+5541987654321"))
	b := city.Browser(t)
	r, other := everything(city, "biblioteca"), everything(city, "posto")
	r.Params.Set("scope", "openid profile offline_access")
	p := b.SignIn(b.Open(r), maria, idptest.Password)
	tokens := city.Exchange(r, b.Allow(p).Params().Get("code"))
	kept := city.Exchange(other, b.Authorize(other, maria))
	if tokens.Text("refresh_token") == "" || !active(city, "biblioteca", tokens.Text("access_token")) {
		t.Fatalf("tokens: %s", tokens.Body)
	}
	p = b.Get("/conta/aplicacoes")
	holds(t, p, "Biblioteca", "Secretaria de Cultura", `id="revoke-biblioteca"`, `id="revoke-posto"`)
	p = at(t, b.Post("/conta/aplicacoes/revogar?servico=biblioteca", nil), "/conta/aplicacoes")
	holds(t, p, `id="revoke-posto"`)
	lacks(t, p, `id="revoke-biblioteca"`)
	if active(city, "biblioteca", tokens.Text("access_token")) || city.Userinfo(tokens.Text("access_token")).Status != http.StatusUnauthorized {
		t.Error("the access token lives on")
	}
	isOAuthError(t, refresh(city, "biblioteca", tokens.Text("refresh_token")), http.StatusBadRequest, "invalid_grant")
	if !active(city, "posto", kept.Text("access_token")) {
		t.Error("another service's token ended too")
	}
	if rec := latest(t, city, "biblioteca"); rec.Kind != "revoked" || len(rec.Claims) != 0 {
		t.Errorf("%+v", rec)
	}
	if again := b.Post("/conta/aplicacoes/revogar?servico=biblioteca", nil); again.Status != http.StatusNotFound {
		t.Errorf("revoked twice: %d", again.Status)
	}
	p = at(t, b.Open(everything(city, "biblioteca")), "/consentimento")
	holds(t, p, "Fazer seu cartão", `value="birthdate"`)
}

func merged2(fields map[string]string, name, value string) map[string]string {
	fields[name] = value
	return fields
}

func TestAClaimLeavesOnlyWhenRequestedInTheManifestAndConsented(t *testing.T) {
	t.Parallel()

	// One claim for each combination: bit 0 requested, bit 1 in the manifest, bit 2 consented.
	names := []string{"gender", "phone_number", "address", "mother_name", "father_name", "rg", "nis", "birthdate"}
	fields := map[string]string{"name": "Maria Aparecida da Silva", "email": "maria@example.org"}
	manifest := strings.Replace(strings.Split(biblioteca, "claims:")[0], "id: biblioteca", "id: matriz", 1) + "claims:\n"
	asked, ticked := map[string]any{}, []string{}
	for bits, name := range names {
		fields[name] = "1958-05-14"
		if bits&1 != 0 {
			asked[name] = nil
		}
		if bits&2 != 0 {
			manifest += "  - {name: " + name + ", required: false, purpose: {pt-BR: Medir}, basis: consent}\n"
		}
		if bits&4 != 0 {
			ticked = append(ticked, name)
		}
	}
	city := idptest.Start(t, []string{manifest})
	city.Person(maria, 3, fields)
	claims, err := json.Marshal(map[string]any{"userinfo": asked, "id_token": asked})
	if err != nil {
		t.Fatal(err)
	}
	b, r := city.Browser(t), city.Request("matriz", with("scope", "openid", "claims", string(claims)))
	p := b.Allow(at(t, b.SignIn(b.Open(r), maria, idptest.Password), "/consentimento"), ticked...)
	tokens := city.Exchange(r, p.Params().Get("code"))
	released := func() (out []string) {
		info := city.Userinfo(tokens.Text("access_token"))
		for _, name := range append(names, "name", "email", "cpf") {
			if info.JSON(name) != nil {
				out = append(out, name)
			}
		}
		return out
	}
	if got := released(); !slices.Equal(got, []string{"birthdate"}) {
		t.Errorf("userinfo has %v", got)
	}
	for name := range idptest.Claims(t, tokens.Text("id_token")) {
		if slices.Contains(names, name) && name != "birthdate" {
			t.Errorf("the ID token has %s", name)
		}
	}
	city.Apply(strings.Replace(manifest, "  - {name: birthdate, required: false, purpose: {pt-BR: Medir}, basis: consent}\n", "", 1))
	if got := released(); len(got) != 0 {
		t.Errorf("the manifest shrank, and userinfo still has %v", got)
	}
}

func TestAClaimWithALevelOfItsOwnWaitsForIt(t *testing.T) {
	t.Parallel()

	manifest := strings.Replace(biblioteca, "basis: consent}", "basis: consent, min_level: 4}", 1)
	city := idptest.Start(t, []string{manifest})
	person := city.Person(maria, 3, mariaFields())
	b, r := city.Browser(t), everything(city, "biblioteca")
	p := at(t, b.SignIn(b.Open(r), maria, idptest.Password), "/consentimento")
	lacks(t, p, "Sugerir livros", "birthdate")
	b.Allow(p, "birthdate")
	city.Evidence(person, trust.Evidence{Kind: trust.BiometricEnrollment, Source: "desk", Method: "desk", Verifier: "carla", VerifiedAt: city.Now()})
	p = at(t, b.Open(r), "/consentimento")
	holds(t, p, "Sugerir livros")
	tokens := city.Exchange(r, b.Allow(p, "birthdate").Params().Get("code"))
	if info := city.Userinfo(tokens.Text("access_token")); info.Text("birthdate") != "1958-05-14" {
		t.Errorf("userinfo: %s", info.Body)
	}
	all, err := trust.Of(t.Context(), city.DB, person)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trust.Revoke(t.Context(), city.DB, person, all[len(all)-1].ID, "enrolled by mistake", "operator", city.Now()); err != nil {
		t.Fatal(err)
	}
	if info := city.Userinfo(tokens.Text("access_token")); info.JSON("birthdate") != nil || info.Text("name") == "" {
		t.Errorf("the evidence is gone, and userinfo is %s", info.Body)
	}
}
