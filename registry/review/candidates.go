package review

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/match"
)

// Candidate is somebody of the registry who may be the one asked for.
type Candidate struct {
	Person registry.PersonID
	match.Result
}

// FindCandidates looks one subject up, as a desk or a service asks who somebody is: those worth a
// look, likeliest first. Nothing is written. A subject of whom too little is known has none.
//
//	wide  how many of the subject's blocks held too many people to be looked into: knowing more of
//	      the subject would help
func (m *Matcher) FindCandidates(ctx context.Context, db pg.DB, s match.Subject) (all []Candidate, wide int, err error) {
	model, err := m.forBase(ctx, db)
	if err != nil {
		return nil, 0, err
	}
	digester, err := m.store.Digester(ctx, db)
	if err != nil {
		return nil, 0, err
	}
	one := &subject{prepared: match.Prepare(s)}
	one.keys = keysOf(digester, one.prepared)
	found, err := m.searchOne(ctx, db, digester, one)
	if err != nil {
		return nil, 0, err
	}
	for _, r := range m.score(model, one, found.of[0]) {
		all = append(all, Candidate{uuid.MustParse(r.ID), r})
	}
	slices.SortFunc(all, func(x, y Candidate) int { return cmp.Or(cmp.Compare(y.Weight, x.Weight), cmp.Compare(x.ID, y.ID)) })
	return all, found.wide, nil
}

// found are the candidates of some subjects, by the subjects' places.
type found struct {
	of   [][]*subject
	wide int // blocks that were not looked into
}

// search finds whom subjects share keys with, whom they are near, and with whom they wait for a human.
func (m *Matcher) search(ctx context.Context, db pg.DB, d registry.Digester, subjects []*subject) (found, error) {
	wanted, _, err := m.sharing(ctx, db, subjects)
	if err != nil {
		return found{}, err
	}
	return m.open(ctx, db, d, subjects, wanted)
}

// searchOne is search for somebody whose large blocks no run has looked into.
func (m *Matcher) searchOne(ctx context.Context, db pg.DB, d registry.Digester, s *subject) (found, error) {
	wanted, large, err := m.sharing(ctx, db, []*subject{s})
	if err != nil {
		return found{}, err
	}
	near, wide, err := m.nearIn(ctx, db, s, large)
	if err != nil {
		return found{}, err
	}
	s.near = slices.DeleteFunc(near, func(id registry.PersonID) bool { return id == s.ID })
	f, err := m.open(ctx, db, d, []*subject{s}, wanted)
	f.wide = wide
	return f, err
}

// sharing finds who shares enough keys with each subject, and the blocks that are too large for that.
func (m *Matcher) sharing(ctx context.Context, db pg.DB, subjects []*subject) (wanted [][]registry.PersonID, large []int64, err error) {
	var places []int32
	var keys []int64
	for i, s := range subjects {
		for _, key := range s.keys {
			places, keys = append(places, int32(i)), append(keys, key)
		}
	}
	blocks, err := blocksOf(ctx, db, places, keys, maxBlock)
	if err != nil {
		return nil, nil, err
	}
	wanted, large = gather(subjects, blocks)
	return wanted, large, nil
}

// gather counts who shares how many keys with each subject.
func gather(subjects []*subject, blocks []block) (wanted [][]registry.PersonID, large []int64) {
	counts := make([]map[registry.PersonID]int, len(subjects))
	wanted = make([][]registry.PersonID, len(subjects))
	for i := range counts {
		counts[i] = map[registry.PersonID]int{}
	}
	for _, b := range blocks {
		if len(b.people) > maxBlock {
			large = append(large, b.key)
			continue
		}
		for _, id := range b.people {
			counts[b.subject][id]++
		}
	}
	for i, s := range subjects {
		for id, n := range counts[i] {
			if id != s.ID && n >= min(shared, len(s.keys)) {
				wanted[i] = append(wanted[i], id)
			}
		}
	}
	return wanted, large
}

// open reads and prepares the candidates of all subjects, each person once.
func (m *Matcher) open(ctx context.Context, db pg.DB, d registry.Digester, subjects []*subject, wanted [][]registry.PersonID) (f found, err error) {
	for i, s := range subjects {
		wanted[i] = slices.Concat(wanted[i], s.waiting, s.near)
	}
	all := map[registry.PersonID]*subject{}
	ids := []registry.PersonID{}
	for _, list := range wanted {
		for _, id := range list {
			if _, twice := all[id]; !twice {
				all[id], ids = nil, append(ids, id)
			}
		}
	}
	for page := range slices.Chunk(ids, 500) {
		people, err := m.peopleOf(ctx, db, page)
		if err != nil {
			return f, err
		}
		for _, k := range people {
			all[k.ID] = prepare(d, k)
		}
	}
	f.of = make([][]*subject, len(wanted))
	for i, list := range wanted {
		slices.SortFunc(list, func(a, b registry.PersonID) int { return slices.Compare(a[:], b[:]) })
		for _, id := range slices.Compact(list) {
			if s := all[id]; s != nil { // else merged meanwhile
				f.of[i] = append(f.of[i], s)
			}
		}
	}
	return f, nil
}

// score compares a subject with candidates; those not worth a look are left out.
func (m *Matcher) score(model *match.Model, s *subject, candidates []*subject) (worth []match.Result) {
	least := math.Log2(m.limits.Review / (1 - m.limits.Review))
	for _, c := range candidates {
		if model.Weight(s.prepared, c.prepared) >= least {
			worth = append(worth, model.Score(s.prepared, c.prepared))
		}
	}
	return worth
}

// verdict is what is to be done with a subject.
type verdict struct {
	match.Decision
	best     *subject
	worth    []match.Result // whom a human should see if no machine decides
	alsoBest []string       // IDs of candidates that are surely the best one too
}

// decide chooses among the candidates that score left. Two records of one person are no rivals: who
// is surely the best candidate too does not count for the margin.
func (m *Matcher) decide(model *match.Model, candidates []*subject, results []match.Result) verdict {
	all := match.Decide(results, m.limits)
	if all.Action == match.None {
		return verdict{Decision: all}
	}
	byID := make(map[string]*subject, len(candidates))
	for _, c := range candidates {
		byID[c.prepared.ID] = c
	}
	top := all.Best
	v := verdict{best: byID[top.ID], worth: all.Review}
	if all.Action == match.Auto {
		v.worth = []match.Result{top}
	}
	rivals := slices.DeleteFunc(slices.Clone(results), func(r match.Result) bool {
		if r.ID == top.ID || !m.sure(model.Score(v.best.prepared, byID[r.ID].prepared)) {
			return false
		}
		v.alsoBest = append(v.alsoBest, r.ID)
		return true
	})
	if v.Decision = match.Decide(rivals, m.limits); v.Action == match.Review {
		v.Review = v.worth // whoever judges sees everybody
	}
	return v
}

func (m *Matcher) sure(r match.Result) bool {
	return r.Probability() >= m.limits.Auto && len(r.Barred) == 0
}
