package registry

import (
	"bytes"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry/pmcc"
)

// renew computes the people whose records changed, and keeps what waits for a human.
func (b *Bulk) renew(ctx context.Context, tx pg.Tx, touched map[PersonID]bool, known *lookUp) error {
	ids := make([]PersonID, 0, len(touched))
	for id := range touched {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(x, y PersonID) int { return bytes.Compare(x[:], y[:]) })
	people, err := b.recompute(ctx, tx, ids, known)
	if err != nil {
		return err
	}
	if len(ids) > 0 || len(b.waiting) > 0 {
		if err := renewPending(ctx, tx, ids, b.waiting, b.policy.Version); err != nil {
			return err
		}
	}
	return b.settleMatches(ctx, tx, people)
}

func (b *Bulk) recompute(ctx context.Context, tx pg.Tx, ids []PersonID, known *lookUp) ([]*computed, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	clusters, err := lockAll(ctx, tx, ids, b.stood)
	if err != nil {
		return nil, err
	}
	var everybody []PersonID
	for _, members := range clusters {
		everybody = append(everybody, members...)
	}
	begun, err := known.begun(ctx, tx, everybody)
	if err != nil {
		return nil, err
	}
	records, err := b.store.recordsFrom(ctx, tx, everybody, begun)
	if err != nil {
		return nil, err
	}
	overrides, err := b.store.overridesOf(ctx, tx, everybody, uuid.Nil)
	if err != nil {
		return nil, err
	}
	people := make([]*computed, 0, len(ids))
	for _, id := range ids {
		if clusters[id] == nil {
			continue // merged into another meanwhile, and computed there
		}
		c, err := b.recomputeOne(id, clusters[id], records, overrides)
		if err != nil {
			return nil, err
		}
		people = append(people, c)
	}
	if len(people) == 0 {
		return nil, nil
	}
	b.tally.Changed += int64(len(people))
	return people, updatePeople(ctx, tx, people, b.at)
}

func (b *Bulk) recomputeOne(id PersonID, cluster []PersonID, records map[PersonID][]pmcc.Record, overrides map[PersonID][]pmcc.Override) (*computed, error) {
	all, decided := records[id], overrides[id]
	for _, member := range cluster {
		if member != id {
			all, decided = append(all, records[member]...), append(decided, overrides[member]...)
		}
	}
	golden, err := b.computer.Compute(all, decided)
	if err != nil {
		return nil, err
	}
	b.count(golden)
	b.waiting = appendWaiting(b.waiting, id, golden, all)
	c := &computed{id: id, policy: b.policy.Version}
	for part, plain := range b.packer.pack(golden, all, b.policy.Version) {
		if plain != nil {
			c.parts[part] = b.sealers[part].AppendSeal(make([]byte, 0, len(plain)+secret.Overhead), plain, aad(id, part))
		}
	}
	c.person.CPF, c.person.CNPJ = documentsOf(golden)
	if len(golden.Declared) > 0 {
		c.person, err = Unseal(b.store.box, id, c.parts[:])
	}
	return c, err
}

// settleMatches gives accounts whose words now agree with the bases their evidence.
func (b *Bulk) settleMatches(ctx context.Context, tx pg.Tx, people []*computed) error {
	for _, p := range people {
		if p.parts[declaredPart] == nil {
			continue
		}
		given, err := b.store.settleMatch(ctx, tx, p.person, b.at)
		if err != nil {
			return err
		}
		if given {
			b.tally.Matched++
		}
	}
	return nil
}
