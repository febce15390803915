package cms_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.mozilla.org/pkcs7"

	"github.com/loginunico/loginunico/certauth/cms"
	"github.com/loginunico/loginunico/certauth/icptest"
)

const text = "Entrar em https://id.example.org 2026-11-21T12:00Z 5n0VYgV0m0Wc0WfZ4gQeS6Vd3l3bq2mYxjXyVh9pRzA"

func pki(t testing.TB, rsa bool) *icptest.PKI {
	o := icptest.Options{}
	if rsa {
		o.PersonBits = 2048
	}
	return icptest.Must(icptest.New(o))
}

// openssl signs as its users do.
func openssl(t testing.TB, l *icptest.Leaf, content string, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	cert, key, err := l.PEM()
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{"c.pem": cert, "k.pem": key, "in": []byte(content)} {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args = append([]string{"cms", "-sign", "-binary", "-in", "in", "-signer", "c.pem", "-inkey", "k.pem", "-out", "out", "-outform", "DER"}, args...)
	cmd := exec.Command("openssl", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return icptest.Must(os.ReadFile(filepath.Join(dir, "out")))
}

func TestWhatOpenSSLSignsIsTaken(t *testing.T) {
	t.Parallel()

	for name, p := range map[string]*icptest.PKI{"RSA": pki(t, true), "ECDSA": pki(t, false)} {
		leaf := p.Issue(icptest.ECPF("MARIA APARECIDA DA SILVA", "52998224725"))
		detached := openssl(t, leaf, text, "-cades")
		for form, message := range map[string][]byte{
			"detached": detached, "attached": openssl(t, leaf, text, "-cades", "-nodetach"),
			"streamed, BER": openssl(t, leaf, text, "-cades", "-nodetach", "-stream"),
			"a line end":    openssl(t, leaf, text+"\n", "-cades"), "an attached line end": openssl(t, leaf, text+"\r\n", "-cades", "-nodetach"),
			"SHA-512": openssl(t, leaf, text, "-cades", "-md", "sha512"),
			"PEM":     pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: detached}),
			"base64":  []byte(" " + base64.StdEncoding.EncodeToString(detached[:300]) + "\r\n" + base64.StdEncoding.EncodeToString(detached[300:]) + "\n"),
		} {
			got, err := cms.Verify(message, text)
			if err != nil || !got.Equal(leaf.Cert) {
				t.Errorf("%s, %s: %v", name, form, err)
			}
			if _, err := cms.Verify(message, text+"."); !errors.Is(err, cms.ErrContent) {
				t.Errorf("%s, %s, of another text: %v", name, form, err)
			}
		}
	}
}

// The parts of a message, to forge with. RFC 5652 §5.1
type message struct {
	Type asn1.ObjectIdentifier
	Data signedData `asn1:"explicit,tag:0"`
}

type signedData struct {
	Version int
	Digests []pkix.AlgorithmIdentifier `asn1:"set"`
	Content struct {
		Type asn1.ObjectIdentifier
		Data []byte `asn1:"explicit,optional,tag:0"`
	}
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	Signers      []signer      `asn1:"set"`
}

type signer struct {
	Version   int
	ID        asn1.RawValue
	Digest    pkix.AlgorithmIdentifier
	Signed    asn1.RawValue `asn1:"optional,tag:0"`
	Algorithm pkix.AlgorithmIdentifier
	Signature []byte
}

func taken(t testing.TB, der []byte) (m message) {
	t.Helper()
	if _, err := asn1.Unmarshal(der, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func made(t testing.TB, m message) []byte {
	t.Helper()
	der, err := asn1.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestForgedMessagesAreRefused(t *testing.T) {
	t.Parallel()

	p := pki(t, false)
	maria, rita := p.Issue(icptest.ECPF("MARIA", "52998224725")), p.Issue(icptest.ECPF("RITA", "11144477735"))
	good := openssl(t, maria, text, "-cades", "-nodetach")
	if _, err := cms.Verify(made(t, taken(t, good)), text); err != nil {
		t.Fatalf("taking apart and putting together spoils it: %v", err)
	}
	change := func(f func(*message)) []byte {
		m := taken(t, good)
		f(&m)
		return made(t, m)
	}
	// The known forgery: what was signed, a SET of attributes, becomes the content of a message that
	// has none. The library takes it.
	attributes := taken(t, good).Data.Signers[0].Signed
	set := icptest.Must(asn1.Marshal(asn1.RawValue{Tag: 17, IsCompound: true, Bytes: attributes.Bytes}))
	forged := change(func(m *message) {
		m.Data.Signers[0].Signed = asn1.RawValue{}
		m.Data.Content.Data = set
	})
	if p := icptest.Must(pkcs7.Parse(forged)); p.Verify() != nil {
		t.Fatal("the forgery is not one")
	}
	san := icptest.Must(asn1.Marshal([]asn1.RawValue{{Class: 2, Tag: 6, Bytes: []byte("http://52998224725%zz/")}}))
	quoted := icptest.Must(x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: san}}}, maria.Cert, maria.Key.Public(), maria.Key))
	other := openssl(t, rita, text, "-cades", "-nodetach")
	both := openssl(t, maria, text, "-cades", "-nodetach")
	for _, c := range []struct {
		name string
		der  []byte
		text string
		want error
	}{
		{"signed attributes as content", forged, string(set), cms.ErrUnsigned},
		{"RFC 5652 §5.3 no signed attributes", openssl(t, maria, text, "-noattr"), text, cms.ErrUnsigned},
		{"RFC 5035 §3 no signing certificate", openssl(t, maria, text), text, cms.ErrUnsigned},
		{"another's certificate under the signer's number", change(func(m *message) { m.Data.Certificates = taken(t, other).Data.Certificates }), text, cms.ErrSigner},
		{"RFC 5035 §3 another's signature and certificate, with these attributes", change(func(m *message) {
			m.Data.Certificates, m.Data.Signers = taken(t, other).Data.Certificates, taken(t, other).Data.Signers
			m.Data.Signers[0].Signed = attributes
		}), text, cms.ErrUnsigned},
		{"RFC 5652 §11.1 another content type", openssl(t, maria, text, "-cades", "-nodetach", "-econtent_type", "1.2.3.4"), text, cms.ErrUnsigned},
		{"RFC 5652 §11.2 another content", change(func(m *message) { m.Data.Content.Data = []byte("outro") }), text, cms.ErrContent},
		{"RFC 5652 §11.2 another content, as asked", change(func(m *message) { m.Data.Content.Data = []byte("outro") }), "outro", cms.ErrContent},
		{"two signers", change(func(m *message) { m.Data.Signers = append(m.Data.Signers, taken(t, both).Data.Signers...) }), text, cms.ErrSigner},
		{"no signer", change(func(m *message) { m.Data.Signers = nil }), text, cms.ErrSigner},
		{"no certificate", openssl(t, maria, text, "-cades", "-nocerts"), text, cms.ErrSigner},
		{"a signature changed", change(func(m *message) { m.Data.Signers[0].Signature[len(m.Data.Signers[0].Signature)-1] ^= 1 }), text, cms.ErrSignature},
		{"SHA-1", openssl(t, maria, text, "-cades", "-md", "sha1"), text, cms.ErrAlgorithm},
		{"a signer by key identifier", openssl(t, maria, text, "-cades", "-keyid"), text, cms.ErrSigner},
		{"a certificate that does not parse", change(func(m *message) {
			m.Data.Certificates = asn1.RawValue{Class: 2, IsCompound: true, Bytes: quoted}
		}), text, cms.ErrFormat},
		{"cut", good[:len(good)-20], text, cms.ErrFormat},
		{"more behind it", append(bytes.Clone(good), 5, 0), text, cms.ErrFormat},
		{"a certificate", maria.Cert.Raw, text, cms.ErrFormat},
		{"nothing", nil, text, cms.ErrFormat},
		{"no base64", []byte("assinado: Maria"), text, cms.ErrFormat},
		{"too long", make([]byte, 2*cms.MostBytes+1), text, cms.ErrFormat},
		{"BER nested without end", bytes.Repeat([]byte{0x30, 0x80}, 40000), text, cms.ErrFormat},
		{"BER of empty elements", append([]byte{0x30, 0x82, 0x40, 0}, make([]byte, 0x4000)...), text, cms.ErrFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if cert, err := cms.Verify(c.der, c.text); !errors.Is(err, c.want) {
				t.Errorf("%v, %v, want %v", cert != nil, err, c.want)
			} else if strings.Contains(err.Error(), "52998224725") {
				t.Errorf("the error, which is logged, quotes the message: %v", err)
			}
		})
	}
}

// testdata holds what openssl cms -sign -cades -binary made of text, once: attached, detached, and
// attached by -stream, which is BER; and the certificate.
func FuzzVerify(f *testing.F) {
	block, _ := pem.Decode(icptest.Must(os.ReadFile("testdata/maria.pem")))
	for _, name := range []string{"attached.der", "detached.der", "streamed.ber"} {
		message := icptest.Must(os.ReadFile(filepath.Join("testdata", name)))
		if _, err := cms.Verify(message, text); err != nil {
			f.Fatalf("%s: %v", name, err)
		}
		f.Add(message)
	}
	f.Add([]byte{0x30, 0x80, 0x06, 0x01, 0x2a, 0, 0})
	f.Fuzz(func(t *testing.T, message []byte) {
		cert, err := cms.Verify(message, text)
		if err == nil && !bytes.Equal(cert.Raw, block.Bytes) {
			t.Fatal("somebody else has signed")
		}
		if _, err := cms.Verify(message, "outro texto"); err == nil {
			t.Fatal("it signs another text")
		}
	})
}
