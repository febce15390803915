package revocation

import (
	"bytes"
	"crypto/sha1" // what RFC 5019 §2.1.1 names keys by; nothing is signed with it
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidNonce  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
)

// keyBits are the content of a certificate's subjectPublicKey, which OCSP hashes.
func keyBits(c *x509.Certificate) []byte {
	in := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	var info, algorithm cryptobyte.String
	var bits asn1.BitString
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !info.ReadASN1BitString(&bits) {
		return nil
	}
	return bits.RightAlign()
}

// ocspRequest asks about one certificate, with a nonce. RFC 6960 §4.1, RFC 9654 §2.1
func ocspRequest(c, ca *x509.Certificate, nonce []byte) ([]byte, error) {
	name, key := sha1.Sum(c.RawIssuer), sha1.Sum(keyBits(ca))
	seq, explicit := cbasn1.SEQUENCE, cbasn1.Tag(2).ContextSpecific().Constructed()
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(seq, func(b *cryptobyte.Builder) { // OCSPRequest
		b.AddASN1(seq, func(b *cryptobyte.Builder) { // TBSRequest
			b.AddASN1(seq, func(b *cryptobyte.Builder) { // requestList
				b.AddASN1(seq, func(b *cryptobyte.Builder) { // Request
					b.AddASN1(seq, func(b *cryptobyte.Builder) { // CertID
						b.AddASN1(seq, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidSHA1); b.AddASN1NULL() })
						b.AddASN1OctetString(name[:])
						b.AddASN1OctetString(key[:])
						b.AddASN1BigInt(c.SerialNumber)
					})
				})
			})
			b.AddASN1(explicit, func(b *cryptobyte.Builder) { // requestExtensions
				b.AddASN1(seq, func(b *cryptobyte.Builder) {
					b.AddASN1(seq, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oidNonce)
						b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
					})
				})
			})
		})
	})
	return b.Bytes()
}

// responseData reads of a ResponseData what golang.org/x/crypto/ocsp leaves out: whether the first
// answer about a serial number is of this CA, and the nonce, nil where there is none. RFC 6960 §4.2.1
func responseData(tbs []byte, c, ca *x509.Certificate) (nonce []byte, err error) {
	in := cryptobyte.String(tbs)
	var data, version, responder, produced, responses, explicit cryptobyte.String
	var had bool
	var tag cbasn1.Tag
	if !in.ReadASN1(&data, cbasn1.SEQUENCE) || !data.ReadOptionalASN1(&version, &had, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!data.ReadAnyASN1(&responder, &tag) || !data.ReadASN1(&produced, cbasn1.GeneralizedTime) || !data.ReadASN1(&responses, cbasn1.SEQUENCE) ||
		!data.ReadOptionalASN1(&explicit, &had, cbasn1.Tag(1).ContextSpecific().Constructed()) || !data.Empty() {
		return nil, errOCSP("does not read")
	}
	if !answersFor(responses, c, ca) {
		return nil, errOCSP("is of another CA")
	}
	if !had {
		return nil, nil
	}
	var list cryptobyte.String
	if !explicit.ReadASN1(&list, cbasn1.SEQUENCE) || !explicit.Empty() {
		return nil, errOCSP("does not read")
	}
	err = eachExtension(list, func(oid asn1.ObjectIdentifier, critical bool, value cryptobyte.String) error {
		if !oid.Equal(oidNonce) {
			return unknownExtension(critical)
		}
		var octets cryptobyte.String
		if nonce = value; value.ReadASN1(&octets, cbasn1.OCTET_STRING) && value.Empty() {
			nonce = octets
		}
		return nil
	})
	return nonce, err
}

// answersFor says whether the first answer about a certificate's serial number names its CA's key.
func answersFor(responses cryptobyte.String, c, ca *x509.Certificate) bool {
	for !responses.Empty() {
		var one, id, algorithm, name, key cryptobyte.String
		var hash asn1.ObjectIdentifier
		var serial big.Int
		if !responses.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&id, cbasn1.SEQUENCE) || !id.ReadASN1(&algorithm, cbasn1.SEQUENCE) ||
			!algorithm.ReadASN1ObjectIdentifier(&hash) || !id.ReadASN1(&name, cbasn1.OCTET_STRING) || !id.ReadASN1(&key, cbasn1.OCTET_STRING) ||
			!id.ReadASN1Integer(&serial) {
			return false
		}
		if serial.Cmp(c.SerialNumber) != 0 {
			continue
		}
		switch {
		case hash.Equal(oidSHA1):
			sum := sha1.Sum(keyBits(ca))
			return bytes.Equal(key, sum[:])
		case hash.Equal(oidSHA256):
			sum := sha256.Sum256(keyBits(ca))
			return bytes.Equal(key, sum[:])
		}
		return false
	}
	return false
}
