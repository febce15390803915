package audit

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// MakeMonths makes the partitions of the month of now and of the three that follow. A Writer does it
// when it starts and for any other month that an event asks for; the daily job does it ahead.
func MakeMonths(ctx context.Context, db pg.DB, now time.Time) error {
	now = now.UTC()
	for ahead := range time.Month(4) {
		if err := makeMonth(ctx, db, time.Date(now.Year(), now.Month()+ahead, 1, 0, 0, 0, 0, time.UTC)); err != nil {
			return err
		}
	}
	return nil
}

func makeMonth(ctx context.Context, db pg.DB, first time.Time) error {
	_, err := db.Exec(ctx, `SELECT audit_month(@first)`, pg.Args{"first": first})
	return err
}

// columns of events, each an array, as one statement takes them.
func columns(events []Event) pg.Args {
	n := len(events)
	ids, ats, persons := make([]uuid.UUID, n), make([]time.Time, n), make([]uuid.UUID, n)
	texts := map[string][]string{}
	for _, name := range []string{"kinds", "actors", "actions", "fields", "purposes", "bases", "requests", "details"} {
		texts[name] = make([]string, n)
	}
	for i, e := range events {
		ids[i], ats[i], persons[i] = e.ID, e.At, e.Person
		texts["kinds"][i], texts["actors"][i], texts["actions"][i] = string(e.Actor.Kind), e.Actor.ID, e.Action
		texts["fields"][i] = strings.Join(e.Fields, ",")
		texts["purposes"][i], texts["bases"][i], texts["requests"][i] = e.Purpose, e.LegalBasis, e.RequestID
		texts["details"][i] = detailJSON(e.Detail)
	}
	args := pg.Args{"ids": ids, "ats": ats, "persons": persons}
	for name, values := range texts {
		args[name] = values
	}
	return args
}

func detailJSON(detail map[string]string) string {
	if len(detail) == 0 {
		return "{}"
	}
	text, err := json.Marshal(detail)
	if err != nil {
		panic(err) // a map of texts always has a JSON form
	}
	return string(text)
}

// insertEvents stores the events of a batch, in order.
func insertEvents(ctx context.Context, tx pg.Tx, seq int64, events []Event) error {
	args := columns(events)
	args["seq"] = seq
	return pg.Later(ctx, tx, `
		INSERT INTO audit_event (batch, place, id, at, person_id, actor_kind, actor_id, action, fields, purpose, legal_basis, request_id, detail)
		SELECT @seq, n - 1, id, at, nullif(person, '00000000-0000-0000-0000-000000000000'), kind, actor, action, string_to_array(fields, ','), purpose, basis, request, detail::jsonb
		  FROM unnest(@ids::uuid[], @ats::timestamptz[], @persons::uuid[], @kinds::text[], @actors::text[], @actions::text[], @fields::text[],
		              @purposes::text[], @bases::text[], @requests::text[], @details::text[]) WITH ORDINALITY
		       AS e (id, at, person, kind, actor, action, fields, purpose, basis, request, detail, n)`, args)
}

// insertPending stores events that have no batch yet.
func insertPending(ctx context.Context, tx pg.Tx, events []Event) error {
	return pg.Later(ctx, tx, `
		INSERT INTO audit_pending (id, at, person_id, actor_kind, actor_id, action, fields, purpose, legal_basis, request_id, detail)
		SELECT id, at, nullif(person, '00000000-0000-0000-0000-000000000000'), kind, actor, action, string_to_array(fields, ','), purpose, basis, request, detail::jsonb
		  FROM unnest(@ids::uuid[], @ats::timestamptz[], @persons::uuid[], @kinds::text[], @actors::text[], @actions::text[], @fields::text[],
		              @purposes::text[], @bases::text[], @requests::text[], @details::text[])
		       AS e (id, at, person, kind, actor, action, fields, purpose, basis, request, detail)`, columns(events))
}

func anyPending(ctx context.Context, db pg.DB) (any bool, err error) {
	err = db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM audit_pending)`).Scan(&any)
	return any, err
}

// takePending takes the oldest pending events out, up to limit, oldest first.
func takePending(ctx context.Context, tx pg.Tx, limit int) ([]Event, error) {
	rows, _ := tx.Query(ctx, `
		DELETE FROM audit_pending
		 WHERE id IN (SELECT id FROM audit_pending ORDER BY id LIMIT @limit)
		RETURNING id, at, coalesce(person_id, '00000000-0000-0000-0000-000000000000'), actor_kind, actor_id, action, fields, purpose, legal_basis, request_id, detail`,
		pg.Args{"limit": limit})
	events, err := pgx.CollectRows(rows, scanEvent)
	slices.SortFunc(events, func(a, b Event) int { return strings.Compare(string(a.ID[:]), string(b.ID[:])) })
	return events, err
}

// scanEvent reads an event's own columns.
func scanEvent(row pgx.CollectableRow) (e Event, err error) {
	return e, row.Scan(e.into()...)
}

// into is where an event's own columns go, in the order of every statement here.
func (e *Event) into() []any {
	return []any{&e.ID, &e.At, &e.Person, &e.Actor.Kind, &e.Actor.ID, &e.Action, &e.Fields, &e.Purpose, &e.LegalBasis, &e.RequestID, &e.Detail}
}

// lockHead makes this transaction the only one that appends, until it ends, and returns the chain's
// last batch and whether events are pending.
func lockHead(ctx context.Context, tx pg.Tx) (h head, pending bool, err error) {
	if err := lockChain(ctx, tx); err != nil {
		return h, false, err
	}
	err = tx.QueryRow(ctx, `
		SELECT coalesce(b.seq, 0), coalesce(b.at, 'epoch'::timestamptz), b.hash, EXISTS (SELECT FROM audit_pending)
		  FROM (SELECT) one
		  LEFT JOIN LATERAL (SELECT seq, at, hash FROM audit_batch ORDER BY seq DESC LIMIT 1) b ON true`).
		Scan(&h.Seq, &h.At, &h.Hash, &pending)
	if h.Seq == 0 {
		h = head{Hash: noBatch}
	}
	return h, pending, err
}

// limitIdling ends a transaction whose process stands still, which must not hold the chain for the
// others; a Writer's own connection is set so.
func limitIdling(ctx context.Context, tx pg.Tx) error {
	return pg.Later(ctx, tx, `SELECT set_config('idle_in_transaction_session_timeout', @most, true)`, pg.Args{"most": mostIdle})
}

// lockChain waits for whoever appends now.
func lockChain(ctx context.Context, tx pg.Tx) error {
	return pg.Later(ctx, tx, `SELECT pg_advisory_xact_lock(hashtextextended('chain', hashtext('audit')))`)
}

// insertBatch puts a batch at the chain's end.
func insertBatch(ctx context.Context, tx pg.Tx, b batch) error {
	return pg.Later(ctx, tx, `
		INSERT INTO audit_batch (seq, at, events, marks, root, prev, hash)
		VALUES (@seq, @at, @events, @marks, @root, @prev, @hash)`,
		pg.Args{"seq": b.Seq, "at": b.At, "events": b.Events, "marks": b.Marks, "root": b.Root, "prev": b.Prev, "hash": b.Hash})
}
