package client

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"

	"github.com/go-jose/go-jose/v4"
	"go.yaml.in/yaml/v3"
)

// privateMembers are the members of a JWK that must never leave its owner: RFC 7518 §6.2.2, §6.3.2,
// §6.4.1; RFC 8037 §2.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}

const (
	minRSA = 2048 // bits
	maxRSA = 4096 // a larger key makes each verification costly for us
)

// jwks reads an inline JWK set: a mapping with the list "keys".
func (d *decoder) jwks(into *jose.JSONWebKeySet) field {
	return func(n *yaml.Node, path string) {
		before := d.Count()
		d.Object(n, path, map[string]field{"keys": d.List(d.jwk(into))})
		if len(into.Keys) == 0 && d.Count() == before {
			d.Fault(n.Line, path, "required", "needs at least one key in keys")
		}
	}
}

func (d *decoder) jwk(into *jose.JSONWebKeySet) field {
	return func(n *yaml.Node, path string) {
		if !d.Want(n, path, yaml.MappingNode, "a JWK") || !d.flat(n, path) {
			return
		}
		raw := map[string]any{}
		if err := n.Decode(&raw); err != nil {
			d.Fault(n.Line, path, "jwk", "is not a JWK")
			return
		}
		for _, member := range privateMembers {
			if _, found := raw[member]; found {
				d.Fault(n.Line, path+"."+member, "private_key", "is private; give the public key alone, and replace this one, which has now been shown")
				return
			}
		}
		key, wrong := publicKey(raw)
		for _, other := range into.Keys {
			if wrong == "" && other.KeyID == key.KeyID {
				wrong = "needs a kid of its own"
			}
		}
		if wrong != "" {
			d.Fault(n.Line, path, "jwk", "%s", wrong)
			return
		}
		into.Keys = append(into.Keys, key)
	}
}

// flat checks that a JWK's members are given once, and are texts or lists of texts: nothing that
// YAML could expand.
func (d *decoder) flat(n *yaml.Node, path string) bool {
	before, discard := d.Count(), ""
	fields := map[string]field{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i+1].Kind == yaml.SequenceNode {
			fields[n.Content[i].Value] = d.List(d.Text(&discard))
		} else {
			fields[n.Content[i].Value] = d.Text(&discard)
		}
	}
	d.Object(n, path, fields)
	return d.Count() == before
}

// publicKey turns a JWK's members into a key we can verify with, or says what is wrong.
func publicKey(raw map[string]any) (key jose.JSONWebKey, wrong string) {
	text, err := json.Marshal(raw)
	if err != nil || key.UnmarshalJSON(text) != nil || !key.Valid() {
		return key, "is not a valid public JWK (RFC 7517)"
	}
	if key.Use != "" && key.Use != "sig" {
		return key, "must be for signatures: use sig, or no use"
	}
	algs := algsOf(key.Key)
	if len(algs) == 0 {
		return key, "must be EC P-256, Ed25519, or RSA of 2048 to 4096 bits"
	}
	if key.Algorithm != "" && !hasAlg(algs, key.Algorithm) {
		return key, "has an alg that is not one of ES256, PS256, RS256, EdDSA or does not suit the key"
	}
	return key, ""
}

// algsOf lists the algorithms a public key may sign assertions with; none for an unfit key.
func algsOf(key any) []jose.SignatureAlgorithm {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return []jose.SignatureAlgorithm{jose.ES256}
		}
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits >= minRSA && bits <= maxRSA {
			return []jose.SignatureAlgorithm{jose.PS256, jose.RS256}
		}
	case ed25519.PublicKey:
		return []jose.SignatureAlgorithm{jose.EdDSA}
	}
	return nil
}

func hasAlg(algs []jose.SignatureAlgorithm, alg string) bool {
	for _, a := range algs {
		if string(a) == alg {
			return true
		}
	}
	return false
}
