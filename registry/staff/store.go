package staff

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loginunico/loginunico/internal/pg"
)

// Columns are a person's appointments as the view known_person carries them through a join: its
// column employment. Only what is told leaves with them: From, Until, Department and Roles.
type Columns struct{ packed [][]byte }

// Targets are the scan targets.
func (c *Columns) Targets() []any { return []any{&c.packed} }

// errPacked says that the view and this program disagree.
var errPacked = errors.New("staff: an appointment is malformed")

const instants = 2 * 8 // bytes: starts_at, over_at

// Employment unpacks the rows.
func (c Columns) Employment() ([]Employment, error) {
	if len(c.packed) == 0 {
		return nil, nil
	}
	all := make([]Employment, len(c.packed))
	for i, row := range c.packed {
		if len(row) < instants {
			return nil, errPacked
		}
		roles, department, ok := bytes.Cut(row[instants:], []byte{0})
		if !ok {
			return nil, errPacked
		}
		all[i] = Employment{Department: string(department), Roles: rolesOf(strings.Fields(string(roles))), From: instant(row), Until: instant(row[8:])}
	}
	return all, nil
}

func rolesOf(names []string) (roles []Role) {
	for _, name := range names {
		roles = append(roles, Role(name))
	}
	return roles
}

// instant reads a timestamptz as PostgreSQL sends it: microseconds since 2000. The zero time is for
// infinity, the largest.
func instant(b []byte) time.Time {
	micros := int64(binary.BigEndian.Uint64(b))
	if micros == math.MaxInt64 {
		return time.Time{}
	}
	const year2000 = 946_684_800 // seconds since 1970
	return time.UnixMicro(micros + year2000*1_000_000).UTC()
}

// columns are in the order of scan.
const columns = `person_id, id, department, roles, starts_at, until, reason, appointed_by, seconded_by, appointed_at, replaces,
		       ended_at, ended_reason, ended_by`

// Of returns a person's appointments, the oldest first, ended ones too; none is empty.
func Of(ctx context.Context, db pg.DB, person uuid.UUID) ([]Employment, error) {
	rows, _ := db.Query(ctx, `
		SELECT `+columns+`
		  FROM employment
		 WHERE person_id = @person
		 ORDER BY id`,
		pgx.NamedArgs{"person": person})
	return pgx.CollectRows(rows, scan)
}

// All returns everybody's appointments that are not over at an instant, by department.
func All(ctx context.Context, db pg.DB, at time.Time) ([]Employment, error) {
	rows, _ := db.Query(ctx, `
		SELECT `+columns+`
		  FROM employment e
		 WHERE over_at(e) > greatest(@at, starts_at)
		 ORDER BY department, starts_at, id`,
		pgx.NamedArgs{"at": at})
	return pgx.CollectRows(rows, scan)
}

func scan(row pgx.CollectableRow) (e Employment, err error) {
	var roles []string
	var until, ended *time.Time
	var seconded, replaces *uuid.UUID
	var reason, by *string
	err = row.Scan(&e.Person, &e.ID, &e.Department, &roles, &e.From, &until, &e.Reason, &e.By, &seconded, &e.At, &replaces,
		&ended, &reason, &by)
	e.Roles, e.Until, e.EndedAt = rolesOf(roles), orZero(until), orZero(ended)
	e.Seconded, e.Replaces, e.EndReason, e.EndedBy = orZero(seconded), orZero(replaces), orZero(reason), orZero(by)
	return e, err
}

func orZero[T any](value *T) (zero T) {
	if value == nil {
		return zero
	}
	return *value
}

func orNull[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

// insert writes an appointment. Error: ErrOverlap.
func insert(ctx context.Context, tx pg.Tx, e Employment) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO employment (person_id, id, department, roles, starts_at, until, reason, appointed_by, seconded_by, appointed_at, replaces)
		VALUES (@person, @id, @department, @roles, @from, @until, @reason, @by, @seconded, @at, @replaces)`,
		pgx.NamedArgs{"person": e.Person, "id": e.ID, "department": e.Department, "roles": e.Roles, "from": e.From, "until": orNull(e.Until),
			"reason": e.Reason, "by": e.By, "seconded": orNull(e.Seconded), "at": e.At, "replaces": orNull(e.Replaces)})
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "23P01" { // exclusion_violation
		return ErrOverlap
	}
	return err
}

// end ends a person's appointments that are not over, or one of them, and returns them. Of many who
// end one at once, one finds it: the others wait for its row and see that it has ended.
//
//	one  zero: all
func end(ctx context.Context, tx pg.Tx, person, one uuid.UUID, d Decision, now time.Time) ([]Employment, error) {
	rows, _ := tx.Query(ctx, `
		UPDATE employment
		   SET ended_at = @now, ended_reason = @reason, ended_by = @by
		 WHERE person_id = @person AND ended_at IS NULL AND (until IS NULL OR until > @now) AND (@all OR id = @one)
		RETURNING `+columns,
		pgx.NamedArgs{"person": person, "all": one == uuid.Nil, "one": one, "reason": d.Reason, "by": d.Actor, "now": now})
	return pgx.CollectRows(rows, scan)
}

// anyLive says whether anybody but one person holds one of these roles at an instant.
func anyLive(ctx context.Context, db pg.DB, roles []Role, but uuid.UUID, at time.Time) (any bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (SELECT
		                 FROM employment e
		                WHERE starts_at <= @at AND over_at(e) > @at AND roles && @roles::text[] AND person_id <> @but)`,
		pgx.NamedArgs{"roles": roles, "but": but, "at": at}).Scan(&any)
	return any, err
}
