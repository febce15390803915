package audit

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// trail returns one event more than the page has, if there is one.
func trail(ctx context.Context, db pg.DB, person uuid.UUID, p Page) ([]Event, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, at, person_id, actor_kind, actor_id, action, fields, purpose, legal_basis, request_id, detail
		  FROM ((SELECT id, at, person_id, actor_kind, actor_id, action, fields, purpose, legal_basis, request_id, detail
		           FROM audit_event
		          WHERE person_id = @person AND at >= @from AND at < @to AND at <= @after AND (at, id) < (@after, @id)
		          ORDER BY at DESC, id DESC
		          LIMIT @limit)
		        UNION ALL
		        SELECT id, at, person_id, actor_kind, actor_id, action, fields, purpose, legal_basis, request_id, detail
		          FROM audit_pending
		         WHERE person_id = @person AND at >= @from AND at < @to AND (at, id) < (@after, @id)) e
		 ORDER BY at DESC, id DESC
		 LIMIT @limit`,
		pg.Args{"person": person, "from": p.From, "to": p.To, "after": p.After.At, "id": p.After.ID, "limit": p.Limit + 1})
	return pgx.CollectRows(rows, scanEvent)
}
