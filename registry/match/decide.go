package match

import (
	"math"
	"slices"
)

// Bar is a reason why no machine may join two records: a person must look.
type Bar string

// The bars.
const (
	CPFsDiffer       Bar = "cpfs_differ"        // both CPFs are valid and they differ
	GivenNamesDiffer Bar = "given_names_differ" // twins: all the same but the first name
	NamesConflict    Bar = "names_conflict"     // each has a name that the other lacks: Maria Clara, Maria Luiza
	SuffixesDiffer   Bar = "suffixes_differ"    // father and son: one is Júnior and the other is not
	GendersDiffer    Bar = "genders_differ"
)

// bars gives the reasons in the order above.
func bars(a, b *Prepared, v *Vector) (out []Bar) {
	if cpfsDiffer(a, b) {
		out = append(out, CPFsDiffer)
	}
	if a.cpfValid && a.cpf == b.cpf {
		return out // one document: a name may have been changed by a court
	}
	if v[Given] < SameSound { // also when unknown, or one letter off: Paulo and Paula are twins too
		out = append(out, GivenNamesDiffer)
	}
	if v[Surname] < Close || secondNamesDiffer(a.surname.each, b.surname.each) {
		out = append(out, NamesConflict)
	}
	if v[Suffix] == Different || v[Suffix] == Partial && v[Birthdate] != Exact {
		out = append(out, SuffixesDiffer)
	}
	if v[Gender] == Different {
		out = append(out, GendersDiffer)
	}
	return out
}

func cpfsDiffer(a, b *Prepared) bool { return a.cpfValid && b.cpfValid && a.cpf != b.cpf }

// secondNamesDiffer says whether each has, after the first name, one that the other lacks even by
// sound. Ana Paula and Ana Paulina look like one misspelt name, and are twins.
func secondNamesDiffer(a, b []word) bool {
	return len(a) > 1 && len(b) > 1 && !hasWord(b, &a[0]) && !hasWord(a, &b[0])
}

// Action is what to do with a subject and its candidates.
type Action string

// The actions.
const (
	Auto   Action = "auto"   // join with the best candidate
	Review Action = "review" // a person decides
	None   Action = "none"   // nobody known
)

// Limits say how sure is sure enough.
type Limits struct {
	Auto   float64 // probability from which a machine may join
	Review float64 // probability from which a person should look
	Margin float64 // log2 odds that the best must have over the next
}

// DefaultLimits allow one wrong join in 10,000 by machine, bring to review what is at least one
// person in 20, and want the best a thousand times likelier than the next.
var DefaultLimits = Limits{Auto: 0.9999, Review: 0.05, Margin: math.Log2(1000)}

// Decision is the answer for one subject.
type Decision struct {
	Action Action
	Best   Result   // zero when Action is None
	Margin float64  // log2 odds of the best over the next candidate, or over nobody when that is more
	Review []Result // the candidates a person should see, best first
}

// Decide chooses among the candidates of one subject. The order they come in does not matter; ties
// go to the smaller ID, and to review.
func Decide(candidates []Result, l Limits) Decision {
	sorted := slices.Clone(candidates)
	slices.SortFunc(sorted, byWeight)
	var worth []Result
	for _, r := range sorted {
		if r.Probability() >= l.Review {
			worth = append(worth, r)
		}
	}
	if len(worth) == 0 {
		return Decision{Action: None}
	}
	d := Decision{Action: Review, Best: worth[0], Margin: worth[0].Weight, Review: worth}
	if len(sorted) > 1 {
		d.Margin = d.Best.Weight - max(0, sorted[1].Weight)
	}
	if d.Best.Probability() >= l.Auto && d.Margin >= l.Margin && len(d.Best.Barred) == 0 {
		d.Action, d.Review = Auto, nil
	}
	return d
}

func byWeight(a, b Result) int {
	switch {
	case a.Weight > b.Weight:
		return -1
	case a.Weight < b.Weight:
		return 1
	case a.ID < b.ID:
		return -1
	case a.ID > b.ID:
		return 1
	}
	return 0
}
