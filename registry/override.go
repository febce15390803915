package registry

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// Why a decision about a value is not taken. A value that is none of its field is refused with the
// *record.Reason.
var (
	ErrDocument   = fail.New(fail.Conflict, "document_by_hand")  // CPF and CNPJ lead to the person: a source or a merge changes them
	ErrReason     = fail.New(fail.Invalid, "reason_required")    // nothing is decided by hand without saying why
	ErrNotPending = fail.New(fail.NotFound, "value_not_pending") // nothing waits there
	ErrNotSet     = fail.New(fail.NotFound, "override_not_found")
)

// Decision is what a human decides about one field of one person. It stands above the policy.
type Decision struct {
	Person PersonID
	Action pmcc.Action
	Field  string      // "name", "benefit/bpc"
	Text   string      // Set: the value, which is normalised; parts as record.Composite joins them
	Record uuid.UUID   // Approve, Refuse: the record whose value waits
	Actor  audit.Actor // who
	Reason string      // why, in words that may be read years later; at most 500 bytes
}

// Override takes a decision and decides the person's values anew, with its audit, all in the
// caller's transaction. It is kept for good; a later one about the same field replaces it.
//
// Errors: ErrNotFound, ErrField, ErrDocument, ErrReason, ErrNotPending, ErrNotSet, *record.Reason.
func (s *Store) Override(ctx context.Context, tx pg.Tx, d Decision, now time.Time) error {
	field, key, err := d.check()
	if err != nil {
		return err
	}
	cluster, err := lock(ctx, tx, d.Person)
	if err != nil {
		return err
	}
	owner, err := s.owner(ctx, tx, &d, cluster)
	if err != nil {
		return err
	}
	row := overrideRow{person: owner, id: s.ids.At(now), field: record.Join(field, key), decision: d}
	if d.Action == pmcc.Set {
		text, err := record.At(now).Append(nil, field, []byte(d.Text))
		if err != nil {
			return err
		}
		if len(text) == 0 {
			return ErrRequired
		}
		row.value = s.box.Class(recordPurpose).Seal(text, recordAAD(owner, row.id))
	}
	if err := insertOverride(ctx, tx, row); err != nil {
		return err
	}
	if _, err := s.recompute(ctx, tx, cluster[0], now); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, d.event(cluster[0], row.field, now))
}

func (d *Decision) check() (f record.Field, key string, err error) {
	f, key, ok := record.Parse(d.Field)
	d.Reason = strings.TrimSpace(d.Reason)
	switch {
	case !ok:
		return 0, "", ErrField
	case f == record.CPF || f == record.CNPJ:
		return 0, "", ErrDocument
	case d.Reason == "" || len(d.Reason) > 500 || strings.ContainsFunc(d.Reason, unicode.IsControl):
		return 0, "", ErrReason
	}
	return f, key, nil
}

// owner is under whom of those who are one person a decision is filed: an answer where the record
// is, so that an unmerge leaves them together; anything else under whom they all stand as.
func (s *Store) owner(ctx context.Context, tx pg.Tx, d *Decision, cluster []PersonID) (PersonID, error) {
	switch d.Action {
	case pmcc.Approve, pmcc.Refuse:
		return s.ownerOfAnswer(ctx, tx, d, cluster)
	case pmcc.Release:
		standing, err := standingOverride(ctx, tx, cluster, d.Field)
		if err == nil && !standing {
			err = ErrNotSet
		}
		return cluster[0], err
	}
	return cluster[0], nil
}

// ownerOfAnswer finds under whom the record lies whose value waits, or was answered before.
func (s *Store) ownerOfAnswer(ctx context.Context, tx pg.Tx, d *Decision, cluster []PersonID) (owner PersonID, err error) {
	records, err := s.recordsOf(ctx, tx, cluster, uuid.Nil)
	if err != nil {
		return owner, err
	}
	for person, filed := range records {
		if slices.ContainsFunc(filed, func(r pmcc.Record) bool { return r.ID == d.Record }) {
			owner = person
		}
	}
	waits, err := answers(ctx, tx, cluster[0], owner, d.Record, d.Field)
	if err == nil && (owner == uuid.Nil || !waits) {
		err = ErrNotPending
	}
	return owner, err
}

func (d *Decision) event(person PersonID, field string, now time.Time) audit.Event {
	e := audit.Event{At: now, Actor: d.Actor, Action: "registry.override." + string(d.Action), Person: person, Fields: []string{field}, Purpose: d.Reason}
	if d.Record != uuid.Nil {
		e.Detail = map[string]string{"record": d.Record.String()}
	}
	return e
}

// Waiting is a value that waits for a human. Its text is in the record: see [Store.Texts].
type Waiting struct {
	Person PersonID
	Record uuid.UUID
	Field  string
	Source string
	Rule   int // of the policy's version Policy
	Policy int
}

// Since is when the record came in.
func (w Waiting) Since() time.Time { return record.TimeOf(w.Record) }

// Waiting lists what waits for a human, the eldest first; of one person, or of all with the zero id.
func (s *Store) Waiting(ctx context.Context, db pg.DB, person PersonID, n int) ([]Waiting, error) {
	return waitingValues(ctx, db, person, n)
}

// Texts opens the texts that waiting values of one person would bring.
func (s *Store) Texts(ctx context.Context, db pg.DB, waiting []Waiting) ([]string, error) {
	texts := make([]string, len(waiting))
	for i, w := range waiting {
		cluster, err := clusterOf(ctx, db, w.Person)
		if err != nil {
			return nil, err
		}
		records, err := s.recordsOf(ctx, db, cluster, uuid.Nil)
		if err != nil {
			return nil, err
		}
		for _, filed := range records {
			for _, r := range filed {
				if r.ID == w.Record {
					texts[i] = textOf(r.Content, w.Field)
				}
			}
		}
	}
	return texts, nil
}

func textOf(c record.Content, field string) string {
	f, key, _ := record.Parse(field)
	_, values, err := c.Open()
	if err != nil {
		return ""
	}
	for v, ok := values.Next(); ok; v, ok = values.Next() {
		if v.Field == f && string(v.Key) == key {
			return string(v.Text)
		}
	}
	return ""
}

// Taken is a decision of the past, without the value it set.
type Taken struct {
	ID            uuid.UUID // its time is when it was taken
	Action        pmcc.Action
	Field         string
	Actor, Reason string
}

// At is when it was taken.
func (t Taken) At() time.Time { return record.TimeOf(t.ID) }

// Decisions lists what humans decided about a person, the latest first.
func (s *Store) Decisions(ctx context.Context, db pg.DB, person PersonID) ([]Taken, error) {
	cluster, err := clusterOf(ctx, db, person)
	if err != nil {
		return nil, err
	}
	return decisionsOf(ctx, db, cluster)
}

func clusterOf(ctx context.Context, db pg.DB, person PersonID) ([]PersonID, error) {
	clusters, err := clustersOf(ctx, db, []PersonID{person})
	return clusters[person], err
}
