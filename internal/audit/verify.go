package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

// Fault is the first thing that is not as it was written.
type Fault struct {
	Batch int64     // 0: not one batch
	Place int       // of the event in the batch; -1: the batch itself
	Event uuid.UUID // as it stands now; zero: gone, or not one event
	Day   string    // of the root; "": not a root
	What  string
}

// Error names batch, event or root.
func (f *Fault) Error() string {
	switch {
	case f.Day != "":
		return fmt.Sprintf("root of %s: %s", f.Day, f.What)
	case f.Place < 0:
		return fmt.Sprintf("batch %d: %s", f.Batch, f.What)
	case f.Event == uuid.Nil:
		return fmt.Sprintf("batch %d, event %d: %s", f.Batch, f.Place, f.What)
	}
	return fmt.Sprintf("batch %d, event %d (%s): %s", f.Batch, f.Place, f.Event, f.What)
}

// Options say what to verify. The zero value is everything.
type Options struct {
	From, To time.Time // batches from ≤ at < to; zero: no limit
	Roots    []string  // kept elsewhere: compact JWS, as Root.JWS
}

// Report is what was found in order.
type Report struct {
	First, Last int64 // batches, 0 when there are none
	Events      int64
	Roots       int       // of the database
	Kept        int       // of Options.Roots
	LastRoot    string    // day of the last root in the database
	Pending     int64     // events without a batch yet
	At          time.Time // of the last batch
	Head        []byte    // its hash
}

// window is how many batches are read at once: memory depends on it and on the largest batch alone.
const window = 256

// Verify computes every hash anew, from the events up, compares the chain with the signed roots in
// the database and with those kept elsewhere, and returns a *Fault for the first difference. Batches
// written meanwhile are left out. Without roots from elsewhere, somebody who may write to the
// database and has the key-encryption key can have replaced everything.
func Verify(ctx context.Context, db *pg.Pool, o Options) (Report, error) {
	var report Report
	first, end, err := bounds(ctx, db, o.From, o.To)
	if err != nil {
		return report, fmt.Errorf("audit verify: %w", err)
	}
	err = verifyChain(ctx, db, first, end, !o.To.IsZero(), &report)
	if err == nil {
		err = verifyRoots(ctx, db, o, &report)
	}
	if err == nil {
		report.Pending, err = countPending(ctx, db)
	}
	if _, fault := errors.AsType[*Fault](err); err != nil && !fault {
		err = fmt.Errorf("audit verify: %w", err)
	}
	return report, err
}

// verifyChain verifies the batches first … end; limited says that more of them may follow.
func verifyChain(ctx context.Context, db *pg.Pool, first, end int64, limited bool, report *Report) error {
	c := chain{report: report, at: head{Hash: noBatch}, hashes: newRoots()}
	if first > 1 {
		var err error
		if c.at, err = batchHead(ctx, db, first-1); pg.NoRows(err) {
			return &Fault{Batch: first - 1, Place: -1, What: "is missing"}
		} else if err != nil {
			return err
		}
	}
	for ; first <= end; first += window {
		last := min(first+window-1, end)
		batches, err := batchesBetween(ctx, db, first, last)
		if err != nil {
			return err
		}
		c.waiting = batches
		low := first
		if first == 1 { // and whatever lies before
			low = math.MinInt64
		}
		if err := eventsBetween(ctx, db, low, last, c.event); err != nil {
			return err
		}
		if err := c.rest(last); err != nil {
			return err
		}
	}
	if !limited {
		return strayEvent(ctx, db, end)
	}
	return nil
}

// chain follows batches and events, both in order.
type chain struct {
	report  *Report
	at      head    // the last batch that was right
	waiting []batch // of the window, not all of whose events were seen
	seen    int     // events of waiting[0]
	hashes  *roots
}

// event takes the next event; those of the batches before it are then complete.
func (c *chain) event(seq int64, place int, e *Event) error {
	for len(c.waiting) > 0 && c.waiting[0].Seq < seq {
		if err := c.finish(); err != nil {
			return err
		}
	}
	if seq <= c.at.Seq {
		return &Fault{Batch: seq, Place: place, Event: e.ID, What: "belongs to no batch"}
	}
	if len(c.waiting) == 0 || c.waiting[0].Seq > seq {
		return c.missing()
	}
	b := &c.waiting[0]
	if c.seen == 0 {
		if err := c.link(b); err != nil {
			return err
		}
	}
	switch {
	case place > c.seen && c.seen < b.Events:
		return &Fault{Batch: seq, Place: c.seen, What: "is missing"}
	case place != c.seen || c.seen >= b.Events:
		return &Fault{Batch: seq, Place: place, Event: e.ID, What: "was added later"}
	case e.Action == actionCut:
		return &Fault{Batch: seq, Place: place, Event: e.ID, What: "says that batches up to " + e.Detail["seq"] + " stood before it and were cut off"}
	}
	if !bytes.Equal(c.hashes.add(e), b.mark(place)) {
		return &Fault{Batch: seq, Place: place, Event: e.ID, What: "is not what was written"}
	}
	c.seen++
	c.report.Events++
	return nil
}

// rest finishes the window, up to batch last.
func (c *chain) rest(last int64) error {
	for len(c.waiting) > 0 {
		if err := c.finish(); err != nil {
			return err
		}
	}
	if c.at.Seq < last {
		return c.missing()
	}
	return nil
}

// missing is the fault of the batch after the last right one, when it is not there.
func (c *chain) missing() error {
	return &Fault{Batch: c.at.Seq + 1, Place: -1, What: "is missing"}
}

// link looks at how a batch follows the one before.
func (c *chain) link(b *batch) error {
	switch {
	case b.Seq != c.at.Seq+1:
		return c.missing()
	case !b.follows(c.at):
		return &Fault{Batch: b.Seq, Place: -1, What: fmt.Sprintf("does not follow batch %d", c.at.Seq)}
	case b.At.Before(c.at.At):
		return &Fault{Batch: b.Seq, Place: -1, What: "is older than the one before"}
	case !bytes.Equal(b.Hash, b.sum()):
		return &Fault{Batch: b.Seq, Place: -1, What: "is not what was written"}
	}
	return nil
}

// finish closes the first waiting batch, all of whose events were given.
func (c *chain) finish() error {
	b := &c.waiting[0]
	if c.seen == 0 { // its first event would have done it
		if err := c.link(b); err != nil {
			return err
		}
	}
	if c.seen < b.Events {
		return &Fault{Batch: b.Seq, Place: c.seen, What: "is missing"}
	}
	if !bytes.Equal(c.hashes.root(), b.Root) {
		return &Fault{Batch: b.Seq, Place: -1, What: "its events are not what was written"}
	}
	if c.report.First == 0 {
		c.report.First = b.Seq
	}
	c.at = b.head()
	c.report.Last, c.report.At, c.report.Head = b.Seq, b.At, b.Hash
	c.waiting, c.seen = c.waiting[1:], 0
	c.hashes.reset()
	return nil
}

// strayEvent looks for an event beyond the chain's end, written by nobody's batch.
func strayEvent(ctx context.Context, db *pg.Pool, end int64) error {
	seq, place, id, err := eventWithoutBatch(ctx, db, end)
	if pg.NoRows(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return &Fault{Batch: seq, Place: place, Event: id, What: "belongs to no batch"}
}
