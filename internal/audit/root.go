package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// Root is the chain's end at the end of a day, signed: who keeps it can prove later what the chain
// was, and nobody can say of a cut or rewritten chain that it was always so.
type Root struct {
	Day      string    `json:"day"`   // in UTC, 2026-11-21
	Batch    int64     `json:"batch"` // the last of the day, or of a day before
	Hash     []byte    `json:"hash"`  // its hash, in base64
	SignedAt time.Time `json:"signed_at"`

	KID string `json:"-"` // the key that signed it
	JWS string `json:"-"` // as signed: compact, ES256
}

const rootType = "audit-root" // typ of the signature's header, RFC 8725 §3.11

// Seal signs a root for each day that has ended and has none, from the day of the first batch on, and
// returns them, oldest first. A day on which nothing happened gets one too. At its first use it makes
// the signing key. Of several processes one seals.
func Seal(ctx context.Context, db *pg.Pool, box *secret.Box, now time.Time) (sealed []Root, err error) {
	err = pg.InTx(ctx, db, func(tx pg.Tx) error {
		if err := lockChain(ctx, tx); err != nil { // no batch of yesterday is still under way
			return err
		}
		day, found, err := firstUnsealed(ctx, tx)
		if err != nil || !found || !day.Before(today(now)) {
			return err
		}
		key, err := signingKey(ctx, tx, box, now)
		if err != nil {
			return err
		}
		for ; day.Before(today(now)); day = day.AddDate(0, 0, 1) {
			root, err := sealDay(ctx, tx, key, day, now)
			if err != nil {
				return err
			}
			sealed = append(sealed, root)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("audit seal: %w", err)
	}
	return sealed, nil
}

func today(now time.Time) time.Time { return now.UTC().Truncate(24 * time.Hour) }

func sealDay(ctx context.Context, tx pg.Tx, k key, day, now time.Time) (Root, error) {
	last, err := lastBefore(ctx, tx, day.AddDate(0, 0, 1))
	if err != nil {
		return Root{}, err
	}
	r := Root{Day: day.Format(time.DateOnly), Batch: last.Seq, Hash: last.Hash, SignedAt: now.UTC().Truncate(time.Second)}
	if err := r.sign(k); err != nil {
		return Root{}, err
	}
	return r, insertRoot(ctx, tx, day, r.JWS, r.SignedAt)
}

// sign makes the JWS.
func (r *Root) sign(k key) error {
	payload, err := json.Marshal(r)
	if err != nil {
		return err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: k.private, KeyID: k.id}},
		(&jose.SignerOptions{}).WithType(rootType))
	if err != nil {
		return err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return err
	}
	r.KID = k.id
	r.JWS, err = signed.CompactSerialize()
	return err
}

// readRoot reads a root without asking whether its signature holds. The error says what is wrong.
func readRoot(text string) (Root, *jose.JSONWebSignature, error) {
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return Root{}, nil, err
	}
	header := signed.Signatures[0].Protected
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ != rootType {
		return Root{}, nil, fmt.Errorf("it is a %q, not an %s", typ, rootType)
	}
	r := Root{KID: header.KeyID, JWS: text}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &r); err != nil {
		return Root{}, nil, err
	}
	return r, signed, nil
}

// Roots returns the signed roots of the days from from on, oldest first, as they are stored: Verify
// is what checks them.
func Roots(ctx context.Context, db pg.DB, from time.Time) ([]Root, error) {
	stored, err := storedRoots(ctx, db, from)
	if err != nil {
		return nil, fmt.Errorf("audit roots: %w", err)
	}
	roots := make([]Root, len(stored))
	for i, s := range stored {
		if roots[i], _, err = readRoot(s.JWS); err != nil {
			return nil, fmt.Errorf("audit root of %s: %w", s.Day.Format(time.DateOnly), err)
		}
	}
	return roots, nil
}
