package certauth_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/icptest"
)

// The day of the bundle in testdata.
var bundleDay = time.Date(2026, 6, 25, 12, 0, 0, 0, time.UTC)

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func read(t testing.TB, name string) ([]certauth.Candidate, []certauth.Skipped) {
	t.Helper()
	all, skipped, _, err := certauth.ReadPath(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return all, skipped
}

// The 173 live authorities of 2026-06-25: every one is read, and those that do not count are named.
func TestEveryLiveAuthorityIsLoadedOrNamedWithItsReason(t *testing.T) {
	t.Parallel()

	pins := must(certauth.ParsePins(certauth.DefaultRoots))(t)
	for _, source := range []string{"ACcompactado.zip", "ca-bundle.p7b"} {
		all, unread := read(t, source)
		if len(all) != 173 || len(unread) != 0 {
			t.Fatalf("%s: %d read, skipped %v", source, len(all), unread)
		}
		set, skipped := certauth.NewAuthorities(pins, all, bundleDay)
		reasons := map[string]int{}
		for _, s := range skipped {
			if s.Name == "" || s.Reason == "" {
				t.Errorf("skipped without name or reason: %+v", s)
			}
			reasons[s.Reason]++
		}
		if set.Len() != 167 || len(skipped) != 6 {
			t.Errorf("%s: %d loaded, %d skipped: %v", source, set.Len(), len(skipped), skipped)
		}
		// v11 has nobody below it; v6, v7, INMETRO's and two of OM-BR have keys that crypto/x509 does not know.
		if reasons["a root that is not pinned"] != 1 || reasons["its key is of a kind that this program cannot verify"] != 5 {
			t.Errorf("%s: %v", source, skipped)
		}
		for _, ca := range set.All() {
			path := set.Path(ca)
			if n := len(path); n < 1 || n > 3 || !bytes.Equal(path[n-1].RawSubject, path[n-1].RawIssuer) {
				t.Errorf("%s: path of %d", ca.Subject.CommonName, n)
			}
		}
	}
}

func TestTheAuthorityWhoseIssuerIsSpeltOtherwiseIsInTheSet(t *testing.T) {
	t.Parallel()

	all, _ := read(t, "ACcompactado.zip")
	set, _ := certauth.NewAuthorities(must(certauth.ParsePins(certauth.DefaultRoots))(t), all, bundleDay)
	for _, ca := range set.All() {
		if ca.Subject.CommonName != "AC SAFEWEB CD V12" {
			continue
		}
		path := set.Path(ca)
		if len(path) != 3 || bytes.Equal(ca.RawIssuer, path[1].RawSubject) {
			t.Fatalf("path of %d; the names are the same", len(path))
		}
		return
	}
	t.Fatal("AC SAFEWEB CD V12 is missing")
}

func TestOneBadCertificateSpoilsNoOther(t *testing.T) {
	t.Parallel()

	all, unread := read(t, "bundle-com-v13.p7b")
	if len(all) != 173 || len(unread) != 1 || !strings.Contains(unread[0].Reason, "ECDSA") {
		t.Errorf("p7b: %d read, skipped %v", len(all), unread)
	}
	all, unread = read(t, "problem")
	set, skipped := certauth.NewAuthorities(must(certauth.ParsePins(certauth.DefaultRoots))(t), all, bundleDay)
	if set.Len() != 0 || len(unread)+len(skipped) != 8 {
		t.Errorf("%d loaded; unread %v, skipped %v", set.Len(), unread, skipped)
	}
}

func TestFilesPutTogetherByCatAreRead(t *testing.T) {
	t.Parallel()

	pki := icptest.Must(icptest.New(icptest.Options{}))
	unix := icptest.PEM(pki.Root.Cert)
	for name, body := range map[string][]byte{
		"no newline at the end":     append(bytes.TrimSpace(unix), icptest.PEM(pki.Level1.Cert)...),
		"CRLF":                      bytes.ReplaceAll(append(unix, icptest.PEM(pki.Level1.Cert)...), []byte("\n"), []byte("\r\n")),
		"words before and after":    append(append([]byte("Subject: x\n"), unix...), append(icptest.PEM(pki.Level1.Cert), "the end"...)...),
		"a certificate that is not": append(append(unix, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0x01, 0x00}})...), icptest.PEM(pki.Level1.Cert)...),
	} {
		all, skipped, err := certauth.Read("some.crt", body)
		if err != nil || len(all) != 2 {
			t.Errorf("%s: %d read, skipped %v, %v", name, len(all), skipped, err)
		}
	}
	if _, skipped, _ := certauth.Read("empty.crt", nil); len(skipped) != 1 {
		t.Error("an empty file is not named")
	}
	if all, _, _ := certauth.Read("der.cer", pki.Root.Cert.Raw); len(all) != 1 {
		t.Error("DER is not read")
	}
}

func TestWhatAZipUnpacksToIsBounded(t *testing.T) {
	t.Parallel()

	var body bytes.Buffer
	z, zeros := zip.NewWriter(&body), make([]byte, 256<<10)
	for n := range 130 { // 32 MiB and a half, of 40 KB
		if _, err := must(z.Create(fmt.Sprint(n)))(t).Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if all, _, err := certauth.Read("bomb.zip", body.Bytes()); err == nil {
		t.Errorf("%d bytes were unpacked: %d", body.Len(), len(all))
	}
}

// set is what a hierarchy gives with its own root pinned.
func set(t testing.TB, pki *icptest.PKI, more ...*icptest.CA) *certauth.Authorities {
	t.Helper()
	a, skipped := certauth.NewAuthorities([]certauth.Pin{pki.Pin()}, candidates(pki, more...), pki.Now)
	if len(skipped) > 0 {
		t.Fatal(skipped)
	}
	return a
}

func candidates(pki *icptest.PKI, more ...*icptest.CA) (all []certauth.Candidate) {
	for _, c := range pki.Authorities() {
		all = append(all, certauth.Candidate{Name: c.Subject.CommonName, Cert: c})
	}
	for _, ca := range more {
		all = append(all, certauth.Candidate{Name: ca.Cert.Subject.CommonName, Cert: ca.Cert})
	}
	return all
}

func TestAChainEndsAtAPinOrThereIsNone(t *testing.T) {
	t.Parallel()

	pki := icptest.Must(icptest.New(icptest.Options{}))
	other := icptest.Must(icptest.New(icptest.Options{}))
	homonym := icptest.Must(pki.Root.Homonym())
	below := icptest.Must(homonym.Sub("AC Vila Teste v5"))
	respelt := icptest.Must(icptest.Must(pki.Level1.Respelt()).Sub("AC Vila Teste CD v12"))
	noChildren := icptest.Must(pki.Level1.Sub("AC sem filhos", func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true }))
	grandchild := icptest.Must(noChildren.Sub("AC neta"))
	deep := pki.Level1 // five authorities and a person are the most
	var below6 []*icptest.CA
	for n := range 4 {
		deep = icptest.Must(deep.Sub(fmt.Sprintf("AC funda %d", n), func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = -1, false }))
		below6 = append(below6, deep)
	}
	all := set(t, pki, append(below6, respelt, noChildren, grandchild)...)
	p := icptest.ECPF("MARIA", "52998224725")
	early, late := p, p
	late.NotBefore, late.NotAfter = pki.Now.AddDate(-2, 0, 0), pki.Now.AddDate(-1, 0, 0)
	early.NotBefore, early.NotAfter = pki.Now.AddDate(0, 0, 1), pki.Now.AddDate(1, 0, 0)
	critical := p
	critical.CriticalSAN, critical.Mail = true, ""
	leafMis := icptest.Must(pki.Issuing.Respelt()).Issue(p)

	for name, c := range map[string]struct {
		leaf *icptest.Leaf
		want error
		long int
	}{
		"four certificates":                {pki.Issue(p), nil, 4},
		"three":                            {pki.Level1.Issue(p), nil, 3},
		"issuer of the issuer respelt":     {respelt.Issue(p), nil, 4},
		"issuer of the leaf respelt":       {leafMis, nil, 4},
		"self-signed":                      {pki.SelfSigned(p), certauth.Untrusted, 0},
		"another hierarchy":                {other.Issue(p), certauth.Untrusted, 0},
		"a root of the same name":          {homonym.Issue(p), certauth.Untrusted, 0},
		"below a root of the same name":    {below.Issue(p), certauth.Untrusted, 0},
		"expired":                          {pki.Issue(late), certauth.Expired, 0},
		"not yet valid":                    {pki.Issue(early), certauth.NotYetValid, 0},
		"critical SAN of otherNames alone": {pki.Issue(critical), certauth.Unreadable, 0},
		"signed by a person":               {leafOf(pki, p), certauth.Untrusted, 0},
		"deeper than an authority may go":  {grandchild.Issue(p), certauth.Untrusted, 0},
		"as long as one may be":            {below6[2].Issue(p), nil, 6},
		"longer than any":                  {below6[3].Issue(p), certauth.Untrusted, 0},
		"expired and of nobody we know":    {other.Issue(late), certauth.Untrusted, 0},
	} {
		chain, err := all.Chain(c.leaf.Cert, pki.Now)
		if !errors.Is(err, c.want) || c.want == nil && len(chain) != c.long {
			t.Errorf("%s: chain of %d, %v; want %v", name, len(chain), err, c.want)
		}
	}
	if _, err := all.Chain(pki.Issue(p).Cert, pki.Now.AddDate(9, 0, 0)); err == nil {
		t.Error("expired authorities carry a chain")
	}
}

// leafOf is a certificate that another person's key has signed.
func leafOf(pki *icptest.PKI, p icptest.Profile) *icptest.Leaf { return pki.Issue(p).Signs(p) }

func TestUnpinnedAndUnfitAuthoritiesAreNamed(t *testing.T) {
	t.Parallel()

	pki := icptest.Must(icptest.New(icptest.Options{}))
	homonym := icptest.Must(pki.Root.Homonym())
	noSign := icptest.Must(pki.Level1.Sub("AC sem assinatura", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }))
	old := icptest.Must(pki.Level1.Sub("AC vencida", func(c *x509.Certificate) { c.NotAfter = pki.Now.AddDate(0, 0, -1) }))
	leaf := pki.Issue(icptest.ECPF("MARIA", "52998224725"))
	from := append(candidates(pki, homonym, noSign, old), certauth.Candidate{Name: "maria.crt", Cert: leaf.Cert})
	a, skipped := certauth.NewAuthorities([]certauth.Pin{pki.Pin()}, from, pki.Now)
	if a.Len() != 3 || len(skipped) != 4 {
		t.Fatalf("%d loaded, skipped %v", a.Len(), skipped)
	}
	told := ""
	for _, s := range skipped {
		told += s.Reason + "\n"
	}
	for _, want := range []string{"not pinned", "may not sign", "expired", "not an authority's"} {
		if !strings.Contains(told, want) {
			t.Errorf("nothing says %q: %s", want, told)
		}
	}
}

func TestPinsAreWholeFingerprints(t *testing.T) {
	t.Parallel()

	if pins := must(certauth.ParsePins(certauth.DefaultRoots))(t); len(pins) != 3 {
		t.Errorf("%d pins", len(pins))
	}
	for _, bad := range []string{"", "ICP-Brasil v5", "caa53fc6", certauth.DefaultRoots + ",", strings.Repeat("0", 66)} {
		if _, err := certauth.ParsePins(bad); err == nil {
			t.Errorf("%q is a pin", bad)
		}
	}
}

// A source is files of strangers.
func FuzzRead(f *testing.F) {
	body, err := os.ReadFile("testdata/problem/AC_SAFEWEB_CD_V12.crt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte{0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02})
	f.Fuzz(func(t *testing.T, body []byte) {
		all, skipped, err := certauth.Read("x", body)
		if err == nil && len(body) > 4 && string(body[:4]) != "PK\x03\x04" && len(all)+len(skipped) == 0 {
			t.Error("nothing is said of it")
		}
	})
}

func pinOf(c *x509.Certificate) [sha256.Size]byte { return sha256.Sum256(c.Raw) }
