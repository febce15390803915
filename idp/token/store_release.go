package token

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/idp/ida"
	"github.com/loginunico/loginunico/internal/pg"
)

// takeReleases takes up to limit tokens off the list of those the audit does not know of. Tokens that
// somebody else is taking are passed over.
func takeReleases(ctx context.Context, tx pg.Tx, limit int) ([]release, error) {
	rows, _ := tx.Query(ctx, `
		WITH taken AS (
		     DELETE FROM token_unaudited
		      WHERE ctid = ANY(ARRAY(SELECT ctid FROM token_unaudited LIMIT @limit FOR UPDATE SKIP LOCKED))
		     RETURNING token_id)
		SELECT g.id, g.person_id, g.client_id, g.scope, g.claims, g.id_token_claims, g.verified_claims, t.scope,
		       t.issued_at, t.access_expires_at, g.created_at, t.issued_at IS NOT DISTINCT FROM g.code_used_at
		  FROM taken
		  JOIN oauth_token t ON t.id = taken.token_id
		  JOIN oauth_grant g ON g.id = t.grant_id
		 ORDER BY t.issued_at, t.id`,
		pg.Args{"limit": limit})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r release, err error) {
		err = row.Scan(&r.ID, &r.PersonID, &r.ClientID, &r.Scope, &r.Claims, &r.IDTokenClaims, &r.verified, &r.token.Scope,
			&r.token.IssuedAt, &r.token.AccessExpiresAt, &r.grantedAt, &r.byCode)
		if err == nil {
			r.Verified, err = ida.Read(r.verified)
		}
		return r, err
	})
}

// decisionsOf reads what people have allowed services, oldest first.
//
// What was allowed is in every decision since the first, each with the purposes and bases of what it
// showed; nobody has decided a hundred times about one service's claims, and who does must not make
// every token dear.
func decisionsOf(ctx context.Context, tx pg.Tx, pairs []pair) (map[pair][]decision, error) {
	people, clients := make([]uuid.UUID, len(pairs)), make([]string, len(pairs))
	for i, p := range pairs {
		people[i], clients[i] = p.person, p.client
	}
	rows, _ := tx.Query(ctx, `
		SELECT of.person, of.client, d.id, d.decided_at, d.manifest_version, d.bases, d.purposes
		  FROM unnest(@people::uuid[], @clients::text[]) of (person, client)
		  CROSS JOIN LATERAL (
		       SELECT id, decided_at, manifest_version, bases, purposes
		         FROM consent
		        WHERE person_id = of.person AND client_id = of.client AND kind = 'granted'
		        ORDER BY id DESC
		        LIMIT 100) d
		 ORDER BY d.id`,
		pg.Args{"people": people, "clients": clients})
	all := map[pair][]decision{}
	var p pair
	var d decision
	_, err := pgx.ForEachRow(rows, []any{&p.person, &p.client, &d.id, &d.at, &d.manifest, &d.bases, &d.purposes}, func() error {
		all[p] = append(all[p], d)
		d.bases, d.purposes = nil, nil // the next row has maps of its own
		return nil
	})
	return all, err
}
