package rp_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/cmd/demo-rp/rp"
	"github.com/loginunico/loginunico/idp/evidence"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

func TestMain(m *testing.M) { idptest.Main(m) }

const manifest = `
id: %[1]s
name: {pt-BR: %[1]s}
department: Secretaria
contact: x@example.org
redirect_uris: ["%[2]s/%[1]s/callback"]
post_logout_redirect_uris: ["%[2]s/"]
backchannel_logout_uri: "%[2]s/%[1]s/backchannel"
events_uri: "%[2]s/%[1]s/events"
auth: %[3]s
sector: %[1]s.example.org
id_token_alg: %[4]s
%[5]s
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você pelo nome}, basis: public_policy}
`

// TestTheSampleServicesAgainstTheProvider is what a newcomer does first, in a real browser: two
// services of the sample, one sign-in, what each got, a refresh, and one logout that ends both.
func TestTheSampleServicesAgainstTheProvider(t *testing.T) {
	t.Parallel()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	city := idptest.Start(t, []string{
		fmt.Sprintf(manifest, "portal", base, "client_secret_basic", "ES256", ""),
		fmt.Sprintf(manifest, "fazenda", base, "client_secret_post", "RS256", "userinfo_alg: RS256"),
	})
	maria := city.Known("529.982.247-25", "saude", map[string]string{"name": "Maria Aparecida da Silva", "birthdate": "1958-05-14"})
	city.Settle(maria, map[string]string{"name": "Maria Aparecida da Silva", "birthdate": "1958-05-14"})
	sample, err := rp.New(rp.Config{Issuer: city.Issuer, BaseURL: base, Services: []rp.Service{
		{ID: "portal", Secret: idptest.Secret("portal"), Scopes: []string{"openid", "profile"}, Claims: []string{"name"}},
		{ID: "fazenda", Secret: idptest.Secret("fazenda"), AuthMethod: "client_secret_post", Scopes: []string{"openid", "profile"},
			SigningAlg: "RS256", UserinfoAlg: "RS256"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: sample}}
	server.Start()
	t.Cleanup(server.Close)

	b := testbrowser.New(t, testbrowser.Lang("pt-BR"))
	b.Open(base)
	b.Follow(`a[href="/portal/login"]`)
	b.Fill("cpf", "529.982.247-25")
	b.Submit("continue")
	b.Fill("password", idptest.Password)
	b.Submit("continue")
	b.See("Confirmado por Secretaria Municipal da Saúde")
	b.Submit("allow")
	b.See("Maria Aparecida da Silva")
	b.NoOverflow(360)
	b.See("A prefeitura confirma nome pelo cadastro “Secretaria Municipal da Saúde”, desde")
	if !strings.HasPrefix(b.URL(), base+"/portal") {
		t.Fatalf("arrived at %s", b.URL())
	}
	b.Follow(`form[action="/portal/refresh"] button`)
	b.See("Maria Aparecida da Silva")

	b.Open(base)
	b.Follow(`a[href="/fazenda/login"]`)
	b.Submit("allow") // nobody asks for the password again
	b.See("RS256")
	b.See("Maria Aparecida da Silva")

	riseTo4(t, city, maria)
	for _, path := range []string{"/portal", "/fazenda"} {
		for range 100 { // a job too
			b.Open(base + path)
			if b.Has("#event") {
				break
			}
		}
		b.See("Seu nível de confiança na cidade passou de 3 para 4.")
		for _, width := range []int64{360, 1280} {
			b.Shot("demo-rp-event-"+path[1:], width)
		}
	}

	b.Follow(`form[action="/fazenda/logout"] button`)
	b.AwaitURL(city.Issuer + "/sair")
	b.Submit("continue")
	b.See("Você saiu do serviço e do Login Único.")
	for range 100 { // the back channel is a job: it comes within seconds
		b.Open(base)
		if b.Has(`a[href="/portal/login"]`) {
			break
		}
	}
	b.See("Sessão encerrada pelo provedor em")
}

// riseTo4 has biometrics enrolled, and those concerned told.
func riseTo4(t *testing.T, city *idptest.City, person registry.PersonID) {
	t.Helper()
	look := func() {
		if err := city.IDP.Keeper().Look(t.Context(), evidence.Look{}, 1); err != nil {
			t.Fatal(err)
		}
	}
	look()
	city.Evidence(person, trust.Evidence{Kind: trust.BiometricEnrollment, Source: "test", Method: "test", Verifier: "test", VerifiedAt: city.Now()})
	look()
}
