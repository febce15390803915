package pg

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// InTx runs fn inside a transaction of db and commits when fn returns nil. An error of fn, or a
// panic, rolls everything back; the error comes back as it is.
//
// On a pool, BEGIN travels with the first statement, and what [Later] has put off with the next
// one or with COMMIT: each saves a round trip.
func InTx(ctx context.Context, db Beginner, fn func(Tx) error) error {
	if pool, ok := db.(*Pool); ok {
		db = pipelines{pool}
	}
	return pgx.BeginFunc(ctx, db, fn)
}

// Later runs a statement whose outcome nobody looks at. In a transaction of [InTx] it is sent with
// the next statement, and its error comes back there, or from COMMIT: either way nothing is
// committed. In [Group.Together] it is one of those. Elsewhere it runs at once.
func Later(ctx context.Context, db DB, sql string, args ...any) error {
	if p, ok := db.(*pipeline); ok {
		if p.closed {
			return pgx.ErrTxClosed
		}
		p.queued.Queue(sql, args...)
		return nil
	}
	if u, ok := db.(*unit); ok {
		u.put = append(u.put, statement{sql, args})
		return nil
	}
	_, err := db.Exec(ctx, sql, args...)
	return err
}

type pipelines struct{ pool *Pool }

// Begin asks nothing of the database yet.
func (p pipelines) Begin(context.Context) (Tx, error) {
	b := new(pgx.Batch)
	b.BeginTx(pgx.TxOptions{})
	return &pipeline{pool: p.pool, queued: b}, nil
}

// pipeline is a transaction that begins with its first statement.
type pipeline struct {
	pool   *Pool
	conn   *pgxpool.Conn // nil: nothing was sent yet
	tx     pgx.Tx        // on conn, from the first batch on
	queued *pgx.Batch    // not sent yet
	closed bool
}

// send sends what is queued and reads past the outcome of all but the last n statements. The
// caller closes the results.
func (p *pipeline) send(ctx context.Context, n int) (pgx.BatchResults, error) {
	if p.closed {
		return nil, pgx.ErrTxClosed
	}
	if p.conn == nil {
		conn, err := p.pool.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		p.conn = conn
	}
	b := p.queued
	p.queued = new(pgx.Batch)
	results := p.conn.Conn().SendBatch(ctx, b)
	if tx := results.Tx(); tx != nil {
		p.tx = tx
	}
	for range b.Len() - n {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // the same error
			return nil, err
		}
	}
	return results, nil
}

// flush leaves nothing queued.
func (p *pipeline) flush(ctx context.Context) error {
	if p.closed {
		return pgx.ErrTxClosed
	}
	if p.queued.Len() == 0 {
		return nil
	}
	results, err := p.send(ctx, 0)
	if err != nil {
		return err
	}
	return results.Close()
}

// Exec sends what is queued and this statement.
func (p *pipeline) Exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	if p.queued.Len() == 0 && !p.closed {
		return p.tx.Exec(ctx, sql, args...)
	}
	p.queued.Queue(sql, args...)
	results, err := p.send(ctx, 1)
	if err != nil {
		return tag, err
	}
	tag, err = results.Exec()
	if closing := results.Close(); err == nil {
		err = closing
	}
	return tag, err
}

// QueryRow is sent, with what is queued, when its row is scanned.
func (p *pipeline) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return row{p, ctx, sql, args}
}

type row struct {
	*pipeline
	ctx  context.Context
	sql  string
	args []any
}

// Scan reads the one row.
func (r row) Scan(dest ...any) error {
	if r.queued.Len() == 0 && !r.closed {
		return r.tx.QueryRow(r.ctx, r.sql, r.args...).Scan(dest...)
	}
	r.queued.Queue(r.sql, r.args...)
	results, err := r.send(r.ctx, 1)
	if err != nil {
		return err
	}
	err = results.QueryRow().Scan(dest...)
	if closing := results.Close(); err == nil {
		err = closing
	}
	return err
}

// Commit sends what is queued and COMMIT. A transaction without statements never was one.
func (p *pipeline) Commit(ctx context.Context) error {
	switch {
	case p.closed:
		return pgx.ErrTxClosed
	case p.conn == nil && p.queued.Len() == 1: // BEGIN
		p.closed = true
		return nil
	case p.queued.Len() == 0:
		defer p.release()
		return p.tx.Commit(ctx)
	}
	tag, err := p.Exec(ctx, "commit")
	if err != nil {
		return err // BeginFunc rolls back
	}
	p.release()
	if tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// Rollback forgets what is queued, and the rest.
func (p *pipeline) Rollback(ctx context.Context) error {
	if p.closed {
		return pgx.ErrTxClosed
	}
	if p.conn == nil {
		p.closed = true
		return nil
	}
	defer p.release()
	return p.tx.Rollback(ctx)
}

// release gives the connection back; the pool drops one that is still in a transaction.
func (p *pipeline) release() {
	p.closed = true
	p.conn.Release()
}

// The rest sends what is queued, then does as every transaction.

func (p *pipeline) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := p.flush(ctx); err != nil {
		return pgx.FailedBatchResults(new(pgx.Batch), err).Query()
	}
	return p.tx.Query(ctx, sql, args...)
}

func (p *pipeline) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := p.flush(ctx); err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	return p.tx.SendBatch(ctx, b)
}

func (p *pipeline) Begin(ctx context.Context) (Tx, error) {
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	return p.tx.Begin(ctx)
}

func (p *pipeline) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := p.flush(ctx); err != nil {
		return 0, err
	}
	return p.tx.CopyFrom(ctx, table, columns, rows)
}

func (p *pipeline) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	return p.tx.Prepare(ctx, name, sql)
}

// Conn is nil where the transaction cannot begin.
func (p *pipeline) Conn() *pgx.Conn {
	if p.flush(context.Background()) != nil {
		return nil
	}
	return p.tx.Conn()
}

func (p *pipeline) LargeObjects() pgx.LargeObjects {
	if p.flush(context.Background()) != nil {
		return pgx.LargeObjects{}
	}
	return p.tx.LargeObjects()
}
