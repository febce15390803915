package idp_test

import (
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

// said asks both endpoints about an access token.
func said(city *idptest.City, access string) [2]string {
	return [2]string{city.Userinfo(access).Body, city.Call("/oauth/introspect", "portal", map[string][]string{"token": {access}}).Body}
}

func TestAnswersMadeWithTheTokenAreThoseMadeWhenAsked(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{portal})
	city.Person(maria, 3, mariaFields())
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	hers := city.Tokens(city.Request("portal", nil), maria).Text("access_token")
	his := city.Tokens(city.Request("portal", nil), joao).Text("access_token")
	ahead := said(city, hers)
	for name, statement := range map[string]string{
		"none kept":              `UPDATE oauth_token SET answers = NULL`,
		"the person was touched": `UPDATE person SET version = version`,
		"another token's":        `UPDATE oauth_token SET answers = (SELECT o.answers FROM oauth_token o WHERE o.access_hash <> oauth_token.access_hash)`,
		"not sealed by us":       `UPDATE oauth_token SET answers = '\x0102'`,
	} {
		if _, err := city.DB.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		if got := said(city, hers); got != ahead {
			t.Errorf("%s:\n%v\nwant\n%v", name, got, ahead)
		}
		if got := said(city, his); got == ahead || got[0] == "" {
			t.Errorf("%s: João is told %v", name, got)
		}
	}
}

func TestAnswersFollowEveryChangeAtOnce(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{portal})
	id := city.Person(maria, 1, mariaFields())
	access := city.Tokens(city.Request("portal", nil), maria).Text("access_token")
	before := said(city, access)

	city.Evidence(id, trust.Evidence{Kind: trust.BiometricEnrollment, Source: "desk", Method: "desk", Verifier: "carla", VerifiedAt: city.Now()})
	info := city.Userinfo(access)
	if info.JSON("trust_level") != 4.0 || info.Text("acr") != "urn:loginunico:nivel:3" {
		t.Errorf("new evidence: %s", info.Body)
	}
	tx, err := city.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = registry.NewStore(city.Box).Update(t.Context(), tx, id, registry.Fields{"social_name": {Text: "Maria Silva", Source: registry.SourceSelf, At: city.Now()}}, 3, city.Now())
	if err != nil {
		t.Fatal(err)
	}
	if got := city.Userinfo(access).Text("name"); got != "Maria Aparecida da Silva" {
		t.Errorf("an uncommitted name is out: %s", got)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := city.Userinfo(access).Text("name"); got != "Maria Silva" {
		t.Errorf("after the commit the name is still %s", got)
	}
	if after := said(city, access); after == before {
		t.Error("nothing changed")
	}
}
