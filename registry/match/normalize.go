package match

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold is the form all text is compared in: upper-case ASCII letters and digits, words parted by
// one space. Accents go (São → SAO), ordinals become letters (Mª → MA), an apostrophe joins
// (D'Ávila → DAVILA) and any other sign parts words. Fold(Fold(s)) == Fold(s).
func Fold(s string) string {
	if folded(s) {
		return s
	}
	out := make([]byte, 0, len(s))
	for _, r := range norm.NFKD.String(s) {
		out = foldRune(out, r)
	}
	return strings.TrimRight(string(out), " ")
}

// folded says whether s is in its folded form, which most values of a loaded base already are.
func folded(s string) bool {
	space := true // a leading space is not folded
	for i := range len(s) {
		c := s[i]
		if c == ' ' {
			if space {
				return false
			}
			space = true
			continue
		}
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
		space = false
	}
	return !space || s == ""
}

func foldRune(out []byte, r rune) []byte {
	switch {
	case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
		return append(out, byte(r))
	case r >= 'a' && r <= 'z':
		return append(out, byte(r-'a'+'A'))
	case unicode.Is(unicode.Mn, r), r == '\'', r == '’', r == '`', r == '´':
		return out
	}
	if s, ok := foldLetters[unicode.ToLower(r)]; ok {
		return append(out, s...)
	}
	if len(out) > 0 && out[len(out)-1] != ' ' {
		out = append(out, ' ')
	}
	return out
}

// foldLetters are letters that no decomposition takes to ASCII.
var foldLetters = map[rune]string{'ø': "O", 'æ': "AE", 'œ': "OE", 'ß': "SS", 'ð': "D", 'þ': "TH", 'ł': "L", 'đ': "D", 'ı': "I"}

// Suffix words tell generations of one name apart; they are no part of the name.
var suffixes = map[string]string{
	"JUNIOR": "JUNIOR", "JR": "JUNIOR", "JUN": "JUNIOR", "FILHO": "FILHO", "FO": "FILHO", "FILHA": "FILHO",
	"NETO": "NETO", "NETTO": "NETO", "NETA": "NETO", "BISNETO": "BISNETO", "BISNETA": "BISNETO",
	"SOBRINHO": "SOBRINHO", "SOBRINHA": "SOBRINHO", "SEGUNDO": "SEGUNDO", "TERCEIRO": "TERCEIRO",
	"II": "SEGUNDO", "III": "TERCEIRO",
}

// Particles join names and are left out or put in at will.
var particles = map[string]bool{
	"DA": true, "DE": true, "DO": true, "DAS": true, "DOS": true, "E": true, "DI": true, "DEL": true, "Y": true,
}

// Abbreviations as clerks write them, ordinal sign already folded (Mª, Mª. and Ma. are MA).
var abbreviations = map[string]string{
	"MA": "MARIA", "FCO": "FRANCISCO", "FCA": "FRANCISCA", "FRANC": "FRANCISCO", "ANTO": "ANTONIO", "ANT": "ANTONIO",
	"ANTA": "ANTONIA", "JO": "JOSE", "JE": "JOSE", "STA": "SANTA", "STO": "SANTO", "STOS": "SANTOS", "SRA": "SENHORA",
	"NSRA": "NOSSA SENHORA", "CONC": "CONCEICAO", "APDA": "APARECIDA", "APA": "APARECIDA", "APARECDA": "APARECIDA", "AP": "APARECIDA",
	"RODR": "RODRIGUES", "ROIZ": "RODRIGUES", "GONC": "GONCALVES", "FERN": "FERNANDES", "FDES": "FERNANDES",
	"NASC": "NASCIMENTO", "OLIV": "OLIVEIRA", "PER": "PEREIRA", "FERR": "FERREIRA", "CAV": "CAVALCANTE",
	"RAIM": "RAIMUNDO", "SEB": "SEBASTIAO", "MANL": "MANOEL", "BENED": "BENEDITO", "MARG": "MARGARIDA", "LDES": "LOURDES",
}

// Titles say nothing of who; they are dropped at the head of a name only.
var titles = map[string]bool{"SR": true, "SRA": true, "DR": true, "DRA": true, "DONA": true, "PROF": true, "PROFA": true}

// unknown is what clerks and systems write where nothing is known. Two such agree on nothing.
var unknown = map[string]bool{
	"NAO INFORMADO": true, "NAO INFORMADA": true, "NAO INFORMOU": true, "IGNORADO": true, "IGNORADA": true, "DESCONHECIDO": true,
	"DESCONHECIDA": true, "NAO CONSTA": true, "NADA CONSTA": true, "NAO DECLARADO": true, "NAO DECLARADA": true, "SEM INFORMACAO": true,
	"NAO POSSUI": true, "NAO TEM": true, "NC": true, "NI": true, "ND": true, "SN": true, "S N": true, "NULL": true, "NONE": true, "NAN": true,
}

// known is the folded text, "" when it says that nothing is known or repeats one letter (XXXX, 0000).
func known(s string) string {
	f := Fold(s)
	if unknown[f] || len(f) > 2 && strings.Count(f, f[:1]) == len(f) {
		return ""
	}
	return f
}

// fullName is a name taken apart.
type fullName struct {
	words  []string // without particles, titles and suffix, abbreviations written out
	suffix string   // JUNIOR, FILHO, NETO …; "" when none
}

// splitName takes a name as written to its words. It keeps their order.
func splitName(s string) fullName {
	var n fullName
	for _, w := range strings.Fields(known(s)) {
		if particles[w] || len(n.words) == 0 && titles[w] {
			continue
		}
		if g, ok := suffixes[w]; ok && len(n.words) > 1 { // Neto is also a surname, after a first name alone
			n.suffix = g
			continue
		}
		if full, ok := abbreviations[w]; ok {
			w = full
		}
		n.words = append(n.words, strings.Fields(w)...)
	}
	if n.suffix == "" && known(strings.Join(n.words, " ")) == "" {
		return fullName{}
	}
	return n
}

// NormalizeName is the name as it is compared: folded, without titles and particles, abbreviations
// written out, the suffix last. NormalizeName(NormalizeName(s)) == NormalizeName(s).
func NormalizeName(s string) string {
	n := splitName(s)
	if n.suffix != "" {
		n.words = append(n.words, n.suffix)
	}
	return strings.Join(n.words, " ")
}

// digitsOf keeps the digits of s.
func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
