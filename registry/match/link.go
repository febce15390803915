package match

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// Pair is two records held to be one person's, A < B where both are of one file.
type Pair struct {
	A, B   string  // IDs
	Weight float64 // log2 odds from the two records alone; below 0 when others of the person join them
}

// Link finds the records of one file that speak of one person, and the model it learnt from the
// file itself. The pairs are all those within a person, sorted by ID; the order of the records does
// not matter. IDs must be unique. Two valid CPFs that differ are never one person.
//
// Memory is some 100 bytes per pair that shares a key.
func Link(records []Subject) ([]Pair, *Model) {
	all := prepareSorted(records)
	candidates := pairsOf(blocks(all, nil), all, nil)
	md := learnOne(all, candidates)
	return groupsToPairs(all, md, group(all, md, md.likely(all, all, candidates))), md
}

// Learn is the model that [Link] learns, without the linking: a part of a base, some tens of
// thousands of records with the duplicates it has, teaches what its names and its clerks are like.
func Learn(records []Subject) *Model {
	all := prepareSorted(records)
	return learnOne(all, pairsOf(blocks(all, nil), all, nil))
}

// LinkTwo finds the records of file b that speak of a person of file a. Both lists may be in any
// order; IDs must be unique in each. A record is in several pairs only where the other file's
// records that it is paired with are, by the same model, one person.
func LinkTwo(a, b []Subject) ([]Pair, *Model) {
	pa, pb := prepareSorted(a), prepareSorted(b)
	candidates := pairsOf(blocks(pa, pb), pa, pb)
	na, nb := float64(len(pa)), float64(len(pb))
	both := slices.Concat(pa, pb)
	md := learn(both, both, shifted(candidates, len(pa)), min(na, nb), na*nb, func(r *rand.Rand) (int32, int32) {
		return int32(r.IntN(len(pa))), int32(len(pa) + r.IntN(len(pb)))
	})
	return bestPairs(pa, pb, md, md.likely(pa, pb, candidates)), md
}

// indexPair is two positions, in the sorted list or lists.
type indexPair struct{ a, b int32 }

// edge is a candidate pair that the model holds likelier than not to be one person.
type edge struct {
	indexPair
	weight float64
}

// prepareSorted prepares records in the order of their IDs, so that nothing depends on the file's.
func prepareSorted(records []Subject) []*Prepared {
	out := make([]*Prepared, len(records))
	for i := range records {
		out[i] = Prepare(records[i])
	}
	slices.SortStableFunc(out, func(a, b *Prepared) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func learnOne(all []*Prepared, candidates []indexPair) *Model {
	n := float64(len(all))
	return learn(all, all, candidates, n, n*(n-1)/2, func(r *rand.Rand) (int32, int32) { return distinct(r, len(all)) })
}

// learn trains a model on candidate pairs and on as many random ones as settle how strangers agree.
func learn(left, right []*Prepared, candidates []indexPair, people, pairs float64, draw func(*rand.Rand) (int32, int32)) *Model {
	s := sample{people: people, pairs: max(pairs, 1), candidates: map[Vector]float64{}, random: map[Vector]float64{}}
	step := 1 + len(candidates)/candidatesRead
	for i := 0; i < len(candidates); i += step {
		c := candidates[i]
		s.candidates[Compare(left[c.a], right[c.b])] += float64(step)
	}
	r := rand.New(rand.NewPCG(20, 26))       // fixed: the same file gives the same model
	for range int(min(randomPairs, pairs)) { // of few pairs no more is known than they say
		i, k := draw(r)
		s.random[Compare(left[i], right[k])]++
	}
	s.names = countNames(left)
	return train(s)
}

// What a model is learnt from: as many random pairs as settle a chance of one in 100,000 within a
// half, and as many candidates, taken at equal steps where there are more.
const randomPairs, candidatesRead = 500_000, 1_000_000

func distinct(r *rand.Rand, n int) (int32, int32) {
	i, k := r.IntN(n), r.IntN(n-1)
	if k >= i {
		k++
	}
	return int32(min(i, k)), int32(max(i, k))
}

func shifted(pairs []indexPair, by int) []indexPair {
	out := slices.Clone(pairs)
	for i := range out {
		out[i].b += int32(by)
	}
	return out
}

// likely are the candidates with even odds or better, likeliest first, but for those whose valid
// CPFs differ.
func (md *Model) likely(left, right []*Prepared, candidates []indexPair) []edge {
	var out []edge
	for _, c := range candidates {
		if w := md.Weight(left[c.a], right[c.b]); w >= 0 && !cpfsDiffer(left[c.a], right[c.b]) {
			out = append(out, edge{c, w})
		}
	}
	slices.SortFunc(out, func(x, y edge) int {
		return cmp.Or(cmp.Compare(y.weight, x.weight), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	return out
}
