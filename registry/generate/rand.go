package generate

// rng is splitmix64: eight bytes of state, so that every household and every record has one of its
// own and nothing depends on who comes before.
type rng uint64

// mixed is a generator for one thing, named by numbers.
func mixed(parts ...uint64) rng {
	var s rng
	for _, p := range parts {
		s = rng(s.next() ^ p)
	}
	return s
}

func (r *rng) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below is 0 ≤ k < n.
func (r *rng) below(n int) int { return int(r.next() >> 32 * uint64(n) >> 32) }

// between is from ≤ k ≤ to.
func (r *rng) between(from, to int) int { return from + r.below(to-from+1) }

// chance happens in n of 10,000 draws.
func (r *rng) chance(n int) bool { return r.below(10_000) < n }
