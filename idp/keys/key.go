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
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

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

// signature signs a SHA-256 digest: RSASSA-PKCS1-v1_5 for RS256 (RFC 7518 §3.3), r and s side by
// side for ES256 (§3.4). ES256's nonce is derived from key and digest (RFC 6979, which nil asks
// for): no signature hangs on the quality of randomness, and it costs a fifth less.
func (k *key) signature(digest [sha256.Size]byte) ([]byte, error) {
	signature, err := k.private.Sign(nil, digest[:], crypto.SHA256)
	if err != nil || k.row.Alg != ES256 {
		return signature, err
	}
	return sideBySide(signature)
}

// sideBySide turns SEQUENCE { r, s } into 64 bytes.
func sideBySide(der []byte) ([]byte, error) {
	var r, s []byte
	var seq cryptobyte.String
	in := cryptobyte.String(der)
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1Integer(&r) || !seq.ReadASN1Integer(&s) || len(r) > 32 || len(s) > 32 {
		return nil, errors.New("not an ECDSA signature")
	}
	out := make([]byte, 64)
	copy(out[32-len(r):], r)
	copy(out[64-len(s):], s)
	return out, nil
}

// published tells whether a key stands in the JWKS at a moment.
func (k keyRow) published(at time.Time) bool { return k.GoneAt == nil || at.Before(*k.GoneAt) }
