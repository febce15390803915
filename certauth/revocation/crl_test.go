package revocation

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"
	"time"
)

func read(der []byte, ca *x509.Certificate, urls ...string) (*CRL, error) {
	return Read(bytes.NewReader(der), int64(len(der)), ca, urls)
}

// open is a list as it is asked.
func open(t testing.TB, c *CRL) *List {
	t.Helper()
	var b bytes.Buffer
	if err := c.writeTo(&b, pointID{1}); err != nil {
		t.Fatal(err)
	}
	return must[*List](t)(openList(bytes.NewReader(b.Bytes()), int64(b.Len()), pointID{1}))
}

func TestAListAnswersForWhatItNamesAndForNothingElse(t *testing.T) {
	t.Parallel()

	a := newRoot(t, "AC UM")
	entries := revokedEntries(3, 127, 128, 255, 256, 70000)
	entries = append(entries, x509.RevocationListEntry{SerialNumber: new(big.Int).Lsh(big.NewInt(1), 158), RevocationTime: noon, ReasonCode: 6},
		x509.RevocationListEntry{SerialNumber: big.NewInt(9), RevocationTime: time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)})
	c := must[*CRL](t)(read(a.crl(t, entries), a.cert))
	if c.Len() != len(entries) || c.Number.Int64() != 7 || !c.ThisUpdate.Equal(noon) || !c.NextUpdate.Equal(noon.Add(6*time.Hour)) || c.Scope != AllCertificates {
		t.Errorf("%+v", c)
	}
	l := open(t, c)
	for _, e := range entries {
		r, err := l.Find(e.SerialNumber)
		if err != nil || r == nil || !r.At.Equal(e.RevocationTime) || int(r.Reason) != e.ReasonCode {
			t.Errorf("%v: %+v, %v", e.SerialNumber, r, err)
		}
	}
	for _, serial := range []int64{0, 1, 2, 4, 126, 129, 254, 257, 69999, -3} {
		if r, err := l.Find(big.NewInt(serial)); r != nil || err != nil {
			t.Errorf("%d: %+v, %v", serial, r, err)
		}
	}
	empty := open(t, must[*CRL](t)(read(a.crl(t, nil), a.cert)))
	if r, err := empty.Find(big.NewInt(3)); r != nil || err != nil || empty.Count != 0 {
		t.Errorf("an empty list: %+v, %v", r, err)
	}
}

func TestListsOfEveryKeyThatAuthoritiesHave(t *testing.T) {
	t.Parallel()

	key := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	a := authority{key: key}
	a.cert = a.sign(t, caTemplate("AC RSA", 1), key)
	for _, algorithm := range []x509.SignatureAlgorithm{x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA512WithRSAPSS} {
		der := a.crl(t, revokedEntries(5), func(l *x509.RevocationList) { l.SignatureAlgorithm = algorithm })
		if _, err := read(der, a.cert); err != nil {
			t.Errorf("%v: %v", algorithm, err)
		}
		der[len(der)-1] ^= 1
		if _, err := read(der, a.cert); !errors.Is(err, ErrSignature) {
			t.Errorf("%v, spoilt: %v", algorithm, err)
		}
	}
	// SHA-1, which crypto/x509 does not sign with any more.
	der := a.crl(t, nil)
	sha1 := must[[]byte](t)(hex.DecodeString("06092a864886f70d010105"))
	if _, err := read(bytes.ReplaceAll(der, must[[]byte](t)(hex.DecodeString("06092a864886f70d01010b")), sha1), a.cert); !errors.Is(err, ErrSignature) {
		t.Errorf("SHA-1: %v", err)
	}
}

// idp is an IssuingDistributionPoint.
type idp struct {
	Point     idpName        `asn1:"optional,tag:0"`
	User      asn1.RawValue  `asn1:"optional"`
	CA        asn1.RawValue  `asn1:"optional"`
	Reasons   asn1.BitString `asn1:"optional,tag:3"`
	Indirect  asn1.RawValue  `asn1:"optional"`
	Attribute asn1.RawValue  `asn1:"optional"`
}

type idpName struct {
	Names []asn1.RawValue `asn1:"optional,tag:0"`
}

func flag(tag int) asn1.RawValue { return asn1.RawValue{Class: 2, Tag: tag, Bytes: []byte{0xff}} }

func uri(text string) idpName {
	return idpName{[]asn1.RawValue{{Class: 2, Tag: 6, Bytes: []byte(text)}}}
}

func TestRefusedLists(t *testing.T) {
	t.Parallel()

	a, other := newRoot(t, "AC UM"), newRoot(t, "AC UM") // of the same name
	named := newRoot(t, "AC DOIS")
	with := func(e ...pkix.Extension) []byte {
		return a.crl(t, revokedEntries(5), func(l *x509.RevocationList) { l.ExtraExtensions = e })
	}
	point := func(i idp) []byte {
		return with(extension(oidIDP, true, must[[]byte](t)(asn1.Marshal(i))))
	}
	entry := func(e pkix.Extension) []byte {
		return a.crl(t, []x509.RevocationListEntry{{SerialNumber: big.NewInt(5), RevocationTime: noon, ExtraExtensions: []pkix.Extension{e}}})
	}
	good := a.crl(t, revokedEntries(5, 6))
	spoilt := bytes.Clone(good)
	spoilt[bytes.Index(good, []byte{0x02, 0x01, 0x05})+2] = 4 // a serial number
	unknownOID := asn1.ObjectIdentifier{1, 2, 3, 4}
	for _, c := range []struct {
		name string
		der  []byte
		want error
	}{
		{"§6.3.3 (g) another key under the same name", other.crl(t, nil), ErrSignature},
		{"§6.3.3 (g) a serial number changed", spoilt, ErrSignature},
		{"§5.1.2.3 another CA's", named.crl(t, nil), ErrIssuer},
		{"§5.1.1 cut", good[:len(good)-10], ErrFormat},
		{"§5.1.1 longer", append(bytes.Clone(good), 0), ErrFormat},
		{"§5.1 nothing", nil, ErrFormat},
		{"§5.1 a page", []byte("<html>not found</html>"), ErrFormat},
		{"§5.2 a critical extension that we do not know", with(extension(unknownOID, true, []byte{5, 0})), ErrScope},
		{"§5.2.4 a delta", with(extension(oidDelta, true, []byte{2, 1, 1})), ErrScope},
		{"§5.2.5 indirect", point(idp{Indirect: flag(4)}), ErrScope},
		{"§5.2.5 attribute certificates", point(idp{Attribute: flag(5)}), ErrScope},
		{"§5.2.5 some reasons", point(idp{Reasons: asn1.BitString{Bytes: []byte{0x60}, BitLength: 3}}), ErrScope},
		{"§5.2.5 users and CAs alone", point(idp{User: flag(1), CA: flag(2)}), ErrScope},
		{"§6.3.3 (b)(2)(i) another place", point(idp{Point: uri("http://ac.example/outra.crl")}), ErrScope},
		{"§5.3.3 certificateIssuer", entry(extension(asn1.ObjectIdentifier{2, 5, 29, 29}, true, []byte{0x30, 0})), ErrScope},
		{"§4.2 an extension twice", with(extension(unknownOID, false, nil), extension(unknownOID, false, nil)), ErrFormat},
		{"§5.1.2.5 without nextUpdate", a.resign(t, good, func(p []asn1.RawValue) []asn1.RawValue { return append(p[:4:4], p[5:]...) }), ErrFormat},
		{"§5.1.2.1 version 1", a.resign(t, good, func(p []asn1.RawValue) []asn1.RawValue { return p[1:] }), ErrFormat},
		{"§5.2.3 without a number", a.resign(t, good, func(p []asn1.RawValue) []asn1.RawValue { return p[:6] }), ErrFormat},
		{"§5.1 more after the extensions", a.resign(t, good, func(p []asn1.RawValue) []asn1.RawValue { return append(p, p[3]) }), ErrFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := read(c.der, a.cert, "http://ac.example/lista.crl"); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestListsWithADistributionPoint(t *testing.T) {
	t.Parallel()

	a := newRoot(t, "AC UM")
	sub := a.sub(t, caTemplate("AC DE BAIXO", 2))
	leaf := a.leaf(t, 3)
	for _, c := range []struct {
		name       string
		idp        idp
		user, auth bool
	}{
		{"of this place", idp{Point: uri("http://ac.example/lista.crl")}, true, true},
		{"of users", idp{User: flag(1)}, true, false},
		{"of CAs", idp{Point: uri("http://ac.example/lista.crl"), CA: flag(2)}, false, true},
	} {
		der := a.crl(t, nil, func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{extension(oidIDP, true, must[[]byte](t)(asn1.Marshal(c.idp)))}
		})
		l, err := read(der, a.cert, "http://ac.example/lista.crl")
		if err != nil || l.Scope.covers(leaf) != c.user || l.Scope.covers(sub.cert) != c.auth {
			t.Errorf("%s: %+v, %v", c.name, l, err)
		}
	}
}

func TestAnAuthorityThatMayNotSignListsSignsNone(t *testing.T) {
	t.Parallel()

	a := newRoot(t, "AC UM")
	b := a.sub(t, func() *x509.Certificate { c := caTemplate("AC DOIS", 2); c.KeyUsage = x509.KeyUsageCertSign; return c }())
	mute := *b.cert
	mute.KeyUsage = 0 // to have it made
	mute.KeyUsage |= x509.KeyUsageCRLSign
	der := must[[]byte](t)(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: noon, NextUpdate: noon.Add(time.Hour)}, &mute, b.key))
	if _, err := read(der, b.cert); !errors.Is(err, ErrIssuer) {
		t.Error(err)
	}
}

func TestTheNameOfAnAuthorityMayBeRespelt(t *testing.T) {
	t.Parallel()

	a := newRoot(t, "AC UM")
	respelt := *a.cert
	name := pkix.RDNSequence{{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte("AC UM")}}}}
	respelt.RawSubject = must[[]byte](t)(asn1.Marshal(name))
	if bytes.Equal(respelt.RawSubject, a.cert.RawSubject) {
		t.Fatal("the names are the same")
	}
	if _, err := read(a.crl(t, nil), &respelt); err != nil {
		t.Error(err)
	}
}

func TestACompactListIsRefusedWhenItIsNotWhole(t *testing.T) {
	t.Parallel()

	a := newRoot(t, "AC UM")
	var b bytes.Buffer
	if err := must[*CRL](t)(read(a.crl(t, revokedEntries(1, 2)), a.cert)).writeTo(&b, pointID{1}); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	for n := range whole {
		if _, err := openList(bytes.NewReader(whole[:n]), int64(n), pointID{1}); err == nil {
			t.Fatalf("%d of %d bytes are a list", n, len(whole))
		}
	}
	if _, err := openList(bytes.NewReader(whole), int64(len(whole)), pointID{2}); err == nil {
		t.Error("another point's list is taken")
	}
}

func FuzzRead(f *testing.F) {
	a := newRoot(f, "AC UM")
	f.Add(a.crl(f, revokedEntries(1, 128, 70000)))
	f.Add(a.crl(f, nil, func(l *x509.RevocationList) {
		l.ExtraExtensions = []pkix.Extension{extension(oidIDP, true, must[[]byte](f)(asn1.Marshal(idp{Point: uri("http://x/"), User: flag(1)})))}
	}))
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := read(der, a.cert, "http://x/")
		if err != nil {
			return
		}
		ref, err := x509.ParseRevocationList(der) // what we take, Go takes, and says the same
		if err != nil || ref.CheckSignatureFrom(a.cert) != nil || len(ref.RevokedCertificateEntries) != c.Len() || ref.Number.Cmp(c.Number) != 0 {
			t.Fatalf("%v: %+v", err, c)
		}
	})
}
