package registry

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// ErrNotFound: no such person. ErrCPFTaken: the CPF has a record already.
var (
	ErrNotFound = fail.New(fail.NotFound, "person_not_found")
	ErrCPFTaken = fail.New(fail.Conflict, "cpf_taken")
)

// personColumns are what [Store.one] reads.
const personColumns = `p.id, ARRAY[p.identity, p.documents, p.contact, p.family, p.complements, p.declared], p.created_at, p.updated_at`

// ByID returns a person. Error: ErrNotFound.
func (s *Store) ByID(ctx context.Context, db pg.DB, id PersonID) (Person, error) {
	rows, _ := db.Query(ctx, `SELECT `+personColumns+`
		  FROM person p
		 WHERE p.id = @id`,
		pgx.NamedArgs{"id": id})
	return s.one(rows)
}

// ByCPF returns the record of a CPF. Error: ErrNotFound.
func (s *Store) ByCPF(ctx context.Context, db pg.DB, cpf brdoc.CPF) (Person, error) {
	return s.byDocument(ctx, db, cpf.Digits())
}

// ByCNPJ returns the record of an organization. Error: ErrNotFound.
func (s *Store) ByCNPJ(ctx context.Context, db pg.DB, cnpj brdoc.CNPJ) (Person, error) {
	return s.byDocument(ctx, db, cnpj.Text())
}

func (s *Store) byDocument(ctx context.Context, db pg.DB, document string) (Person, error) {
	rows, _ := db.Query(ctx, `SELECT `+personColumns+`
		  FROM found_person f
		  JOIN person p ON p.id = f.person_id
		 WHERE f.index = ANY(@keys)
		 LIMIT 1`,
		pgx.NamedArgs{"keys": DocumentKeys(s.box, document)})
	return s.one(rows)
}

func (s *Store) one(rows pgx.Rows) (Person, error) {
	p, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (Person, error) {
		var id PersonID
		var sealed Sealed
		var created, updated time.Time
		if err := row.Scan(&id, &sealed, &created, &updated); err != nil {
			return Person{}, err
		}
		p, err := Unseal(s.box, id, sealed)
		p.CreatedAt, p.UpdatedAt = created, updated
		return p, err
	})
	if pg.NoRows(err) {
		return p, ErrNotFound
	}
	return p, err
}

// filed is one source record ready for its row.
type filed struct {
	record  pmcc.Record
	content []byte // sealed
}

// insertPerson writes a person, the way to find them and their first records, in one statement;
// false when the document has a record already.
func insertPerson(ctx context.Context, db pg.DB, p *computed, records []filed, keyVersion int16, now time.Time) (bool, error) {
	ids, contents := columnsOf(records)
	tag, err := db.Exec(ctx, `
		WITH found AS (
		     INSERT INTO cpf_index (index, key_version, person_id)
		     SELECT @index, @key_version, @id
		      WHERE @index::uuid IS NOT NULL
		        AND NOT EXISTS (SELECT 1 FROM cpf_index WHERE index = ANY(@others::uuid[]))
		     ON CONFLICT (index) DO NOTHING
		     RETURNING 1),
		     free AS (
		     SELECT 1 WHERE @index::uuid IS NULL OR EXISTS (SELECT 1 FROM found)),
		     filed AS (
		     INSERT INTO source_record (person_id, id, content)
		     SELECT @id, r.id, r.content
		       FROM unnest(@ids::uuid[], @contents::bytea[]) AS r (id, content), free)
		INSERT INTO person (id, kind, identity, documents, contact, family, complements, declared, policy, undocumented, created_at, updated_at)
		SELECT @id, @kind, @identity, @documents, @contact, @family, @complements, @declared, @policy, @index::uuid IS NULL, @now, @now
		  FROM free`,
		pgx.NamedArgs{"id": p.id, "index": p.index, "key_version": keyVersion, "others": p.others, "kind": p.kind(), "ids": ids, "contents": contents,
			"identity": p.parts[0], "documents": p.parts[1], "contact": p.parts[2], "family": p.parts[3], "complements": p.parts[4],
			"declared": p.parts[5], "policy": p.policy, "now": now})
	return err == nil && tag.RowsAffected() == 1, err
}

func columnsOf(records []filed) (ids []uuid.UUID, contents [][]byte) {
	for _, r := range records {
		ids, contents = append(ids, r.record.ID), append(contents, r.content)
	}
	return ids, contents
}

// insertRecords files records under one person.
func insertRecords(ctx context.Context, db pg.DB, person PersonID, records []filed) error {
	ids, contents := columnsOf(records)
	_, err := db.Exec(ctx, `
		INSERT INTO source_record (person_id, id, content)
		SELECT @person, r.id, r.content
		  FROM unnest(@ids::uuid[], @contents::bytea[]) AS r (id, content)`,
		pgx.NamedArgs{"person": person, "ids": ids, "contents": contents})
	return err
}

// lock holds whoever stands for a person until the transaction ends, and returns the ids of all of
// whom they are one, that one first. Nobody merges, parts or computes people but under that lock, so
// that it is the only one, and who belongs to it is read once it is held. Error: ErrNotFound.
func lock(ctx context.Context, tx pg.Tx, person PersonID) ([]PersonID, error) {
	for {
		root, err := lockRoot(ctx, tx, person)
		if err != nil {
			return nil, err
		}
		members, err := membersOf(ctx, tx, []PersonID{root})
		if err != nil {
			return nil, err
		}
		if cluster := append([]PersonID{root}, members[root]...); slices.Contains(cluster, person) {
			return cluster, nil
		} // parted while this one waited
	}
}

func lockRoot(ctx context.Context, tx pg.Tx, person PersonID) (root PersonID, err error) {
	for into := &person; into != nil; {
		err = tx.QueryRow(ctx, `
			SELECT id, merged_into
			  FROM person
			 WHERE id = (SELECT coalesce(merged_into, id) FROM person WHERE id = @person)
			   FOR UPDATE`,
			pgx.NamedArgs{"person": *into}).Scan(&root, &into)
		if pg.NoRows(err) {
			return root, ErrNotFound
		}
		if err != nil {
			return root, err
		}
	}
	return root, nil
}

// membersOf are those merged into people.
func membersOf(ctx context.Context, tx pg.Tx, roots []PersonID) (map[PersonID][]PersonID, error) {
	rows, _ := tx.Query(ctx, `
		SELECT merged_into, id
		  FROM person
		 WHERE merged_into = ANY(@roots)
		 ORDER BY id`,
		pgx.NamedArgs{"roots": roots})
	members := map[PersonID][]PersonID{}
	var root, id PersonID
	_, err := pgx.ForEachRow(rows, []any{&root, &id}, func() error {
		members[root] = append(members[root], id)
		return nil
	})
	return members, err
}

// recordsOf opens the records of some people received before an id, oldest first; the zero id
// means all. Each is under the person it was filed for.
func (s *Store) recordsOf(ctx context.Context, db pg.DB, people []PersonID, before uuid.UUID) (map[PersonID][]pmcc.Record, error) {
	// In no order: for many people, sorting would carry every content to disk and back.
	rows, _ := db.Query(ctx, `
		SELECT person_id, id, content
		  FROM source_record
		 WHERE person_id = ANY(@people) AND (@all OR id < @before)
		 UNION ALL
		SELECT f.id, f.id, f.content
		  FROM (SELECT DISTINCT began_with FROM person WHERE id = ANY(@people)) p
		  JOIN first_record f ON f.id = p.began_with
		 WHERE @all OR f.id < @before`,
		pgx.NamedArgs{"people": people, "before": before, "all": before == uuid.Nil})
	return s.openRecords(rows, people)
}

// recordsFrom is recordsOf for people whose rows of first_record are known.
func (s *Store) recordsFrom(ctx context.Context, db pg.DB, people []PersonID, begun []uuid.UUID) (map[PersonID][]pmcc.Record, error) {
	rows, _ := db.Query(ctx, `
		SELECT person_id, id, content
		  FROM source_record
		 WHERE person_id = ANY(@people)
		 UNION ALL
		SELECT id, id, content
		  FROM first_record
		 WHERE id = ANY(@begun)`,
		pgx.NamedArgs{"people": people, "begun": begun})
	return s.openRecords(rows, people)
}

func (s *Store) openRecords(rows pgx.Rows, people []PersonID) (map[PersonID][]pmcc.Record, error) {
	all := make(map[PersonID][]pmcc.Record, len(people))
	for _, person := range people {
		all[person] = nil
	}
	take := func(person PersonID, r pmcc.Record) {
		if records, wanted := all[person]; wanted {
			all[person] = append(records, r)
		}
	}
	var person PersonID
	var row uuid.UUID
	var sealed pgtype.DriverBytes // valid until the next row
	_, err := pgx.ForEachRow(rows, []any{&person, &row, &sealed}, func() error {
		plain, err := s.box.Class(recordPurpose).Open(sealed, recordAAD(person, row))
		if err != nil {
			return err
		}
		return recordsIn(person, row, plain, take)
	})
	for _, records := range all {
		slices.SortFunc(records, func(x, y pmcc.Record) int { return bytes.Compare(x.ID[:], y.ID[:]) })
	}
	return all, err
}

// overridesOf reads what humans decided about some people before an id; the zero id means all.
func (s *Store) overridesOf(ctx context.Context, db pg.DB, people []PersonID, before uuid.UUID) (map[PersonID][]pmcc.Override, error) {
	rows, _ := db.Query(ctx, `
		SELECT person_id, id, action, field, value, record_id
		  FROM person_override
		 WHERE person_id = ANY(@people) AND (@all OR id < @before)
		 ORDER BY id`,
		pgx.NamedArgs{"people": people, "before": before, "all": before == uuid.Nil})
	all := map[PersonID][]pmcc.Override{}
	var person PersonID
	var id uuid.UUID
	var action pmcc.Action
	var field string
	var value []byte
	var rec *uuid.UUID
	_, err := pgx.ForEachRow(rows, []any{&person, &id, &action, &field, &value, &rec}, func() error {
		o := pmcc.Override{ID: id, Action: action}
		o.Field, o.Key, _ = record.Parse(field)
		if rec != nil {
			o.Record = *rec
		}
		if value != nil {
			plain, err := s.box.Class(recordPurpose).Open(value, recordAAD(person, id))
			if err != nil {
				return err
			}
			o.Text = string(plain)
		}
		all[person] = append(all[person], o)
		return nil
	})
	return all, err
}

// updatePerson puts newly computed values in place.
func updatePerson(ctx context.Context, tx pg.Tx, p *computed, now time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE person
		   SET identity = @identity, documents = @documents, contact = @contact, family = @family, complements = @complements,
		       declared = @declared, policy = @policy, undocumented = @undocumented, fields = NULL, updated_at = greatest(updated_at, @now)
		 WHERE id = @id`,
		pgx.NamedArgs{"id": p.id, "identity": p.parts[0], "documents": p.parts[1], "contact": p.parts[2], "family": p.parts[3],
			"complements": p.parts[4], "declared": p.parts[5], "policy": p.policy, "undocumented": p.person.CPF == "" && p.person.CNPJ == "", "now": now})
	return err
}

// digestKey returns the city's sealed digest key: fresh, where there was none.
func digestKey(ctx context.Context, db pg.DB, fresh []byte) (sealed []byte, err error) {
	err = db.QueryRow(ctx, `
		INSERT INTO registry_key (one, sealed)
		VALUES (true, @fresh)
		ON CONFLICT (one) DO UPDATE SET sealed = registry_key.sealed
		RETURNING sealed`,
		pgx.NamedArgs{"fresh": fresh}).Scan(&sealed)
	return sealed, err
}

// newestPolicy is the number and text of the policy in force at an instant; 0 when none was
// applied yet.
func newestPolicy(ctx context.Context, db pg.DB, at time.Time) (version int, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce(max(version), 0)
		  FROM pmcc_version
		 WHERE applied_at <= @at`,
		pgx.NamedArgs{"at": at}).Scan(&version)
	return version, err
}

func policyText(ctx context.Context, db pg.DB, version int) (text string, err error) {
	err = db.QueryRow(ctx, `
		SELECT policy
		  FROM pmcc_version
		 WHERE version = @version`,
		pgx.NamedArgs{"version": version}).Scan(&text)
	return text, err
}
