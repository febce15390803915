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
	s := md.weigh(&v, &extra)
	r.Weight, r.Kin = s.weight(), s.kinWeight()
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
	return md.weigh(&v, &extra).weight()
}
