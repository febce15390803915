package registry

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

func insertLink(ctx context.Context, tx pg.Tx, id uuid.UUID, l Link) error {
	if l.Detail == nil {
		l.Detail = map[string]any{}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO link_decision (person_id, id, other_id, kind, actor, reason, detail)
		VALUES (@person, @id, @other, @kind, @actor, @reason, @detail)`,
		pgx.NamedArgs{"person": l.Person, "id": id, "other": l.Other, "kind": string(l.Kind), "actor": l.Actor, "reason": l.Reason, "detail": l.Detail})
	return err
}

// lockParties holds two people, in the order of their ids, and says what each is.
func lockParties(ctx context.Context, tx pg.Tx, ids []PersonID) ([]party, error) {
	rows, _ := tx.Query(ctx, `
		SELECT p.id, p.merged_into IS NULL, p.kind = 'legal', NOT p.undocumented,
		       EXISTS (SELECT 1 FROM password w WHERE w.person_id = p.id),
		       p.undocumented AND EXISTS (SELECT 1 FROM evidence e WHERE e.person_id = p.id AND e.kind = 'self_declared')
		  FROM person p
		 WHERE p.id = ANY(@ids)
		 ORDER BY p.id
		   FOR UPDATE OF p`,
		pgx.NamedArgs{"ids": ids})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p party, err error) {
		return p, row.Scan(&p.id, &p.root, &p.legal, &p.docs, &p.account, &p.visitor)
	})
}

// mergeInto points a person and those merged into them at another: every person of the cluster
// points at the one that stands for all. The ways to find them stay; view found_person follows.
func mergeInto(ctx context.Context, tx pg.Tx, goes, stays PersonID) error {
	_, err := tx.Exec(ctx, `
		UPDATE person
		   SET merged_into = @stays
		 WHERE id = @goes OR merged_into = @goes`,
		pgx.NamedArgs{"goes": goes, "stays": stays})
	return err
}

// mergedVia lists those who came into stays together with goes: merged into goes and not parted
// since.
func mergedVia(ctx context.Context, tx pg.Tx, stays, goes PersonID) ([]PersonID, error) {
	rows, _ := tx.Query(ctx, `
		WITH RECURSIVE last AS (
		     SELECT DISTINCT ON (other_id) other_id, person_id, kind
		       FROM link_decision
		      WHERE kind IN ('merge','unmerge')
		        AND other_id IN (SELECT id FROM person WHERE merged_into = @stays)
		      ORDER BY other_id, id DESC),
		     via AS (
		     SELECT other_id FROM last WHERE kind = 'merge' AND person_id = @goes
		     UNION
		     SELECT l.other_id FROM last l JOIN via v ON l.person_id = v.other_id WHERE l.kind = 'merge')
		SELECT other_id
		  FROM via
		 ORDER BY other_id`,
		pgx.NamedArgs{"stays": stays, "goes": goes})
	return pgx.CollectRows(rows, pgx.RowTo[PersonID])
}

// part is the inverse of [mergeInto].
func part(ctx context.Context, tx pg.Tx, goes PersonID, followers []PersonID) error {
	_, err := tx.Exec(ctx, `
		UPDATE person
		   SET merged_into = CASE WHEN id = @goes THEN NULL ELSE @goes::uuid END
		 WHERE id = @goes OR id = ANY(@followers)`,
		pgx.NamedArgs{"goes": goes, "followers": followers})
	return err
}

// linksAround reads the merges and unmerges of everyone connected with a person, oldest first.
func linksAround(ctx context.Context, db pg.DB, id PersonID, before uuid.UUID) ([]Link, error) {
	rows, _ := db.Query(ctx, `
		WITH RECURSIVE near AS (
		     SELECT @person::uuid AS id
		     UNION
		     SELECT CASE WHEN l.person_id = n.id THEN l.other_id ELSE l.person_id END
		       FROM near n
		       JOIN link_decision l ON (l.person_id = n.id OR l.other_id = n.id) AND l.kind = 'merge')
		SELECT l.person_id, l.other_id, l.kind
		  FROM link_decision l
		 WHERE l.person_id IN (SELECT id FROM near) AND l.kind IN ('merge','unmerge') AND l.id < @before
		 ORDER BY l.id`,
		pgx.NamedArgs{"person": id, "before": before})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l Link, err error) {
		return l, row.Scan(&l.Person, &l.Other, &l.Kind)
	})
}

// closeReview ends the waiting review of a pair, if there is one.
func closeReview(ctx context.Context, tx pg.Tx, a, b PersonID, decision LinkKind, now time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE match_review
		   SET decided_at = @now, decision = @decision
		 WHERE person_id = least(@a::uuid, @b::uuid) AND other_id = greatest(@a::uuid, @b::uuid) AND decided_at IS NULL`,
		pgx.NamedArgs{"a": a, "b": b, "decision": string(decision), "now": now})
	return err
}
