package match

import "math"

// Result is what the model says of a pair, with its reasons.
type Result struct {
	ID     string  // the candidate's
	Weight float64 // log2 odds that the two are one person; the parts do not sum to it, see Kin
	Kin    float64 // log2 odds that they are two of one family; both 0 or less when strangers
	Parts  []Part  // every field known of both, in the order of the fields
	Barred []Bar   // why no machine may join the two, however high the weight
}

// Part is one field's say: Weight > 0 speaks for one person, < 0 for two. Rarity is what of it the
// rareness of the shared name adds (or, for a common one, takes).
type Part struct {
	Field     Field
	Agreement Agreement
	Weight    float64
	Rarity    float64
}

// Probability is the weight as a probability, 0 to 1.
func (r Result) Probability() float64 { return probability(r.Weight) }

func probability(w float64) float64 { return 1 / (1 + math.Exp2(-w)) }

// Score compares two subjects and explains itself. It is symmetric but for the ID, which is b's.
func (md *Model) Score(a, b *Prepared) Result {
	v := Compare(a, b)
	extra := md.rarities(a, b, &v)
	r := Result{ID: b.ID, Barred: bars(a, b, &v)}
	r.Weight, r.Kin = md.weigh(&v, &extra)
	for f := range numFields {
		if v[f] != Missing {
			r.Parts = append(r.Parts, Part{f, v[f], md.same[f][v[f]] + extra[f], extra[f]})
		}
	}
	return r
}

// Weight is Score's weight alone, without the cost of the explanation.
func (md *Model) Weight(a, b *Prepared) float64 {
	v := Compare(a, b)
	extra := md.rarities(a, b, &v)
	same, kin := md.sums(&v, &extra)
	return same - log2OnePlus(kin)
}

// weigh gives the log2 odds of one person and of one family, each against the other two
// explanations.
func (md *Model) weigh(v *Vector, extra *[numFields]float64) (same, kin float64) {
	same, kin = md.sums(v, extra)
	return same - log2OnePlus(kin), kin - log2OnePlus(same)
}

// sums adds up a vector's weights for one person and for one family, each against strangers.
func (md *Model) sums(v *Vector, extra *[numFields]float64) (same, kin float64) {
	same, kin = md.prior, md.kin
	for f := range numFields {
		same += md.same[f][v[f]] + extra[f]
		kin += md.family[f][v[f]]
		if f.ofFamily() {
			kin += extra[f]
		}
	}
	if v[Given] >= SameSound && (v[Surname] == Close || v[Surname] >= Contained) {
		kin += namesakes
	}
	return same, kin
}

// log2OnePlus is log2(1 + 2^x).
func log2OnePlus(x float64) float64 {
	switch {
	case x > 40:
		return x
	case x < -40:
		return 0
	}
	return math.Log2(1 + math.Exp2(x))
}
