package match

import (
	"maps"
	"math"
	"slices"
)

// Model holds what agreement and disagreement say: per field and agreement the log2 of how much
// likelier it is between records of one person than between strangers. Made by [Train], [Default]
// or [ReadModel], it is read only; any number of goroutines may share it.
type Model struct {
	source string
	prior  float64 // log2 odds that a pair, nothing known, is one person
	kin    float64 // log2 odds that it is two of one family
	m      table   // P(agreement | one person)
	u      table   // P(agreement | strangers)
	names  [numFields]frequencies

	same   table              // log2(m/u), 0 for Missing
	family table              // the same for two of one family
	mean   [numFields]float64 // log2 of the chance that two strangers' names are equal
}

type table [numFields][numAgreements]float64

// twins is the share of brothers and sisters born on one day: about 1 in 100 births is of twins.
// It is given, not learnt: from few data EM would call a person's misspelt records twins.
const twins = 0.01

// namesakes is the log2 of how much rarer it is that brothers and sisters bear one whole name than
// that chance would give it to them: one in a hundred.
const namesakes = -6.6

// settle computes the weights from the probabilities.
//
// Two of one family agree as one person does on what a family shares, as strangers do on the rest,
// and on the birth date as twins or as strangers.
func (md *Model) settle() {
	for f := range numFields {
		for g := Different; g < numAgreements; g++ {
			md.same[f][g] = math.Log2(md.m[f][g] / md.u[f][g])
			md.family[f][g] = 0
			if f.ofFamily() {
				md.family[f][g] = md.same[f][g]
			}
		}
	}
	for g := Different; g < numAgreements; g++ {
		m, u := md.m[Birthdate][g], md.u[Birthdate][g]
		md.family[Birthdate][g] = math.Log2((twins*m + (1-twins)*u) / u)
	}
}

// frequencies are the shares of people that bear a name, by its sound.
type frequencies struct {
	share map[string]float64
	other float64 // the share of a name not listed
}

// meanShare is the chance that two people drawn at random bear the same name: the sum of squares.
// It sums in the order of the names, so that it is the same to the last bit each time.
func (q frequencies) meanShare() float64 {
	sum, rest := 0.0, 1.0
	for _, name := range slices.Sorted(maps.Keys(q.share)) {
		s := q.share[name]
		sum += s * s
		rest -= s
	}
	return sum + max(rest, 0)*q.other + 1e-12
}

// setNames takes the frequencies of names.
func (md *Model) setNames(names [numFields]frequencies) {
	md.names = names
	for f := range numFields {
		md.mean[f] = math.Log2(names[f].meanShare())
	}
}

// maxRarity bounds what a rare name adds: a share counted from few records is uncertain.
const maxRarity = 6

// rarity is the extra weight, log2, of sharing this name and not an average one: SILVA lowers,
// ZAMPIERI raises.
func (md *Model) rarity(f Field, name string) float64 {
	q := &md.names[f]
	if q.share == nil {
		return 0
	}
	s, ok := q.share[name]
	if !ok {
		s = q.other
	}
	return min(max(md.mean[f]-math.Log2(s), -maxRarity), maxRarity)
}

// rarities gives the extra weight of each field whose names agree.
func (md *Model) rarities(a, b *Prepared, v *Vector) (extra [numFields]float64) {
	if v[Given] >= SameSound && a.given.sound == b.given.sound {
		extra[Given] = md.rarity(Given, a.given.sound)
	}
	if v[Surname] >= Abridged {
		if w := md.rarestShared(a.surname.each, b.surname.each); w != "" {
			extra[Surname] = md.rarity(Surname, w)
		}
	}
	for _, tf := range textFields {
		if v[tf.field] == Exact {
			extra[tf.field] = md.rarity(tf.field, a.text[tf.at].tight)
		}
	}
	return extra
}

// textFields are the places whose names' shares are counted, and where a Prepared has them.
var textFields = []struct {
	field Field
	at    int
}{{Street, textStreet}, {District, textDistrict}, {City, textCity}}

// rarestShared is the sound of the rarest word in both names, "" when none is.
func (md *Model) rarestShared(a, b []word) string {
	best, least := "", math.Inf(1)
	for i := range a {
		for k := range b {
			if a[i].sound != b[k].sound {
				continue
			}
			s, ok := md.names[Surname].share[a[i].sound]
			if !ok {
				s = md.names[Surname].other
			}
			if s < least {
				best, least = a[i].sound, s
			}
		}
	}
	return best
}
