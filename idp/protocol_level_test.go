package idp_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

const ana = "390.533.447-05"

// acr is the lower of two things: how surely the city knows the person, and how surely this browser
// is that person. A password alone stops at 3.
func TestAcrIsCappedByTheSessionAndTrustLevelIsNot(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	city.Person(ana, 4, map[string]string{"name": "Ana Ferreira", "email": "ana@example.org", "birthdate": "1990-01-01"})
	tokens := city.Tokens(city.Request("agenda", with("claims", `{"id_token":{"acr":{"values":["urn:loginunico:nivel:5","urn:loginunico:nivel:4"]}}}`)), ana)
	says := map[string]map[string]any{
		"ID token": idptest.Claims(t, tokens.Text("id_token")), "access token": idptest.Claims(t, tokens.Text("access_token")),
		"userinfo":      members(t, city.Userinfo(tokens.Text("access_token"))),
		"introspection": members(t, city.Call("/oauth/introspect", "agenda", with("token", tokens.Text("access_token")))),
	}
	for where, claims := range says {
		t.Run("OIDC Core §5.5.1.1 a voluntary acr is a wish, the truth is in the "+where, func(t *testing.T) {
			if claims["acr"] != "urn:loginunico:nivel:3" || claims["trust_level"] != 4.0 || claims["auth_time"] == nil {
				t.Errorf("%v", claims)
			}
			if amr, _ := claims["amr"].([]any); len(amr) != 1 || amr[0] != "pwd" {
				t.Errorf("RFC 8176 amr %v", claims["amr"])
			}
		})
	}
	t.Run("a service for level 4 is not opened by a password", func(t *testing.T) {
		b := city.Browser(t)
		p := b.SignIn(b.Open(city.Request("certidao", nil)), ana, idptest.Password)
		if page(p) != "/entrar/nivel" {
			t.Fatalf("the browser is at %s", page(p))
		}
		isRedirectError(t, city, b.Form(p, nil), "unmet_authentication_requirements")
	})
}

// A token is a promise about now: what the city stops believing, it stops saying.
func TestRevokedEvidenceAndManifestsChangeWhatIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	person := city.Person(ana, 1, map[string]string{"name": "Ana Ferreira", "email": "ana@example.org"})
	evidence := registryMatchUntil(city.Now(), time.Time{})
	city.Evidence(person, evidence)
	tokens := city.Tokens(city.Request("agenda", with("scope", "openid profile email cpf")), ana)
	access := tokens.Text("access_token")
	before := city.Userinfo(access)
	if before.JSON("trust_level") != 3.0 || before.Text("cpf") == "" || before.Text("email") == "" {
		t.Fatalf("%s", before.Body)
	}

	t.Run("a claim taken out of the manifest leaves no more", func(t *testing.T) {
		city.Apply(strings.Replace(agenda, "  - {name: email, required: true, purpose: {pt-BR: Avisar você}, basis: public_policy}\n", "", 1))
		if a := city.Userinfo(access); a.Status != http.StatusOK || a.JSON("email") != nil || a.JSON("email_verified") != nil || a.Text("name") == "" {
			t.Errorf("%s", a.Body)
		}
	})
	t.Run("revoked evidence lowers userinfo, introspection and the next tokens", func(t *testing.T) {
		held := evidenceOf(t, city, person, trust.RegistryMatch)
		if _, err := trust.Revoke(t.Context(), city.DB, person, held, "test", "test", city.Now()); err != nil {
			t.Fatal(err)
		}
		info := city.Userinfo(access)
		if info.JSON("trust_level") != 1.0 || info.Text("acr") != "urn:loginunico:nivel:1" || info.JSON("cpf") != nil {
			t.Errorf("%s", info.Body)
		}
		if a := city.Call("/oauth/introspect", "agenda", with("token", access)); a.JSON("trust_level") != 1.0 {
			t.Errorf("%s", a.Body)
		}
		next := idptest.Claims(t, refresh(city, "agenda", tokens.Text("refresh_token")).Text("access_token"))
		if next["trust_level"] != 1.0 || next["acr"] != "urn:loginunico:nivel:1" {
			t.Errorf("%v", next)
		}
	})
	t.Run("a redirect URI taken out of the manifest ends the sign-ins on their way to it", func(t *testing.T) {
		b := city.Browser(t)
		p := b.Open(city.Request("agenda", nil))
		city.Apply(strings.Replace(agenda, "https://agenda.example.org/callback,", "https://agenda.example.org/novo,", 1))
		if got := b.Form(p, with("cpf", maria)); got.Status != http.StatusGone || got.Location != nil {
			t.Errorf("%d %v", got.Status, got.Location)
		}
	})
}

func TestASessionEndsByIdlenessAndByAge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		steps []time.Duration // between visits
		alive bool
	}{
		"idle for less than two hours": {[]time.Duration{119 * time.Minute}, true},
		"idle for two hours":           {[]time.Duration{121 * time.Minute}, false},
		"busy all day":                 {[]time.Duration{110 * time.Minute, 110 * time.Minute, 110 * time.Minute}, true},
		"busy, but twelve hours old":   {[]time.Duration{110 * time.Minute, 110 * time.Minute, 110 * time.Minute, 110 * time.Minute, 110 * time.Minute, 110 * time.Minute, 61 * time.Minute}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			city := protocolCity(t)
			b, _ := signedInAt(t, city)
			for i, step := range c.steps {
				city.Advance(step)
				if got := isSignedIn(city, b); got != (c.alive || i < len(c.steps)-1) {
					t.Errorf("visit %d: signed in %v", i+1, got)
				}
			}
		})
	}
}

// evidenceOf is the id of a person's evidence of one kind.
func evidenceOf(t *testing.T, city *idptest.City, person registry.PersonID, kind trust.Kind) uuid.UUID {
	t.Helper()
	all, err := trust.Of(t.Context(), city.DB, person)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(e trust.Evidence) bool { return e.Kind == kind })
	if i < 0 {
		t.Fatalf("no %s in %v", kind, all)
	}
	return all[i].ID
}
