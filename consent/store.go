package consent

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// Latest returns the newest decision of a person about a service; nil when there is none.
func Latest(ctx context.Context, db pg.DB, person uuid.UUID, clientID string) (*Record, error) {
	rows, _ := db.Query(ctx, `
		SELECT person_id, client_id, id, kind, claims, offered, offline, purposes, bases,
		       manifest_version, text_shown, language, decided_at
		  FROM consent
		 WHERE person_id = @person AND client_id = @client
		 ORDER BY id DESC
		 LIMIT 1`,
		pgx.NamedArgs{"person": person, "client": clientID})
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByPos[Record])
	if pg.NoRows(err) {
		return nil, nil
	}
	return r, err
}

// Live returns the newest decision about each service that is still granted, newest first; none
// is an empty slice.
func Live(ctx context.Context, db pg.DB, person uuid.UUID) ([]Record, error) {
	rows, _ := db.Query(ctx, `
		SELECT person_id, client_id, id, kind, claims, offered, offline, purposes, bases,
		       manifest_version, text_shown, language, decided_at
		  FROM (SELECT DISTINCT ON (client_id) *
		          FROM consent
		         WHERE person_id = @person
		         ORDER BY client_id, id DESC) latest
		 WHERE kind = 'granted'
		 ORDER BY decided_at DESC`,
		pgx.NamedArgs{"person": person})
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Record])
}

// insert writes a decision under the next id.
func insert(ctx context.Context, db pg.DB, r Record, now time.Time) (Record, error) {
	r.ID, r.DecidedAt = pg.NewID(), now
	_, err := db.Exec(ctx, `
		INSERT INTO consent (person_id, client_id, id, kind, claims, offered, offline, purposes, bases,
		                     manifest_version, text_shown, language, decided_at)
		VALUES (@person, @client, @id, @kind, @claims, @offered, @offline, @purposes, @bases,
		        @version, @text, @language, @now)`,
		pgx.NamedArgs{"person": r.PersonID, "client": r.ClientID, "id": r.ID, "kind": string(r.Kind), "claims": r.Claims,
			"offered": r.Offered, "offline": r.Offline, "purposes": r.Purposes, "bases": r.Bases,
			"version": r.ManifestVersion, "text": r.TextShown, "language": r.Language, "now": now})
	return r, err
}
