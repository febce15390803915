package match

import "strings"

// Prepared is a subject in the forms it is compared in, made once and used in every pair. It is
// read only; any number of goroutines may share it.
type Prepared struct {
	ID string

	given, social word   // first name, first social name
	surname       words  // the other names
	joined        string // the whole name without spaces, for names glued together
	suffix        string
	mother        parent
	father        parent
	birth         string // yyyymmdd, or the digits of what is no date
	gender        byte
	cpf           string
	cpfValid      bool
	phone         string
	email         string
	code          [3]string // number, postcode, state
	text          [5]text   // birthplace, street, complement, district, city
}

const (
	codeNumber, codePostcode, codeState                                = 0, 1, 2
	textBirthplace, textStreet, textComplement, textDistrict, textCity = 0, 1, 2, 3, 4
)

// word is one name with its sound.
type word struct {
	text, sound string
	set         uint32 // letters
}

// words are names in order, with all of them glued together.
type words struct {
	each []word
	one  word
}

type parent struct {
	first word
	rest  words
	whole word
}

type text struct {
	text  string // folded
	tight string // without spaces
	grams []uint32
	sig   uint64
	set   uint32
}

// Prepare takes a subject to the forms that [Model.Score] and [Prepared.Keys] read.
func Prepare(s Subject) *Prepared {
	p := &Prepared{ID: s.ID, birth: dateDigits(s.Birthdate), email: strings.ToLower(strings.TrimSpace(s.Email))}
	p.setName(s)
	if social := splitName(s.SocialName).words; len(social) > 0 {
		p.social = wordOf(social[0])
	}
	p.mother, p.father = parentOf(s.MotherName), parentOf(s.FatherName)
	if g := Fold(s.Gender); g != "" {
		p.gender = g[0]
	}
	p.cpf = known(digitsOf(s.CPF))
	p.cpfValid = validCPF(p.cpf)
	p.phone = lastOf(known(digitsOf(s.Phone)), 8) // the area code and the ninth digit come and go
	p.code = [3]string{tight(s.Number), tight(s.Postcode), tight(s.State)}
	for i, t := range [5]string{s.Birthplace, s.Street, s.Complement, s.District, s.City} {
		p.text[i] = textOf(t)
	}
	return p
}

// setName splits a whole name after its first word; a source's own split is kept, and then a given
// name of several words is one, since "braid en" is as likely as "Ana Clara".
func (p *Prepared) setName(s Subject) {
	if s.GivenName == "" && s.Surname == "" {
		n := splitName(s.Name)
		p.suffix, p.joined = n.suffix, strings.Join(n.words, "")
		if len(n.words) > 0 {
			p.given, p.surname = wordOf(n.words[0]), wordsOf(n.words[1:])
		}
		return
	}
	given := strings.Join(splitName(s.GivenName).words, "")
	rest := splitName("x " + s.Surname) // the x stands for the first name, after which a suffix may come
	p.suffix, p.joined = rest.suffix, given+strings.Join(rest.words[1:], "")
	p.given, p.surname = wordOf(given), wordsOf(rest.words[1:])
}

func parentOf(s string) parent {
	w := splitName(s).words
	if len(w) == 0 {
		return parent{}
	}
	p := parent{first: wordOf(w[0]), rest: wordsOf(w[1:])}
	p.whole = glued(append([]word{p.first}, p.rest.each...))
	return p
}

func wordOf(w string) word {
	if w == "" {
		return word{}
	}
	return word{text: w, sound: phonetic(w), set: letters(w)}
}

func wordsOf(ws []string) words {
	ws = ws[:min(len(ws), maxWords)]
	out := make([]word, len(ws))
	for i, w := range ws {
		out[i] = wordOf(w)
	}
	return words{out, glued(out)}
}

// maxWords is the most names that are compared: a line of a broken file may hold thousands.
const maxWords = 32

// glued joins words; the sound is that of each, joined, since a word's end is heard.
func glued(ws []word) (one word) {
	if len(ws) == 1 {
		return ws[0]
	}
	for i := range ws {
		one.text += ws[i].text
		one.sound += ws[i].sound
		one.set |= ws[i].set
	}
	return one
}

func textOf(s string) text {
	f := known(s)
	if f == "" {
		return text{}
	}
	t := text{text: f, tight: strings.ReplaceAll(f, " ", ""), grams: trigrams(f)}
	t.sig, t.set = signature(t.grams), letters(t.tight)
	return t
}

func tight(s string) string { return strings.ReplaceAll(known(s), " ", "") }

func lastOf(s string, n int) string { return s[max(0, len(s)-n):] }

// last is the final surname, empty when none is known.
func (p *Prepared) last() *word {
	if n := len(p.surname.each); n > 0 {
		return &p.surname.each[n-1]
	}
	return &word{}
}

// validCPF checks the two check digits (Receita Federal, modulus 11) of 11 digits; a CPF of one
// repeated digit passes the arithmetic and was never issued.
func validCPF(c string) bool {
	if len(c) != 11 || strings.Count(c, c[:1]) == 11 {
		return false
	}
	for n := 9; n <= 10; n++ {
		sum := 0
		for i := range n {
			sum += int(c[i]-'0') * (n + 1 - i)
		}
		if byte(sum*10%11%10) != c[n]-'0' {
			return false
		}
	}
	return true
}
