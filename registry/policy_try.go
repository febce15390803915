package registry

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// peopleBatch is how many people one transaction, or one look, computes.
const peopleBatch = 2000

// Effect is what another policy would do to the values the city has. It adds up.
type Effect struct {
	People  int64                         // compared
	Changed int64                         // of whom something would differ
	Fields  map[record.Field]*FieldEffect // fields nothing would happen to are absent
}

// FieldEffect is an [Effect] upon one field.
type FieldEffect struct {
	Come, Go, Change int64            // values that would be new, be gone, be another
	Moved            int64            // values that would stay, but come from another source
	Wait, Settled    int64            // values that would begin to wait for a human, and that would wait no more
	Sources          map[string]int64 // "fazenda → receita", "nobody → self": of all but Wait and Settled
}

// Try compares what two policies make of the people, and writes nothing.
//
//	sample   about so many people; 0: everybody
//	workers  goroutines, each with a connection
//	done     is told how many were compared, after each batch; nil: nobody listens
func (s *Store) Try(ctx context.Context, db *pg.Pool, now, next *pmcc.Policy, sample, workers int, done func(people, of int64)) (*Effect, error) {
	sum := &Effect{Fields: map[record.Field]*FieldEffect{}}
	all, err := countPeople(ctx, db)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	work := func() func(context.Context, []PersonID) error {
		t := trial{store: s, db: db, now: pmcc.NewComputer(now), next: pmcc.NewComputer(next)}
		return func(ctx context.Context, people []PersonID) error {
			t.effect = Effect{Fields: map[record.Field]*FieldEffect{}}
			if err := t.compare(ctx, people); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			sum.add(&t.effect)
			if done != nil {
				done(sum.People, all)
			}
			return nil
		}
	}
	return sum, each(ctx, workers, s.listing(db, sample), work)
}

// listing gives batches of people until there are no more.
func (s *Store) listing(db pg.DB, sample int) func(context.Context) ([]PersonID, error) {
	if sample > 0 {
		var chosen []PersonID
		asked := false
		return func(ctx context.Context) (batch []PersonID, err error) {
			if !asked {
				asked = true
				if chosen, err = somePeople(ctx, db, sample); err != nil {
					return nil, err
				}
			}
			n := min(peopleBatch, len(chosen))
			batch, chosen = chosen[:n], chosen[n:]
			return batch, nil
		}
	}
	return everybody(db, nil)
}

// everybody lists people by id, of policies below a version where one is given.
func everybody(db pg.DB, below *int) func(context.Context) ([]PersonID, error) {
	var after PersonID
	return func(ctx context.Context) ([]PersonID, error) {
		batch, err := peopleBelow(ctx, db, after, below, peopleBatch)
		if len(batch) > 0 {
			after = batch[len(batch)-1]
		}
		return batch, err
	}
}

// each hands batch after batch to workers; each worker is made by work.
func each(ctx context.Context, workers int, next func(context.Context) ([]PersonID, error), work func() func(context.Context, []PersonID) error) error {
	group, ctx := errgroup.WithContext(ctx)
	batches := make(chan []PersonID)
	group.Go(func() error {
		defer close(batches)
		for {
			batch, err := next(ctx)
			if err != nil || len(batch) == 0 {
				return err
			}
			select {
			case batches <- batch:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	for range workers {
		do := work()
		group.Go(func() error {
			for batch := range batches {
				if err := do(ctx, batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// trial compares people one by one. It serves one goroutine.
type trial struct {
	store     *Store
	db        pg.DB
	now, next *pmcc.Computer
	effect    Effect
}

func (t *trial) compare(ctx context.Context, people []PersonID) error {
	clusters, err := clustersOf(ctx, t.db, people)
	if err != nil {
		return err
	}
	members := make([]PersonID, 0, len(people))
	for _, cluster := range clusters {
		members = append(members, cluster...)
	}
	records, err := t.store.recordsOf(ctx, t.db, members, uuid.Nil)
	if err != nil {
		return err
	}
	overrides, err := t.store.overridesOf(ctx, t.db, members, uuid.Nil)
	if err != nil {
		return err
	}
	for _, cluster := range clusters {
		var all []pmcc.Record
		var decided []pmcc.Override
		for _, id := range cluster {
			all, decided = append(all, records[id]...), append(decided, overrides[id]...)
		}
		if err := t.one(all, decided); err != nil {
			return fmt.Errorf("person %s: %w", cluster[0], err)
		}
	}
	return nil
}

func (t *trial) one(records []pmcc.Record, overrides []pmcc.Override) error {
	was, err := t.now.Compute(records, overrides)
	if err != nil {
		return err
	}
	will, err := t.next.Compute(records, overrides)
	if err != nil {
		return err
	}
	t.effect.People++
	values, waiting := t.values(was.Values, will.Values, records), t.waiting(was.Pending, will.Pending)
	if values || waiting {
		t.effect.Changed++
	}
	return nil
}

// values walks through both lists, which are in one order.
func (t *trial) values(was, will []pmcc.Value, records []pmcc.Record) (differ bool) {
	source := func(v *pmcc.Value) string {
		if v.Record == pmcc.Manual {
			return SourceOperator
		}
		return records[v.Record].Source
	}
	for len(was) > 0 || len(will) > 0 {
		order := 0
		switch {
		case len(was) == 0:
			order = 1
		case len(will) == 0:
			order = -1
		default:
			order = cmp.Or(cmp.Compare(was[0].Field, will[0].Field), bytes.Compare(was[0].Key, will[0].Key))
		}
		switch {
		case order < 0:
			t.effect.of(was[0].Field).note(source(&was[0]), "nobody").Go++
			was, differ = was[1:], true
		case order > 0:
			t.effect.of(will[0].Field).note("nobody", source(&will[0])).Come++
			will, differ = will[1:], true
		default:
			if t.same(&was[0], &will[0], source(&was[0]), source(&will[0])) {
				differ = true
			}
			was, will = was[1:], will[1:]
		}
	}
	return differ
}

// same notes what differs between two values of one field and key.
func (t *trial) same(was, will *pmcc.Value, from, to string) (differ bool) {
	switch {
	case !bytes.Equal(was.Text, will.Text):
		t.effect.of(was.Field).note(from, to).Change++
	case from != to:
		t.effect.of(was.Field).note(from, to).Moved++
	default:
		return false
	}
	return true
}

func (t *trial) waiting(was, will []pmcc.Pending) (differ bool) {
	type place struct {
		field  record.Field
		key    string
		record int
	}
	waits := map[place]bool{}
	for _, p := range was {
		waits[place{p.Field, string(p.Key), p.Record}] = true
	}
	for _, p := range will {
		at := place{p.Field, string(p.Key), p.Record}
		if !waits[at] {
			t.effect.of(p.Field).Wait++
			differ = true
		}
		delete(waits, at)
	}
	for at := range waits {
		t.effect.of(at.field).Settled++
	}
	return differ || len(waits) > 0
}

func (e *Effect) of(f record.Field) *FieldEffect {
	if e.Fields[f] == nil {
		e.Fields[f] = &FieldEffect{Sources: map[string]int64{}}
	}
	return e.Fields[f]
}

func (f *FieldEffect) note(from, to string) *FieldEffect {
	f.Sources[from+" → "+to]++
	return f
}

func (e *Effect) add(o *Effect) {
	e.People, e.Changed = e.People+o.People, e.Changed+o.Changed
	for field, from := range o.Fields {
		into := e.of(field)
		into.Come, into.Go, into.Change = into.Come+from.Come, into.Go+from.Go, into.Change+from.Change
		into.Moved, into.Wait, into.Settled = into.Moved+from.Moved, into.Wait+from.Wait, into.Settled+from.Settled
		for k, n := range from.Sources {
			into.Sources[k] += n
		}
	}
}
