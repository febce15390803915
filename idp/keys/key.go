package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loginunico/loginunico/internal/secret"
)

// Signature algorithms: RFC 7518 §3.1.
const (
	ES256 = "ES256"
	RS256 = "RS256"
)

var algs = []string{ES256, RS256}

const rsaBits = 2048

// types are the typ values whose header is encoded ahead.
var types = []string{"JWT", "at+jwt", "logout+jwt", "secevent+jwt", "token-introspection+jwt"}

// key is one row of signing_key, opened.
type key struct {
	row     keyRow
	private crypto.Signer
	public  jose.JSONWebKey
	headers map[string]string // typ → encoded header
}

// Format keeps the private key out of every log.
func (k *key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "key "+k.row.KID) }

// LogValue is the kid.
func (k *key) LogValue() slog.Value { return slog.StringValue(k.row.KID) }

// newKey makes a key of alg, sealed and ready to store.
func newKey(box *secret.Box, alg string) (keyRow, error) {
	private, err := generate(alg)
	if err != nil {
		return keyRow{}, fmt.Errorf("new %s key: %w", alg, err)
	}
	public := jose.JSONWebKey{Key: private.Public()}
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return keyRow{}, fmt.Errorf("thumbprint: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return keyRow{}, fmt.Errorf("encode %s key: %w", alg, err)
	}
	kid := base64.RawURLEncoding.EncodeToString(sum)
	return keyRow{KID: kid, Alg: alg, PrivateKey: box.Seal(der, sealedAs(kid))}, nil
}

func generate(alg string) (crypto.Signer, error) {
	if alg == RS256 {
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// sealedAs binds a sealed key to its row.
func sealedAs(kid string) []byte { return []byte("signing_key/" + kid) }

// open unseals a row.
func open(box *secret.Box, row keyRow) (*key, error) {
	der, err := box.Open(row.PrivateKey, sealedAs(row.KID))
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", row.KID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", row.KID, err)
	}
	private, ok := parsed.(crypto.Signer)
	if !ok || !suits(private, row.Alg) {
		return nil, fmt.Errorf("signing key %s: not a key for %s", row.KID, row.Alg)
	}
	row.PrivateKey = nil
	k := &key{row: row, private: private, headers: map[string]string{}}
	k.public = jose.JSONWebKey{Key: private.Public(), KeyID: row.KID, Algorithm: row.Alg, Use: "sig"}
	for _, typ := range types {
		k.headers[typ] = k.encodeHeader(typ)
	}
	return k, nil
}

func suits(private crypto.Signer, alg string) bool {
	switch k := private.(type) {
	case *ecdsa.PrivateKey:
		return alg == ES256 && k.Curve == elliptic.P256()
	case *rsa.PrivateKey:
		return alg == RS256 && k.N.BitLen() >= rsaBits
	}
	return false
}

func (k *key) encodeHeader(typ string) string {
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		KID string `json:"kid"`
		Typ string `json:"typ"`
	}{k.row.Alg, k.row.KID, typ})
	if err != nil {
		panic(err) // three texts always encode
	}
	return base64.RawURLEncoding.EncodeToString(header)
}

func (k *key) header(typ string) string {
	if h, ok := k.headers[typ]; ok {
		return h
	}
	return k.encodeHeader(typ)
}

// sign makes a compact JWS in one buffer. It uses the standard library's primitives, because
// go-jose's signer builds, marshals and re-encodes the header for each token: about a seventh of
// the CPU of an ES256 token request went there. Whoever verifies cannot tell the difference.
func (k *key) sign(typ string, payload []byte) (string, error) {
	header, enc := k.header(typ), base64.RawURLEncoding
	token := make([]byte, 0, len(header)+enc.EncodedLen(len(payload))+enc.EncodedLen(rsaBits/8)+2)
	token = append(append(token, header...), '.')
	token = enc.AppendEncode(token, payload)
	signature, err := k.signature(sha256.Sum256(token))
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", k.row.KID, err)
	}
	return string(enc.AppendEncode(append(token, '.'), signature)), nil
}

// signature signs a SHA-256 digest: r and s side by side, 32 bytes each, for ES256 (RFC 7518 §3.4);
// RSASSA-PKCS1-v1_5 for RS256 (§3.3).
func (k *key) signature(digest [sha256.Size]byte) ([]byte, error) {
	switch private := k.private.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
		if err != nil {
			return nil, err
		}
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out, nil
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, digest[:])
	}
	return nil, errors.New("no signer")
}

// published tells whether a key stands in the JWKS at a moment.
func (k keyRow) published(at time.Time) bool { return k.GoneAt == nil || at.Before(*k.GoneAt) }
