package match

// countNames counts how common each name is in the data at hand.
func countNames(people []*Prepared) (out [numFields]frequencies) {
	out[Given] = shares(people, func(p *Prepared, add func(string)) { add(p.given.sound) })
	out[Surname] = shares(people, func(p *Prepared, add func(string)) {
		for i := range p.surname.each {
			add(p.surname.each[i].sound)
		}
	})
	for _, tf := range textFields {
		out[tf.field] = shares(people, func(p *Prepared, add func(string)) { add(p.text[tf.at].tight) })
	}
	return out
}

// shares counts values over the people that have one. A value seen once or twice may be one person
// twice: all such have one share, that of a value seen twice.
func shares(people []*Prepared, each func(*Prepared, func(string))) frequencies {
	counts, known := map[string]int{}, 0
	for _, p := range people {
		before := known
		each(p, func(v string) {
			if v != "" {
				counts[v]++
				known = before + 1
			}
		})
	}
	if known == 0 {
		return frequencies{}
	}
	q := frequencies{share: make(map[string]float64, len(counts)), other: 2 / float64(known)}
	for v, n := range counts {
		if n > 2 {
			q.share[v] = float64(n) / float64(known)
		}
	}
	return q
}
