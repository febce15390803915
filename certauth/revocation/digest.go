package revocation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes below
	_ "crypto/sha512"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ErrSignature: the list is not signed by this CA's key, or by no algorithm we trust.
var ErrSignature = errors.New("the signature is not the CA's")

// scheme is a signature algorithm whose message may be summed while it is read. Ed25519 is none.
type scheme struct {
	hash crypto.Hash
	pss  bool
	ec   bool
}

// The algorithms of RFC 4055, RFC 5754 and RFC 5758 with SHA-2. SHA-1 is left out: no live CA of
// ICP-Brasil uses it.
var schemes = map[string]scheme{
	"1.2.840.113549.1.1.11": {hash: crypto.SHA256},
	"1.2.840.113549.1.1.12": {hash: crypto.SHA384},
	"1.2.840.113549.1.1.13": {hash: crypto.SHA512},
	"1.2.840.10045.4.3.2":   {hash: crypto.SHA256, ec: true},
	"1.2.840.10045.4.3.3":   {hash: crypto.SHA384, ec: true},
	"1.2.840.10045.4.3.4":   {hash: crypto.SHA512, ec: true},
}

var oidPSS = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}

var pssHashes = map[string]crypto.Hash{"2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512}

// schemeOf reads an AlgorithmIdentifier. RFC 5280 §4.1.1.2
func schemeOf(algorithm []byte) (scheme, error) {
	in := cryptobyte.String(algorithm)
	var seq cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1ObjectIdentifier(&oid) {
		return scheme{}, malformed("its algorithm does not read")
	}
	if oid.Equal(oidPSS) {
		return pssScheme(seq)
	}
	found, ok := schemes[oid.String()]
	if !ok {
		return scheme{}, ErrSignature
	}
	var null cryptobyte.String
	if !seq.Empty() && (!seq.ReadASN1(&null, cbasn1.NULL) || !null.Empty() || !seq.Empty()) {
		return scheme{}, malformed("its algorithm has parameters")
	}
	return found, nil
}

// pssScheme reads RSASSA-PSS-params as far as the hash; verifying finds the salt's length, and Go's
// takes no other hash for the mask. RFC 4055 §3.1
func pssScheme(rest cryptobyte.String) (scheme, error) {
	var params, field, algorithm cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !rest.ReadASN1(&params, cbasn1.SEQUENCE) || !params.ReadASN1(&field, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!field.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) {
		return scheme{}, ErrSignature // the default is SHA-1
	}
	h, ok := pssHashes[oid.String()]
	if !ok {
		return scheme{}, ErrSignature
	}
	return scheme{hash: h, pss: true}, nil
}

// verify checks a signature of a message's sum.
func (s scheme) verify(key any, sum, signature []byte) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		switch {
		case s.ec:
		case s.pss && rsa.VerifyPSS(key, s.hash, sum, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}) == nil:
			return nil
		case !s.pss && rsa.VerifyPKCS1v15(key, s.hash, sum, signature) == nil:
			return nil
		}
	case *ecdsa.PublicKey:
		if s.ec && ecdsa.VerifyASN1(key, sum, signature) {
			return nil
		}
	}
	return ErrSignature
}
