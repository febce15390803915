package factor

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
)

// Reseal seals again what an old data key has sealed: secrets of apps, addresses, questions, and
// where links to deny something went.
func Reseal(ctx context.Context, db *pg.Pool, box registry.Sealer) (n int64, err error) {
	general, contact := box.Class(secret.General), box.Class(channelClass)
	for _, renew := range []func() (int64, error){
		func() (int64, error) { return secret.Renew(ctx, db, general, appsAfter, replaceApp) },
		func() (int64, error) { return secret.Renew(ctx, db, general, questionsAfter, replaceQuestion) },
		func() (int64, error) { return secret.Renew(ctx, db, contact, channelsAfter, replaceChannel) },
		func() (int64, error) { return secret.Renew(ctx, db, contact, linksAfter, replaceLink) },
	} {
		some, err := renew()
		n += some
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// rowOf is a row of a table that has several of a person.
type rowOf struct{ person, id uuid.UUID }

func rowsOf(rows pgx.Rows, aad func(person, id uuid.UUID) []byte) ([]secret.Stored[rowOf], error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s secret.Stored[rowOf], err error) {
		err = row.Scan(&s.Key.person, &s.Key.id, &s.Value)
		s.AAD = aad(s.Key.person, s.Key.id)
		return s, err
	})
}

func appsAfter(ctx context.Context, tx pg.Tx, after rowOf) ([]secret.Stored[rowOf], error) {
	rows, _ := tx.Query(ctx, `
		SELECT person_id, id, secret
		  FROM totp
		 WHERE (person_id, id) > (@person, @id)
		 ORDER BY person_id, id
		 LIMIT 500
		   FOR UPDATE`,
		pg.Args{"person": after.person, "id": after.id})
	return rowsOf(rows, totpAAD)
}

func replaceApp(ctx context.Context, tx pg.Tx, at rowOf, sealed []byte) error {
	return pg.Later(ctx, tx, `
		UPDATE totp
		   SET secret = @sealed
		 WHERE person_id = @person AND id = @id`,
		pg.Args{"person": at.person, "id": at.id, "sealed": sealed})
}

func channelsAfter(ctx context.Context, tx pg.Tx, after rowOf) ([]secret.Stored[rowOf], error) {
	rows, _ := tx.Query(ctx, `
		SELECT person_id, id, address
		  FROM channel
		 WHERE (person_id, id) > (@person, @id)
		 ORDER BY person_id, id
		 LIMIT 500
		   FOR UPDATE`,
		pg.Args{"person": after.person, "id": after.id})
	return rowsOf(rows, channelAAD)
}

func replaceChannel(ctx context.Context, tx pg.Tx, at rowOf, sealed []byte) error {
	return pg.Later(ctx, tx, `
		UPDATE channel
		   SET address = @sealed
		 WHERE person_id = @person AND id = @id`,
		pg.Args{"person": at.person, "id": at.id, "sealed": sealed})
}

func questionsAfter(ctx context.Context, tx pg.Tx, after uuid.UUID) ([]secret.Stored[uuid.UUID], error) {
	rows, _ := tx.Query(ctx, `
		SELECT person_id, question
		  FROM secret_question
		 WHERE person_id > @person
		 ORDER BY person_id
		 LIMIT 500
		   FOR UPDATE`,
		pg.Args{"person": after})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s secret.Stored[uuid.UUID], err error) {
		err = row.Scan(&s.Key, &s.Value)
		s.AAD = questionAAD(s.Key)
		return s, err
	})
}

func replaceQuestion(ctx context.Context, tx pg.Tx, person uuid.UUID, sealed []byte) error {
	return pg.Later(ctx, tx, `
		UPDATE secret_question
		   SET question = @sealed
		 WHERE person_id = @person`,
		pg.Args{"person": person, "sealed": sealed})
}

func linksAfter(ctx context.Context, tx pg.Tx, after string) ([]secret.Stored[string], error) {
	rows, _ := tx.Query(ctx, `
		SELECT token_hash, address
		  FROM not_me
		 WHERE token_hash > @after
		 ORDER BY token_hash
		 LIMIT 500
		   FOR UPDATE`,
		pg.Args{"after": []byte(after)})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s secret.Stored[string], err error) {
		err = row.Scan(&s.AAD, &s.Value)
		s.Key = string(s.AAD)
		return s, err
	})
}

func replaceLink(ctx context.Context, tx pg.Tx, hash string, sealed []byte) error {
	return pg.Later(ctx, tx, `
		UPDATE not_me
		   SET address = @sealed
		 WHERE token_hash = @hash`,
		pg.Args{"hash": []byte(hash), "sealed": sealed})
}
