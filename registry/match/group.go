package match

import (
	"cmp"
	"slices"
)

// group puts records together by person: the likeliest edge first, each joins the groups of its two
// ends. It returns the members of each group of two or more.
func group(all []*Prepared, md *Model, edges []edge) [][]int32 {
	of := make([]int32, len(all)) // the group each record is in
	members := make([][]int32, len(all))
	for i := range all {
		of[i], members[i] = int32(i), []int32{int32(i)}
	}
	for _, e := range edges {
		ga, gb := of[e.a], of[e.b]
		if ga == gb || !md.joinable(all, members[ga], members[gb]) {
			continue
		}
		for _, i := range members[gb] {
			of[i] = ga
		}
		members[ga], members[gb] = append(members[ga], members[gb]...), nil
	}
	return slices.DeleteFunc(members, func(g []int32) bool { return len(g) < 2 })
}

// joinable says whether two groups may be one person although only some of their records look it:
// not when two valid CPFs differ, nor when all their records taken together speak against it. So a
// chain of look-alikes, as brothers are, breaks where it is weakest.
func (md *Model) joinable(all []*Prepared, a, b []int32) bool {
	sum := 0.0
	for _, i := range a {
		for _, k := range b {
			if cpfsDiffer(all[i], all[k]) {
				return false
			}
			sum += md.Weight(all[i], all[k])
		}
	}
	return sum >= 0
}

// groupsToPairs writes out every pair of each group.
func groupsToPairs(all []*Prepared, md *Model, groups [][]int32) []Pair {
	var out []Pair
	for _, g := range groups {
		slices.Sort(g)
		for i := range g {
			for k := i + 1; k < len(g); k++ {
				a, b := all[g[i]], all[g[k]]
				out = append(out, Pair{a.ID, b.ID, md.Weight(a, b)})
			}
		}
	}
	slices.SortFunc(out, func(x, y Pair) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return out
}

// bestPairs takes the likeliest edges across two files. A record that is already in a pair takes
// part in another only when its partners so far and the new one are one person.
func bestPairs(left, right []*Prepared, md *Model, edges []edge) []Pair {
	ofLeft, ofRight := map[int32][]int32{}, map[int32][]int32{}
	var out []Pair
	for _, e := range edges {
		if !md.onePerson(right, ofLeft[e.a], e.b) || !md.onePerson(left, ofRight[e.b], e.a) {
			continue
		}
		ofLeft[e.a], ofRight[e.b] = append(ofLeft[e.a], e.b), append(ofRight[e.b], e.a)
		out = append(out, Pair{left[e.a].ID, right[e.b].ID, e.weight})
	}
	slices.SortFunc(out, func(x, y Pair) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return out
}

func (md *Model) onePerson(all []*Prepared, known []int32, next int32) bool {
	for _, k := range known {
		if md.Weight(all[k], all[next]) < 0 {
			return false
		}
	}
	return true
}
