package registry

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

type sealedPerson struct {
	id     PersonID
	sealed Sealed
}

// peopleAfter holds the next people by id.
func peopleAfter(ctx context.Context, tx pg.Tx, after PersonID) ([]sealedPerson, error) {
	rows, _ := tx.Query(ctx, `
		SELECT id, ARRAY[identity, documents, contact, family, complements, declared]
		  FROM person
		 WHERE id > @after
		 ORDER BY id
		 LIMIT @n
		   FOR UPDATE`,
		pgx.NamedArgs{"after": after, "n": resealBatch})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p sealedPerson, err error) {
		return p, row.Scan(&p.id, &p.sealed)
	})
}

func replaceParts(ctx context.Context, tx pg.Tx, id PersonID, parts Sealed) error {
	_, err := tx.Exec(ctx, `
		UPDATE person
		   SET identity = @identity, documents = @documents, contact = @contact, family = @family, complements = @complements, declared = @declared
		 WHERE id = @id`,
		pgx.NamedArgs{"id": id, "identity": parts[0], "documents": parts[1], "contact": parts[2], "family": parts[3], "complements": parts[4],
			"declared": parts[5]})
	return err
}

func recordsAfter(ctx context.Context, tx pg.Tx, after cursor) ([]secret.Stored[cursor], error) {
	rows, _ := tx.Query(ctx, `
		SELECT person_id, id, content
		  FROM source_record
		 WHERE (person_id, id) > (@person, @id)
		 ORDER BY person_id, id
		 LIMIT @n
		   FOR UPDATE`,
		pgx.NamedArgs{"person": after.person, "id": after.id, "n": resealBatch})
	return pgx.CollectRows(rows, scanSealedRow)
}

// scanSealedRow reads one value under the records' key.
func scanSealedRow(row pgx.CollectableRow) (r secret.Stored[cursor], err error) {
	err = row.Scan(&r.Key.person, &r.Key.id, &r.Value)
	r.AAD = recordAAD(r.Key.person, r.Key.id)
	return r, err
}

func replaceContent(ctx context.Context, tx pg.Tx, at cursor, value []byte) error {
	_, err := tx.Exec(ctx, `
		UPDATE source_record
		   SET content = @value
		 WHERE person_id = @person AND id = @id`,
		pgx.NamedArgs{"person": at.person, "id": at.id, "value": value})
	return err
}

func firstAfter(ctx context.Context, tx pg.Tx, after cursor) ([]secret.Stored[cursor], error) {
	rows, _ := tx.Query(ctx, `
		SELECT id, id, content
		  FROM first_record
		 WHERE id > @id
		 ORDER BY id
		 LIMIT @n
		   FOR UPDATE`,
		pgx.NamedArgs{"id": after.id, "n": resealBatch})
	return pgx.CollectRows(rows, scanSealedRow)
}

func replaceFirst(ctx context.Context, tx pg.Tx, at cursor, value []byte) error {
	_, err := tx.Exec(ctx, `
		UPDATE first_record
		   SET content = @value
		 WHERE id = @id`,
		pgx.NamedArgs{"id": at.id, "value": value})
	return err
}

func overridesAfter(ctx context.Context, tx pg.Tx, after cursor) ([]secret.Stored[cursor], error) {
	rows, _ := tx.Query(ctx, `
		SELECT person_id, id, value
		  FROM person_override
		 WHERE (person_id, id) > (@person, @id) AND value IS NOT NULL
		 ORDER BY person_id, id
		 LIMIT @n
		   FOR UPDATE`,
		pgx.NamedArgs{"person": after.person, "id": after.id, "n": resealBatch})
	return pgx.CollectRows(rows, scanSealedRow)
}

func replaceOverride(ctx context.Context, tx pg.Tx, at cursor, value []byte) error {
	_, err := tx.Exec(ctx, `
		UPDATE person_override
		   SET value = @value
		 WHERE person_id = @person AND id = @id`,
		pgx.NamedArgs{"person": at.person, "id": at.id, "value": value})
	return err
}

// resealKey seals the digest key again where its key is old.
func (s *Store) resealKey(ctx context.Context, db *pg.Pool) error {
	return pg.InTx(ctx, db, func(tx pg.Tx) error {
		var sealed []byte
		err := tx.QueryRow(ctx, `SELECT sealed FROM registry_key WHERE one FOR UPDATE`).Scan(&sealed)
		cipher := s.box.Class(recordPurpose)
		if pg.NoRows(err) || err == nil && cipher.Current(sealed) {
			return nil
		}
		if err != nil {
			return err
		}
		plain, err := cipher.Open(sealed, []byte("registry_key"))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE registry_key SET sealed = @sealed WHERE one`, pgx.NamedArgs{"sealed": cipher.Seal(plain, []byte("registry_key"))})
		return err
	})
}

// indexAfter takes the next ways of an old version.
func indexAfter(ctx context.Context, tx pg.Tx, version int16, after uuid.UUID) ([]indexRow, error) {
	rows, _ := tx.Query(ctx, `
		SELECT index, person_id
		  FROM cpf_index
		 WHERE index > @after AND key_version = @version
		 ORDER BY index
		 LIMIT @n
		   FOR UPDATE`,
		pgx.NamedArgs{"version": version, "after": after, "n": resealBatch})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r indexRow, err error) {
		return r, row.Scan(&r.index, &r.person)
	})
}

// replaceIndex puts a new way in place of an old one, in one transaction for those who look.
func replaceIndex(ctx context.Context, tx pg.Tx, old indexRow, index uuid.UUID, version int16) error {
	return pg.Later(ctx, tx, `
		WITH gone AS (
		     DELETE FROM cpf_index
		      WHERE index = @old)
		INSERT INTO cpf_index (index, key_version, person_id)
		VALUES (@index, @version, @person)
		ON CONFLICT (index) DO NOTHING`,
		pgx.NamedArgs{"old": old.index, "index": index, "version": version, "person": old.person})
}

// anyOf says whether ways of a version are left.
func anyOf(ctx context.Context, db pg.DB, version int16) (left bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM cpf_index WHERE key_version = @version)`,
		pgx.NamedArgs{"version": version}).Scan(&left)
	return left, err
}
