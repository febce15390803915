package recall

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// used is a certificate that a person has signed in with.
type used struct {
	Serial   []byte
	PersonID uuid.UUID
}

// usedOf is the next page of a CA's certificates, by serial number and person.
func usedOf(ctx context.Context, db pg.DB, issuerKey []byte, after used, most int) ([]used, error) {
	rows, _ := db.Query(ctx, `
		SELECT serial, person_id
		  FROM person_certificate
		 WHERE issuer_key = @key AND (serial, person_id) > (@serial, @person)
		 ORDER BY serial, person_id
		 LIMIT @most`,
		pg.Args{"key": issuerKey, "serial": after.Serial, "person": after.PersonID, "most": most})
	return pgx.CollectRows(rows, pgx.RowToStructByName[used])
}
