package generate

import (
	"math"
	"slices"
	"strings"
	"sync"
)

// form is how a source writes words.
type form uint8

const (
	asWritten   form = iota // José, UTF-8
	inLatin1                // José, ISO 8859-1 (and Windows-1252: the letters are the same)
	plainUpper              // JOSE
	upperLatin1             // JOSÉ, ISO 8859-1
	plainLower              // jose
	forms       = iota
)

var unaccented = strings.NewReplacer("á", "a", "à", "a", "â", "a", "ã", "a", "ä", "a", "é", "e", "ê", "e", "í", "i", "ó", "o",
	"ô", "o", "õ", "o", "ú", "u", "ü", "u", "ç", "c", "Á", "A", "Â", "A", "Ã", "A", "É", "E", "Ê", "E", "Í", "I", "Ó", "O",
	"Ô", "O", "Õ", "O", "Ú", "U", "Ç", "C", "ª", "a", "º", "o")

func formsOf(text string) (f [forms]string) {
	f[asWritten] = text
	f[inLatin1] = latin1(text)
	f[plainUpper] = strings.ToUpper(unaccented.Replace(text))
	f[upperLatin1] = latin1(strings.ToUpper(text))
	f[plainLower] = strings.ToLower(unaccented.Replace(text))
	return f
}

// latin1 writes one byte a letter; the lists have no letter beyond U+00FF.
func latin1(text string) string {
	b := make([]byte, 0, len(text))
	for _, r := range text {
		b = append(b, byte(r))
	}
	return string(b)
}

// word is the number of a word in the vocabulary; 0 is none.
type word uint16

// family is a surname with its particle.
type family struct{ particle, surname word }

// drawn is a table from which words come with their frequency at the cost of one look-up.
type drawn [8192]word

// city is everything that does not depend on the seed: made once, never changed.
type city struct {
	words [forms][]string
	known map[string]word

	women, men   [2]drawn // classic, modern
	second       [2]drawn // men, women
	families     []family
	surnames     drawn // indexes into families
	suffixes     [3]word
	streets      []street
	districts    [][forms]string
	name         [forms]string
	complements  [][forms]string
	trades       [][forms]string
	bases        [2][4096]uint8 // adult, child: the set of bases a person is in
	abbreviation map[word]word
	initials     []word // "A." for Aparecida
}

var vila = sync.OnceValue(func() *city {
	c := &city{known: map[string]word{}, abbreviation: map[word]word{}, streets: laidOut(), name: formsOf(cityName)}
	c.word("") // number 0
	c.women = [2]drawn{c.draw(classicWomen, 0.85), c.draw(append(modernWomen, madeUp(womenEnding)...), 0.75)}
	c.men = [2]drawn{c.draw(classicMen, 0.85), c.draw(append(modernMen, madeUp(menEnding)...), 0.75)}
	c.second = [2]drawn{c.draw(secondMen, 0.8), c.draw(secondWomen, 0.8)}
	for _, s := range surnames {
		particle, surname, _ := cutParticle(s)
		c.families = append(c.families, family{c.word(particle), c.word(surname)})
	}
	c.surnames = zipf(len(c.families), 0.95, func(i int) word { return word(i) })
	for i, s := range suffixes {
		c.suffixes[i] = c.word(s)
	}
	for full, brief := range abbreviations {
		c.abbreviation[c.word(full)] = c.word(brief)
	}
	c.districts, c.complements, c.trades = allForms(districts), allForms(complements), allForms(trades)
	c.bases = [2][4096]uint8{inBases(adultBases), inBases(childBases)}
	for w, text := range slices.Clone(c.words[asWritten]) {
		c.initials = append(c.initials, c.word(initial(text, c.words[plainUpper][w])))
	}
	return c
})

// initial is "A." for Ângela; particles (da, dos) stay.
func initial(text, upper string) string {
	if upper == "" || text[0] >= 'a' && text[0] <= 'z' {
		return text
	}
	return upper[:1] + "."
}

// word is the number of a word, new or known.
func (c *city) word(text string) word {
	if w, ok := c.known[text]; ok {
		return w
	}
	w := word(len(c.words[0]))
	for f, t := range formsOf(text) {
		c.words[f] = append(c.words[f], t)
	}
	c.known[text] = w
	return w
}

func (c *city) draw(list []string, skew float64) drawn {
	return zipf(len(list), skew, func(i int) word { return c.word(list[i]) })
}

// zipf fills a table so that the item of rank i is drawn in proportion to 1/(i+2)^skew.
func zipf(n int, skew float64, item func(i int) word) (t drawn) {
	weight := func(i int) float64 { return math.Pow(float64(i)+2, -skew) }
	total := 0.0
	for i := range n {
		total += weight(i)
	}
	at, sum := 0, 0.0
	for i := range n {
		sum += weight(i) / total
		w := item(i)
		for end := int(math.Round(sum * float64(len(t)))); at < end && at < len(t); at++ {
			t[at] = w
		}
	}
	for ; at < len(t); at++ {
		t[at] = item(0)
	}
	return t
}

func (t *drawn) next(r *rng) word { return t[r.next()>>51] }

func madeUp(endings []string) []string {
	var all []string
	for _, b := range beginnings {
		for _, e := range endings {
			all = append(all, b+e)
		}
	}
	return all
}

func cutParticle(s string) (particle, surname string, ok bool) {
	if particle, surname, ok = strings.Cut(s, ":"); ok {
		return particle, surname, true
	}
	return "", s, false
}

func allForms(list []string) [][forms]string {
	all := make([][forms]string, len(list))
	for i, text := range list {
		all[i] = formsOf(text)
	}
	return all
}
