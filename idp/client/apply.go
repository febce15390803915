package client

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// Result is what Apply did.
type Result struct {
	ID      string
	Version int
	Changed bool
	Secret  string // only when one was generated: it is shown this once and not kept
}

// Apply makes a manifest the current version of its service, in one transaction, and refreshes this
// registry. The same bytes again change nothing.
//
//	given  the shared secret to use; "" generates one where the service needs it and has none
//
// A given secret must be random: it is kept as plain SHA-256. Errors: *yamlform.Faults, ErrNoSharedSecret.
// When only the refresh failed, the Result stands beside the error.
func (r *Registry) Apply(ctx context.Context, data []byte, given string) (Result, error) {
	m, err := Parse("manifest", data)
	if err != nil {
		return Result{}, err
	}
	if given != "" && !m.HasSecret() {
		return Result{}, fmt.Errorf("service %s, auth %s: %w", m.ID, m.Auth, ErrNoSharedSecret)
	}
	var result Result
	err = pg.InTx(ctx, r.db, func(tx pg.Tx) error {
		result, err = r.apply(ctx, tx, m, data, given)
		return err
	})
	if err != nil {
		return Result{}, fmt.Errorf("apply service %s: %w", m.ID, err)
	}
	if !result.Changed {
		return result, nil
	}
	return result, r.Load(ctx)
}

func (r *Registry) apply(ctx context.Context, tx pg.Tx, m *Manifest, data []byte, given string) (Result, error) {
	current, rows, err := lockedService(ctx, tx, m.ID)
	if err != nil {
		return Result{}, err
	}
	if err := taken(m, rows); err != nil {
		return Result{}, err
	}
	digest := sha256.Sum256(data)
	next := serviceRow{ID: m.ID, Version: current.Version, Manifest: string(data), Digest: digest[:], AppliedAt: r.now()}
	next.SecretHash, given = nextSecret(m, current.SecretHash, given)
	if secret.Equal(digest[:], current.Digest) {
		return keepVersion(ctx, tx, current, next)
	}
	next.Version++
	return Result{ID: m.ID, Version: next.Version, Changed: true, Secret: given}, saveService(ctx, tx, next)
}

// keepVersion changes at most the secret.
func keepVersion(ctx context.Context, tx pg.Tx, current, next serviceRow) (Result, error) {
	result := Result{ID: current.ID, Version: current.Version}
	if secret.Equal(current.SecretHash, next.SecretHash) {
		return result, nil
	}
	result.Changed = true
	return result, setSecretHash(ctx, tx, current.ID, next.SecretHash)
}

// nextSecret is the hash to store, and the secret itself when it was generated now.
func nextSecret(m *Manifest, current []byte, given string) (hash []byte, generated string) {
	switch {
	case !m.HasSecret():
		return nil, ""
	case given != "":
		return secret.Hash(given), ""
	case current != nil:
		return current, ""
	}
	generated = secret.Token()
	return secret.Hash(generated), generated
}

// lockedService is the row of id (zero when it is new) and all rows, held against other changes
// until the transaction ends.
func lockedService(ctx context.Context, tx pg.Tx, id string) (serviceRow, []serviceRow, error) {
	if err := lockServices(ctx, tx); err != nil {
		return serviceRow{}, nil, err
	}
	rows, err := services(ctx, tx)
	if err != nil {
		return serviceRow{}, nil, err
	}
	if i := slices.IndexFunc(rows, func(s serviceRow) bool { return s.ID == id }); i >= 0 {
		return rows[i], rows, nil
	}
	return serviceRow{}, rows, nil
}

// RotateSecret gives a service a new secret and returns it; the old one stops working at once.
// Errors: ErrServiceNotFound, ErrNoSharedSecret. When only the refresh of this registry failed, the
// secret stands beside the error.
func (r *Registry) RotateSecret(ctx context.Context, id string) (string, error) {
	fresh := secret.Token()
	err := pg.InTx(ctx, r.db, func(tx pg.Tx) error {
		current, _, err := lockedService(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case current.ID == "":
			return ErrServiceNotFound
		case current.SecretHash == nil:
			return ErrNoSharedSecret
		}
		return setSecretHash(ctx, tx, id, secret.Hash(fresh))
	})
	if err != nil {
		return "", fmt.Errorf("rotate secret of service %s: %w", id, err)
	}
	return fresh, r.Load(ctx)
}
