package events

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/pg"
)

// receivers returns which of these services were told something of a person before an instant and
// hold a live grant or consent of theirs still, each under every sub that is in use there: that of
// its grants, and without any the one of its sector.
func receivers(ctx context.Context, db pg.DB, person uuid.UUID, of []*client.Client, before, now time.Time) ([]client.Party, error) {
	ids, sectors := make([]string, len(of)), make([]string, len(of))
	for i, c := range of {
		ids[i], sectors[i] = c.ID, c.Sector
	}
	if len(of) == 0 {
		return nil, nil
	}
	rows, _ := db.Query(ctx, `
		SELECT DISTINCT w.id, coalesce(g.sub, s.sub)
		  FROM unnest(@ids::text[], @sectors::text[]) AS w(id, sector)
		  LEFT JOIN oauth_grant g ON g.person_id = @person AND g.client_id = w.id AND g.code_used_at < @before
		        AND g.revoked_at IS NULL AND g.expires_at > @now
		  LEFT JOIN subject s ON s.person_id = @person AND s.sector = w.sector
		 WHERE coalesce(g.sub, s.sub) IS NOT NULL
		   AND (g.id IS NOT NULL
		        OR 'granted' = (SELECT c.kind
		                          FROM consent c
		                         WHERE c.person_id = @person AND c.client_id = w.id
		                         ORDER BY c.id DESC
		                         LIMIT 1)
		           AND EXISTS (SELECT FROM consent c WHERE c.person_id = @person AND c.client_id = w.id AND c.decided_at < @before))
		 ORDER BY 1, 2`,
		pg.Args{"ids": ids, "sectors": sectors, "person": person, "before": before, "now": now})
	return pgx.CollectRows(rows, pgx.RowToStructByPos[client.Party])
}
