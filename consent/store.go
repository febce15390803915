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

// Authorization is a service that a person allows now, by the latest decision, and since when
// without a break.
type Authorization struct {
	Record
	Since time.Time
}

// Live returns the services a person allows, the latest decision first; none is an empty slice.
func Live(ctx context.Context, db pg.DB, person uuid.UUID) ([]Authorization, error) {
	rows, _ := db.Query(ctx, `
		SELECT person_id, client_id, id, kind, claims, offered, offline, purposes, bases,
		       manifest_version, text_shown, language, decided_at,
		       (SELECT c.decided_at
		          FROM consent c
		         WHERE c.person_id = @person AND c.client_id = latest.client_id
		           AND c.id > coalesce((SELECT r.id
		                                  FROM consent r
		                                 WHERE r.person_id = @person AND r.client_id = latest.client_id AND r.kind = 'revoked'
		                                 ORDER BY r.id DESC
		                                 LIMIT 1), '00000000-0000-0000-0000-000000000000')
		         ORDER BY c.id
		         LIMIT 1) AS since
		  FROM (SELECT DISTINCT ON (client_id) *
		          FROM consent
		         WHERE person_id = @person
		         ORDER BY client_id, id DESC) latest
		 WHERE kind = 'granted'
		 ORDER BY latest.decided_at DESC`,
		pgx.NamedArgs{"person": person})
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Authorization])
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
