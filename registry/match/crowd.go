package match

import (
	"cmp"
	"math"
	"slices"
)

// Crowd is a block too large to compare everybody in it with everybody: of each, it finds those who
// are most alike, by the trigrams of name and mother's name and by the parts of the birth date, a
// rare one saying more than one that many have. What everybody shares, as the birth date that made
// the block, says nothing, and of what one of two does not tell nothing is asked.
//
// A person takes less than a kilobyte, and a look some [crowdWork] steps at most. It serves one goroutine.
type Crowd struct {
	of    [][]uint32         // person → grams
	told  []uint8            // person → kinds of which there are grams, a bit each
	lists map[uint32][]int32 // gram → people
	score []float32          // working memory of like; all zeros between
	met   []int32
}

const (
	crowdWork  = 50_000 // entries of lists that one look reads, the shortest lists first
	crowdShare = 0.4    // of the weight of one's own grams, of kinds that both tell, that the other must have
	crowdLeast = 4      // bits: whose grams weigh less has nothing that tells them from the crowd
)

// The kinds of grams, in the first byte.
const (
	gramName = iota << 24
	gramMother
	gramYear
	gramDay
	gramKinds = iota
)

// Add takes a person in and returns their place, from 0.
func (c *Crowd) Add(p *Prepared) int {
	if c.lists == nil {
		c.lists = map[uint32][]int32{}
	}
	at := int32(len(c.of))
	grams := p.grams()
	c.of, c.told, c.score = append(c.of, grams), append(c.told, kindsOf(grams)), append(c.score, 0)
	for _, g := range grams {
		c.lists[g] = append(c.lists[g], at)
	}
	return int(at)
}

// Alike is what a look found.
type Alike struct {
	Places []int // likest first
	Looked int   // people with whom something was shared that not most have
	Cut    int   // people left out because too many are as alike; all, where nothing tells somebody from the crowd
}

// Near are the places of those most like a member, at most so many.
func (c *Crowd) Near(member, most int) Alike { return c.like(c.of[member], member, most) }

// NearTo are the places of those most like somebody who need not be a member.
func (c *Crowd) NearTo(p *Prepared, most int) Alike { return c.like(p.grams(), -1, most) }

func (c *Crowd) like(grams []uint32, self, most int) Alike {
	grams = slices.Clone(grams)
	slices.SortFunc(grams, func(x, y uint32) int { return cmp.Or(cmp.Compare(len(c.lists[x]), len(c.lists[y])), cmp.Compare(x, y)) })
	var total [1 << gramKinds]float32 // by the kinds the other tells
	work := 0
	for _, g := range grams {
		list := c.lists[g]
		if 2*len(list) > len(c.of) || len(c.met) > 0 && work+len(list) > crowdWork {
			break // those left are the commonest
		}
		work += len(list)
		weight := float32(math.Log2(float64(len(c.of)) / float64(max(len(list), 1))))
		for told := range total {
			if told&(1<<(g>>24)) != 0 {
				total[told] += weight
			}
		}
		for _, at := range list {
			if c.score[at] == 0 {
				c.met = append(c.met, at)
			}
			c.score[at] += weight
		}
	}
	a := c.pick(&total, int32(self), most)
	if total[len(total)-1] < crowdLeast {
		return Alike{Cut: len(c.of)}
	}
	return a
}

// pick takes the likest of those met and clears the working memory.
func (c *Crowd) pick(total *[1 << gramKinds]float32, self int32, most int) (a Alike) {
	near := c.met[:0:0]
	for _, at := range c.met {
		if at == self {
			continue
		}
		a.Looked++
		switch own := total[c.told[at]]; {
		case c.score[at] < crowdShare*own:
		case own < crowdLeast:
			a.Cut++
		default:
			near = append(near, at)
		}
	}
	slices.SortFunc(near, func(x, y int32) int { return cmp.Or(cmp.Compare(c.score[y], c.score[x]), cmp.Compare(x, y)) })
	for _, at := range near[:min(len(near), most)] {
		a.Places = append(a.Places, int(at))
	}
	a.Cut += len(near) - len(a.Places)
	for _, at := range c.met {
		c.score[at] = 0
	}
	c.met = c.met[:0]
	return a
}

// grams are the trigrams of each word of the name and of the mother's, and the two halves of the birth
// date, sorted, each once.
func (p *Prepared) grams() []uint32 {
	var out []uint32
	add := func(w word, kind uint32) {
		for _, g := range trigrams(w.text) {
			out = append(out, g|kind)
		}
	}
	add(p.given, gramName)
	for _, w := range p.surname.each {
		add(w, gramName)
	}
	add(p.mother.first, gramMother)
	for _, w := range p.mother.rest.each {
		add(w, gramMother)
	}
	if len(p.birth) == 8 {
		out = append(out, gramYear|number(p.birth[:4]), gramDay|number(dayMonthOpen(p.birth)[4:]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func kindsOf(grams []uint32) (told uint8) {
	for _, g := range grams {
		told |= 1 << (g >> 24)
	}
	return told
}

// number reads decimal digits.
func number(digits string) (n uint32) {
	for i := range len(digits) {
		n = 10*n + uint32(digits[i]-'0')
	}
	return n
}
