package match

import "strings"

// Phonetic is how a name sounds in Brazilian Portuguese: names that sound alike give one code
// (Thiago, Tiago → TIAGO; Souza, Sousa → SOSA; Walter, Valter → VALTER).
//
// The code is letters: X stands for CH and SH, L and N for LH and NH as well, S for every hissing
// sound, K for hard C and Q, J for soft G. Vowels stay, the last above all, since it carries gender
// (Paulo and Paula differ); only diphthongs that speech levels shrink (OU → O, EI → E).
//
//	word  one word; it is folded first, and several are taken as one
//
// Phonetic(Phonetic(w)) == Phonetic(w). The rules follow the idea of metaphone for Brazilian
// Portuguese (metaphone-ptbr; IPEA's metaphonebr), written anew.
func Phonetic(word string) string { return phonetic(strings.ReplaceAll(Fold(word), " ", "")) }

// phonetic takes one folded word. One rule may open the way to another, so it passes until nothing
// changes; no rule lengthens the word, and each replaces letters by ones nearer the end of the
// chain, so it ends.
func phonetic(w string) string {
	for {
		next := soundOnce(w)
		if next == w {
			return w
		}
		w = next
	}
}

func soundOnce(w string) string {
	out := make([]byte, 0, len(w))
	for i := 0; i < len(w); {
		sound, n := soundAt(w, i)
		for k := range len(sound) {
			if len(out) == 0 || out[len(out)-1] != sound[k] { // doubled letters sound once
				out = append(out, sound[k])
			}
		}
		i += n
	}
	return string(out)
}

// clusters are the letter groups that sound as one; where one begins another the longer is first.
// Their first letters index them, since most letters begin none.
var clusters = byFirst([]cluster{
	{"SCH", "X"}, {"TCH", "X"}, {"CHR", "KR"}, {"MPC", "NC"}, {"MPT", "NT"}, {"OEL", "UEL"}, {"GUE", "GUE"}, {"GUI", "GUI"},
	{"PH", "F"}, {"TH", "T"}, {"CH", "X"}, {"SH", "X"}, {"LH", "L"}, {"NH", "N"}, {"RH", "R"}, {"CK", "K"}, {"CQ", "K"},
	{"CT", "T"}, {"PT", "T"}, {"GN", "N"}, {"OU", "O"}, {"EI", "E"}, {"EY", "E"}, {"TZ", "S"}, {"TS", "S"}, {"QU", "K"},
})

// cedillas are the endings whose C was a Ç before folding: Conceição, Lourenço, Mendonça, França,
// Graça, Gonçalves. Sources without accents write the same C, so it is told by the ending.
var cedillas = []string{"CAO", "CAES", "ENCO", "ONCA", "ANCA", "RACA", "CALVES"}

type cluster struct{ letters, sound string }

func byFirst(all []cluster) (out [256][]cluster) {
	for _, c := range all {
		out[c.letters[0]] = append(out[c.letters[0]], c)
	}
	return out
}

// soundAt gives the sound that begins at w[i] and how many letters it takes.
func soundAt(w string, i int) (string, int) {
	rest := w[i:]
	for _, c := range clusters[w[i]] {
		if strings.HasPrefix(rest, c.letters) {
			return c.sound, len(c.letters)
		}
	}
	last := len(rest) == 1
	switch w[i] {
	case 'C':
		return soundC(w, i)
	case 'S', 'X':
		if soft(at(w, i+2)) && (at(w, i+1) == 'C') || w[i] == 'X' && last { // Nascimento; Alex
			return "S", 1 + b2i(!last)
		}
	case 'G':
		if soft(at(w, i+1)) {
			return "J", 1
		}
	case 'M': // before a consonant and at the end it only colours the vowel
		if next := at(w, i+1); next != 'M' && !isVowel(next) {
			return "N", 1
		}
	case 'Q':
		return "K", 1
	case 'Z':
		return "S", 1
	case 'W':
		return "V", 1
	case 'Y':
		return "I", 1
	case 'H':
		return "", 1
	}
	return rest[:1], 1
}

func soundC(w string, i int) (string, int) {
	if soft(at(w, i+1)) {
		return "S", 1
	}
	if at(w, i+1) == 'C' && soft(at(w, i+2)) { // Accioly
		return "S", 2
	}
	for _, end := range cedillas {
		if k := strings.IndexByte(end, 'C'); strings.HasSuffix(w, end) && i == len(w)-len(end)+k {
			return "S", 1
		}
	}
	return "K", 1
}

// soft says whether the vowel softens the C or G before it.
func soft(c byte) bool { return c == 'E' || c == 'I' || c == 'Y' }

func isVowel(c byte) bool { return soft(c) || c == 'A' || c == 'O' || c == 'U' }

// at is w[i], 0 past the end.
func at(w string, i int) byte {
	if i >= len(w) {
		return 0
	}
	return w[i]
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
