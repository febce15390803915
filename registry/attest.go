package registry

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// Attest files what another source says of a person, in place of what it said before; the policy
// decides what becomes of each value. Where it says the same as before, nothing is written.
// Error: ErrNotFound.
func (s *Store) Attest(ctx context.Context, tx pg.Tx, p Person, source string, fields Fields, now time.Time) error {
	d, err := s.Digester(ctx, tx)
	if err != nil {
		return err
	}
	c, err := content(fieldsOf(Person{CPF: p.CPF, CNPJ: p.CNPJ, Fields: from(fields, source)}, source), createdAt(source), now)
	if err != nil {
		return err
	}
	if _, err := lock(ctx, tx, p.ID); err != nil {
		return err
	}
	f := s.file(d, p.ID, source, p.ID[:], c, now)
	before, err := s.recordsOf(ctx, tx, []PersonID{p.ID}, uuid.Nil)
	if err != nil || saidBefore(before[p.ID], f.record) {
		return err
	}
	if err := insertRecords(ctx, tx, p.ID, []filed{f}); err != nil {
		return err
	}
	if _, err := s.recompute(ctx, tx, p.ID, now); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Event{At: now, Actor: audit.Actor{Kind: audit.System, ID: source}, Action: "registry.attest",
		Person: p.ID, Fields: namesOf(fields)})
}

func namesOf(fields Fields) []string { return slices.Sorted(maps.Keys(fields)) }

// from are the fields with their source.
func from(fields Fields, source string) Fields {
	all := Fields{}
	for name, v := range fields {
		v.Source = source
		all[name] = v
	}
	return all
}

// saidBefore says whether the last version of a record has the same values; when an address was
// confirmed does not count, since each sign-in confirms it.
func saidBefore(records []pmcc.Record, now pmcc.Record) bool {
	for _, r := range slices.Backward(records) {
		if r.Source == now.Source && r.Key == now.Key {
			return slices.Equal(valuesOf(r.Content), valuesOf(now.Content))
		}
	}
	return false
}

func valuesOf(c record.Content) (all []string) {
	_, values, err := c.Open()
	if err != nil || c.IsVoid() {
		return []string{"void"}
	}
	for v, ok := values.Next(); ok; v, ok = values.Next() {
		all = append(all, record.Join(v.Field, string(v.Key))+"="+string(v.Text))
	}
	return all
}
