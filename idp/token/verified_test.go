package token_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
)

func TestAReleaseOfVerifiedClaimsSaysSo(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{posto})
	city.Person(maria, 3, map[string]string{"name": "Maria Aparecida da Silva", "email": "maria@example.org"})
	city.Tokens(city.Request("posto", map[string][]string{"scope": {"openid email"}, "claims": {
		`{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"name":{"value":"Maria Aparecida da Silva"},"cpf":null}}}}`}}), maria)
	drain(t, city)
	events := releases(t, city)
	if len(events) != 1 {
		t.Fatalf("%+v", events)
	}
	e := events[0]
	if got := strings.Join(e.Fields, " "); got != "cpf email name sub trust_level" || e.Detail["verified"] != "cpf,name" || e.Detail["basis.public_policy"] != "cpf,name" {
		t.Errorf("%s %v", got, e.Detail)
	}
	if text, err := json.Marshal(e); err != nil || strings.Contains(string(text), "Maria") {
		t.Errorf("%s %v", text, err)
	}
}
