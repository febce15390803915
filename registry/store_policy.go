package registry

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

func newestApplied(ctx context.Context, db pg.DB) (p appliedPolicy, err error) {
	err = db.QueryRow(ctx, `
		SELECT version, digest, applied_at
		  FROM pmcc_version
		 ORDER BY version DESC
		 LIMIT 1`).Scan(&p.Version, &p.Digest, &p.At)
	return p, err
}

// insertPolicy writes a version. Versions begin in the order of their numbers, whatever the clocks
// of the machines say that apply them.
func insertPolicy(ctx context.Context, tx pg.Tx, p appliedPolicy, text []byte) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO pmcc_version (version, policy, digest, applied_at)
		SELECT @version, @policy, @digest, greatest(@now, (SELECT max(applied_at) + interval '1 microsecond' FROM pmcc_version))`,
		pgx.NamedArgs{"version": p.Version, "policy": string(text), "digest": p.Digest, "now": p.At})
	return err
}

// keepPolicy writes the first version, in force since ever; nothing where there is one.
func keepPolicy(ctx context.Context, db pg.DB, p appliedPolicy, text []byte) error {
	_, err := db.Exec(ctx, `
		INSERT INTO pmcc_version (version, policy, digest, applied_at)
		SELECT @version, @policy, @digest, 'epoch'
		 WHERE NOT EXISTS (SELECT 1 FROM pmcc_version)
		ON CONFLICT (version) DO NOTHING`,
		pgx.NamedArgs{"version": p.Version, "policy": string(text), "digest": p.Digest})
	return err
}

// peopleBelow lists people by id, those merged into others left out: of policies below a version, where
// one is given.
func peopleBelow(ctx context.Context, db pg.DB, after PersonID, below *int, n int) ([]PersonID, error) {
	rows, _ := db.Query(ctx, `
		SELECT id
		  FROM person
		 WHERE id > @after AND merged_into IS NULL AND identity IS NOT NULL AND (@below::int IS NULL OR policy < @below)
		 ORDER BY id
		 LIMIT @n`,
		pgx.NamedArgs{"after": after, "below": below, "n": n})
	return pgx.CollectRows(rows, pgx.RowTo[PersonID])
}

// standing leaves out those who were merged into others.
func standing(ctx context.Context, tx pg.Tx, people []PersonID) ([]PersonID, error) {
	rows, _ := tx.Query(ctx, `
		SELECT id
		  FROM person
		 WHERE id = ANY(@people) AND merged_into IS NULL
		 ORDER BY id`,
		pgx.NamedArgs{"people": people})
	return pgx.CollectRows(rows, pgx.RowTo[PersonID])
}

// somePeople lists about n people from all over the table.
func somePeople(ctx context.Context, db pg.DB, n int) ([]PersonID, error) {
	var all float64
	err := db.QueryRow(ctx, `
		SELECT reltuples
		  FROM pg_class
		 WHERE oid = 'person'::regclass`).Scan(&all)
	if err != nil {
		return nil, err
	}
	percent := 100.0
	if all > 0 {
		percent = min(100, 150*float64(n)/all) // half as many again, since pages differ
	}
	rows, _ := db.Query(ctx, `
		SELECT id
		  FROM person TABLESAMPLE SYSTEM (@percent)
		 WHERE merged_into IS NULL AND identity IS NOT NULL
		 LIMIT @n`,
		pgx.NamedArgs{"percent": percent, "n": n})
	return pgx.CollectRows(rows, pgx.RowTo[PersonID])
}

// clustersOf gives the members of some people, each person first among them.
func clustersOf(ctx context.Context, db pg.DB, people []PersonID) (map[PersonID][]PersonID, error) {
	clusters := make(map[PersonID][]PersonID, len(people))
	for _, id := range people {
		clusters[id] = []PersonID{id}
	}
	rows, _ := db.Query(ctx, `
		SELECT id, merged_into
		  FROM person
		 WHERE merged_into = ANY(@people)
		 ORDER BY id`,
		pgx.NamedArgs{"people": people})
	var id, root uuid.UUID
	_, err := pgx.ForEachRow(rows, []any{&id, &root}, func() error {
		clusters[root] = append(clusters[root], id)
		return nil
	})
	return clusters, err
}

// countPeople estimates how many people there are, for progress.
func countPeople(ctx context.Context, db pg.DB) (n int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT greatest(reltuples, 0)::bigint
		  FROM pg_class
		 WHERE oid = 'person'::regclass`).Scan(&n)
	return n, err
}
