package registry

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

type overrideRow struct {
	person   PersonID
	id       uuid.UUID
	field    string
	value    []byte // sealed; Set only
	decision Decision
}

func insertOverride(ctx context.Context, tx pg.Tx, o overrideRow) error {
	var answers *uuid.UUID
	if o.decision.Record != uuid.Nil {
		answers = &o.decision.Record
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO person_override (person_id, id, action, field, value, record_id, actor, reason)
		VALUES (@person, @id, @action, @field, @value, @record, @actor, @reason)`,
		pgx.NamedArgs{"person": o.person, "id": o.id, "action": string(o.decision.Action), "field": o.field, "value": o.value,
			"record": answers, "actor": o.decision.Actor.ID, "reason": o.decision.Reason})
	return err
}

// ownerOfAnswer finds under whom the record lies whose value waits, or was answered before.
func ownerOfAnswer(ctx context.Context, tx pg.Tx, cluster []PersonID, rec uuid.UUID, field string) (owner PersonID, err error) {
	err = tx.QueryRow(ctx, `
		SELECT r.person_id
		  FROM source_record r
		 WHERE r.person_id = ANY(@cluster) AND r.id = @row
		   AND (EXISTS (SELECT 1 FROM pending_value p WHERE p.person_id = @person AND p.record_id = @record AND p.field = @field)
		     OR EXISTS (SELECT 1 FROM person_override o WHERE o.person_id = r.person_id AND o.record_id = @record AND o.field = @field))`,
		pgx.NamedArgs{"cluster": cluster, "person": cluster[0], "record": rec, "row": rowID(rec), "field": field}).Scan(&owner)
	return owner, err
}

// standingOverride says whether a human's set or remove holds.
func standingOverride(ctx context.Context, tx pg.Tx, cluster []PersonID, field string) (standing bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT coalesce((
		       SELECT action <> 'release'
		         FROM person_override
		        WHERE person_id = ANY(@cluster) AND field = @field AND action IN ('set','remove','release')
		        ORDER BY id DESC
		        LIMIT 1), false)`,
		pgx.NamedArgs{"cluster": cluster, "field": field}).Scan(&standing)
	return standing, err
}

func waitingValues(ctx context.Context, db pg.DB, person PersonID, n int) ([]Waiting, error) {
	rows, _ := db.Query(ctx, `
		SELECT p.person_id AS person, p.record_id AS record, p.field, p.source, p.rule, p.policy
		  FROM pending_value p
		  JOIN person s ON s.id = p.person_id AND s.merged_into IS NULL
		 WHERE @all OR p.person_id = @person
		 ORDER BY p.record_id, p.field
		 LIMIT @n`,
		pgx.NamedArgs{"person": person, "all": person == uuid.Nil, "n": n})
	return pgx.CollectRows(rows, pgx.RowToStructByName[Waiting])
}

func decisionsOf(ctx context.Context, db pg.DB, cluster []PersonID) ([]Taken, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, action, field, actor, reason
		  FROM person_override
		 WHERE person_id = ANY(@cluster)
		 ORDER BY id DESC`,
		pgx.NamedArgs{"cluster": cluster})
	return pgx.CollectRows(rows, pgx.RowToStructByName[Taken])
}
