package review

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/record"
)

// known is a person as read, with what tells whether they changed since.
type known struct {
	registry.Person
	version      int64
	undocumented bool
}

// peopleOf reads those of some people who stand for themselves, in no order.
func (m *Matcher) peopleOf(ctx context.Context, db pg.DB, ids []registry.PersonID) ([]known, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, ARRAY[identity, documents, contact, family, complements, declared], version, undocumented
		  FROM person
		 WHERE id = ANY(@ids) AND merged_into IS NULL AND kind = 'natural'`,
		pgx.NamedArgs{"ids": ids})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (k known, err error) {
		var id registry.PersonID
		var sealed registry.Sealed
		if err := row.Scan(&id, &sealed, &k.version, &k.undocumented); err != nil {
			return k, err
		}
		sealed[record.Complements] = nil // nothing of it is compared
		k.Person, err = registry.Unseal(m.box, id, sealed)
		return k, err
	})
}

// key is one row of match_block.
type key struct {
	block  int64
	person registry.PersonID
}

// filedKeys are the keys some people are found by.
func filedKeys(ctx context.Context, tx pg.Tx, people []registry.PersonID) (map[key]bool, error) {
	rows, _ := tx.Query(ctx, `
		SELECT block, person_id
		  FROM match_block
		 WHERE person_id = ANY(@people)`,
		pgx.NamedArgs{"people": people})
	filed := map[key]bool{}
	var k key
	_, err := pgx.ForEachRow(rows, []any{&k.block, &k.person}, func() error {
		filed[k] = true
		return nil
	})
	return filed, err
}

func deleteKeys(ctx context.Context, tx pg.Tx, keys []key) error {
	blocks, people := columns(keys)
	_, err := tx.Exec(ctx, `
		DELETE FROM match_block b
		 USING unnest(@blocks::bigint[], @people::uuid[]) AS k (block, person_id)
		 WHERE b.block = k.block AND b.person_id = k.person_id`,
		pgx.NamedArgs{"blocks": blocks, "people": people})
	return err
}

func insertKeys(ctx context.Context, tx pg.Tx, keys []key) error {
	blocks, people := columns(keys)
	_, err := tx.Exec(ctx, `
		INSERT INTO match_block (block, person_id)
		SELECT * FROM unnest(@blocks::bigint[], @people::uuid[])
		ON CONFLICT DO NOTHING`,
		pgx.NamedArgs{"blocks": blocks, "people": people})
	return err
}

func columns(keys []key) (blocks []int64, people []registry.PersonID) {
	for _, k := range keys {
		blocks, people = append(blocks, k.block), append(people, k.person)
	}
	return blocks, people
}

// keysFiled notes that a page of people may be compared, but for those gone, who leave the list and
// the review queue.
func keysFiled(ctx context.Context, tx pg.Tx, page, gone []registry.PersonID) error {
	_, err := tx.Exec(ctx, `
		WITH reviews AS (
		     DELETE FROM match_review
		      WHERE decided_at IS NULL AND (person_id = ANY(@gone) OR other_id = ANY(@gone))),
		     near AS (
		     DELETE FROM match_near
		      WHERE person_id = ANY(@page)),
		     left_list AS (
		     DELETE FROM match_todo
		      WHERE person_id = ANY(@gone))
		UPDATE match_todo
		   SET blocked = true
		 WHERE person_id = ANY(@page) AND person_id <> ALL(@gone)`,
		pgx.NamedArgs{"page": page, "gone": gone})
	return err
}

// block is one key of a subject and who shares it: at most one more than most.
type block struct {
	subject int // its place in what was asked
	key     int64
	people  []registry.PersonID
}

// blocksOf looks the keys up; a subject's place stands beside each key.
func blocksOf(ctx context.Context, db pg.DB, subjects []int32, keys []int64, most int) ([]block, error) {
	rows, _ := db.Query(ctx, `
		SELECT s.subject, s.block, ARRAY(SELECT b.person_id FROM match_block b WHERE b.block = s.block LIMIT @most + 1)
		  FROM unnest(@subjects::int[], @keys::bigint[]) AS s (subject, block)`,
		pgx.NamedArgs{"subjects": subjects, "keys": keys, "most": most})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (b block, err error) {
		return b, row.Scan(&b.subject, &b.key, &b.people)
	})
}

// population is about how many people there are.
func population(ctx context.Context, db pg.DB) (n int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT greatest(reltuples, pg_relation_size(oid) / 1000.0)::bigint -- statistics come late after a load
		  FROM pg_class
		 WHERE oid = 'person'::regclass`).Scan(&n)
	return n, err
}
