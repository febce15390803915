package trust

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// Columns is a person's evidence as the view known_person carries it through a join, because the
// level is asked for together with other rows in one statement: its column evidence. Attributes stay
// behind.
type Columns struct{ packed [][]byte }

// Targets are the scan targets.
func (c *Columns) Targets() []any { return []any{&c.packed} }

// errPacked says that the view and this program disagree.
var errPacked = errors.New("trust: evidence is malformed")

const instants = 3 * 8 // bytes: verified_at, expires_at, revoked_at

// Evidence unpacks the rows.
func (c Columns) Evidence() ([]Evidence, error) {
	all := make([]Evidence, len(c.packed))
	for i, row := range c.packed {
		if len(row) < instants {
			return nil, errPacked
		}
		kind, source, ok := bytes.Cut(row[instants:], []byte{0})
		if !ok {
			return nil, errPacked
		}
		all[i] = Evidence{Kind: Kind(kind), Source: string(source), VerifiedAt: instant(row), ExpiresAt: instant(row[8:]),
			RevokedAt: instant(row[16:])}
	}
	return all, nil
}

// instant reads a timestamptz as PostgreSQL sends it: microseconds since 2000. The zero time is
// for none, which is sent as the least number, and for infinity, the largest.
func instant(b []byte) time.Time {
	micros := int64(binary.BigEndian.Uint64(b))
	if micros == math.MinInt64 || micros == math.MaxInt64 {
		return time.Time{}
	}
	const year2000 = 946_684_800 // seconds since 1970
	return time.UnixMicro(micros + year2000*1_000_000).UTC()
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// insert is [Lifetimes.Record] once the end is known.
func insert(ctx context.Context, db pg.DB, person uuid.UUID, e Evidence) error {
	if e.Attributes == nil {
		e.Attributes = map[string]any{}
	}
	_, err := db.Exec(ctx, `
		INSERT INTO evidence (person_id, id, kind, source, method, verifier, verified_at, expires_at, attributes, policy_version)
		VALUES (@person, @id, @kind, @source, @method, @verifier, @verified_at, @expires_at, @attributes, @policy)`,
		pgx.NamedArgs{"person": person, "id": pg.NewID(), "kind": string(e.Kind), "source": e.Source, "method": e.Method,
			"verifier": e.Verifier, "verified_at": e.VerifiedAt, "expires_at": orNull(e.ExpiresAt),
			"attributes": e.Attributes, "policy": PolicyVersion})
	return err
}

// Revoke ends a piece of evidence, once; false: it had ended by a revocation before, or is not this
// person's. What follows from it is idp/evidence's.
func Revoke(ctx context.Context, db pg.DB, person, evidence uuid.UUID, reason, actor string, at time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE evidence
		   SET revoked_at = @at, revoked_reason = @reason, revoked_by = @actor
		 WHERE person_id = @person AND id = @evidence AND revoked_at IS NULL`,
		pgx.NamedArgs{"person": person, "evidence": evidence, "reason": reason, "actor": actor, "at": at})
	return err == nil && tag.RowsAffected() == 1, err
}

// Of returns a person's evidence, oldest first, revoked and expired included; none is empty.
func Of(ctx context.Context, db pg.DB, person uuid.UUID) ([]Evidence, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, kind, source, method, verifier, verified_at, expires_at, attributes, revoked_at,
		       coalesce(revoked_reason, ''), coalesce(revoked_by, '')
		  FROM evidence
		 WHERE person_id = @person
		 ORDER BY id`,
		pgx.NamedArgs{"person": person})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Evidence, error) {
		var e Evidence
		var kind string
		var expires, revoked *time.Time
		err := row.Scan(&e.ID, &kind, &e.Source, &e.Method, &e.Verifier, &e.VerifiedAt, &expires, &e.Attributes, &revoked, &e.RevokedReason, &e.RevokedBy)
		e.Kind, e.ExpiresAt, e.RevokedAt = Kind(kind), orZero(expires), orZero(revoked)
		return e, err
	})
}
