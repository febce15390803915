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

// answers says whether a value of a record waits for a human, or was answered before. person stands
// for the owner, under whom the record lies.
func answers(ctx context.Context, tx pg.Tx, person, owner PersonID, rec uuid.UUID, field string) (waits bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM pending_value WHERE person_id = @person AND record_id = @record AND field = @field)
		    OR EXISTS (SELECT 1 FROM person_override WHERE person_id = @owner AND record_id = @record AND field = @field)`,
		pgx.NamedArgs{"person": person, "owner": owner, "record": rec, "field": field}).Scan(&waits)
	return waits, err
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
