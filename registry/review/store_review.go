package review

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

// pair is two people, in the order of their ids.
type pair struct{ a, b registry.PersonID }

// openReviews are the pairs of some people that wait for a human.
func openReviews(ctx context.Context, db pg.DB, people []registry.PersonID) ([]pair, error) {
	rows, _ := db.Query(ctx, `
		SELECT person_id, other_id
		  FROM match_review
		 WHERE decided_at IS NULL AND (person_id = ANY(@people) OR other_id = ANY(@people))`,
		pgx.NamedArgs{"people": people})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p pair, err error) {
		return p, row.Scan(&p.a, &p.b)
	})
}

// apart says which of others a human has parted from a person, whoever stands for them now.
func apart(ctx context.Context, db pg.DB, person registry.PersonID, others []registry.PersonID) ([]registry.PersonID, error) {
	rows, _ := db.Query(ctx, `
		WITH mine AS (
		     SELECT id FROM person WHERE id = @person OR merged_into = @person),
		     met AS (
		     SELECT l.other_id AS id FROM mine m JOIN link_decision l ON l.person_id = m.id WHERE l.kind IN ('apart','unmerge')
		     UNION
		     SELECT l.person_id FROM mine m JOIN link_decision l ON l.other_id = m.id WHERE l.kind IN ('apart','unmerge'))
		SELECT DISTINCT coalesce(p.merged_into, p.id)
		  FROM met
		  JOIN person p ON p.id = met.id
		 WHERE coalesce(p.merged_into, p.id) = ANY(@others)`,
		pgx.NamedArgs{"person": person, "others": others})
	return pgx.CollectRows(rows, pgx.RowTo[registry.PersonID])
}

// holdOff keeps humans from deciding about a person until the transaction ends.
func holdOff(ctx context.Context, tx pg.Tx, person registry.PersonID) error {
	_, err := tx.Exec(ctx, `SELECT FROM person WHERE id = @person FOR SHARE`, pgx.NamedArgs{"person": person})
	return err
}

// renewReviews puts the pairs of a person that a human should see, and takes back those that no
// longer need it. What a human has decided stays. It returns how many are new.
func renewReviews(ctx context.Context, tx pg.Tx, person registry.PersonID, others []registry.PersonID, scores []float64, parts []string, now time.Time) (n int64, err error) {
	_, err = tx.Exec(ctx, `
		DELETE FROM match_review
		 WHERE decided_at IS NULL
		   AND (person_id = @person AND other_id <> ALL(@others::uuid[]) OR other_id = @person AND person_id <> ALL(@others::uuid[]))`,
		pgx.NamedArgs{"person": person, "others": others})
	if err != nil || len(others) == 0 {
		return 0, err
	}
	err = tx.QueryRow(ctx, `
		WITH put AS (
		     INSERT INTO match_review (person_id, other_id, score, parts, found_at)
		     SELECT least(@person::uuid, o.id), greatest(@person::uuid, o.id), o.score, o.parts::jsonb, @now
		       FROM unnest(@others::uuid[], @scores::float8[], @parts::text[]) AS o (id, score, parts)
		      WHERE NOT EXISTS (SELECT FROM link_decision l WHERE l.person_id = @person AND l.other_id = o.id AND l.kind IN ('apart','unmerge'))
		        AND NOT EXISTS (SELECT FROM link_decision l WHERE l.other_id = @person AND l.person_id = o.id AND l.kind IN ('apart','unmerge'))
		     ON CONFLICT (person_id, other_id) DO UPDATE SET score = excluded.score, parts = excluded.parts
		      WHERE match_review.decided_at IS NULL
		     RETURNING xmax = 0 AS fresh)
		SELECT count(*) FILTER (WHERE fresh)
		  FROM put`,
		pgx.NamedArgs{"person": person, "others": others, "scores": scores, "parts": parts, "now": now}).Scan(&n)
	return n, err
}

// standing is what two locked people are.
type standing struct {
	version  int64
	root     bool
	natural  bool
	document bool
}

// lockPair holds two people, in the order of their ids, until the transaction ends.
func lockPair(ctx context.Context, tx pg.Tx, a, b registry.PersonID) (map[registry.PersonID]standing, error) {
	rows, _ := tx.Query(ctx, `
		SELECT id, version, merged_into IS NULL, kind = 'natural', NOT undocumented
		  FROM person
		 WHERE id IN (@a, @b)
		 ORDER BY id
		   FOR UPDATE`,
		pgx.NamedArgs{"a": a, "b": b})
	found := map[registry.PersonID]standing{}
	var id registry.PersonID
	var s standing
	_, err := pgx.ForEachRow(rows, []any{&id, &s.version, &s.root, &s.natural, &s.document}, func() error {
		found[id] = s
		return nil
	})
	return found, err
}

// reopen forgets what was decided of a pair, so that it can be decided anew.
func reopen(ctx context.Context, tx pg.Tx, a, b registry.PersonID) error {
	_, err := tx.Exec(ctx, `
		UPDATE match_review
		   SET decided_at = NULL, decision = NULL
		 WHERE person_id = least(@a::uuid, @b::uuid) AND other_id = greatest(@a::uuid, @b::uuid)`,
		pgx.NamedArgs{"a": a, "b": b})
	return err
}

// waiting lists the open pairs, likeliest first.
func waiting(ctx context.Context, db pg.DB, n int) ([]Waiting, error) {
	rows, _ := db.Query(ctx, `
		SELECT r.person_id, r.other_id, r.score, r.parts, r.found_at
		  FROM match_review r
		  JOIN person a ON a.id = r.person_id AND a.merged_into IS NULL
		  JOIN person b ON b.id = r.other_id AND b.merged_into IS NULL
		 WHERE r.decided_at IS NULL
		 ORDER BY r.score DESC, r.person_id, r.other_id
		 LIMIT @n`,
		pgx.NamedArgs{"n": n})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (w Waiting, err error) {
		return w, row.Scan(&w.A, &w.B, &w.Weight, &w.Parts, &w.FoundAt)
	})
}

// standsFor is whom a person was merged into, or they themselves. Error: registry.ErrNotFound.
func standsFor(ctx context.Context, db pg.DB, person registry.PersonID) (root registry.PersonID, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce(merged_into, id)
		  FROM person
		 WHERE id = @person`,
		pgx.NamedArgs{"person": person}).Scan(&root)
	if pg.NoRows(err) {
		err = registry.ErrNotFound
	}
	return root, err
}
