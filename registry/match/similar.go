package match

import (
	"math/bits"
	"slices"
)

// jaroWinkler is the similarity of two folded words, 0 to 1 (Winkler 1990: prefix scale 0.1, at
// most 4 letters, boost from 0.7). Only the first 64 bytes count, so that a word's matched letters
// fit in one register: it runs some ten times a pair.
func jaroWinkler(a, b string) float64 {
	if a == b {
		return 1
	}
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	j := jaro(a, b)
	if j < 0.7 {
		return j
	}
	p := 0
	for p < min(4, len(a), len(b)) && a[p] == b[p] {
		p++
	}
	return j + float64(p)*0.1*(1-j)
}

func jaro(a, b string) float64 {
	window := max(max(len(a), len(b))/2-1, 0)
	var inA, inB uint64 // bits of the letters that matched
	for i := range len(a) {
		lo, hi := max(0, i-window), min(len(b), i+window+1)
		for k := lo; k < hi; k++ {
			if a[i] == b[k] && inB&(1<<k) == 0 {
				inA |= 1 << i
				inB |= 1 << k
				break
			}
		}
	}
	m := bits.OnesCount64(inA)
	if m == 0 {
		return 0
	}
	moved := 0
	for x, y := inA, inB; x != 0; x, y = x&(x-1), y&(y-1) {
		if a[bits.TrailingZeros64(x)] != b[bits.TrailingZeros64(y)] {
			moved++
		}
	}
	f := float64(m)
	return (f/float64(len(a)) + f/float64(len(b)) + (f-float64(moved)/2)/f) / 3
}

// letters says which letters and digits a folded text has, one bit each (digits share bits).
func letters(s string) (set uint32) {
	for i := range len(s) {
		set |= 1 << (s[i] & 31)
	}
	return set
}

// canReach says whether jaroWinkler may be t or more: false spares the work for all but a few pairs
// of strangers' names. A letter that the other lacks finds no match, which bounds the matches.
func canReach(a, b string, setA, setB uint32, t float64) bool {
	la, lb := len(a), len(b)
	if la == 0 || lb == 0 {
		return false
	}
	m := float64(min(la-bits.OnesCount32(setA&^setB), lb-bits.OnesCount32(setB&^setA)))
	if m <= 0 {
		return false
	}
	j := (m/float64(la) + m/float64(lb) + 1) / 3
	if j >= t {
		return true
	}
	p := 0
	for p < min(4, la, lb) && a[p] == b[p] {
		p++
	}
	return j+float64(p)*0.1*(1-j) >= t
}

// trigrams are the three-letter runs of s with two spaces before and one behind, sorted, each once:
// pg_trgm's, but across the whole text.
func trigrams(s string) []uint32 {
	if s == "" {
		return nil
	}
	padded := "  " + s + " "
	out := make([]uint32, 0, len(padded))
	for i := 0; i+3 <= len(padded); i++ {
		out = append(out, uint32(padded[i])<<16|uint32(padded[i+1])<<8|uint32(padded[i+2]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// signature is the trigrams in 64 bits: two texts that share few are told apart by it alone.
func signature(grams []uint32) (sig uint64) {
	for _, g := range grams {
		sig |= 1 << (g * 2654435761 >> 26) // Knuth's multiplicative hash
	}
	return sig
}

// dice is the share of trigrams two texts have in common, 0 to 1; 0 too when it is below at least.
func dice(x, y *text, atLeast float64) float64 {
	a, b := x.grams, y.grams
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	most := min(len(a)-bits.OnesCount64(x.sig&^y.sig), len(b)-bits.OnesCount64(y.sig&^x.sig))
	if 2*float64(most) < atLeast*float64(len(a)+len(b)) {
		return 0
	}
	both := 0
	for i, k := 0, 0; i < len(a) && k < len(b); {
		switch {
		case a[i] < b[k]:
			i++
		case a[i] > b[k]:
			k++
		default:
			both, i, k = both+1, i+1, k+1
		}
	}
	return 2 * float64(both) / float64(len(a)+len(b))
}

// oneSlip says whether two strings differ by one digit written wrong, left out or put in, or by two
// neighbours exchanged.
func oneSlip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(b) > len(a) {
		return a[i:] == b[i+1:]
	}
	if i == len(a) {
		return false // equal
	}
	if a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
