package visitor

import (
	"context"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/internal/secret"
)

// Rekey finds every number by the newest index key, and by no other, while everybody works on: until
// it has ended, a number is found by either. It returns how many it has made anew; when one finds
// nothing, the old key may be retired.
func (s *Visitors) Rekey(ctx context.Context, db *pg.Pool) (n int64, err error) {
	version := s.box.IndexVersion()
	for more := true; more && err == nil; {
		err = pg.InTx(ctx, db, func(tx pg.Tx) error {
			old, err := olderThan(ctx, tx, version)
			more = len(old) > 0
			for _, r := range old {
				if err := s.rekey(ctx, tx, r, version); err != nil {
					return err
				}
				n++
			}
			return err
		})
	}
	return n, err
}

func (s *Visitors) rekey(ctx context.Context, tx pg.Tx, r row, version int16) error {
	plain, err := s.box.Class(secret.Contact).Open(r.sealed, aad(r.index))
	if err != nil {
		return err
	}
	return replaceIndex(ctx, tx, r.index, s.row(phone.Number(plain), r.person, version))
}
