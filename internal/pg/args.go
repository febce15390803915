package pg

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
)

// Args are the named arguments of a statement: @name. They are [pgx.NamedArgs] for statements that
// run often: pgx reads the whole SQL for its names at every execution, here it is read once. The
// statement must be a literal, because each different text is kept for good.
type Args map[string]any

// named is a statement as PostgreSQL wants it, $1 for @name, and the names in that order.
type named struct {
	sql   string
	names []string
}

var statements sync.Map // SQL as written → named

// RewriteQuery makes Args a pgx.QueryRewriter.
func (a Args) RewriteQuery(ctx context.Context, conn *pgx.Conn, sql string, _ []any) (string, []any, error) {
	found, ok := statements.Load(sql)
	if !ok || len(found.(named).names) != len(a) { // pgx says which one is missing
		n, err := a.read(ctx, conn, sql)
		if err != nil {
			return "", nil, err
		}
		found, _ = statements.LoadOrStore(sql, n)
	}
	n := found.(named)
	args := make([]any, len(n.names))
	for i, name := range n.names {
		args[i] = a[name]
	}
	return n.sql, args, nil
}

// read has pgx find the names, by giving each its own name as value.
func (a Args) read(ctx context.Context, conn *pgx.Conn, sql string) (named, error) {
	names := pgx.StrictNamedArgs{}
	for name := range a {
		names[name] = name
	}
	text, ordered, err := names.RewriteQuery(ctx, conn, sql, nil)
	if err != nil {
		return named{}, err
	}
	n := named{sql: text, names: make([]string, len(ordered))}
	for i, name := range ordered {
		n.names[i] = name.(string)
	}
	return n, nil
}
