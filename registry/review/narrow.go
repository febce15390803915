package review

import (
	"context"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/match"
)

// narrow looks into the blocks that are too large for everybody in them to be compared with
// everybody, each once a run however many of its people are looked for, and keeps for each of those
// whom they are most like. Killed, it begins again with the blocks; what is kept stays right.
func (r *run) narrow(ctx context.Context) error {
	if err := beginNarrowing(ctx, r.db); err != nil {
		return err
	}
	large, err := r.largeBlocks(ctx)
	if err != nil {
		return err
	}
	group, ctx2 := errgroup.WithContext(ctx)
	group.SetLimit(r.Workers)
	for _, block := range large {
		group.Go(func() error { return r.narrowBlock(ctx2, block) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return endNarrowing(ctx, r.db)
}

// largeBlocks are those of everybody who is looked for, in the order of the index.
func (r *run) largeBlocks(ctx context.Context) ([]int64, error) {
	var mu sync.Mutex
	found := map[int64]bool{}
	next := func(ctx context.Context, after registry.PersonID, n int) ([]registry.PersonID, error) {
		return narrowing(ctx, r.db, after, n)
	}
	err := r.pages(ctx, filePage, next, func(ctx context.Context, page []registry.PersonID) error {
		large, err := largeBlocks(ctx, r.db, page, maxBlock)
		mu.Lock()
		defer mu.Unlock()
		for _, block := range large {
			found[block] = true
		}
		return err
	})
	return slices.Sorted(maps.Keys(found)), err
}

// narrowBlock keeps whom each of a block who is looked for is most like.
func (r *run) narrowBlock(ctx context.Context, block int64) error {
	members, sought, err := membersOf(ctx, r.db, block, maxCrowd)
	if err != nil {
		return err
	}
	if len(members) > maxCrowd {
		r.count.wide.Add(1)
		return nil
	}
	crowd, ids, err := r.crowd(ctx, r.db, members)
	if err != nil {
		return err
	}
	var people, others []registry.PersonID
	for at, id := range ids {
		if !sought[id] {
			continue
		}
		near := crowd.Near(at, mostAlike)
		for _, other := range near.Places {
			people, others = append(people, id), append(others, ids[other])
		}
		r.count.narrowed.Add(1)
		r.count.looked.Add(int64(near.Looked))
		r.count.cut.Add(int64(near.Cut))
	}
	for len(people) > 0 {
		n := min(len(people), 10_000)
		if err := insertNear(ctx, r.db, people[:n], others[:n]); err != nil {
			return err
		}
		people, others = people[n:], others[n:]
	}
	return nil
}

// crowd opens the people of a block, and says who stands at which place.
func (m *Matcher) crowd(ctx context.Context, db pg.DB, members []registry.PersonID) (*match.Crowd, []registry.PersonID, error) {
	crowd, ids := &match.Crowd{}, make([]registry.PersonID, 0, len(members))
	for page := range slices.Chunk(members, filePage) {
		people, err := m.peopleOf(ctx, db, page)
		if err != nil {
			return nil, nil, err
		}
		slices.SortFunc(people, func(a, b known) int { return slices.Compare(a.ID[:], b.ID[:]) })
		for _, k := range people {
			crowd.Add(match.Prepare(SubjectOf(k.Person)))
			ids = append(ids, k.ID)
		}
	}
	return crowd, ids, nil
}

// nearIn looks for those most like one subject in large blocks, without a run.
func (m *Matcher) nearIn(ctx context.Context, db pg.DB, s *subject, large []int64) (near []registry.PersonID, wide int, err error) {
	for _, block := range large {
		members, _, err := membersOf(ctx, db, block, maxAtOnce)
		if err != nil {
			return nil, wide, err
		}
		if len(members) > maxAtOnce {
			wide++
			continue
		}
		crowd, ids, err := m.crowd(ctx, db, members)
		if err != nil {
			return nil, wide, err
		}
		for _, at := range crowd.NearTo(s.prepared, mostAlike+1).Places { // one may be the subject
			near = append(near, ids[at])
		}
	}
	return near, wide, nil
}
