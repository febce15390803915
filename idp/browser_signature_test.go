package idp_test

import (
	"strings"
	"testing"

	"github.com/loginunico/loginunico/certauth/cloud/psctest"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
)

func TestCertificatesInTheCloudInABrowser(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	city := idptest.Start(t, []string{s.manifest + "min_level: 5\n"}, idptest.WithSignatures())
	city.PSC.Keep(psctest.Holder{CPF: digits(rita), Name: "Rita", Leaf: city.ICP.Issue(icptest.CloudECPF("RITA DE CASSIA NOGUEIRA", digits(rita)))})
	b := testbrowser.New(t)
	for _, words := range []struct{ lang, ways, sign, phone, denied string }{
		{"pt-BR", "Certificado em nuvem", "Assine este texto", "Autorize no seu celular", "Você não autorizou"},
		{"es", "Certificado en la nube", "Firme este texto", "Autorice en su celular", "Usted no autorizó"},
		{"en", "Certificate in the cloud", "Sign this text", "Authorise on your phone", "You did not authorise"},
	} {
		b.SetLang(words.lang)
		_, start := s.request(city)
		b.Open(start)
		b.Submit("certificate")
		b.Submit("ways")
		b.See(words.ways)
		looked(b, "certificate-ways-"+words.lang)
		b.Submit("sign")
		b.See(words.sign)
		looked(b, "signature-"+words.lang)
		b.Submit("continue") // nothing is sent
		looked(b, "signature-none-"+words.lang)
		b.Submit("back")
		b.Submit("cloud-nuvem")
		b.Submit("deny")
		b.See(words.denied)
		looked(b, "cloud-why-"+words.lang)
		b.Submit("back")
		b.Fill("cpf", rita)
		b.Submit("cloud-celular")
		b.See(words.phone)
		b.Submit("continue") // too early
		looked(b, "cloud-wait-"+words.lang)
	}
	if err := city.PSC.Answer(digits(rita)); err != nil {
		t.Fatal(err)
	}
	b.Submit("continue")
	b.See("Put your name on the stall")
	b.Click("allow")
	b.AwaitURL(s.URL + "/cb")
}

// looked checks a page and leaves its pictures.
func looked(b *testbrowser.Browser, name string) {
	b.Shot(name, 360)
	b.Shot(name, 1280)
	b.NoOverflow(320)
	if strings.HasSuffix(name, "-pt-BR") { // the others differ in words alone
		b.Axe()
	}
}
