package secret

import (
	"context"

	"github.com/loginunico/loginunico/internal/pg"
)

// Stored is one sealed value of a table: the row it lies in and what it is bound to.
type Stored[K comparable] struct {
	Key        K
	Value, AAD []byte
}

// Renew seals again what old keys of a class have sealed in one column, some hundred rows in a
// transaction, while everybody works on: an old key opens until it is retired. It returns how many
// they were; a run that was ended goes on where values of old keys are left.
//
//	next  the rows after a key, in its order and held FOR UPDATE; none ends it
//	put   replaces one row's value
func Renew[K comparable](ctx context.Context, db *pg.Pool, c *Cipher,
	next func(ctx context.Context, tx pg.Tx, after K) ([]Stored[K], error),
	put func(ctx context.Context, tx pg.Tx, key K, value []byte) error) (n int64, err error) {
	var after K
	for more := true; more; {
		err := pg.InTx(ctx, db, func(tx pg.Tx) error {
			rows, err := next(ctx, tx, after)
			more = len(rows) > 0
			for _, r := range rows {
				after = r.Key
				if c.Current(r.Value) {
					continue
				}
				plain, err := c.Open(r.Value, r.AAD)
				if err != nil {
					return err
				}
				n++
				if err := put(ctx, tx, r.Key, c.Seal(plain, r.AAD)); err != nil {
					return err
				}
			}
			return err
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
