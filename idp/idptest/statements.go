package idptest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

// statements are the SQL of HTTP requests, in order; jobs in the background are left out.
type statements struct {
	mu  sync.Mutex
	all []string
}

type ofRequest struct{}

// TraceQueryStart notes a statement that a request runs.
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.note(ctx, data.SQL)
	return ctx
}

func (s *statements) note(ctx context.Context, sql string) {
	if ctx.Value(ofRequest{}) != nil && !strings.Contains(sql, "pg_notify") { // the queue wakes its worker now and then
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all = append(s.all, sql)
	}
}

// TraceBatchStart notes the statements of a batch, which a transaction sends together.
func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	for _, q := range data.Batch.QueuedQueries {
		s.note(ctx, q.SQL)
	}
	return ctx
}

// TraceBatchQuery notes nothing.
func (s *statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd notes nothing.
func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TraceQueryEnd notes nothing.
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Statements returns the SQL that requests have run since the last call, in order.
func (c *City) Statements() []string {
	c.statements.mu.Lock()
	defer c.statements.mu.Unlock()
	all := c.statements.all
	c.statements.all = nil
	return all
}

// Serve answers a request without a network between: from any address, and as often as one likes.
func (c *City) Serve(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	c.Echo.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ofRequest{}, true)))
	return w.Result()
}

// database is one of the test's own that notes statements.
func database(t testing.TB, s *statements) *pg.Pool {
	t.Helper()
	cfg := must(pg.Config(testpg.URL(t), 16))(t)
	cfg.ConnConfig.Tracer = s
	pool := must(pg.OpenConfig(t.Context(), cfg))(t)
	t.Cleanup(pool.Close)
	return pool
}
