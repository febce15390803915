package generate

// placeholders are what people type to get past a field.
var placeholders = [4]uint64{0, 99999999999, 11111111111, 12345678900}

// mistyped writes a false CPF as 11 digits, or too few of them, and returns the length.
func mistyped(dst []byte, cpf uint64, r *rng) int {
	if r.chance(1200) {
		digitsInto(dst[:11], placeholders[r.below(len(placeholders))])
		return 11
	}
	for {
		digitsInto(dst[:11], cpf)
		n := 11
		switch k := r.below(10); r.below(4) {
		case 0: // two digits exchanged
			dst[k], dst[k+1] = dst[k+1], dst[k]
		case 1: // one digit lost
			copy(dst[k:], dst[k+1:11])
			n = 10
		default: // one digit wrong
			dst[k] = '0' + (dst[k]-'0'+byte(r.between(1, 9)))%10
		}
		if !validCPF(number(dst[:n])) {
			return n
		}
	}
}

func number(digits []byte) (n uint64) {
	for _, d := range digits {
		n = n*10 + uint64(d-'0')
	}
	return n
}

// neighbours are letters taken for each other by ear or by finger.
var neighbours = func() (t [256]byte) {
	for _, pair := range []string{"sz", "iy", "ck", "vw", "mn", "ei", "ou", "td", "pb", "gj", "lr", "ae", "qk", "xs", "fv", "hn"} {
		for shift := byte(0); shift <= 'a'-'A'; shift += 'a' - 'A' {
			a, b := pair[0]-shift, pair[1]-shift
			if t[a] == 0 {
				t[a] = b
			}
			if t[b] == 0 {
				t[b] = a
			}
		}
	}
	return t
}()

// mangled makes one typing error in the letters of b, which is the end of a longer slice: exchanged,
// left out, doubled or mistaken. seed decides which. Accented letters are left alone, so that the
// encoding stays whole.
func mangled(b []byte, from int, seed uint64) []byte {
	r := rng(seed)
	n := len(b) - from
	if n < 5 {
		return b
	}
	for range 12 {
		i := from + 1 + r.below(n-2)
		if neighbours[b[i]] == 0 || neighbours[b[i+1]] == 0 || b[i] == b[i+1] {
			continue
		}
		switch r.below(4) {
		case 0:
			b[i], b[i+1] = b[i+1], b[i]
		case 1:
			b = append(b[:i], b[i+1:]...)
		case 2:
			b = append(b[:i+1], b[i:]...)
		default:
			b[i] = neighbours[b[i]]
		}
		return b
	}
	return b
}
