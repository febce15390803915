package review

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

// beginNarrowing takes everybody on the list whose large blocks have not been looked into, those of a
// run that was ended included.
func beginNarrowing(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `
		UPDATE match_todo
		   SET narrowed = 1
		 WHERE blocked AND narrowed = 0`)
	return err
}

// endNarrowing notes that those taken were looked for, but for who has changed meanwhile.
func endNarrowing(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `
		UPDATE match_todo
		   SET narrowed = 2
		 WHERE blocked AND narrowed = 1`)
	return err
}

// narrowing is a page of those taken.
func narrowing(ctx context.Context, db pg.DB, after registry.PersonID, n int) ([]registry.PersonID, error) {
	rows, _ := db.Query(ctx, `
		SELECT person_id
		  FROM match_todo
		 WHERE blocked AND narrowed = 1 AND person_id > @after
		 ORDER BY person_id
		 LIMIT @n`,
		pgx.NamedArgs{"after": after, "n": n})
	return pgx.CollectRows(rows, pgx.RowTo[registry.PersonID])
}

// largeBlocks are the blocks of some people in which there are more than so many.
func largeBlocks(ctx context.Context, db pg.DB, people []registry.PersonID, most int) ([]int64, error) {
	rows, _ := db.Query(ctx, `
		SELECT k.block
		  FROM (SELECT DISTINCT block FROM match_block WHERE person_id = ANY(@people)) k
		 WHERE EXISTS (SELECT FROM match_block b WHERE b.block = k.block OFFSET @most)`,
		pgx.NamedArgs{"people": people, "most": most})
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// membersOf are the people of a block, at most one more than so many, and which of them are being
// looked for.
func membersOf(ctx context.Context, db pg.DB, block int64, most int) (members []registry.PersonID, sought map[registry.PersonID]bool, err error) {
	rows, _ := db.Query(ctx, `
		SELECT b.person_id, coalesce(t.blocked AND t.narrowed = 1, false)
		  FROM match_block b
		  LEFT JOIN match_todo t ON t.person_id = b.person_id
		 WHERE b.block = @block
		 ORDER BY b.person_id
		 LIMIT @most + 1`,
		pgx.NamedArgs{"block": block, "most": most})
	sought = map[registry.PersonID]bool{}
	var id registry.PersonID
	var wanted bool
	_, err = pgx.ForEachRow(rows, []any{&id, &wanted}, func() error {
		members = append(members, id)
		if wanted {
			sought[id] = true
		}
		return nil
	})
	return members, sought, err
}

func insertNear(ctx context.Context, db pg.DB, people, others []registry.PersonID) error {
	_, err := db.Exec(ctx, `
		INSERT INTO match_near (person_id, other_id)
		SELECT * FROM unnest(@people::uuid[], @others::uuid[])
		ON CONFLICT DO NOTHING`,
		pgx.NamedArgs{"people": people, "others": others})
	return err
}

// nearOf reads whom some people are most like.
func nearOf(ctx context.Context, db pg.DB, people []registry.PersonID) (map[registry.PersonID][]registry.PersonID, error) {
	rows, _ := db.Query(ctx, `
		SELECT person_id, other_id
		  FROM match_near
		 WHERE person_id = ANY(@people)
		 ORDER BY person_id, other_id`,
		pgx.NamedArgs{"people": people})
	near := map[registry.PersonID][]registry.PersonID{}
	var id, other registry.PersonID
	_, err := pgx.ForEachRow(rows, []any{&id, &other}, func() error {
		near[id] = append(near[id], other)
		return nil
	})
	return near, err
}
