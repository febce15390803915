package secret

import (
	"context"
	"time"

	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/loginunico/loginunico/internal/pg"
)

// vault is all data keys as they stand, the newest version of the index first: what List reads and
// a change decides on.
type vault []entry

func readVault(ctx context.Context, db pg.DB, kek KEK) (vault, error) {
	rows, err := dataKeys(ctx, db)
	if err != nil {
		return nil, err
	}
	return unwrapAll(kek, rows)
}

func unwrapAll(kek KEK, rows []keyRow) (v vault, err error) {
	v = make(vault, len(rows))
	for i, row := range rows {
		if v[i], err = kek.unwrap(row); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// of is the newest entry of a purpose; without one, an empty entry of version 0.
func (v vault) of(p Purpose) entry {
	for _, e := range v {
		if e.Purpose == p {
			return e
		}
	}
	return entry{keyRow: keyRow{Purpose: p}}
}

// keys describes the keys of a purpose, newest first.
func (v vault) keys(p Purpose, at time.Time) (all []DataKey) {
	if p == Index {
		return v.indexKeys(at)
	}
	e := v.of(p)
	if e.set != nil {
		for i := e.set.Len() - 1; i >= 0; i-- { // Tink appends
			all = append(all, setKey(e, e.set.KeysetInfo().GetKeyInfo()[i].GetKeyId()))
		}
	}
	if old := v.of(legacy); p == General && old.Version > 0 {
		all = append(all, legacyKey(old, e.set == nil))
	}
	return all
}

func setKey(e entry, id uint32) DataKey {
	if id != e.set.KeysetInfo().GetPrimaryKeyId() {
		return DataKey{Purpose: e.Purpose, ID: id, State: Old}
	}
	return DataKey{e.Purpose, id, Current, e.ActiveFrom}
}

func legacyKey(e entry, alone bool) DataKey {
	if !alone {
		return DataKey{Purpose: General, ID: LegacyID, State: Old}
	}
	return DataKey{General, LegacyID, Current, e.ActiveFrom}
}

func (v vault) indexKeys(at time.Time) (all []DataKey) {
	state := Pending
	for _, e := range v {
		if e.Purpose != Index {
			continue
		}
		k := DataKey{Purpose: Index, ID: uint32(e.Version), State: state, From: e.ActiveFrom}
		switch {
		case state == Current:
			k.State, k.From, state = Old, time.Time{}, Old
		case state == Pending && !e.ActiveFrom.After(at):
			k.State, state = Current, Current
		case state == Old:
			k.From = time.Time{}
		}
		all = append(all, k)
	}
	return all
}

// rotate stores a new key.
func (v vault) rotate(ctx context.Context, tx pg.Tx, kek KEK, p Purpose) (DataKey, error) {
	e, delay := v.of(p), time.Duration(0)
	if p == Index {
		if e.Version > 0 {
			delay = IndexDelay
		}
		e.Version++
		e.key = [keySize]byte(randomBytes(keySize))
	} else {
		e.Version = 1
		fresh, err := withNewKey(e.set)
		if err != nil {
			return DataKey{}, err
		}
		e.set = fresh
	}
	return v.save(ctx, tx, kek, e, delay)
}

func (v vault) save(ctx context.Context, tx pg.Tx, kek KEK, e entry, delay time.Duration) (DataKey, error) {
	row, err := e.wrap(kek)
	if err != nil {
		return DataKey{}, err
	}
	if e.ActiveFrom, err = saveDataKey(ctx, tx, row, delay); err != nil {
		return DataKey{}, err
	}
	switch {
	case e.Purpose != Index:
		return setKey(e, e.set.KeysetInfo().GetPrimaryKeyId()), nil
	case delay > 0:
		return DataKey{Index, uint32(e.Version), Pending, e.ActiveFrom}, nil
	}
	return DataKey{Index, uint32(e.Version), Current, e.ActiveFrom}, nil
}

// retirable says why a key cannot go.
func (v vault) retirable(p Purpose, id uint32, at time.Time) error {
	var successor time.Time
	for _, k := range v.keys(p, at) {
		if k.State == Current {
			successor = k.From
		}
		switch {
		case k.ID != id:
		case k.State != Old:
			return ErrKeyInUse
		case at.Sub(successor) < Settle:
			return ErrTooSoon
		default:
			return nil
		}
	}
	return ErrNoKey
}

// retire removes a key that is retirable.
func (v vault) retire(ctx context.Context, tx pg.Tx, kek KEK, p Purpose, id uint32) error {
	switch {
	case p == Index:
		return deleteDataKey(ctx, tx, keyRow{Purpose: Index, Version: int16(id)})
	case id == LegacyID:
		return deleteDataKey(ctx, tx, keyRow{Purpose: legacy, Version: 1})
	}
	e := v.of(p)
	m := keyset.NewManagerFromHandle(e.set)
	if err := m.Delete(id); err != nil {
		return err
	}
	var err error
	if e.set, err = m.Handle(); err != nil {
		return err
	}
	return rewrapEntry(ctx, tx, kek, e)
}
