package idp_test

import (
	"crypto/x509"
	"testing"

	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
)

// A citizen with a certificate in their browser's store, and one without.
func TestACitizenSignsInByTheCertificateInTheirBrowser(t *testing.T) {
	t.Parallel()

	city, _, r := certificateCity(t, needing("5"))
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	web, err := x509.ParseCertificate(city.ICP.Web)
	if err != nil {
		t.Fatal(err)
	}
	store := testbrowser.Store{Authority: icptest.PEM(web), Password: "1234", Host: city.ICP.URL}
	address := city.Issuer + "/oauth/authorize?" + r.Params.Encode()

	without := testbrowser.WithStore(t, store)
	without.Open(address)
	without.Shot("certificate-identify", 360)
	without.Submit("certificate")
	without.See("Escolher o certificado")
	without.Shot("certificate-before", 360)
	without.Shot("certificate-before", 1280)
	without.Submit("continue")
	without.AwaitURL(city.Issuer + "/entrar/certificado/aviso")
	without.See("O navegador não mostrou um certificado")
	without.Shot("certificate-none", 360)
	without.Shot("certificate-none", 1280)
	without.Submit("back")
	without.Fill("cpf", joao)
	without.Submit("continue")
	without.Fill("password", idptest.Password)
	without.Submit("continue")
	without.See("Nível 5")
	without.Shot("certificate-level", 360)
	without.Shot("certificate-level", 1280)

	p12, err := city.ICP.Issue(icptest.ECPF("JOAO BATISTA SOUZA", digits(joao))).PKCS12("1234")
	if err != nil {
		t.Fatal(err)
	}
	store.PKCS12 = p12
	b := testbrowser.WithStore(t, store)
	b.Open(address)
	b.Submit("certificate")
	b.Submit("continue")
	b.AwaitURL(city.Issuer + "/entrar/certificado/conta")
	b.See("***.444.777-**")
	b.Shot("certificate-account", 360)
	b.Shot("certificate-account", 1280)
	b.Fill("password", idptest.Password)
	b.Submit("continue")
	b.AwaitURL(city.Issuer + "/consentimento")
}
