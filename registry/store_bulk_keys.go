package registry

import (
	"context"

	"github.com/loginunico/loginunico/internal/pg"
)

// The index by which loads find records costs a first load more than all else the database does for
// it, and a first load looks for none. So it is away while first loads fill an empty registry, and
// made when the last of them ends. Whoever needs it waits for that, on an advisory lock that first
// loads share; a load that is killed leaves it to whoever is next. Away, it is missed only in time.

// BeginFirst takes the index of record keys away if no record was ever filed. done, when all is
// filed, brings it back, unless another first load is still at it; abandon does nothing after done.
func BeginFirst(ctx context.Context, db *pg.Pool) (done func(context.Context) error, abandon func(), err error) {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	ended := false
	abandon = func() {
		if !ended {
			_ = conn.Conn().Close(context.WithoutCancel(ctx)) // releases the lock; the pool opens another
			conn.Release()
			ended = true
		}
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock_shared(hashtextextended('record_key', 156)), record_key_index(false)`); err != nil {
		abandon()
		return nil, nil, err
	}
	done = func(ctx context.Context) error {
		defer abandon()
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock_shared(hashtextextended('record_key', 156))`); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, `SELECT record_key_index(true) WHERE pg_try_advisory_lock(hashtextextended('record_key', 156))`)
		return err
	}
	return done, abandon, nil
}

// EnsureKeys makes the index of record keys where a load that was killed has left it away; it waits
// for first loads that are at work.
func EnsureKeys(ctx context.Context, db *pg.Pool) error {
	return pg.InTx(ctx, db, func(tx pg.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('record_key', 156))`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `SELECT record_key_index(true)`)
		return err
	})
}
