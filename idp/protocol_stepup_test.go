package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

// divida is for level 3, and says why.
const divida = `
id: divida
name: {pt-BR: Dívidas}
department: Fazenda
contact: divida@example.org
min_level: 3
level_purpose: {pt-BR: Só você pode ver as suas dívidas}
redirect_uris: [https://divida.example.org/callback]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
`

const nivel3 = "urn:loginunico:nivel:3 urn:loginunico:nivel:4 urn:loginunico:nivel:5"

// level1 is Ana with a match in the registry, which the test takes away and gives back.
func level1(city *idptest.City) (person registry.PersonID, match func(), fall func(t *testing.T)) {
	person = city.Person(ana, 1, map[string]string{"name": "Ana Ferreira", "email": "ana@example.org"})
	match = func() { city.Evidence(person, registryMatchUntil(city.Now(), time.Time{})) }
	return person, match, func(t *testing.T) {
		t.Helper()
		all, err := trust.Of(t.Context(), city.DB, person)
		for _, e := range all {
			if err == nil && e.Kind == trust.RegistryMatch {
				_, err = trust.Revoke(t.Context(), city.DB, person, e.ID, "test", "test", city.Now())
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestATokenNeverSaysLessThanItsServiceNeeds(t *testing.T) {
	t.Parallel()
	city := protocolCity(t, divida)
	_, match, fall := level1(city)
	for name, c := range map[string]struct {
		client string
		asked  url.Values
	}{
		"by its manifest":           {"divida", nil},
		"by acr_values":             {"agenda", with("acr_values", "urn:loginunico:nivel:3")},
		"by an essential acr claim": {"agenda", with("claims", `{"id_token":{"acr":{"essential":true,"value":"urn:loginunico:nivel:3"}}}`)},
	} {
		t.Run(name, func(t *testing.T) { // one after the other: they share the person's evidence
			match()
			tokens := city.Tokens(city.Request(c.client, c.asked), ana)
			access, again := tokens.Text("access_token"), tokens.Text("refresh_token")
			if a := city.Userinfo(access); a.Status != http.StatusOK || a.Text("acr") != "urn:loginunico:nivel:3" {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			fall(t)
			a := city.Userinfo(access)
			challenge := a.Header.Get("WWW-Authenticate")
			if a.Status != http.StatusUnauthorized || a.Text("error") != "insufficient_user_authentication" ||
				!strings.Contains(challenge, `error="insufficient_user_authentication"`) || !strings.Contains(challenge, `acr_values="`+nivel3+`"`) {
				t.Errorf("RFC 9470 §3: %d %q %s", a.Status, challenge, a.Body)
			}
			if strings.Contains(a.Body, "Ana") {
				t.Errorf("the challenge tells %s", a.Body)
			}
			if a := city.Call("/oauth/introspect", c.client, with("token", access)); a.JSON("active") != true || a.JSON("trust_level") != 1.0 {
				t.Errorf("RFC 9470 §6.2 introspection says what is: %s", a.Body)
			}
			for range 2 { // from what the process remembers, and from the database
				isOAuthError(t, refresh(city, c.client, again), http.StatusBadRequest, "invalid_grant")
			}
			match()
			if a := refresh(city, c.client, again); a.Status != http.StatusOK || idptest.Claims(t, a.Text("access_token"))["acr"] != "urn:loginunico:nivel:3" {
				t.Errorf("the level is back, and its refresh token answers %d %s", a.Status, a.Body)
			}
			if a := city.Userinfo(access); a.Status != http.StatusOK {
				t.Errorf("and userinfo %d %s", a.Status, a.Body)
			}
			fall(t)
		})
	}
	t.Run("a code is worth nothing either", func(t *testing.T) {
		match()
		r := city.Request("divida", nil)
		code := city.Browser(t).Authorize(r, ana)
		fall(t)
		isOAuthError(t, city.Exchange(r, code), http.StatusBadRequest, "invalid_grant")
	})
	t.Run("what one request asked for binds its own tokens alone", func(t *testing.T) {
		match()
		free := city.Tokens(city.Request("agenda", nil), ana)
		fall(t)
		if a := city.Userinfo(free.Text("access_token")); a.Status != http.StatusOK || a.JSON("trust_level") != 1.0 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		if a := refresh(city, "agenda", free.Text("refresh_token")); a.Status != http.StatusOK {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
	t.Run("a manifest that wants more challenges what is out", func(t *testing.T) {
		match()
		tokens := city.Tokens(city.Request("divida", nil), ana)
		city.Apply(strings.Replace(divida, "min_level: 3", "min_level: 4", 1))
		if a := city.Userinfo(tokens.Text("access_token")); a.Status != http.StatusUnauthorized || !strings.Contains(a.Header.Get("WWW-Authenticate"), `acr_values="urn:loginunico:nivel:4 urn:loginunico:nivel:5"`) {
			t.Errorf("%d %v", a.Status, a.Header)
		}
	})
}

// The journey of RFC 9470 §1: an API challenges a token, and the service sends the citizen for more.
func TestAChallengedServiceComesBackWithWhatItNeedsOrAnHonestError(t *testing.T) {
	t.Parallel()
	city := protocolCity(t, divida)
	key := city.Device(city.Person(ana, 4, map[string]string{"name": "Ana Ferreira", "email": "ana@example.org"}), true)
	b, first := city.Browser(t), city.Request("agenda", nil)
	if claims := arrived(t, b, first, b.SignIn(b.Open(first), ana, idptest.Password)); claims["acr"] != "urn:loginunico:nivel:3" {
		t.Fatalf("%v", claims)
	}
	asked := city.Request("agenda", with("acr_values", "urn:loginunico:nivel:4 urn:loginunico:nivel:5"))
	p := at(t, b.Open(asked), "/entrar/nivel")
	holds(t, p, "só para este passo", "/entrar/reforco")
	isRedirectError(t, city, b.Form(p, nil), "unmet_authentication_requirements")

	p = at(t, b.Get(of(at(t, b.Open(asked), "/entrar/nivel"), "/entrar/reforco")), "/entrar/reforco")
	if claims := arrived(t, b, asked, shows(t, b, p, key)); claims["acr"] != "urn:loginunico:nivel:4" {
		t.Errorf("%v", claims)
	}
	t.Run("the page gives the service's reason, in the citizen's language", func(t *testing.T) {
		weak := city.Browser(t)
		holds(t, at(t, weak.SignIn(weak.Open(city.Request("divida", nil)), joao, idptest.Password), "/entrar/nivel"), "Por quê: Só você pode ver as suas dívidas")
	})
}
