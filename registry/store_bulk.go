package registry

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loginunico/loginunico/internal/pg"
)

const (
	copyIndex   = `COPY cpf_index (index, key_version, person_id) FROM STDIN (FORMAT binary)`
	copyPeople  = `COPY person (id, began_with, kind, identity, documents, contact, family, complements, policy, undocumented, created_at, updated_at) FROM STDIN (FORMAT binary)`
	copyRecords = `COPY source_record (person_id, id, load_id, content) FROM STDIN (FORMAT binary)`
	copyFirst   = `COPY first_record (id, load_id, content) FROM STDIN (FORMAT binary)`
	copyKeys    = `COPY record_key (key, digest, filed, person_id) FROM STDIN (FORMAT binary)`
)

// attempts is how often a chunk that meets others is tried; each try sees what they committed.
const attempts = 20

// File files a chunk whole or not at all. A chunk the load has committed before gives its tally of
// then and changes nothing.
//
// It does not wait for the disk: what a crash of the database takes away, it takes whole, with the
// note that the chunk was filed. The load's own end waits for all of it.
func (b *Bulk) File(ctx context.Context, c Chunk) (Tally, error) {
	for try := 1; ; try++ {
		b.reset(c)
		err := pgx.BeginFunc(ctx, b.db, func(tx pgx.Tx) error {
			done, err := b.once(ctx, tx, c)
			if err != nil || done {
				return err
			}
			if err := b.obey(ctx, tx); err != nil {
				return err
			}
			if err := b.file(ctx, tx, c); err != nil {
				return err
			}
			return insertChunk(ctx, tx, c, b.sum(c), b.at)
		})
		if err == nil || !collided(err) || try == attempts {
			return b.tally, err
		}
	}
}

// collided recognises that another transaction was first: a document found between our look and
// our COPY, a merge between our look and our lock, a deadlock, a serialization failure.
func collided(err error) bool {
	var e *pgconn.PgError
	return errors.Is(err, errMoved) || errors.As(err, &e) && slices.Contains([]string{"23505", "40001", "40P01"}, e.Code)
}

func (b *Bulk) once(ctx context.Context, tx pgx.Tx, c Chunk) (bool, error) {
	tally, done, err := chunkTally(ctx, tx, c)
	if done {
		b.tally = tally
	}
	return done, err
}

// chunkTally is what a chunk that was committed before counted.
func chunkTally(ctx context.Context, tx pg.Tx, c Chunk) (t Tally, done bool, err error) {
	var counts *Tally
	err = tx.QueryRow(ctx, `
		SELECT set_config('synchronous_commit', 'off', true),
		       (SELECT counts FROM registry_load_chunk WHERE load_id = @load AND chunk = @chunk)`,
		pgx.NamedArgs{"load": c.Load, "chunk": c.Number}).Scan(nil, &counts)
	if err != nil || counts == nil {
		return t, false, err
	}
	return *counts, true, nil
}

func insertChunk(ctx context.Context, tx pg.Tx, c Chunk, t Tally, now time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO registry_load_chunk (load_id, chunk, counts, committed_at)
		VALUES (@load, @chunk, @counts, @now)`,
		pgx.NamedArgs{"load": c.Load, "chunk": c.Number, "counts": t, "now": now})
	return err
}

// lookUp is what the registry knows of the documents and keys of a chunk.
type lookUp struct {
	byDocument map[uuid.UUID]PersonID
	versions   []version                // of the records, by key, later ones behind
	people     map[PersonID]knownPerson // of both
	history    map[int64][]filedVersion // of records that move, every version with its content, oldest first
}

type knownPerson struct {
	root         PersonID  // who stands for them
	begun        uuid.UUID // row of first_record; zero: none
	undocumented bool      // and so is who stands for them
}

// version is one filed version of a record.
type version struct {
	key, filed int64
	person     PersonID
	digest     int64
	voids      bool
}

// of are the versions of a record.
func (l *lookUp) of(key int64) []version {
	first, _ := slices.BinarySearchFunc(l.versions, key, func(v version, key int64) int { return cmp.Compare(v.key, key) })
	end := first
	for end < len(l.versions) && l.versions[end].key == key {
		end++
	}
	return l.versions[first:end]
}

// version is the standing version of a record under a person; nil when there is none, or it was
// made void.
func (l *lookUp) version(key int64, person PersonID) *version {
	all := l.of(key)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].person == person {
			if all[i].voids {
				return nil
			}
			return &all[i]
		}
	}
	return nil
}

// holders are the people under whom a record stands.
func (l *lookUp) holders(key int64) []PersonID {
	var people []PersonID
	for _, v := range l.of(key) {
		if !slices.Contains(people, v.person) && l.version(key, v.person) != nil {
			people = append(people, v.person)
		}
	}
	return people
}

// lookUp reads whom the documents lead to, where the records were filed before, and of each of these
// people once what there is to know.
func (b *Bulk) lookUp(ctx context.Context, tx pg.Tx, c Chunk) (l *lookUp, err error) {
	l = &lookUp{byDocument: map[uuid.UUID]PersonID{}, people: map[PersonID]knownPerson{}}
	if err := l.documents(ctx, tx, c); err != nil {
		return nil, err
	}
	if !c.Fresh {
		if err := l.keys(ctx, tx, c.Records); err != nil {
			return nil, err
		}
	}
	if err := l.know(ctx, tx); err != nil {
		return nil, err
	}
	if keys := l.moving(c.Records); len(keys) > 0 {
		l.history, err = b.historyOf(ctx, tx, keys, l)
	}
	return l, err
}

// historyOf opens every version of some records.
func (b *Bulk) historyOf(ctx context.Context, tx pg.Tx, keys []int64, l *lookUp) (map[int64][]filedVersion, error) {
	all := make(map[int64][]filedVersion, len(keys))
	var people []PersonID
	for _, key := range keys {
		all[key] = nil
		for _, v := range l.of(key) {
			people = append(people, v.person)
		}
	}
	filed, err := b.store.recordsOf(ctx, tx, people, uuid.Nil)
	if err != nil {
		return nil, err
	}
	ids := map[int64][]uuid.UUID{}
	for person, records := range filed {
		for _, r := range records {
			if _, wanted := all[r.Key]; !wanted {
				continue
			}
			v, err := newFiledVersion(person, b.store.digester.Content(r.Content), r.Content)
			if err != nil {
				return nil, err
			}
			at, _ := slices.BinarySearchFunc(ids[r.Key], r.ID, func(x, y uuid.UUID) int { return bytes.Compare(x[:], y[:]) })
			ids[r.Key], all[r.Key] = slices.Insert(ids[r.Key], at, r.ID), slices.Insert(all[r.Key], at, v)
		}
	}
	return all, nil
}

// documents looks up each document once; the records come in their order, so that neighbours lie
// side by side in the index. Where nothing of the sources was filed before, and most of the city
// may still be unknown, it reads all between the chunk's first and last, unless they are too many.
func (l *lookUp) documents(ctx context.Context, tx pg.Tx, c Chunk) error {
	var each []uuid.UUID
	for i := range c.Records {
		if d := c.Records[i].Document; d != uuid.Nil && (len(each) == 0 || each[len(each)-1] != d) {
			each = append(each, d)
		}
	}
	if len(each) == 0 {
		return nil
	}
	if most := 2 * len(each); c.Fresh {
		rows, _ := tx.Query(ctx, `
			SELECT index, person_id
			  FROM cpf_index
			 WHERE index BETWEEN @first AND @last
			 LIMIT @most`,
			pgx.NamedArgs{"first": each[0], "last": each[len(each)-1], "most": most})
		if err := l.scanDocuments(rows); err != nil || len(l.byDocument) < most {
			return err
		}
		clear(l.byDocument)
	}
	rows, _ := tx.Query(ctx, `
		SELECT index, person_id
		  FROM cpf_index
		 WHERE index = ANY(@each)`,
		pgx.NamedArgs{"each": each})
	return l.scanDocuments(rows)
}

func (l *lookUp) scanDocuments(rows pgx.Rows) error {
	var index uuid.UUID
	var person PersonID
	_, err := pgx.ForEachRow(rows, []any{&index, &person}, func() error {
		l.byDocument[index] = person
		return nil
	})
	return err
}

// root is who stands for a person now. Records are filed under the person they are about, so that
// they leave with them when a merge is undone; the values are those of whoever stands for them.
func (l *lookUp) root(person PersonID) PersonID {
	if known, ok := l.people[person]; ok {
		return known.root
	}
	return person
}

// keys looks for earlier versions of the chunk's records.
func (l *lookUp) keys(ctx context.Context, tx pg.Tx, records []Incoming) error {
	keys := make([]int64, len(records))
	for i := range records {
		keys[i] = records[i].Key
	}
	slices.Sort(keys)
	// In no order: sorted here, since the planner would bring parallel workers for so many.
	rows, _ := tx.Query(ctx, `
		SELECT key, filed, person_id, coalesce(digest, 0), digest IS NULL
		  FROM record_key
		 WHERE key = ANY(@keys)`,
		pgx.NamedArgs{"keys": slices.Compact(keys)})
	var v version
	_, err := pgx.ForEachRow(rows, []any{&v.key, &v.filed, &v.person, &v.digest, &v.voids}, func() error {
		l.versions = append(l.versions, v)
		return nil
	})
	slices.SortFunc(l.versions, func(x, y version) int { return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.filed, y.filed)) })
	return err
}

// know reads the people found; what leads to somebody forgotten meanwhile leads to nobody.
func (l *lookUp) know(ctx context.Context, tx pg.Tx) error {
	var all []PersonID
	for _, person := range l.byDocument {
		all = append(all, person)
	}
	for i := range l.versions {
		all = append(all, l.versions[i].person)
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(x, y PersonID) int { return bytes.Compare(x[:], y[:]) })
	rows, _ := tx.Query(ctx, `
		SELECT p.id, p.merged_into, p.began_with,
		       p.undocumented AND (p.merged_into IS NULL OR (SELECT root.undocumented FROM person root WHERE root.id = p.merged_into))
		  FROM person p
		 WHERE p.id = ANY(@people)`,
		pgx.NamedArgs{"people": slices.Compact(all)})
	var id PersonID
	var into, begun *uuid.UUID
	var undocumented bool
	_, err := pgx.ForEachRow(rows, []any{&id, &into, &begun, &undocumented}, func() error {
		known := knownPerson{root: id, undocumented: undocumented}
		if into != nil {
			known.root = *into
		}
		if begun != nil {
			known.begun = *begun
		}
		l.people[id] = known
		return nil
	})
	unknown := func(person PersonID) bool { _, ok := l.people[person]; return !ok }
	maps.DeleteFunc(l.byDocument, func(_ uuid.UUID, person PersonID) bool { return unknown(person) })
	l.versions = slices.DeleteFunc(l.versions, func(v version) bool { return unknown(v.person) })
	return err
}

// begun are the rows of first_record that some people began with, read where they were not looked up.
func (l *lookUp) begun(ctx context.Context, tx pg.Tx, people []PersonID) ([]uuid.UUID, error) {
	var rows []uuid.UUID
	var rest []PersonID
	for _, person := range people {
		if known, ok := l.people[person]; !ok {
			rest = append(rest, person)
		} else if known.begun != uuid.Nil {
			rows = append(rows, known.begun)
		}
	}
	if len(rest) > 0 {
		found, _ := tx.Query(ctx, `SELECT began_with FROM person WHERE id = ANY(@people) AND began_with IS NOT NULL`, pgx.NamedArgs{"people": rest})
		more, err := pgx.CollectRows(found, pgx.RowTo[uuid.UUID])
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	slices.SortFunc(rows, func(x, y uuid.UUID) int { return bytes.Compare(x[:], y[:]) })
	return slices.Compact(rows), nil
}

// errMoved: people were merged or parted between our look and our lock.
var errMoved = errors.New("registry: people were merged meanwhile")

// lockAll is [lock] for many people, in the order of their ids; those merged into others are left
// out. It gives the ids of each, the one who stands for them first. stood says who stood for whom
// when it was looked up; where that is no longer so, the error is errMoved.
func lockAll(ctx context.Context, tx pg.Tx, people []PersonID, stood map[PersonID]PersonID) (map[PersonID][]PersonID, error) {
	rows, _ := tx.Query(ctx, `
		SELECT id
		  FROM person
		 WHERE id = ANY(@people) AND merged_into IS NULL
		 ORDER BY id
		   FOR UPDATE`,
		pgx.NamedArgs{"people": people})
	roots, err := pgx.CollectRows(rows, pgx.RowTo[PersonID])
	if err != nil {
		return nil, err
	}
	clusters, err := membersOf(ctx, tx, roots)
	if err != nil {
		return nil, err
	}
	for _, root := range roots {
		clusters[root] = slices.Insert(clusters[root], 0, root)
	}
	for person, root := range stood {
		if !slices.Contains(clusters[root], person) {
			return nil, errMoved
		}
	}
	return clusters, nil
}

// updatePeople puts newly computed values of many people in place.
func updatePeople(ctx context.Context, tx pg.Tx, people []*computed, now time.Time) error {
	ids, undocumented := make([]PersonID, len(people)), make([]bool, len(people))
	var parts [sealedParts][][]byte
	for i, p := range people {
		ids[i], undocumented[i] = p.id, p.person.CPF == "" && p.person.CNPJ == ""
		for part := range parts {
			parts[part] = append(parts[part], p.parts[part])
		}
	}
	_, err := tx.Exec(ctx, `
		UPDATE person p
		   SET identity = n.identity, documents = n.documents, contact = n.contact, family = n.family, complements = n.complements,
		       declared = n.declared, policy = @policy, undocumented = n.undocumented, updated_at = greatest(p.updated_at, @now)
		  FROM unnest(@ids::uuid[], @identity::bytea[], @documents::bytea[], @contact::bytea[], @family::bytea[], @complements::bytea[],
		              @declared::bytea[], @undocumented::boolean[])
		       AS n (id, identity, documents, contact, family, complements, declared, undocumented)
		 WHERE p.id = n.id`,
		pgx.NamedArgs{"ids": ids, "identity": parts[0], "documents": parts[1], "contact": parts[2], "family": parts[3], "complements": parts[4],
			"declared": parts[5], "undocumented": undocumented, "policy": people[0].policy, "now": now})
	return err
}

// renewPending replaces the waiting values of some people.
func renewPending(ctx context.Context, tx pg.Tx, people []PersonID, waiting []waitingValue, policy int) error {
	owners, records, fields, sources, rules := []PersonID{}, []uuid.UUID{}, []string{}, []string{}, []int32{}
	for _, w := range waiting {
		owners, records, fields = append(owners, w.person), append(records, w.record), append(fields, w.field)
		sources, rules = append(sources, w.source), append(rules, int32(w.rule))
	}
	_, err := tx.Exec(ctx, `
		WITH gone AS (
		     DELETE FROM pending_value
		      WHERE person_id = ANY(@people)
		        AND (person_id, record_id, field) NOT IN (SELECT * FROM unnest(@owners::uuid[], @records::uuid[], @fields::text[])))
		INSERT INTO pending_value (person_id, record_id, field, source, rule, policy)
		SELECT w.person_id, w.record_id, w.field, w.source, w.rule, @policy
		  FROM unnest(@owners::uuid[], @records::uuid[], @fields::text[], @sources::text[], @rules::int[]) AS w (person_id, record_id, field, source, rule)
		ON CONFLICT (person_id, record_id, field) DO UPDATE SET rule = excluded.rule, policy = excluded.policy`,
		pgx.NamedArgs{"people": people, "owners": owners, "records": records, "fields": fields, "sources": sources, "rules": rules, "policy": policy})
	return err
}

// heir is the person whom the records of a group whose document nobody has continue: one known by
// the record's key who has no document yet, or, for a record without document, whoever has it.
// named says that they now get the document.
func (l *lookUp) heir(g *group) (person PersonID, named bool) {
	for i := range g.records {
		for _, holder := range l.holders(g.records[i].Key) {
			if g.records[i].Document == uuid.Nil || l.people[holder].undocumented {
				return holder, g.records[i].Document != uuid.Nil
			}
		}
	}
	return uuid.Nil, false
}
