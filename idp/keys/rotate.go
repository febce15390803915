package keys

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
)

// State is where a key is in its life.
type State string

// The states, in the order of a life.
const (
	Pending   State = "pending"   // published, does not sign yet
	Signing   State = "signing"   // signs
	Published State = "published" // signs no more, still in the JWKS
	Retired   State = "retired"   // only verifies our own tokens
)

// Info is one key as operators see it.
type Info struct {
	KID        string
	Alg        string
	State      State
	CreatedAt  time.Time
	SignsFrom  time.Time
	SignsUntil *time.Time
	GoneAt     *time.Time
}

// List returns every key from the database, newest first.
func (r *Ring) List(ctx context.Context) ([]Info, error) {
	rows, err := signingKeys(ctx, r.db)
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	now, seen := r.now(), map[string]bool{}
	infos := make([]Info, len(rows))
	for i, k := range rows {
		infos[i] = Info{k.KID, k.Alg, k.state(now, seen[k.Alg]), k.CreatedAt, k.SignsFrom, k.SignsUntil, k.GoneAt}
		seen[k.Alg] = seen[k.Alg] || infos[i].State == Signing
	}
	return infos, nil
}

// state needs to know whether a newer key of the same algorithm signs.
func (k keyRow) state(at time.Time, newerSigns bool) State {
	switch {
	case k.SignsFrom.After(at):
		return Pending
	case !newerSigns:
		return Signing
	case k.published(at):
		return Published
	}
	return Retired
}

// Rotate makes a new key of alg and returns its kid. It is published at once and signs after
// Overlap; the old one stays in the JWKS until what it signed has expired.
//
//	immediate  sign with the new key now: relying parties must fetch the JWKS on an unknown kid
//
// Errors: ErrAlg.
func (r *Ring) Rotate(ctx context.Context, alg string, immediate bool) (kid string, err error) {
	if !slices.Contains(algs, alg) {
		return "", fmt.Errorf("rotate %q: %w", alg, ErrAlg)
	}
	fresh, err := newKey(r.box, alg)
	if err != nil {
		return "", err
	}
	err = r.change(ctx, func(tx pg.Tx) error { return r.succeed(ctx, tx, fresh, immediate) })
	if err != nil {
		return "", fmt.Errorf("rotate %s: %w", alg, err)
	}
	return fresh.KID, r.Reload(ctx)
}

// change runs fn alone among all processes that change keys.
func (r *Ring) change(ctx context.Context, fn func(pg.Tx) error) error {
	return pg.InTx(ctx, r.db, func(tx pg.Tx) error {
		if err := lockKeys(ctx, tx); err != nil {
			return err
		}
		return fn(tx)
	})
}

// succeed stores fresh and gives its predecessor an end. A key that waits for its turn is dropped
// when fresh signs now, or it would take over again.
func (r *Ring) succeed(ctx context.Context, tx pg.Tx, fresh keyRow, immediate bool) error {
	now := r.now()
	fresh.CreatedAt, fresh.SignsFrom = now, now.Add(Overlap)
	if immediate {
		fresh.SignsFrom = now
		if err := deletePending(ctx, tx, fresh.Alg, now); err != nil {
			return err
		}
	}
	if err := endKeys(ctx, tx, fresh.Alg, fresh.SignsFrom, fresh.SignsFrom.Add(Lifetime)); err != nil {
		return err
	}
	return insertKey(ctx, tx, fresh)
}

// Withdraw removes a key that may be known to others: nothing it signed verifies any more. If it was
// to sign now or later, a new key signs at once. Errors: ErrKeyNotFound.
func (r *Ring) Withdraw(ctx context.Context, kid string) error {
	known, ok := r.keys.Load().byKID[kid]
	if !ok {
		return fmt.Errorf("withdraw %s: %w", kid, ErrKeyNotFound)
	}
	fresh, err := newKey(r.box, known.row.Alg)
	if err != nil {
		return err
	}
	err = r.change(ctx, func(tx pg.Tx) error {
		until, err := deleteKey(ctx, tx, kid)
		if err != nil || until != nil && !until.After(r.now()) {
			return err
		}
		return r.succeed(ctx, tx, fresh, true)
	})
	if err != nil {
		return fmt.Errorf("withdraw %s: %w", kid, err)
	}
	return r.Reload(ctx)
}

// RotateDue rotates each algorithm whose newest key is older than maxAge, and deletes keys that were
// retired for Retention. It returns the new kids. For a daily job; of several processes one rotates.
func (r *Ring) RotateDue(ctx context.Context, maxAge time.Duration) (kids []string, err error) {
	for _, alg := range algs {
		if newest := r.newest(alg); newest != nil && r.now().Sub(newest.row.CreatedAt) < maxAge {
			continue
		}
		kid, err := r.rotateIfDue(ctx, alg, maxAge)
		if err != nil {
			return kids, fmt.Errorf("rotate %s: %w", alg, err)
		}
		if kid != "" {
			kids = append(kids, kid)
		}
	}
	err = r.change(ctx, func(tx pg.Tx) error { return deleteRetired(ctx, tx, r.now().Add(-Retention)) })
	if err != nil {
		return kids, fmt.Errorf("delete retired keys: %w", err)
	}
	return kids, r.Reload(ctx)
}

// newest is the latest key of alg, whether it signs yet or not; nil when there is none.
func (r *Ring) newest(alg string) *key {
	set := r.keys.Load()
	if i := slices.IndexFunc(set.all, func(k *key) bool { return k.row.Alg == alg }); i >= 0 {
		return set.all[i]
	}
	return nil
}

// rotateIfDue looks again under the lock, because another process may have rotated meanwhile.
func (r *Ring) rotateIfDue(ctx context.Context, alg string, maxAge time.Duration) (kid string, err error) {
	fresh, err := newKey(r.box, alg)
	if err != nil {
		return "", err
	}
	err = r.change(ctx, func(tx pg.Tx) error {
		rows, err := signingKeys(ctx, tx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(k keyRow) bool { return k.Alg == alg })
		if i >= 0 && r.now().Sub(rows[i].CreatedAt) < maxAge {
			return nil
		}
		kid = fresh.KID
		return r.succeed(ctx, tx, fresh, i < 0)
	})
	return kid, err
}

// createFirst makes a key for each algorithm that has none. It signs at once: nobody has cached a
// JWKS yet.
func (r *Ring) createFirst(ctx context.Context) error {
	rows, err := signingKeys(ctx, r.db)
	if err != nil {
		return err
	}
	for _, alg := range algs {
		if slices.ContainsFunc(rows, func(k keyRow) bool { return k.Alg == alg }) {
			continue
		}
		// A maximal age: whatever another process has made meanwhile is young enough.
		if _, err := r.rotateIfDue(ctx, alg, math.MaxInt64); err != nil {
			return err
		}
	}
	return nil
}
