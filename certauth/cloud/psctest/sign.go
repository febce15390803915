package psctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"

	"github.com/loginunico/loginunico/certauth/icptest"
)

// authorised is the request of a bearer token, nil for none; under the lock.
func (s *Server) authorised(r *http.Request) (token string, a *request) {
	token, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token, s.tokens[token]
}

func (s *Server) certificates(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, a := s.authorised(r)
	if a == nil {
		fault(w, http.StatusUnauthorized, "invalid_token")
		return
	}
	leaf := a.holder.Leaf
	if s.modes.Show != nil {
		leaf = s.modes.Show
	}
	answer(w, http.StatusOK, map[string]any{"status": "S", "certificates": []map[string]string{
		{"alias": alias(a.holder), "certificate": string(icptest.PEM(leaf.Cert))}}})
}

func (s *Server) signature(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Alias  string `json:"certificate_alias"`
		Hashes []struct {
			ID, Alias, Hash string
			Algorithm       string `json:"hash_algorithm"`
			Format          string `json:"signature_format"`
		} `json:"hashes"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token, a := s.authorised(r)
	if a == nil {
		fault(w, http.StatusUnauthorized, "invalid_token")
		return
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&q) != nil || len(q.Hashes) != 1 || q.Hashes[0].Algorithm != "2.16.840.1.101.3.4.2.1" ||
		q.Alias != "" && q.Alias != alias(a.holder) {
		fault(w, http.StatusBadRequest, "invalid_request")
		return
	}
	sum, err := base64.StdEncoding.DecodeString(q.Hashes[0].Hash)
	if s.modes.Hash == "hex" {
		sum, err = hex.DecodeString(q.Hashes[0].Hash)
	}
	if err != nil || len(sum) != sha256.Size {
		fault(w, http.StatusBadRequest, "invalid_hash")
		return
	}
	delete(s.tokens, token) // single_signature
	leaf := a.holder.Leaf
	if s.modes.Other != nil {
		leaf = s.modes.Other
	}
	if s.modes.Wrong {
		sum[0] ^= 1
	}
	var raw []byte
	switch q.Hashes[0].Format {
	case "RAW":
		raw, err = leaf.Key.Sign(rand.Reader, sum, crypto.SHA256)
	case "CMS":
		raw, err = SignCMS(leaf, sum)
	default:
		fault(w, http.StatusBadRequest, "invalid_format")
		return
	}
	if err != nil {
		fault(w, http.StatusInternalServerError, "server_error")
		return
	}
	answer(w, http.StatusOK, map[string]any{"signatures": []map[string]string{{"id": q.Hashes[0].ID, "raw_signature": base64.StdEncoding.EncodeToString(raw)}},
		"certificate_alias": alias(a.holder)})
}

type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

var (
	oidData      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSigned    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidSHA256    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidRSA       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidECDSA     = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidType      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidDigest    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

// SignCMS makes a detached signature of a SHA-256, with the signed attributes of AD-RB. RFC 5652 §5
func SignCMS(l *icptest.Leaf, sum []byte) ([]byte, error) {
	mark := sha256.Sum256(l.Cert.Raw)
	var attributes []byte
	for _, a := range []struct {
		id    asn1.ObjectIdentifier
		value any
	}{{oidType, oidData}, {oidDigest, sum}, {oidSigningV2, [][][][]byte{{{mark[:]}}}}} {
		value, err := asn1.Marshal(a.value)
		if err != nil {
			return nil, err
		}
		der, err := asn1.Marshal(attribute{a.id, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: value}})
		if err != nil {
			return nil, err
		}
		attributes = append(attributes, der...)
	}
	set, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: attributes})
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(set)
	signature, err := l.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	by := oidRSA
	if _, ec := l.Key.(*ecdsa.PrivateKey); ec {
		by = oidECDSA
	}
	return message(l, attributes, pkix.AlgorithmIdentifier{Algorithm: by}, signature)
}

func message(l *icptest.Leaf, attributes []byte, by pkix.AlgorithmIdentifier, signature []byte) ([]byte, error) {
	type signer struct {
		Version int
		ID      struct {
			Issuer asn1.RawValue
			Serial *big.Int
		}
		Digest    pkix.AlgorithmIdentifier
		Signed    asn1.RawValue
		By        pkix.AlgorithmIdentifier
		Signature []byte
	}
	one := signer{Version: 1, Digest: pkix.AlgorithmIdentifier{Algorithm: oidSHA256}, By: by, Signature: signature,
		Signed: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: attributes}}
	one.ID.Issuer, one.ID.Serial = asn1.RawValue{FullBytes: l.Cert.RawIssuer}, l.Cert.SerialNumber
	type content struct{ Type asn1.ObjectIdentifier }
	type signed struct {
		Version      int
		Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
		Content      content
		Certificates asn1.RawValue
		Signers      []signer `asn1:"set"`
	}
	return asn1.Marshal(struct {
		Type asn1.ObjectIdentifier
		Data signed `asn1:"explicit,tag:0"`
	}{oidSigned, signed{1, []pkix.AlgorithmIdentifier{{Algorithm: oidSHA256}}, content{oidData},
		asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: l.Cert.Raw}, []signer{one}}})
}
