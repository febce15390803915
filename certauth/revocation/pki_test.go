package revocation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// authority is a CA for tests of lists and responders; the profiles of ICP-Brasil do not matter here.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newKey(t testing.TB) crypto.Signer {
	return must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
}

func (a authority) sign(t testing.TB, c *x509.Certificate, key crypto.Signer) *x509.Certificate {
	t.Helper()
	parent := a.cert
	if parent == nil {
		parent = c
	}
	c.NotBefore, c.NotAfter = noon.AddDate(-1, 0, 0), noon.AddDate(4, 0, 0)
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, c, parent, key.Public(), a.key))
	return must[*x509.Certificate](t)(x509.ParseCertificate(der))
}

func newRoot(t testing.TB, name string) authority {
	a := authority{key: newKey(t)}
	a.cert = a.sign(t, caTemplate(name, 1), a.key)
	return a
}

func caTemplate(name string, serial int64) *x509.Certificate {
	return &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign}
}

func (a authority) sub(t testing.TB, c *x509.Certificate) authority {
	b := authority{key: newKey(t)}
	b.cert = a.sign(t, c, b.key)
	return b
}

func (a authority) leaf(t testing.TB, serial int64, change ...func(*x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "FULANO"}, KeyUsage: x509.KeyUsageDigitalSignature}
	for _, f := range change {
		f(c)
	}
	return a.sign(t, c, newKey(t))
}

// crl is a good list: number 7, of noon, for six hours, unless changed.
func (a authority) crl(t testing.TB, revoked []x509.RevocationListEntry, change ...func(*x509.RevocationList)) []byte {
	t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(7), ThisUpdate: noon, NextUpdate: noon.Add(6 * time.Hour), RevokedCertificateEntries: revoked}
	for _, f := range change {
		f(l)
	}
	return must[[]byte](t)(x509.CreateRevocationList(rand.Reader, l, a.cert, a.key))
}

func revokedEntries(serials ...int64) (all []x509.RevocationListEntry) {
	for _, s := range serials {
		all = append(all, x509.RevocationListEntry{SerialNumber: big.NewInt(s), RevocationTime: noon.Add(-time.Hour), ReasonCode: 1})
	}
	return all
}

// resign makes a list of the parts of one that crypto/x509 would not make.
//
//	change  gets version, algorithm, issuer, thisUpdate, nextUpdate, entries, extensions
func (a authority) resign(t testing.TB, der []byte, change func(parts []asn1.RawValue) []asn1.RawValue) []byte {
	t.Helper()
	var outer struct {
		TBS struct {
			Raw   asn1.RawContent
			Parts asn1.RawValue `asn1:"optional"`
		}
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		t.Fatal(err)
	}
	var parts []asn1.RawValue
	var tbs asn1.RawValue
	if _, err := asn1.Unmarshal(outer.TBS.Raw, &tbs); err != nil {
		t.Fatal(err)
	}
	for rest := tbs.Bytes; len(rest) > 0; {
		var one asn1.RawValue
		rest = must[[]byte](t)(asn1.Unmarshal(rest, &one))
		parts = append(parts, one)
	}
	body := must[[]byte](t)(asn1.Marshal(change(parts)))
	sum := sha256.Sum256(body)
	signature := must[[]byte](t)(a.key.Sign(rand.Reader, sum[:], crypto.SHA256))
	return must[[]byte](t)(asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: body}, outer.Algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}}))
}

func extension(id asn1.ObjectIdentifier, critical bool, value []byte) pkix.Extension {
	return pkix.Extension{Id: id, Critical: critical, Value: value}
}
