package audit

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
)

// RecordTx stores events with the caller's transaction: they are there when it commits, and never
// were when it does not. They join the chain at the next batch of any process, within a second; until
// then they lie in audit_pending, where somebody with the database's password could take them away
// unseen. An event without a time is of now. Errors: ErrEvent, the database's, which may come with
// the transaction's next statement.
func RecordTx(ctx context.Context, tx pg.Tx, events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	ready, err := prepare(events, time.Now())
	if err != nil {
		return err
	}
	return insertPending(ctx, tx, ready)
}

// AppendTx stores events as RecordTx does, in a batch of their own: for a job that has many and no more
// to do but commit, because until then the chain is held for it alone. An event without a time, and the
// batch, are of now.
func AppendTx(ctx context.Context, tx pg.Tx, now time.Time, events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	ready, err := prepare(events, now)
	if err != nil {
		return err
	}
	if err := limitIdling(ctx, tx); err != nil {
		return err
	}
	before, _, err := lockHead(ctx, tx)
	if err != nil {
		return err
	}
	_, err = write(ctx, tx, before, ready, map[time.Time]bool{}, now)
	return err
}

// append writes one batch of events and of what is pending, if there is any of either; more says
// that further events are pending.
func (w *Writer) append(events []Event) (more bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var last head
	err = pg.InTx(ctx, w.db, func(tx pg.Tx) error {
		before, pending, err := lockHead(ctx, tx)
		if err != nil {
			return err
		}
		all := events
		if pending {
			waited, err := takePending(ctx, tx, maxBatch)
			if err != nil {
				return err
			}
			all, more = append(waited, all...), len(waited) == maxBatch
		}
		if len(all) == 0 {
			return nil
		}
		last, err = write(ctx, tx, before, append(all, w.cut(before)...), w.months, w.now())
		return err
	})
	if err != nil {
		clear(w.months) // those just made are gone again
		return false, fmt.Errorf("audit: %w", err)
	}
	if last.Seq > 0 {
		w.last = last
	}
	return more, nil
}

// write puts a batch behind before. Its statements travel with COMMIT. months are those whose
// partitions are known to be there, and become so.
func write(ctx context.Context, tx pg.Tx, before head, events []Event, months map[time.Time]bool, now time.Time) (head, error) {
	for _, e := range events {
		if months[e.month()] {
			continue
		}
		if err := makeMonth(ctx, tx, e.month()); err != nil {
			return head{}, err
		}
		months[e.month()] = true
	}
	b := before.next(events, now)
	if err := insertEvents(ctx, tx, b.Seq, events); err != nil {
		return head{}, err
	}
	return b.head(), insertBatch(ctx, tx, b)
}

// cut is the event that says that the chain ends before a batch that this process has seen at its
// end: somebody has taken batches away. It is recorded and logged, and Verify names it; nothing is
// refused, because a database that lost its last seconds in a failover must not stop the city.
func (w *Writer) cut(now head) []Event {
	if now.Seq > w.last.Seq || now.Seq == w.last.Seq && bytes.Equal(now.Hash, w.last.Hash) || w.last.Seq == 0 {
		return nil
	}
	w.log.Error("audit: the chain was cut", "seq", now.Seq, "seen", w.last.Seq)
	events, _ := prepare([]Event{{Actor: Actor{System, "audit"}, Action: actionCut, Detail: map[string]string{
		"seq": strconv.FormatInt(w.last.Seq, 10), "hash": fmt.Sprintf("%x", w.last.Hash)}}}, w.now()) // valid, as written here
	return events
}

const actionCut = "audit.chain_cut"
