package pg

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pool is the connection pool, named here so that constructors need not import pgx.
type Pool = pgxpool.Pool

// Tx is one transaction.
type Tx = pgx.Tx

// DB is what a store function receives: *Pool and Tx both satisfy it, so the caller alone
// decides whether a statement runs by itself or inside a transaction.
type DB interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Beginner opens transactions: a *Pool, or a Tx, where it is a savepoint.
type Beginner interface {
	Begin(ctx context.Context) (Tx, error)
}

// Open connects to url (postgres://… or libpq keywords) and keeps exactly maxConns connections
// open, so that no request pays for a handshake; the rest of them are opened behind the first.
// Statements are prepared once per connection and cached.
//
// It returns an error when url does not parse or the server does not answer before ctx ends.
func Open(ctx context.Context, url string, maxConns int32) (*Pool, error) {
	cfg, err := Config(url, maxConns)
	if err != nil {
		return nil, err
	}
	cfg.MinConns = maxConns
	return OpenConfig(ctx, cfg)
}

// OpenConfig is Open for a Config that the caller has changed.
func OpenConfig(ctx context.Context, cfg *pgxpool.Config) (*Pool, error) {
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("database pool: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	return pool, nil
}

// Config is how every connection of ours is set up, in a pool that opens them as they are needed.
func Config(url string, maxConns int32) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database url: %w", err)
	}
	cfg.MaxConns = maxConns
	cfg.MaxConnLifetime, cfg.MaxConnLifetimeJitter = time.Hour, 10*time.Minute
	cfg.MaxConnIdleTime = 24 * time.Hour // a fixed pool does not shrink at night
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		registerTypes(c.TypeMap())
		return nil
	}
	params := cfg.ConnConfig.RuntimeParams
	params["application_name"] = cmp.Or(params["application_name"], "loginunico")
	params["timezone"] = "UTC"
	for name, value := range planning {
		params[name] = cmp.Or(params[name], value)
	}
	return cfg, nil
}

// planning makes a statement's plan depend on its indexes and not on when it was made. PostgreSQL
// keeps the plan of a prepared statement; one made while a table was empty reads the whole table,
// and goes on doing so as the table grows, until statistics happen to be gathered again. Every
// statement of ours on a table that grows has an index, so scans are for where there is none. Before
// there are statistics a look-up by ANY seems worth several processes, whose start takes 20 ms.
var planning = map[string]string{
	"plan_cache_mode":                 "force_generic_plan", // plan once per connection, not once per value
	"enable_seqscan":                  "off",                // a last resort, not forbidden
	"max_parallel_workers_per_gather": "0",
	"jit":                             "off", // a scan's price would set it off; it pays for none of our statements
}

// NewID returns a UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then a counter, then random
// bits, so that the ids of this process sort by the moment they were made.
func NewID() uuid.UUID {
	return uuid.Must(uuid.NewV7())
}

// FirstID is the least UUIDv7 of a moment, cut to the millisecond: rows whose ids lie below were begun
// before it. So a purge goes along a primary key, and what it looks for needs no index of its own.
func FirstID(at time.Time) (id uuid.UUID) {
	ms := max(at.UnixMilli(), 0)
	binary.BigEndian.PutUint64(id[:8], uint64(ms)<<16)
	id[6], id[8] = 0x70, 0x80
	return id
}
