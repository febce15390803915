package icptest

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"
)

// Leaf is a certificate and its key.
type Leaf struct {
	Cert *x509.Certificate
	Key  crypto.Signer
	pki  *PKI
}

// TLS is what a client shows in a handshake; with says whether it sends its authorities too.
func (l *Leaf) TLS(with bool) tls.Certificate {
	c := tls.Certificate{Certificate: [][]byte{l.Cert.Raw}, PrivateKey: l.Key, Leaf: l.Cert}
	if with {
		c.Certificate = append(c.Certificate, l.pki.Issuing.Cert.Raw, l.pki.Level1.Cert.Raw)
	}
	return c
}

// PKCS12 is the file that browsers import: key, certificate, authorities.
func (l *Leaf) PKCS12(password string) ([]byte, error) {
	return pkcs12.Modern.Encode(l.Key, l.Cert, []*x509.Certificate{l.pki.Issuing.Cert, l.pki.Level1.Cert, l.pki.Root.Cert}, password)
}

// PEM is the certificate, and the key in PKCS #8.
func (l *Leaf) PEM() (certificate, key []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(l.Key)
	return PEM(l.Cert), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

// PEM writes certificates one after the other.
func PEM(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // a buffer takes all
	}
	return b.Bytes()
}

// Signs is a certificate that this one's key has signed, as no authority.
func (l *Leaf) Signs(of Profile) *Leaf {
	key := Must(newKey(l.pki.PersonBits))
	return &Leaf{Cert: Must(create(of.template(l.pki), l.Cert, key, l.Key)), Key: key, pki: l.pki}
}

// Padded is the same certificate as other bytes: what stands behind the signature is signed by nobody,
// and crypto/x509 reads over it. With ECDSA the signature itself could be written otherwise.
func (l *Leaf) Padded() *Leaf {
	in := cryptobyte.String(l.Cert.Raw)
	var parts cryptobyte.String
	in.ReadASN1(&parts, casn1.SEQUENCE)
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(parts)
		b.AddASN1NULL()
	})
	return &Leaf{Cert: Must(x509.ParseCertificate(b.BytesOrPanic())), Key: l.Key, pki: l.pki}
}
