package pg

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// NoRows says whether a query that wanted a row found none.
func NoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// Unique says whether an INSERT met a row that already holds its key.
func Unique(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505"
}

// Violates says whether a statement was refused by a constraint, of whatever kind: PostgreSQL's class 23.
func Violates(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && strings.HasPrefix(e.Code, "23")
}

// Lock takes an advisory lock until the transaction ends: one holder per domain and key.
func Lock(ctx context.Context, tx Tx, domain, key string) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($2, hashtext($1)))`, domain, key)
	return err
}
