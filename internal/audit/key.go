package audit

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// key signs roots. It is the audit's own: who can sign tokens cannot rewrite the past with that.
type key struct {
	id      string // RFC 7638 thumbprint, base64url
	private *ecdsa.PrivateKey
}

// keyRow is one row of audit_key.
type keyRow struct {
	KID        string
	PublicKey  []byte // PKIX
	PrivateKey []byte // sealed PKCS #8
	CreatedAt  time.Time
}

func sealedFor(kid string) []byte { return []byte("audit_key.private_key/" + kid) }

// signingKey is the newest key, made when there is none. The caller holds the chain's lock.
func signingKey(ctx context.Context, tx pg.Tx, box *secret.Box, now time.Time) (key, error) {
	rows, err := auditKeys(ctx, tx)
	if err != nil {
		return key{}, err
	}
	if len(rows) == 0 {
		return makeKey(ctx, tx, box, now)
	}
	raw, err := box.Open(rows[0].PrivateKey, sealedFor(rows[0].KID))
	if err != nil {
		return key{}, fmt.Errorf("audit key %s: %w", rows[0].KID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(raw)
	if err != nil {
		return key{}, fmt.Errorf("audit key %s: %w", rows[0].KID, err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return key{}, fmt.Errorf("audit key %s is not an elliptic one", rows[0].KID)
	}
	return key{rows[0].KID, private}, nil
}

func makeKey(ctx context.Context, tx pg.Tx, box *secret.Box, now time.Time) (key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return key{}, err
	}
	print, err := (&jose.JSONWebKey{Key: private.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return key{}, err
	}
	k := key{base64.RawURLEncoding.EncodeToString(print), private}
	pkix, err1 := x509.MarshalPKIXPublicKey(private.Public())
	pkcs8, err2 := x509.MarshalPKCS8PrivateKey(private)
	if err := errors.Join(err1, err2); err != nil {
		return key{}, err
	}
	return k, insertKey(ctx, tx, keyRow{k.id, pkix, box.Seal(pkcs8, sealedFor(k.id)), now})
}

// RotateKey makes a new key that signs the roots from now on, and returns its kid. The old one goes
// on verifying what it signed.
func RotateKey(ctx context.Context, db *pg.Pool, box *secret.Box, now time.Time) (kid string, err error) {
	err = pg.InTx(ctx, db, func(tx pg.Tx) error {
		if err := lockChain(ctx, tx); err != nil {
			return err
		}
		rows, err := auditKeys(ctx, tx)
		if err != nil {
			return err
		}
		if len(rows) > 0 && !now.After(rows[0].CreatedAt) { // the newest signs, whatever the clocks say
			now = rows[0].CreatedAt.Add(time.Microsecond)
		}
		k, err := makeKey(ctx, tx, box, now)
		kid = k.id
		return err
	})
	return kid, err
}

// Keys returns the public keys, newest first, for those who keep roots and want to check them.
func Keys(ctx context.Context, db pg.DB) (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	rows, err := auditKeys(ctx, db)
	if err != nil {
		return set, fmt.Errorf("audit keys: %w", err)
	}
	for _, r := range rows {
		public, err := x509.ParsePKIXPublicKey(r.PublicKey)
		if err != nil {
			return set, fmt.Errorf("audit key %s: %w", r.KID, err)
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: public, KeyID: r.KID, Algorithm: string(jose.ES256), Use: "sig"})
	}
	return set, nil
}
