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

// maxBlock is the most records a block may hold: beyond, its key says too little (the birthday of
// everybody whose birthday is unknown), and the true pairs in it have other keys.
const maxBlock = 200

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
// across them.
func pairsOf(all []posting, two bool) []indexPair {
	var out []indexPair
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].key == all[0].key {
			n++
		}
		if n <= maxBlock {
			out = appendPairs(out, all[:n], two)
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
