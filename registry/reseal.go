package registry

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry/record"
)

// ErrRekeying: two versions of the index key live; [Store.Rekey] must end first.
var ErrRekeying = fail.New(fail.Conflict, "index_rekeying")

// Renewed counts what was sealed or indexed anew.
type Renewed struct {
	People, Records, Overrides, Documents int64
}

// resealBatch is how many rows one transaction renews.
const resealBatch = 500

// Reseal seals everything of the registry again whose key is not the one that seals now, while
// everybody works on: an old key opens until it is retired. A run that was ended goes on where
// values of old keys are left. When one finds nothing, the old keys may be retired.
func (s *Store) Reseal(ctx context.Context, db *pg.Pool) (n Renewed, err error) {
	if err := s.resealKey(ctx, db); err != nil {
		return n, err
	}
	if n.People, err = s.each(ctx, db, s.resealPeople); err != nil {
		return n, err
	}
	cipher := s.box.Class(recordPurpose)
	if n.Records, err = secret.Renew(ctx, db, cipher, recordsAfter, replaceContent); err != nil {
		return n, err
	}
	first, err := secret.Renew(ctx, db, cipher, firstAfter, replaceFirst)
	n.Records += first
	if err != nil {
		return n, err
	}
	n.Overrides, err = secret.Renew(ctx, db, cipher, overridesAfter, replaceOverride)
	return n, err
}

// cursor is the last row of a batch.
type cursor struct{ person, id uuid.UUID }

// each runs batches until one is empty, each in a transaction of its own.
func (s *Store) each(ctx context.Context, db *pg.Pool, batch func(ctx context.Context, tx pg.Tx, from cursor) (to cursor, renewed int64, err error)) (total int64, err error) {
	var at cursor
	for more := true; more; {
		err := pg.InTx(ctx, db, func(tx pg.Tx) error {
			to, n, err := batch(ctx, tx, at)
			more, total = to != at, total+n
			at = to
			return err
		})
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (s *Store) resealPeople(ctx context.Context, tx pg.Tx, from cursor) (cursor, int64, error) {
	rows, err := peopleAfter(ctx, tx, from.person)
	if err != nil || len(rows) == 0 {
		return from, 0, err
	}
	var renewed int64
	for _, r := range rows {
		from.person = r.id
		fresh, err := s.resealParts(r.id, r.sealed)
		if err != nil {
			return from, renewed, err
		}
		if fresh == nil {
			continue
		}
		renewed++
		if err := replaceParts(ctx, tx, r.id, fresh); err != nil {
			return from, renewed, err
		}
	}
	return from, renewed, nil
}

// resealParts is nil when every part is sealed by its current key.
func (s *Store) resealParts(id PersonID, sealed Sealed) (Sealed, error) {
	var fresh Sealed
	for part, column := range sealed {
		cipher := s.box.Class(purposes[part])
		if column == nil || cipher.Current(column) {
			continue
		}
		plain, err := cipher.Open(column, aad(id, part))
		if err != nil {
			return nil, err
		}
		if fresh == nil {
			fresh = append(Sealed(nil), sealed...)
		}
		fresh[part] = cipher.Seal(plain, aad(id, part))
	}
	return fresh, nil
}

// Rekey makes the look-up by CPF and CNPJ anew under the newest index key and then takes the old
// ways away. Until it ends, everybody is found by either. Batch loads refuse to run meanwhile.
func (s *Store) Rekey(ctx context.Context, db *pg.Pool) (n Renewed, err error) {
	primary := s.box.IndexVersion()
	for _, old := range s.box.IndexVersions() {
		if old >= primary {
			continue // pending: not yet used by everybody
		}
		for left := true; left; { // an old row may come in behind the pass
			documents, err := s.each(ctx, db, func(ctx context.Context, tx pg.Tx, from cursor) (cursor, int64, error) {
				return s.rekeyBatch(ctx, tx, old, primary, from)
			})
			n.Documents += documents
			if err != nil {
				return n, err
			}
			if left, err = anyOf(ctx, db, old); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (s *Store) rekeyBatch(ctx context.Context, tx pg.Tx, old, fresh int16, from cursor) (cursor, int64, error) {
	rows, err := indexAfter(ctx, tx, old, from.id)
	if err != nil || len(rows) == 0 {
		return from, 0, err
	}
	var renewed int64
	for _, r := range rows {
		from.id = r.index
		document, err := s.documentOf(ctx, tx, r, old)
		if err != nil {
			return from, renewed, err
		}
		index := uuid.UUID(s.box.IndexAt(fresh, "cpf", []byte(document))[:16])
		if err := replaceIndex(ctx, tx, r, index, fresh); err != nil {
			return from, renewed, err
		}
		renewed++
	}
	return from, renewed, nil
}

// indexRow is one way to a person.
type indexRow struct {
	index  uuid.UUID
	person PersonID
}

var errNoDocument = errors.New("no record of the person holds the document that leads to them")

// documentOf finds the number behind an index: it stands in a record that was filed under the
// person it leads to.
func (s *Store) documentOf(ctx context.Context, tx pg.Tx, r indexRow, version int16) (string, error) {
	records, err := s.recordsOf(ctx, tx, []PersonID{r.person}, uuid.Nil)
	if err != nil {
		return "", err
	}
	for _, rec := range records[r.person] {
		_, values, err := rec.Content.Open()
		if err != nil {
			return "", err
		}
		for v, ok := values.Next(); ok; v, ok = values.Next() {
			if v.Field != record.CPF && v.Field != record.CNPJ {
				continue
			}
			if uuid.UUID(s.box.IndexAt(version, "cpf", v.Text)[:16]) == r.index {
				return string(v.Text), nil
			}
		}
	}
	return "", errNoDocument
}

// waits is how long something may wait that is sealed under the general key and is not sealed again:
// letters that were given up stay a week.
const waits = 8 * 24 * time.Hour

// RetireOld removes old keys: of the index after a [Store.Rekey], else of the classes after a
// [Store.Reseal] and all that is sealed again beside it; either has just found nothing. Of the general
// class they go only when nothing can wait any more that they have sealed. Errors are those of
// secret.Retire; the first ends it.
func RetireOld(ctx context.Context, db *pg.Pool, kek secret.KEK, index bool, now time.Time) (retired []secret.DataKey, err error) {
	all, err := secret.List(ctx, db, kek)
	if err != nil {
		return nil, err
	}
	needed := false         // an old general key still is
	for _, k := range all { // a purpose's newest first
		if k.Purpose == secret.General && k.State == secret.Current {
			needed = now.Sub(k.From) < waits
		}
		if k.State != secret.Old || (k.Purpose == secret.Index) != index || k.Purpose == secret.General && needed {
			continue
		}
		if err := secret.Retire(ctx, db, kek, k.Purpose, k.ID); err != nil {
			return retired, err
		}
		retired = append(retired, k)
	}
	return retired, nil
}
