package review

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/record"
)

// collided recognises that another transaction was first.
func collided(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && slices.Contains([]string{"40001", "40P01"}, e.Code)
}

// onlyRun lets one run at a time look for pairs, by a session lock on a connection of its own: it
// ends with the process. It waits for whoever has it.
func onlyRun(ctx context.Context, db *pg.Pool) (unlock func(), err error) {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	unlock = func() {
		_ = conn.Conn().Close(context.WithoutCancel(ctx)) // releases the lock; the pool opens another
		conn.Release()
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtextextended('run', hashtext('registry/review')))`); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// summarize has the bounds of page ranges that were filled since the last vacuum noted, so that
// only those with changes are read.
func summarize(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `SELECT brin_summarize_new_values('person_updated')`)
	return err
}

// horizon is an instant before which no change of a person will still be committed: before any
// transaction under way began, less what clocks may differ by.
func horizon(ctx context.Context, db pg.DB) (at time.Time, err error) {
	err = db.QueryRow(ctx, `
		SELECT least(now(), min(xact_start)) - interval '30 seconds'
		  FROM pg_stat_activity
		 WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()`).Scan(&at)
	return at, err
}

// progress is up to which change people were noted; the zero time: never.
func progress(ctx context.Context, db pg.DB) (upto time.Time, err error) {
	err = db.QueryRow(ctx, `
		SELECT upto
		  FROM match_progress`).Scan(&upto)
	if pg.NoRows(err) {
		return time.Time{}, nil
	}
	return upto, err
}

func setProgress(ctx context.Context, tx pg.Tx, upto time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO match_progress (one, upto)
		VALUES (true, @upto)
		ON CONFLICT (one) DO UPDATE SET upto = excluded.upto`,
		pgx.NamedArgs{"upto": upto})
	return err
}

// noteChanged notes who changed since an instant, and how many they are.
func noteChanged(ctx context.Context, tx pg.Tx, since time.Time) (int64, error) {
	tag, err := tx.Exec(ctx, `
		INSERT INTO match_todo (person_id, undocumented)
		SELECT id, undocumented
		  FROM person
		 WHERE updated_at >= @since AND kind = 'natural'
		ON CONFLICT (person_id) DO UPDATE SET blocked = false, undocumented = excluded.undocumented`,
		pgx.NamedArgs{"since": since})
	return tag.RowsAffected(), err
}

// note notes people to be looked at; anew also those whose keys are filed have them filed again.
func note(ctx context.Context, tx pg.Tx, people []registry.PersonID, anew bool) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO match_todo (person_id, undocumented, blocked)
		SELECT id, undocumented, NOT @anew
		  FROM person
		 WHERE id = ANY(@people)
		ON CONFLICT (person_id) DO UPDATE SET blocked = match_todo.blocked AND NOT @anew`,
		pgx.NamedArgs{"people": people, "anew": anew})
	return err
}

// unfiled is a page of those whose keys are not filed yet.
func unfiled(ctx context.Context, db pg.DB, after registry.PersonID, n int) ([]registry.PersonID, error) {
	rows, _ := db.Query(ctx, `
		SELECT person_id
		  FROM match_todo
		 WHERE NOT blocked AND person_id > @after
		 ORDER BY person_id
		 LIMIT @n`,
		pgx.NamedArgs{"after": after, "n": n})
	return pgx.CollectRows(rows, pgx.RowTo[registry.PersonID])
}

// unjudged is a page of those who may be compared.
func unjudged(ctx context.Context, db pg.DB, undocumented bool, after registry.PersonID, n int) ([]registry.PersonID, error) {
	rows, _ := db.Query(ctx, `
		SELECT person_id
		  FROM match_todo
		 WHERE blocked AND undocumented = @undocumented AND person_id > @after
		 ORDER BY person_id
		 LIMIT @n`,
		pgx.NamedArgs{"undocumented": undocumented, "after": after, "n": n})
	return pgx.CollectRows(rows, pgx.RowTo[registry.PersonID])
}

func countTodo(ctx context.Context, db pg.DB) (n int64, err error) {
	err = db.QueryRow(ctx, `SELECT count(*) FROM match_todo`).Scan(&n)
	return n, err
}

// judged takes people off the list whose keys are still the ones they were compared by.
func judged(ctx context.Context, db pg.DB, people []registry.PersonID) error {
	_, err := db.Exec(ctx, `
		DELETE FROM match_todo
		 WHERE person_id = ANY(@people) AND blocked`,
		pgx.NamedArgs{"people": people})
	return err
}

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
	people  []registry.PersonID
}

// blocksOf looks the keys up; a subject's place stands beside each key.
func blocksOf(ctx context.Context, db pg.DB, subjects []int32, keys []int64, most int) ([]block, error) {
	rows, _ := db.Query(ctx, `
		SELECT s.subject, ARRAY(SELECT b.person_id FROM match_block b WHERE b.block = s.block LIMIT @most + 1)
		  FROM unnest(@subjects::int[], @keys::bigint[]) AS s (subject, block)`,
		pgx.NamedArgs{"subjects": subjects, "keys": keys, "most": most})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (b block, err error) {
		return b, row.Scan(&b.subject, &b.people)
	})
}

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

// population is about how many people there are.
func population(ctx context.Context, db pg.DB) (n int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT greatest(reltuples, pg_relation_size(oid) / 1000.0)::bigint -- statistics come late after a load
		  FROM pg_class
		 WHERE oid = 'person'::regclass`).Scan(&n)
	return n, err
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
