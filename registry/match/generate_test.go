package match_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/loginunico/loginunico/registry/match"
)

// town is a generated base of Brazilian people in families: brothers and sisters share surname,
// mother and address; one birth in 50 is of twins (twice nature's share, to be harder); one
// first son in 8 bears his father's name with Júnior or Filho; common names make homonyms.
type town struct {
	r                    *rand.Rand
	women, men, families wheel
	people               []citizen
}

type citizen struct {
	id                                 string
	given                              []string // one or two first names
	surname                            []string
	suffix, married                    string
	mother, father                     string
	year, month, day                   int
	gender, city                       string
	street, number, district, postcode string
	phone, email                       string
}

// wheel draws names by their shares of 10,000; where none falls, a rare name made of syllables.
type wheel struct {
	names []string
	upTo  []int
}

func wheelOf(shares map[string]int) (w wheel) {
	sum := 0
	for _, n := range slices.Sorted(maps.Keys(shares)) {
		sum += shares[n]
		w.names, w.upTo = append(w.names, n), append(w.upTo, sum)
	}
	return w
}

func (w wheel) draw(r *rand.Rand) string {
	i, _ := slices.BinarySearch(w.upTo, r.IntN(max(10000, w.upTo[len(w.upTo)-1]))+1)
	if i < len(w.names) {
		return w.names[i]
	}
	n := ""
	for range 3 {
		n += syllables[r.IntN(len(syllables))]
	}
	return strings.ToUpper(n[:1]) + n[1:]
}

var syllables = []string{"ba", "be", "ce", "cla", "da", "de", "di", "dro", "e", "fa", "gil", "go", "ja", "ju", "la", "le", "li", "lu", "ma", "me", "mar", "na", "ne", "nil", "o", "ra", "ri", "ro", "sa", "se", "so", "ta", "te", "ti", "va", "vi", "val", "za", "ze", "zi"}

func newTown(seed uint64, people int) *town {
	t := &town{r: rand.New(rand.NewPCG(seed, 1)), women: wheelOf(femaleNames), men: wheelOf(maleNames), families: wheelOf(surnames)}
	for len(t.people) < people {
		t.addFamily()
	}
	t.people = t.people[:people]
	return t
}

func (t *town) pick(of ...string) string { return of[t.r.IntN(len(of))] }
func (t *town) chance(p float64) bool    { return t.r.Float64() < p }

func (t *town) addFamily() {
	r := t.r
	home := citizen{
		street: t.pick("Rua ", "Av. ", "Travessa ") + t.men.draw(r) + " " + t.families.draw(r), number: fmt.Sprint(r.IntN(2000) + 1),
		district: t.pick("Centro", "Vila Nova", "Jardim América", "São José", "Boa Vista", "Santo Antônio", "Industrial"),
		postcode: fmt.Sprintf("%05d-%03d", 13000+r.IntN(60), r.IntN(1000)),
	}
	father, mother := home, home
	father.given, father.surname, father.gender = t.given(t.men), t.surname(), "M"
	mother.given, mother.surname, mother.gender = t.given(t.women), t.surname(), "F"
	if t.chance(0.5) {
		mother.married = father.surname[len(father.surname)-1]
	}
	father.year, mother.year = 1940+r.IntN(50), 1942+r.IntN(50)
	for _, p := range []*citizen{&father, &mother} {
		p.mother, p.father = t.stranger(t.women), t.stranger(t.men)
		t.add(p)
	}
	born, twin := max(father.year, mother.year)+18, false
	for k := range r.IntN(4) {
		child := home
		child.mother, child.father = fullName(mother), fullName(father)
		child.year = born + r.IntN(4)
		if twin = k > 0 && t.chance(1.0/50); twin {
			last := t.people[len(t.people)-1]
			child.year, child.month, child.day = last.year, last.month, last.day
		}
		t.nameChild(&child, mother, father, k == 0)
		t.add(&child)
		born = child.year + 1
	}
}

func (t *town) nameChild(c *citizen, mother, father citizen, first bool) {
	c.gender, c.given = "F", t.given(t.women)
	if t.chance(0.5) {
		c.gender, c.given = "M", t.given(t.men)
	}
	for t.hasSibling(mother, c.given) {
		c.given = t.given(map[string]wheel{"F": t.women, "M": t.men}[c.gender])
	}
	c.surname = []string{mother.surname[len(mother.surname)-1], father.surname[len(father.surname)-1]}
	if c.gender == "M" && first && t.chance(1.0/8) {
		c.given, c.surname, c.suffix = father.given, father.surname, t.pick("Júnior", "Filho")
	}
}

// hasSibling says whether the mother has named one so: brothers and sisters share a first name only
// where a second tells them apart (Maria Clara, Maria Luiza).
func (t *town) hasSibling(mother citizen, given []string) bool {
	for i := len(t.people) - 1; i >= 0 && t.people[i].mother == fullName(mother); i-- {
		if g := t.people[i].given; g[0] == given[0] && (len(g) == 1 || len(given) == 1 || g[1] == given[1]) {
			return true
		}
	}
	return false
}

func (t *town) given(w wheel) []string {
	g := []string{w.draw(t.r)}
	if t.chance(0.45) {
		if second := w.draw(t.r); second != g[0] {
			g = append(g, second)
		}
	}
	return g
}

func (t *town) surname() []string {
	s := []string{t.families.draw(t.r)}
	if t.chance(0.6) {
		s = append(s, t.families.draw(t.r))
	}
	return s
}

func (t *town) stranger(w wheel) string {
	return strings.Join(append(t.given(w), t.surname()...), " ")
}

func (t *town) add(c *citizen) {
	c.id = fmt.Sprintf("p%06d", len(t.people))
	if c.day == 0 {
		c.month, c.day = t.r.IntN(12)+1, t.r.IntN(28)+1
	}
	c.city = t.pick("Vila Esperança", "Campinas", "São Paulo", "Recife", "Vila Esperança")
	c.phone = fmt.Sprintf("(19) 9%04d-%04d", 6000+t.r.IntN(4000), t.r.IntN(10000))
	c.email = fmt.Sprintf("%s%d@example.org", strings.ToLower(match.Fold(c.given[0])), t.r.IntN(100000))
	t.people = append(t.people, *c)
}

func fullName(c citizen) string {
	return strings.Join(append(slices.Clone(c.given), c.surname...), " ")
}

// record is what a source knows of a citizen, with the errors of clerks and keyboards.
func (t *town) record(c citizen, id string) match.Subject {
	s := match.Subject{ID: id, Name: t.mistyped(t.asWritten(c), 0.08), MotherName: t.mistyped(t.abridged(c.mother), 0.08), Gender: c.gender,
		Birthdate: t.date(c), Birthplace: t.mistyped(c.city, 0.03)}
	s.FatherName = t.unless(0.5, t.mistyped(t.abridged(c.father), 0.08))
	s.Phone, s.Email = t.unless(0.5, c.phone), t.unless(0.7, c.email)
	if t.chance(0.25) { // moved, or the address of a relative
		c.street, c.number, c.district, c.postcode = "Rua "+t.families.draw(t.r), fmt.Sprint(t.r.IntN(900)), "Centro", fmt.Sprintf("13%03d-%03d", t.r.IntN(60), t.r.IntN(1000))
	}
	if t.chance(0.6) {
		s.Street, s.Number, s.District, s.Postcode = t.mistyped(c.street, 0.1), c.number, t.mistyped(c.district, 0.05), t.unless(0.2, c.postcode)
	}
	s.MotherName, s.Gender = t.unless(0.12, s.MotherName), t.unless(0.1, s.Gender)
	s.Birthplace, s.Birthdate = t.unless(0.3, s.Birthplace), t.unless(0.03, s.Birthdate)
	return s
}

func (t *town) unless(p float64, s string) string {
	if t.chance(p) {
		return ""
	}
	return s
}

// asWritten is the name as one source has it: married or not, abridged, accents and case at will.
func (t *town) asWritten(c citizen) string {
	if c.married != "" && t.chance(0.4) {
		if t.chance(0.3) && len(c.surname) > 1 {
			c.surname = slices.Clone(c.surname[:len(c.surname)-1])
		}
		c.surname = append(slices.Clone(c.surname), c.married)
	}
	n := t.abridged(fullName(c))
	if c.suffix != "" && !t.chance(0.15) {
		n += " " + c.suffix
	}
	return n
}

func (t *town) abridged(n string) string {
	w := strings.Fields(n)
	for i := 1; i < len(w)-1; i++ {
		switch {
		case t.chance(0.05):
			w[i] = w[i][:1] + "."
		case t.chance(0.05):
			w = slices.Delete(slices.Clone(w), i, i+1)
		case t.chance(0.3):
			w[i] = "da " + w[i]
		}
	}
	n = strings.Join(w, " ")
	if t.chance(0.4) {
		n = match.Fold(n)
	}
	if t.chance(0.1) {
		n = strings.NewReplacer("Maria", "Mª", "MARIA", "MA", "Francisco", "Fco", "Aparecida", "Apª").Replace(n)
	}
	return n
}

var misheard = []string{"z", "s", "Z", "S", "i", "y", "I", "Y", "l", "ll", "t", "th", "v", "w", "V", "W", "LL", "L", "ss", "ç"}

// mistyped changes the text with the chance p: by ear, or by a slip of the finger.
func (t *town) mistyped(s string, p float64) string {
	if s == "" || !t.chance(p) {
		return s
	}
	if k := t.r.IntN(len(misheard)/2) * 2; t.chance(0.5) && strings.Contains(s, misheard[k]) {
		return strings.Replace(s, misheard[k], misheard[k+1], 1)
	}
	b := []rune(s)
	i := t.r.IntN(len(b))
	switch t.r.IntN(4) {
	case 0:
		b = slices.Delete(b, i, i+1)
	case 1:
		b = slices.Insert(b, i, rune('a'+t.r.IntN(26)))
	case 2:
		b[i] = rune('a' + t.r.IntN(26))
	default:
		k := max(i-1, 0)
		b[i], b[k] = b[k], b[i]
	}
	return string(b)
}

func (t *town) date(c citizen) string {
	y, m, d := c.year, c.month, c.day
	switch x := t.r.Float64(); {
	case x < 0.015:
		m, d = min(d, 12), m
	case x < 0.035:
		d = t.r.IntN(28) + 1
	case x < 0.05:
		y += t.r.IntN(3) - 1
	case x < 0.06:
		m, d = 1, 1
	}
	if t.chance(0.5) {
		return fmt.Sprintf("%02d/%02d/%04d", d, m, y)
	}
	return fmt.Sprintf("%04d-%02d-%02d", y, m, d)
}

// file is one base with each citizen once to four times, and whom each record is of.
func (t *town) file() (out []match.Subject, truth map[string]string) {
	truth = map[string]string{}
	for _, c := range t.people {
		for range []int{1, 1, 1, 2, 2, 3, 4}[t.r.IntN(7)] {
			id := fmt.Sprintf("r%06d", len(out))
			out, truth[id] = append(out, t.record(c, id)), c.id
		}
	}
	t.r.Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	return out, truth
}

// twoFiles are two bases with each citizen at most once, most of them in both.
func (t *town) twoFiles() (a, b []match.Subject, truthA, truthB map[string]string) {
	truthA, truthB = map[string]string{}, map[string]string{}
	for i, c := range t.people {
		if id := fmt.Sprintf("a%06d", i); t.chance(0.9) {
			a, truthA[id] = append(a, t.record(c, id)), c.id
		}
		if id := fmt.Sprintf("b%06d", i); t.chance(0.8) {
			b, truthB[id] = append(b, t.record(c, id)), c.id
		}
	}
	return a, b, truthA, truthB
}
