package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
)

// ErrClosed: the writer records no more.
var ErrClosed = errors.New("audit: the writer is closed")

const (
	maxBatch = 1000 // events after which a batch gathers no more
	patience = 10 * time.Second
	poll     = time.Second // how long an event of a transaction waits for its batch, at most
	mostIdle = "10s"       // of a transaction that holds the chain
)

// Writer records events, those of concurrent callers in one commit. It is safe for concurrent use
// and holds one connection of its own, so that callers who hold all of the pool's cannot starve it.
type Writer struct {
	db     *pg.Pool
	log    *slog.Logger
	now    func() time.Time
	in     chan waiter
	stop   chan struct{}
	ended  chan struct{}
	close  sync.Once
	months map[time.Time]bool // partitions known to be there
	last   head               // the last batch seen: a later one must not be lower
}

// waiter is one call of Record; done gets its outcome.
type waiter struct {
	events []Event
	done   chan error
}

// NewWriter makes the partitions of this month and the next three, and starts to write. Close it
// before the database.
func NewWriter(ctx context.Context, db *pg.Pool, log *slog.Logger, now func() time.Time) (*Writer, error) {
	cfg := db.Config()
	cfg.MaxConns, cfg.MinConns = 1, 1
	// A process that stands still must not hold the chain for the others.
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = mostIdle
	own, err := pg.OpenConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	if err := MakeMonths(ctx, own, now()); err != nil {
		own.Close()
		return nil, err
	}
	w := &Writer{db: own, log: log, now: now, in: make(chan waiter), stop: make(chan struct{}), ended: make(chan struct{}),
		months: map[time.Time]bool{}}
	go w.run()
	return w, nil
}

// Record stores events and returns after the commit that holds them. All of them or, with an error,
// none; only where the connection broke in mid-commit, or ctx ended, may they be there all the same.
//
// Inside a transaction, which must not wait for another, it is RecordTx. Errors: ErrEvent, ErrClosed,
// the context's, the database's.
func (w *Writer) Record(ctx context.Context, events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	ready, err := prepare(events, w.now())
	if err != nil {
		return err
	}
	return w.hand(ctx, ready)
}

// Flush returns when every event that was committed by RecordTx before is in the chain.
func (w *Writer) Flush(ctx context.Context) error { return w.hand(ctx, nil) }

func (w *Writer) hand(ctx context.Context, events []Event) error {
	call := waiter{events, make(chan error, 1)}
	select {
	case w.in <- call: // without a buffer: what is taken is answered
	case <-w.ended:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-call.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close writes what is under way and what waits, then lets the connection go.
func (w *Writer) Close() {
	w.close.Do(func() { close(w.stop) })
	<-w.ended
	w.db.Close()
}

func (w *Writer) run() {
	defer close(w.ended)
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		select {
		case call := <-w.in:
			w.commit(w.gather(call))
		case <-ticker.C:
			w.chainPending()
		case <-w.stop:
			w.chainPending()
			return
		}
	}
}

// gather joins all who call right now. Those whose batch has just been committed, and who may call
// again at once, get the processor first.
func (w *Writer) gather(first waiter) []waiter {
	runtime.Gosched()
	calls, n := []waiter{first}, len(first.events)
	for n < maxBatch {
		select {
		case call := <-w.in:
			calls, n = append(calls, call), n+len(call.events)
		default:
			return calls
		}
	}
	return calls
}

// commit appends one batch and tells every caller how it went.
func (w *Writer) commit(calls []waiter) {
	var events []Event
	flush := false
	for _, c := range calls {
		events, flush = append(events, c.events...), flush || c.events == nil
	}
	more, err := w.append(events)
	for err == nil && flush && more {
		more, err = w.append(nil)
	}
	for _, c := range calls {
		c.done <- err
	}
}

// chainPending gives those a batch whose transactions came with no Record. Nobody waits for it, so
// an error is logged, and the next second tries again.
func (w *Writer) chainPending() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	more, err := anyPending(ctx, w.db)
	for err == nil && more {
		more, err = w.append(nil)
	}
	if err != nil {
		w.log.ErrorContext(ctx, "audit: events wait for their batch", "error", err.Error())
	}
}
