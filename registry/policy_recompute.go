package registry

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/pmcc"
)

// Recompute decides anew the people whose values are of an older policy than the newest, a batch in
// a transaction: a recomputation that was stopped goes on where it is called again, and two at once
// do no harm. It returns how many people it computed.
//
// Whoever writes people meanwhile goes by the newest policy already; a transaction that began before
// it was applied may leave somebody behind, whom a second pass finds.
func (s *Store) Recompute(ctx context.Context, db *pg.Pool, workers int, now func() time.Time, done func(people, of int64)) (int64, error) {
	policy, err := s.Policy(ctx, db, now())
	if err != nil {
		return 0, err
	}
	all, err := countPeople(ctx, db)
	if err != nil {
		return 0, err
	}
	var sum atomic.Int64
	for {
		before := sum.Load()
		work := func() func(context.Context, []PersonID) error {
			var b *Bulk
			return func(ctx context.Context, people []PersonID) (err error) {
				if b == nil {
					if b, err = s.NewBulk(ctx, db, now); err != nil {
						return err
					}
				}
				if err := b.again(ctx, people); err != nil {
					return err
				}
				n := sum.Add(int64(len(people)))
				if done != nil {
					done(n, all)
				}
				return nil
			}
		}
		if err := each(ctx, workers, everybody(db, &policy.Version), work); err != nil || sum.Load() == before {
			return sum.Load(), err
		}
	}
}

// again computes some people in one transaction, which is tried again where it meets others'. Who
// was merged into somebody meanwhile is left to them.
func (b *Bulk) again(ctx context.Context, people []PersonID) error {
	for try := 1; ; try++ {
		b.reset(Chunk{})
		err := pg.InTx(ctx, b.db, func(tx pg.Tx) error {
			roots, err := standing(ctx, tx, people)
			if err != nil {
				return err
			}
			touched := make(map[PersonID]bool, len(roots))
			for _, id := range roots {
				touched[id] = true
				b.stood[id] = id
			}
			return b.renew(ctx, tx, touched, &lookUp{})
		})
		if err == nil || !collided(err) || try == attempts {
			return err
		}
	}
}

// obey has a chunk go by the newest policy, though the load began under another.
func (b *Bulk) obey(ctx context.Context, tx pg.Tx) error {
	policy, err := b.store.Policy(ctx, tx, b.now())
	if err == nil && policy != b.policy {
		b.policy, b.computer = policy, pmcc.NewComputer(policy)
	}
	return err
}
