package pg

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Group gathers statements that are asked for at the same time into one round trip and one commit.
// It is a [DB] whose Exec and QueryRow travel together; each returns when its own commit is
// durable, and with its own outcome, as if it had been alone. Nobody is waited for: a statement
// that finds a lane free goes at once, and those that come meanwhile are the next batch.
//
// A batch is one transaction. When a statement of it fails, all of it is rolled back and every
// statement is run again by itself, so that only the one at fault has an error. The same happens
// to a batch that meets a row somebody else holds: it lets go of its own rows soon, which keeps
// two of them from waiting for each other. What takes long keeps no lane.
//
// Statements must be whole by themselves: one that reads its row and later writes it belongs into
// a transaction. Several that belong together, and wait for nothing, are a [Group.Together]. A
// context that ends takes nothing back: what was asked is done.
type Group struct {
	pool  *Pool
	lanes int // batches under way at once
	locks bool

	patience time.Duration // how long others wait for a lane; then it is theirs too

	mu      sync.Mutex
	flying  int
	waiting []*seat
}

// seat is one statement in a batch.
type seat struct {
	ctx  context.Context
	sql  string
	args []any
	dest []any       // of QueryRow
	row  bool        // QueryRow, else Exec
	key  []byte      // where it stands in a batch; nil: in the order it came
	more []statement // that belong to the same request; sql is unused
	tag  pgconn.CommandTag
	err  error
	solo bool      // its batch was rolled back
	turn chan bool // true: lead the next batch; false: it is done
}

const (
	batchSize    = 64               // statements: bounds what one failure runs again
	batchTimeout = 15 * time.Second // of a whole batch
	lockPatience = "100ms"          // far less than PostgreSQL's deadlock_timeout of one second
	lanePatience = 200 * time.Millisecond
)

var errInterrupted = errors.New("the batch of this statement broke off")

// Shared are a process's groups, for the statements of its hot paths.
type Shared struct {
	Writes *Group // one lane: while one batch is made durable, the next one fills
	Reads  *Group
	Tries  *Group // at passwords: they lock counters, and may wait for each other but for nobody else
}

// Share makes the groups of a process.
func Share(pool *Pool) *Shared {
	return &Shared{Writes: NewGroup(pool, 1), Reads: NewReaders(pool, 1), Tries: NewGroup(pool, 1)}
}

// NewGroup gathers statements that write, on so many connections of the pool at once.
func NewGroup(pool *Pool, lanes int) *Group {
	return &Group{pool: pool, lanes: lanes, locks: true, patience: lanePatience}
}

// NewReaders gathers statements that only read, and so wait for no lock.
func NewReaders(pool *Pool, lanes int) *Group {
	return &Group{pool: pool, lanes: lanes, patience: lanePatience}
}

// Exec runs a statement in a batch.
func (g *Group) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	s := &seat{ctx: ctx, sql: sql, args: args}
	err := g.run(s)
	return s.tag, err
}

// QueryRow runs in a batch when its row is scanned.
func (g *Group) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return groupRow{g, &seat{ctx: ctx, sql: sql, args: args, row: true}}
}

type groupRow struct {
	g *Group
	s *seat
}

// Scan reads the one row.
func (r groupRow) Scan(dest ...any) error {
	r.s.dest = dest
	return r.g.run(r.s)
}

// Query runs by itself.
func (g *Group) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return g.pool.Query(ctx, sql, args...)
}

// SendBatch runs by itself.
func (g *Group) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return g.pool.SendBatch(ctx, b)
}

// run waits for a lane, or for somebody else's batch to bring the outcome.
func (g *Group) run(s *seat) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	if g.enter(s) {
		g.lead(s)
	}
	if s.solo {
		s.alone(g.pool)
	}
	return s.err
}

// enter takes a lane, or waits for one; false when somebody else's batch took the statement.
func (g *Group) enter(s *seat) bool {
	g.mu.Lock()
	if g.flying < g.lanes {
		g.flying++
		g.mu.Unlock()
		return true
	}
	s.turn = make(chan bool, 1)
	g.waiting = append(g.waiting, s)
	g.mu.Unlock()
	return <-s.turn
}

// lead runs the statement and all that wait.
func (g *Group) lead(s *seat) {
	leave := sync.OnceFunc(g.next)
	defer leave()
	defer time.AfterFunc(g.patience, leave).Stop()
	runtime.Gosched() // whoever is about to ask comes along
	batch := g.board(s)
	defer batch.land(s)
	g.fly(batch)
}

// statement is one of several that belong together.
type statement struct {
	sql  string
	args []any
}

// unit gathers what is put off into it; nothing can be asked of it.
type unit struct{ put []statement }

var errUnit = errors.New("a statement that waits for its outcome has no place among those put off together")

func (*unit) Exec(context.Context, string, ...any) (tag pgconn.CommandTag, err error) {
	return tag, errUnit
}

func (*unit) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return pgx.FailedBatchResults(new(pgx.Batch), errUnit).Query()
}

func (*unit) QueryRow(context.Context, string, ...any) pgx.Row {
	return pgx.FailedBatchResults(new(pgx.Batch), errUnit).QueryRow()
}

func (*unit) SendBatch(_ context.Context, b *pgx.Batch) pgx.BatchResults {
	return pgx.FailedBatchResults(b, errUnit)
}

// Together runs what fn puts off with [Later]: all of it or nothing, in a batch with others. What
// must not happen has to be an error of its statement, such as a key that is there already.
func (g *Group) Together(ctx context.Context, fn func(DB) error) error {
	var u unit
	if err := fn(&u); err != nil {
		return err
	}
	return g.run(&seat{ctx: ctx, more: u.put})
}

type batch []*seat

// Ordered is the group for one statement that locks rows which others lock too: in every batch the
// statements go by their keys, so that two processes take their locks in one order.
func (g *Group) Ordered(key []byte) DB { return ordered{g, key} }

type ordered struct {
	*Group
	key []byte
}

// Exec runs a statement at its place in a batch.
func (o ordered) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	s := &seat{ctx: ctx, sql: sql, args: args, key: o.key}
	err := o.run(s)
	return s.tag, err
}

// QueryRow runs at its place in a batch when its row is scanned.
func (o ordered) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return groupRow{o.Group, &seat{ctx: ctx, sql: sql, args: args, row: true, key: o.key}}
}

// board fills a batch behind its leader.
func (g *Group) board(leader *seat) batch {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), batchSize-1)
	all := make(batch, 0, n+1)
	all = append(append(all, leader), g.waiting[:n]...)
	for _, s := range all {
		s.err = errInterrupted
	}
	g.waiting = g.waiting[:copy(g.waiting, g.waiting[n:])]
	slices.SortStableFunc(all, func(a, b *seat) int { return bytes.Compare(a.key, b.key) })
	return all
}

// land tells all but the leader, who knows.
func (b batch) land(leader *seat) {
	for _, s := range b {
		if s != leader {
			s.turn <- false
		}
	}
}

// next hands the lane to the first who waits.
func (g *Group) next() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.flying--
		return
	}
	first := g.waiting[0]
	g.waiting = g.waiting[:copy(g.waiting, g.waiting[1:])]
	first.turn <- true
}

// fly runs a batch; the statements of one that was rolled back are run by who asked.
func (g *Group) fly(b batch) {
	if len(b) == 1 {
		b[0].alone(g.pool)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b[0].ctx), batchTimeout)
	defer cancel()
	err := g.together(ctx, b)
	var refused *pgconn.PgError
	var unsent pgx.ErrPreprocessingBatch
	switch {
	case err == nil:
	case errors.As(err, &refused) && refused.Severity != "FATAL", errors.As(err, &unsent), pgconn.SafeToRetry(err):
		for _, s := range b {
			s.solo = true
		}
	default: // whether it was committed is unknown
		for _, s := range b {
			s.err = err
		}
	}
}

// alone runs one statement.
func (s *seat) alone(pool *Pool) {
	if s.more != nil {
		var b pgx.Batch
		s.queue(&b)
		s.err = pool.SendBatch(s.ctx, &b).Close()
		return
	}
	if s.row {
		s.err = pool.QueryRow(s.ctx, s.sql, s.args...).Scan(s.dest...)
		return
	}
	s.tag, s.err = pool.Exec(s.ctx, s.sql, s.args...)
}

// together runs all of a batch in the one transaction that PostgreSQL makes of a pipeline, whose
// COMMIT is the end of the pipeline. It returns the error that rolled it back.
func (g *Group) together(ctx context.Context, b batch) error {
	var all pgx.Batch
	if g.locks {
		all.Queue(`SELECT set_config('lock_timeout', $1, true)`, lockPatience)
	}
	for _, s := range b {
		s.queue(&all)
	}
	results := g.pool.SendBatch(ctx, &all)
	if g.locks {
		_, _ = results.Exec() // its error is Close's
	}
	for _, s := range b {
		s.read(results)
	}
	return results.Close()
}

func (s *seat) queue(b *pgx.Batch) {
	if s.more == nil {
		b.Queue(s.sql, s.args...)
		return
	}
	for _, one := range s.more {
		b.Queue(one.sql, one.args...)
	}
}

// read takes one outcome. No row is an outcome; the error of the batch comes from its end.
func (s *seat) read(results pgx.BatchResults) {
	s.err = nil
	for range s.more {
		if _, err := results.Exec(); err != nil {
			s.err = err
			return
		}
	}
	if s.more != nil {
		return
	}
	if s.row {
		s.err = results.QueryRow().Scan(s.dest...)
		return
	}
	s.tag, s.err = results.Exec()
}
