package match

import "math"

// What is given of families, and not learnt: from few data EM would call one person's misspelt
// records twins.
const (
	twins = 0.01 // share of brothers and sisters born on one day: about 1 in 100 births is of twins

	// namesakes is the log2 of how much rarer it is that brothers and sisters bear one whole name
	// than chance would give it to them: one in a hundred.
	namesakes = -6.6

	// sonsNamed is the share of people whose father, or son, bears their whole name.
	sonsNamed = 0.03

	// Of father and son of one name, four in five times one record alone has Júnior, Filho or Neto,
	// where of strangers one in twenty does: log2 of 0.78/0.05 and 0.2/0.95. Of two suffixes, as of
	// son and grandson, they are as like to agree as strangers'.
	oneHasSuffix, noneHasSuffix = 4.0, -2.2
)

// settleFamily computes the weights of the two families.
//
// Brothers and sisters agree as one person does on what a family shares, as strangers do on the
// rest, and on the birth date as twins or as strangers. Father and son of one name share that, sex
// and home; their parents and birth dates are strangers'.
func (md *Model) settleFamily() {
	for f := range numFields {
		md.family[f], md.named[f] = [numAgreements]float64{}, [numAgreements]float64{}
		if f.ofFamily() {
			md.family[f] = md.same[f]
		}
		if f.ofNamesakes() {
			md.named[f] = md.same[f]
		}
	}
	for g := Different; g < numAgreements; g++ {
		m, u := md.m[Birthdate][g], md.u[Birthdate][g]
		md.family[Birthdate][g] = math.Log2((twins*m + (1-twins)*u) / u)
	}
	md.named[Suffix][Partial], md.named[Suffix][Missing] = oneHasSuffix, noneHasSuffix
}

// ofFamily says whether brothers and sisters share the field, as they share surname and address.
func (f Field) ofFamily() bool {
	switch f {
	case Given, Suffix, Birthdate, Gender, CPF, Email:
		return false
	}
	return true
}

// ofNamesakes says whether father and son of one name share the field.
func (f Field) ofNamesakes() bool {
	switch f {
	case Suffix, Mother, Father, Birthdate, CPF, Email:
		return false
	}
	return true
}

// sums are the log2 odds, against strangers, of what else two records may be of.
type sums struct{ same, siblings, elder float64 }

// weigh adds up a vector's weights.
func (md *Model) weigh(v *Vector, extra *[numFields]float64) sums {
	s := sums{md.prior, md.kin, md.elder}
	for f := range numFields {
		g := v[f]
		s.same += md.same[f][g] + extra[f]
		s.siblings += md.family[f][g]
		s.elder += md.named[f][g]
		if f != Given {
			s.siblings += extra[f] // only fields of families have any
		}
		s.elder += extra[f] // and all of those are namesakes' too
	}
	if v[Given] >= SameSound && (v[Surname] == Close || v[Surname] >= Contained) {
		s.siblings += namesakes
	}
	return s
}

// weight is the log2 odds of one person against every other explanation.
func (s sums) weight() float64 { return s.same - log2OnePlus(s.kin()) }

// kin is the log2 odds of one family, either way, against strangers.
func (s sums) kin() float64 {
	hi, lo := max(s.siblings, s.elder), min(s.siblings, s.elder)
	return hi + log2OnePlus(lo-hi)
}

// kinWeight is the log2 odds of one family against one person and strangers.
func (s sums) kinWeight() float64 { return s.kin() - log2OnePlus(s.same) }

// siblingsProbability is the probability that they are brothers or sisters.
func (s sums) siblingsProbability() float64 {
	return probability(s.kinWeight()) * math.Exp2(s.siblings-s.kin())
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
