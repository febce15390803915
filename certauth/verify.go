package certauth

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"time"
)

// Revocation says whether a chain still holds.
type Revocation interface {
	// Check looks at every certificate of a chain but the root. nil is good.
	//
	// Errors: Revoked; Unchecked, when it cannot be known and the city's policy is to refuse; others
	// are ours.
	Check(ctx context.Context, chain []*x509.Certificate) error
}

type stapleKey struct{}

// WithStaple lets a [Revocation] consider the DER OCSP response that the client has sent with its
// certificate in the handshake; nil: it sent none. RFC 8446 §4.4.2.1
func WithStaple(ctx context.Context, response []byte) context.Context {
	if len(response) == 0 {
		return ctx
	}
	return context.WithValue(ctx, stapleKey{}, response)
}

// Staple is what [WithStaple] has kept; nil: nothing.
func Staple(ctx context.Context) []byte {
	response, _ := ctx.Value(stapleKey{}).([]byte)
	return response
}

// Source is where the current authorities are: [Store].
type Source interface{ Authorities() *Authorities }

// Verifier decides over certificates that somebody has shown and proven to hold the key of.
type Verifier struct {
	From Source
	// Revocation, where it is nil, leaves every certificate Unchecked.
	Revocation Revocation
	Now        func() time.Time
}

// Proof is a certificate that holds now, and whose it is.
type Proof struct {
	Holder Holder
	Chain  []*x509.Certificate // the holder's, up to the root
}

// Chain verifies a certificate without asking whose it is. Errors: Untrusted, Expired, NotYetValid,
// Unreadable, Revoked, Unchecked, and those of the database.
func (v *Verifier) Chain(ctx context.Context, leaf *x509.Certificate) ([]*x509.Certificate, error) {
	chain, err := v.From.Authorities().Chain(leaf, v.Now())
	if err != nil {
		return nil, err
	}
	return chain, v.holds(ctx, chain)
}

func (v *Verifier) holds(ctx context.Context, chain []*x509.Certificate) error {
	if v.Revocation == nil {
		return Unchecked.because("nothing tells of revocations")
	}
	return v.Revocation.Check(ctx, chain)
}

// Verify decides whether a certificate signs its holder in. Every [Reason] but NoCertificate is a
// possible error. Whether it was revoked is asked last, because that may cost a journey.
func (v *Verifier) Verify(ctx context.Context, leaf *x509.Certificate) (Proof, error) {
	chain, err := v.From.Authorities().Chain(leaf, v.Now())
	if err != nil {
		return Proof{}, err
	}
	holder, err := HolderOf(leaf)
	if err != nil {
		return Proof{}, err
	}
	return Proof{holder, chain}, v.holds(ctx, chain)
}

// Identity is what names a certificate over time: its issuer's key, which outlives names, and its
// serial number there. It never identifies a person: people renew. The fingerprint is of what was shown
// and names nothing: bytes outside of what the issuer has signed, and an ECDSA signature, can be
// written otherwise.
type Identity struct {
	IssuerKey   []byte // SHA-256 of the issuer's SubjectPublicKeyInfo
	Serial      []byte // big endian
	Fingerprint []byte // SHA-256 of the certificate
}

// IdentityOf is the identity of the first certificate of a verified chain.
func IdentityOf(chain []*x509.Certificate) Identity {
	key := sha256.Sum256(chain[1].RawSubjectPublicKeyInfo)
	return identity(chain[0], key[:])
}

func identity(leaf *x509.Certificate, issuerKey []byte) Identity {
	mark := sha256.Sum256(leaf.Raw)
	return Identity{issuerKey, leaf.SerialNumber.Bytes(), mark[:]}
}

// SerialText is the serial number in hexadecimal, as authorities print it.
func (i Identity) SerialText() string { return hex.EncodeToString(i.Serial) }
