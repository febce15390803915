package cms

import (
	"bytes"
	"crypto"
	"crypto/sha1" // what signingCertificate of version 1 names a certificate by
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"unicode"

	"go.mozilla.org/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Why a message is no signature of the text.
var (
	ErrFormat    = errors.New("cms: not a signature that can be read")
	ErrSigner    = errors.New("cms: not exactly one signer whose certificate is there")
	ErrUnsigned  = errors.New("cms: signed attributes are missing, double, or of another certificate")
	ErrContent   = errors.New("cms: it signs another text")
	ErrAlgorithm = errors.New("cms: an algorithm that is not taken")
	ErrSignature = errors.New("cms: the signature does not hold")
)

var (
	oidSigningCert   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

// digests are those taken, by their object identifiers. RFC 5754 §2
var digests = map[string]crypto.Hash{pkcs7.OIDDigestAlgorithmSHA256.String(): crypto.SHA256,
	pkcs7.OIDDigestAlgorithmSHA384.String(): crypto.SHA384, pkcs7.OIDDigestAlgorithmSHA512.String(): crypto.SHA512}

// mostCertificates a message may bring; a chain has four.
const mostCertificates = 10

// Verify reads a signature over a text and returns the certificate that made it, whose chain and
// revocation are still to be asked for.
//
//	message  DER, PEM or base64, with the text in it (attached) or without (detached)
//	text     what was to be signed; a line end behind it, which editors add, is no difference
//
// Exactly one signer; contentType id-data, messageDigest of the text, and signingCertificateV2 or
// signingCertificate of the signer's certificate among the signed attributes, each once; SHA-2 with RSA
// PKCS #1 v1.5 or ECDSA. signingTime is not asked.
//
// Errors: ErrFormat, ErrSigner, ErrUnsigned, ErrContent, ErrAlgorithm, ErrSignature.
//
// RFC 5652 §5.4, §5.6, §11; RFC 5035 §3, §4
func Verify(message []byte, text string) (*x509.Certificate, error) {
	ber, err := decode(message)
	if err != nil {
		return nil, err
	}
	p, err := pkcs7.Parse(ber)
	if err != nil {
		return nil, ErrFormat // with no cause: it may quote a name of the certificate
	}
	leaf := p.GetOnlySigner()
	if leaf == nil || len(p.Certificates) > mostCertificates {
		return nil, ErrSigner
	}
	hash, ok := digests[p.Signers[0].DigestAlgorithm.Algorithm.String()]
	if !ok {
		return nil, ErrAlgorithm
	}
	signed := map[string]cryptobyte.String{}
	for _, a := range p.Signers[0].AuthenticatedAttributes {
		name := a.Type.String()
		if _, twice := signed[name]; twice {
			return nil, ErrUnsigned
		}
		signed[name] = a.Value.Bytes
	}
	if err := attributes(signed, leaf); err != nil {
		return nil, err
	}
	if p.Content, err = content(p.Content, text, signed, hash); err != nil {
		return nil, err
	}
	if err := p.Verify(); errors.Is(err, pkcs7.ErrUnsupportedAlgorithm) {
		return nil, ErrAlgorithm
	} else if err != nil {
		return nil, ErrSignature // with no cause: it may hold parts of the message
	}
	return leaf, nil
}

// decode finds the BER in what people paste and upload.
func decode(message []byte) ([]byte, error) {
	if len(message) > 2*MostBytes { // base64, with line ends
		return nil, ErrFormat
	}
	ber := message
	if block, _ := pem.Decode(message); block != nil {
		ber = block.Bytes
	} else if len(message) > 0 && message[0] != 0x30 {
		text := strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, string(message))
		var err error
		if ber, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "=")); err != nil {
			return nil, ErrFormat
		}
	}
	if len(ber) > MostBytes || !bounded(ber) {
		return nil, ErrFormat
	}
	return ber, nil
}

// attributes checks those that must be there, and which certificate they name. Were they not signed,
// whoever holds one signature could make another of it: the signed attributes of one message are
// bytes that a message without them may have as its content.
func attributes(signed map[string]cryptobyte.String, leaf *x509.Certificate) error {
	kind, ok := signed[pkcs7.OIDAttributeContentType.String()]
	var of asn1.ObjectIdentifier
	if !ok || !kind.ReadASN1ObjectIdentifier(&of) || !kind.Empty() || !of.Equal(pkcs7.OIDData) {
		return ErrUnsigned
	}
	v1, old := signed[oidSigningCert.String()]
	v2, recent := signed[oidSigningCertV2.String()]
	if !old && !recent || old && !names(v1, leaf, false) || recent && !names(v2, leaf, true) {
		return ErrUnsigned
	}
	return nil
}

// names says whether the first ESSCertID of a signing-certificate attribute is of a certificate.
// RFC 5035 §4: SHA-256 where version 2 names no hash; RFC 2634 §5.4.1: SHA-1 in version 1.
func names(value cryptobyte.String, leaf *x509.Certificate, v2 bool) bool {
	var attribute, list, first, algorithm, hash cryptobyte.String
	if !value.ReadASN1(&attribute, cbasn1.SEQUENCE) || !value.Empty() || !attribute.ReadASN1(&list, cbasn1.SEQUENCE) ||
		!list.ReadASN1(&first, cbasn1.SEQUENCE) {
		return false
	}
	by := crypto.SHA256
	if v2 && first.PeekASN1Tag(cbasn1.SEQUENCE) {
		var oid asn1.ObjectIdentifier
		if !first.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) {
			return false
		}
		var ok bool
		if by, ok = digests[oid.String()]; !ok {
			return false
		}
	}
	if !first.ReadASN1(&hash, cbasn1.OCTET_STRING) {
		return false
	}
	if !v2 {
		sum := sha1.Sum(leaf.Raw)
		return bytes.Equal(hash, sum[:])
	}
	return bytes.Equal(hash, sumOf(by, leaf.Raw))
}

func sumOf(h crypto.Hash, b []byte) []byte {
	s := h.New()
	s.Write(b) // a hash never fails
	return s.Sum(nil)
}

// content is the text as it was signed. Attached content must be it, and the digest too, which the
// library then compares again.
func content(attached []byte, text string, signed map[string]cryptobyte.String, hash crypto.Hash) ([]byte, error) {
	value, ok := signed[pkcs7.OIDAttributeMessageDigest.String()]
	var digest cryptobyte.String
	if !ok || !value.ReadASN1(&digest, cbasn1.OCTET_STRING) || !value.Empty() {
		return nil, ErrUnsigned
	}
	for _, end := range []string{"", "\n", "\r\n"} {
		as := []byte(text + end)
		if (len(attached) == 0 || bytes.Equal(attached, as)) && bytes.Equal(digest, sumOf(hash, as)) {
			return as, nil
		}
	}
	return nil, ErrContent
}
