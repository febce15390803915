package match

import (
	"math"
	"slices"
)

// sample is what a model is learnt from. No label is needed.
type sample struct {
	people     float64                // records the pairs are of
	pairs      float64                // all pairs there could be
	candidates map[Vector]float64     // how often each vector is among the pairs that share a key
	random     map[Vector]float64     // the same among pairs drawn at random
	names      [numFields]frequencies // shares of names
}

// train learns a model by expectation–maximisation.
//
// How strangers agree (u) comes from the random pairs, nearly all of which are strangers; how one
// person's records agree (m) from the candidates. Since keys are a function of what is compared,
// that a pair is a candidate changes nothing in the odds its vector gives. Both are pulled towards
// the starting table by a few imagined pairs, so that small data give a usable model.
//
// Winkler (2000); the split into random pairs and blocked pairs is Splink's.
func train(s sample) *Model {
	md := startModel(s)
	cand, rnd := sortedCounts(s.candidates), sortedCounts(s.random)
	before := math.Inf(-1)
	for range maxRounds {
		after := md.round(s, cand, rnd)
		if math.Abs(after-before) < 1e-7*(1+math.Abs(after)) {
			break
		}
		before = after
	}
	return md
}

const (
	maxRounds = 300
	imaginedM = 20 // pairs of one person that the starting table counts for
	imaginedU = 10
	minProb   = 1e-9
)

// counted is a vector and how often it was seen. A sorted slice and not a map is gone through, so
// that sums come out the same each time.
type counted struct {
	v Vector
	n float64
}

func sortedCounts(m map[Vector]float64) []counted {
	out := make([]counted, 0, len(m))
	for v, n := range m {
		out = append(out, counted{v, n})
	}
	slices.SortFunc(out, func(a, b counted) int { return slices.Compare(a.v[:], b.v[:]) })
	return out
}

// round is one step of EM. It returns how likely the candidates were before the step, as a log2 up
// to a constant: when it stands still, so does the model.
func (md *Model) round(s sample, cand, rnd []counted) float64 {
	var m, u table
	seed(&m, &startM, imaginedM)
	seed(&u, &startU, imaginedU)
	none := [numFields]float64{}
	same, kin, likelihood := 0.0, 0.0, 0.0
	for i := range cand {
		c := &cand[i]
		w := md.weigh(&c.v, &none)
		pw := probability(w.weight()) * c.n
		same, kin = same+pw, kin+w.siblingsProbability()*c.n
		likelihood += c.n * log2OnePlus(w.weight())
		for f := range numFields {
			m[f][c.v[f]] += pw
		}
	}
	for i := range rnd {
		c := &rnd[i]
		w := md.weigh(&c.v, &none)
		stranger := c.n * max(0, 1-probability(w.weight())-probability(w.kinWeight()))
		for f := range numFields {
			u[f][c.v[f]] += stranger
		}
	}
	md.m, md.u = normalised(m), normalised(u)
	md.prior, md.kin = logOdds((same+1)/s.pairs), logOdds((kin+0.1)/s.pairs)
	md.settle()
	return likelihood
}

func seed(t, start *table, n float64) {
	for f := range numFields {
		for g := Different; g < numAgreements; g++ {
			t[f][g] = start[f][g] * n
		}
	}
}

// normalised makes each field's known agreements sum to 1.
func normalised(t table) table {
	for f := range numFields {
		sum := 0.0
		for g := Different; g < numAgreements; g++ {
			sum += t[f][g]
		}
		t[f][Missing] = 1
		for g := Different; g < numAgreements; g++ {
			t[f][g] = max(t[f][g]/sum, minProb)
		}
	}
	return t
}

func logOdds(p float64) float64 {
	p = min(max(p, 1e-15), 0.5)
	return math.Log2(p / (1 - p))
}

// The starting tables: records of one person mostly agree, strangers mostly do not. They only say
// which of the two classes is which.
var startM, startU = startTables()

func startTables() (m, u table) {
	for f := range numFields {
		m[f] = [numAgreements]float64{Exact: .80, SameSound: .04, Contained: .02, Abridged: .01, Swapped: .01, Close: .05, Similar: .02, Partial: .02, Different: .03}
		u[f] = [numAgreements]float64{Exact: .01, SameSound: .005, Contained: .003, Abridged: .002, Swapped: .001, Close: .004, Similar: .015, Partial: .06, Different: .90}
	}
	return normalised(m), normalised(u)
}

func startModel(s sample) *Model {
	md := &Model{source: "trained", m: startM, u: startU}
	md.setNames(s.names)
	md.prior = logOdds(0.3 * s.people / max(s.pairs, 1))
	md.kin = logOdds(0.1 * s.people / max(s.pairs, 1))
	md.elder = logOdds(sonsNamed * s.people / max(s.pairs, 1))
	md.settle()
	return md
}
