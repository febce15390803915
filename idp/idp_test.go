package idp_test

import (
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
)

func TestMain(m *testing.M) { idptest.Main(m) }

// portal is a confidential service with required and optional claims.
const portal = `
id: portal
name: {pt-BR: Portal do Cidadão, es: Portal del Ciudadano, en: Citizen Portal}
department: Secretaria de Governo
contact: portal@example.org
redirect_uris: [http://localhost:9/portal/callback]
post_logout_redirect_uris: [http://localhost:9/]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você pelo nome}, basis: public_policy}
  - {name: email, required: true, purpose: {pt-BR: Avisar você}, basis: public_policy}
  - {name: birthdate, required: false, purpose: {pt-BR: Serviços para a sua idade}, basis: consent}
`

const (
	maria = "529.982.247-25"
	joao  = "111.444.777-35"
)

func mariaFields() map[string]string {
	return map[string]string{"name": "Maria Aparecida da Silva", "email": "maria@example.org", "birthdate": "1958-05-14"}
}

func TestACitizenSignsInApprovesAndTheServiceGetsTokens(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{portal})
	city.Person(maria, 3, mariaFields())
	r := city.Request("portal", nil)
	tokens := city.Tokens(r, maria)

	claims := idptest.Claims(t, tokens.Text("id_token"))
	if claims["nonce"] != "nonce-1" || claims["aud"] != "portal" || claims["trust_level"] != 3.0 || claims["acr"] != "urn:loginunico:nivel:3" {
		t.Errorf("ID token: %v", claims)
	}
	info := city.Userinfo(tokens.Text("access_token"))
	if info.Text("name") != "Maria Aparecida da Silva" || info.Text("sub") != claims["sub"] {
		t.Errorf("userinfo: %s", info.Body)
	}
	if info.JSON("birthdate") != nil {
		t.Error("an optional claim left without its tick")
	}
}
