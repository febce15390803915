package idp_test

import (
	"encoding/base64"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/cloud/psctest"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/registry/trust"
)

func signatureCity(t *testing.T) (*idptest.City, idptest.Request) {
	t.Helper()
	city := idptest.Start(t, []string{needing("5")}, idptest.WithSignatures())
	return city, everything(city, "biblioteca")
}

// ways goes from a page of a visit to the ways of a certificate that the browser does not show.
func ways(t *testing.T, b *idptest.Browser, p idptest.Page) idptest.Page {
	t.Helper()
	p = b.Get(linked(t, p, "certificate"))
	return at(t, b.Get(linked(t, p, "ways")), "/entrar/certificado/outro-jeito")
}

// linked is where the link of an id leads.
func linked(t *testing.T, p idptest.Page, id string) string {
	t.Helper()
	m := regexp.MustCompile(`id="` + id + `" href="([^"]+)"`).FindStringSubmatch(p.Body)
	if m == nil {
		t.Fatalf("no link %s on %s\n%s", id, p.URL, p.Main())
	}
	return html.UnescapeString(m[1])
}

var toSign = regexp.MustCompile(`<code id="text">([^<]+)</code>`)

// textOf is what a page gives to sign, which the file must be too.
func textOf(t *testing.T, b *idptest.Browser, p idptest.Page) string {
	t.Helper()
	m := toSign.FindStringSubmatch(at(t, p, "/entrar/assinatura").Body)
	if m == nil {
		t.Fatalf("nothing to sign\n%s", p.Main())
	}
	text := html.UnescapeString(m[1])
	if file := b.Get(linked(t, p, "text-file")); file.Body != text {
		t.Errorf("the file is %q, the page says %q", file.Body, text)
	}
	return text
}

func TestASignatureMadeElsewhereSignsInAtLevelFive(t *testing.T) {
	t.Parallel()

	city, r := signatureCity(t)
	leaf := city.ICP.Issue(icptest.ECPF("RITA DE CASSIA NOGUEIRA", digits(rita)))
	b := city.Browser(t)
	p := b.Get(linked(t, ways(t, b, b.Open(r)), "sign"))
	text := textOf(t, b, p)
	if !strings.HasPrefix(text, "Entrar em "+city.Issuer+" - ") {
		t.Errorf("%q does not say where it signs in", text)
	}
	holds(t, b.Form(p, nil), "Envie o arquivo da assinatura")
	holds(t, b.Form(p, url.Values{"signature": {"isto não é nada"}}), "Esta assinatura não vale")
	holds(t, b.Form(p, url.Values{"signature": {base64.StdEncoding.EncodeToString(idptest.Signed(leaf, text+"x"))}}), "Esta assinatura não vale")
	if again := textOf(t, b, p); again != text {
		t.Errorf("after a wrong one the text is another: %q", again)
	}
	// What this browser was given, another cannot answer.
	thief := city.Browser(t)
	q := thief.Get(linked(t, ways(t, thief, thief.Open(r)), "sign"))
	holds(t, thief.Upload(q, "file", "texto.p7s", idptest.Signed(leaf, text)), "Esta assinatura não vale")

	claims := arrived(t, b, r, b.Upload(p, "file", "texto.p7s", idptest.Signed(leaf, text)))
	if claims["acr"] != "urn:loginunico:nivel:5" || !slices.Equal(texts(claims["amr"]), []string{"x509"}) {
		t.Errorf("acr %v by %v", claims["acr"], claims["amr"])
	}
	if proofs := certificatesOf(t, city, rita); len(proofs) != 1 || proofs[0].Method != "challenge" {
		t.Errorf("%+v", proofs)
	}

	// The certificate is asked about as in a handshake.
	city.Repository.Revoke(city.ICP.Issuing, leaf.Cert.SerialNumber)
	city.Advance(2 * time.Hour)
	refreshed(t, city)
	again := city.Browser(t)
	p = again.Get(linked(t, ways(t, again, again.Open(r)), "sign"))
	turnedAway(t, again.Upload(p, "file", "texto.p7s", idptest.Signed(leaf, textOf(t, again, p))), certauth.Revoked)
}

func TestACertificateInTheCloudSignsInAtLevelFive(t *testing.T) {
	t.Parallel()

	city, r := signatureCity(t)
	city.PSC.Keep(psctest.Holder{CPF: digits(rita), Name: "Rita", Leaf: city.ICP.Issue(icptest.CloudECPF("RITA DE CASSIA NOGUEIRA", digits(rita)))})
	b := city.Browser(t)
	p := ways(t, b, b.Open(r))
	out := b.Get(linked(t, p, "cloud-nuvem"))
	if out.Location == nil || !strings.HasPrefix(out.Location.String(), city.PSC.Base) {
		t.Fatalf("%d %v", out.Status, out.Location)
	}
	denied, err := city.PSC.Deny(out.Location.String())
	if err != nil {
		t.Fatal(err)
	}
	if p = at(t, b.Get(denied), "/entrar/nuvem/aviso"); p.URL.Query().Get("motivo") != "denied" {
		t.Errorf("%s", p.URL)
	}
	p = b.Get(linked(t, p, "back"))
	back, err := city.PSC.Allow(b.Get(linked(t, p, "cloud-nuvem")).Location.String(), digits(rita))
	if err != nil {
		t.Fatal(err)
	}
	if p := city.Browser(t).Get(back); p.Status != 410 {
		t.Errorf("in another browser: %d", p.Status)
	}
	claims := arrived(t, b, r, b.Get(back))
	if claims["acr"] != "urn:loginunico:nivel:5" || !slices.Equal(texts(claims["amr"]), []string{"x509"}) {
		t.Errorf("acr %v by %v", claims["acr"], claims["amr"])
	}
	if proofs := certificatesOf(t, city, rita); len(proofs) != 1 || proofs[0].Method != "cloud" {
		t.Errorf("%+v", proofs)
	}
	if p := b.Get(back); p.Status != 410 {
		t.Errorf("twice: %d", p.Status)
	}

	phone := city.Browser(t)
	p = ways(t, phone, phone.Open(r))
	holds(t, phone.Form(p, url.Values{"cpf": {"1"}, "provider": {"celular"}}), "CPF")
	p = at(t, phone.Form(p, url.Values{"cpf": {rita}, "provider": {"celular"}}), "/entrar/nuvem/celular")
	holds(t, phone.Form(p, nil), "A autorização ainda não chegou")
	if err := city.PSC.Answer(digits(rita)); err != nil {
		t.Fatal(err)
	}
	if claims := arrived(t, phone, r, phone.Form(p, nil)); claims["acr"] != "urn:loginunico:nivel:5" {
		t.Errorf("by push: %v", claims["acr"])
	}

	// Who was asked for is who signs.
	other := city.Browser(t)
	p = at(t, other.Form(ways(t, other, other.Open(r)), url.Values{"cpf": {rita}, "provider": {"celular"}}), "/entrar/nuvem/celular")
	city.PSC.Set(psctest.Modes{Other: city.ICP.Issue(icptest.CloudECPF("PAULO ROCHA", digits(paulo)))})
	if err := city.PSC.Answer(digits(rita)); err != nil {
		t.Fatal(err)
	}
	if p = at(t, other.Form(p, nil), "/entrar/nuvem/aviso"); p.URL.Query().Get("motivo") != "refused" {
		t.Errorf("another has signed: %s", p.URL)
	}
	city.PSC.Set(psctest.Modes{})

	// However many visits ask for it, a telephone rings five times an hour.
	for n := 3; n <= 6; n++ {
		p = other.Form(ways(t, other, other.Open(r)), url.Values{"cpf": {rita}, "provider": {"celular"}})
		if often := p.URL.Query().Get("motivo") == "often"; often != (n > 5) {
			t.Errorf("ring %d: %s", n, p.URL)
		}
	}

	city.PSC.Set(psctest.Modes{Fail: map[string]int{"/v0/oauth/token": 500}})
	broken := city.Browser(t)
	back, err = city.PSC.Allow(broken.Get(linked(t, ways(t, broken, broken.Open(r)), "cloud-nuvem")).Location.String(), digits(rita))
	if err != nil {
		t.Fatal(err)
	}
	if p := at(t, broken.Get(back), "/entrar/nuvem/aviso"); p.URL.Query().Get("motivo") != "unavailable" {
		t.Errorf("%s", p.URL)
	}
}

// refreshed fetches the lists that are due.
func refreshed(t *testing.T, city *idptest.City) {
	t.Helper()
	if err := city.Lists.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := city.Lists.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestACertificateThatALaterListNamesLosesItsLevelAndItsSessions(t *testing.T) {
	t.Parallel()

	city, r := signatureCity(t)
	leaf := city.ICP.Issue(icptest.ECPF("RITA DE CASSIA NOGUEIRA", digits(rita)))
	other := city.ICP.Issue(icptest.ECPF("PAULO ROCHA", digits(paulo)))
	b, c := city.Browser(t), city.Browser(t)
	arrived(t, b, r, b.ByCertificate(b.Open(r), leaf))
	arrived(t, c, r, c.ByCertificate(c.Open(r), other))
	at(t, b.Get("/conta"), "/conta")
	thief := city.Browser(t) // other bytes, another fingerprint, the same certificate
	arrived(t, thief, r, thief.ByCertificate(thief.Open(r), leaf.Padded()))
	if proofs := certificatesOf(t, city, rita); len(proofs) != 1 {
		t.Errorf("one certificate is %d proofs", len(proofs))
	}

	city.Repository.Revoke(city.ICP.Issuing, leaf.Cert.SerialNumber)
	city.Advance(time.Hour + time.Minute)
	refreshed(t, city)
	deadline := time.Now().Add(time.Minute)
	for len(certificatesOf(t, city, rita)) > 0 {
		if time.Now().After(deadline) {
			t.Fatal("the evidence still counts")
		}
		time.Sleep(20 * time.Millisecond)
	}
	evidence, err := trust.Of(t.Context(), city.DB, personOf(t, city, rita).ID)
	if err != nil {
		t.Fatal(err)
	}
	if level := trust.Level(evidence, city.Now()); level == 5 {
		t.Errorf("level %d", level)
	}
	if e := evidence[len(evidence)-1]; !strings.HasPrefix(e.RevokedReason, "certificate revoked by its authority on ") || e.RevokedBy != "system:crl_changed" {
		t.Errorf("revoked by %s: %s", e.RevokedBy, e.RevokedReason)
	}
	if p := b.Get("/conta"); p.URL.Path == "/conta" {
		t.Error("the session that the certificate opened goes on")
	}
	at(t, c.Get("/conta"), "/conta")
	if len(certificatesOf(t, city, paulo)) != 1 {
		t.Error("another's certificate fell too")
	}
	again := city.Browser(t)
	turnedAway(t, again.ByCertificate(again.Open(r), leaf), certauth.Revoked)
}
