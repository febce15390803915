package token

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/idp/ida"
	"github.com/loginunico/loginunico/internal/pg"
)

// takeReleases takes up to limit tokens off the list of those the audit does not know of, and reads
// what it will be told. Tokens that somebody else is taking are passed over.
//
// What was allowed is in every decision since the first, each with the purposes and bases of what it
// showed; nobody has decided a hundred times about one service's claims, and who does must not make
// every token dear. Those after the token was issued are another's.
func takeReleases(ctx context.Context, tx pg.Tx, limit int) ([]release, error) {
	rows, _ := tx.Query(ctx, `
		WITH taken AS (
		     DELETE FROM token_unaudited
		      WHERE ctid = ANY(ARRAY(SELECT ctid FROM token_unaudited LIMIT @limit FOR UPDATE SKIP LOCKED))
		     RETURNING token_id)
		SELECT g.id, g.person_id, g.client_id, g.scope, g.claims, g.id_token_claims, g.verified_claims, t.scope,
		       t.issued_at, t.access_expires_at, t.issued_at IS NOT DISTINCT FROM g.code_used_at,
		       c.consents, c.versions, c.bases, c.purposes
		  FROM taken
		  JOIN oauth_token t ON t.id = taken.token_id
		  JOIN oauth_grant g ON g.id = t.grant_id
		  CROSS JOIN LATERAL (
		       SELECT coalesce(array_agg(d.id ORDER BY d.id), '{}') AS consents,
		              coalesce(array_agg(d.manifest_version ORDER BY d.id), '{}') AS versions,
		              coalesce(jsonb_agg(d.bases ORDER BY d.id), '[]') AS bases,
		              coalesce(jsonb_agg(d.purposes ORDER BY d.id), '[]') AS purposes
		         FROM (SELECT id, manifest_version, bases, purposes
		                 FROM consent
		                WHERE person_id = g.person_id AND client_id = g.client_id AND kind = 'granted'
		                  AND decided_at <= greatest(t.issued_at, g.created_at)
		                ORDER BY id DESC
		                LIMIT 100) d) c
		 ORDER BY t.issued_at, t.id`,
		pg.Args{"limit": limit})
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r release, err error) {
		err = row.Scan(&r.ID, &r.PersonID, &r.ClientID, &r.Scope, &r.Claims, &r.IDTokenClaims, &r.verified, &r.token.Scope,
			&r.token.IssuedAt, &r.token.AccessExpiresAt, &r.byCode, &r.consents, &r.versions, &r.bases, &r.purposes)
		if err == nil {
			r.Verified, err = ida.Read(r.verified)
		}
		return r, err
	})
}
