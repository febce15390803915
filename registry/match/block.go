package match

import (
	"cmp"
	"hash/maphash"
	"slices"
)

// posting says that a record has a key.
type posting struct {
	key   uint64
	index int32
	right bool // of the second file
}

// maxBlock is the most records a block may hold for all pairs in it to be looked at. In a larger one
// (the birthday of everybody whose birthday is unknown) each is paired with those most alike.
const maxBlock, mostAlike = 200, 20

// blocks gathers, sorted by key, who has which. With one file, right is nil.
func blocks(left, right []*Prepared) []posting {
	seed := maphash.MakeSeed() // which keys collide changes nothing but a candidate too many
	var out []posting
	for i, p := range left {
		for _, k := range p.FileKeys() {
			out = append(out, posting{maphash.String(seed, k), int32(i), false})
		}
	}
	for i, p := range right {
		for _, k := range p.FileKeys() {
			out = append(out, posting{maphash.String(seed, k), int32(i), true})
		}
	}
	slices.SortFunc(out, func(x, y posting) int {
		return cmp.Or(cmp.Compare(x.key, y.key), b2i(x.right)-b2i(y.right), cmp.Compare(x.index, y.index))
	})
	return slices.Compact(out)
}

// pairsOf gives each pair of records that shares a block, once, in order; of two files, only pairs
// across them. Of a large block it gives the pairs that are alike.
func pairsOf(all []posting, left, right []*Prepared) []indexPair {
	two := right != nil
	var out []indexPair
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].key == all[0].key {
			n++
		}
		if n <= maxBlock {
			out = appendPairs(out, all[:n], two)
		} else {
			out = appendAlike(out, all[:n], left, right)
		}
		all = all[n:]
	}
	slices.SortFunc(out, func(x, y indexPair) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
	return slices.Compact(out)
}

func appendPairs(out []indexPair, block []posting, two bool) []indexPair {
	for i := range block {
		for k := i + 1; k < len(block); k++ {
			if two && block[i].right == block[k].right {
				continue
			}
			out = append(out, indexPair{block[i].index, block[k].index})
		}
	}
	return out
}

// appendAlike pairs each record of a large block with those most like it; of two files, each of the
// right one with those of the left.
func appendAlike(out []indexPair, block []posting, left, right []*Prepared) []indexPair {
	var crowd Crowd
	for _, p := range block {
		if !p.right {
			crowd.Add(left[p.index])
		}
	}
	for i, p := range block { // those of the left file come first
		near := Alike{}
		switch {
		case p.right:
			near = crowd.NearTo(right[p.index], mostAlike)
		case right == nil:
			near = crowd.Near(i, mostAlike)
		}
		for _, k := range near.Places {
			pair := indexPair{block[k].index, p.index}
			if !p.right {
				pair = indexPair{min(pair.a, pair.b), max(pair.a, pair.b)}
			}
			out = append(out, pair)
		}
	}
	return out
}
