package secret

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
)

// Times of a rotation. A process hears of a new key at once, or, when its connection was cut, as
// soon as it listens again.
const (
	IndexDelay = 10 * time.Minute // between a new index version is known and is used
	Settle     = time.Hour        // between a new key is used and the old one may go
)

// LegacyID is the ID of the key that is older than the keysets.
const LegacyID = 0

var (
	// ErrPurpose says that there are no data keys of this purpose.
	ErrPurpose = errors.New("secret: no such purpose")
	// ErrNoKey says that the purpose has no key of this ID.
	ErrNoKey = errors.New("secret: no such key")
	// ErrKeyInUse says that a key is used for new values, or will be.
	ErrKeyInUse = errors.New("secret: the key is in use")
	// ErrTooSoon says that the key's successor is younger than Settle: a process may not have heard.
	ErrTooSoon = errors.New("secret: the key's successor is too young")
)

// State is what a data key does.
type State string

// The states of a data key.
const (
	Pending State = "pending" // an index version that is known and not used yet
	Current State = "current"
	Old     State = "old" // opens, or finds, what was made with it
)

// DataKey describes one key.
type DataKey struct {
	Purpose Purpose
	ID      uint32 // Tink's key ID; of the index, its version; LegacyID
	State   State
	From    time.Time // of a pending or current key: when it is or was taken up
}

// Name is the ID as people see it.
func (k DataKey) Name() string {
	switch {
	case k.Purpose == Index:
		return fmt.Sprint(k.ID)
	case k.ID == LegacyID:
		return string(legacy)
	}
	return fmt.Sprintf("%08x", k.ID)
}

// List returns every key, by purpose in the order of Purposes; a purpose's newest
// key first. Errors: ErrWrongKEK.
func List(ctx context.Context, db pg.DB, kek KEK) ([]DataKey, error) {
	v, err := readVault(ctx, db, kek)
	if err != nil {
		return nil, err
	}
	var all []DataKey
	for _, p := range Purposes() {
		all = append(all, v.keys(p, time.Now())...)
	}
	return all, nil
}

// Rotate gives a purpose a new key, which seals from the commit on, or a new index version, which
// is used after IndexDelay. Two at once make two keys. Errors: ErrPurpose, ErrWrongKEK.
func Rotate(ctx context.Context, db pg.Beginner, kek KEK, p Purpose) (made DataKey, err error) {
	if !slices.Contains(Purposes(), p) {
		return made, ErrPurpose
	}
	err = change(ctx, db, kek, func(tx pg.Tx, v vault) error {
		made, err = v.rotate(ctx, tx, kek, p)
		return err
	})
	return made, err
}

// Retire removes an old key for good. The caller has seen that nothing is left that needs it: no
// sealed value of which Current is false, no index row of the version.
// Errors: ErrPurpose, ErrNoKey, ErrKeyInUse, ErrTooSoon, ErrWrongKEK.
func Retire(ctx context.Context, db pg.Beginner, kek KEK, p Purpose, id uint32) error {
	if !slices.Contains(Purposes(), p) {
		return ErrPurpose
	}
	return change(ctx, db, kek, func(tx pg.Tx, v vault) error {
		if err := v.retirable(p, id, time.Now()); err != nil {
			return fmt.Errorf("%s %d: %w", p, id, err)
		}
		return v.retire(ctx, tx, kek, p, id)
	})
}

// Rewrap wraps every data key under the current key of to, and returns how many were under another
// one. Those were wrapped under from, or the key before to. Processes that have only the old KEK go
// on with what they hold, and learn of no new key. Errors: ErrWrongKEK, and nothing is changed.
func Rewrap(ctx context.Context, db pg.Beginner, from, to KEK) (changed int, err error) {
	err = pg.InTx(ctx, db, func(tx pg.Tx) error {
		if err := lockDataKeys(ctx, tx); err != nil {
			return err
		}
		stale, err := underAnother(ctx, tx, from, to)
		changed = len(stale)
		for _, e := range stale {
			if err := rewrapEntry(ctx, tx, to, e); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// underAnother returns what is not wrapped under the current key of to.
func underAnother(ctx context.Context, db pg.DB, from, to KEK) (stale vault, err error) {
	rows, err := dataKeys(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if _, err := unwrapUnder(to.sealers()[0], r); err == nil {
			continue
		}
		e, err := to.unwrap(r)
		if err != nil {
			e, err = from.unwrap(r)
		}
		if err != nil {
			return nil, err
		}
		stale = append(stale, e)
	}
	return stale, nil
}

func rewrapEntry(ctx context.Context, tx pg.Tx, kek KEK, e entry) error {
	row, err := e.wrap(kek)
	if err != nil {
		return err
	}
	return rewrapDataKey(ctx, tx, row)
}

// createMissing makes the keys that the database lacks, one process at a time.
func createMissing(ctx context.Context, db pg.Beginner, kek KEK) error {
	return change(ctx, db, kek, func(tx pg.Tx, v vault) error {
		have, err := newRing(v)
		if err != nil {
			return err
		}
		for _, p := range have.missing() {
			if _, err := v.rotate(ctx, tx, kek, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// change lets do decide over the data keys, alone.
func change(ctx context.Context, db pg.Beginner, kek KEK, do func(pg.Tx, vault) error) error {
	return pg.InTx(ctx, db, func(tx pg.Tx) error {
		if err := lockDataKeys(ctx, tx); err != nil {
			return err
		}
		v, err := readVault(ctx, tx, kek)
		if err != nil {
			return err
		}
		return do(tx, v)
	})
}
