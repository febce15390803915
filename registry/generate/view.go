package generate

// What a record's CPF is, in the truth file.
const (
	givenRight = "right"
	givenNone  = "none"
	givenFalse = "false" // wrong check digits, or a placeholder
	givenOther = "other" // valid, and somebody else's
)

// What is wrong with a line, in the truth file.
const (
	lineWhole    = "whole"
	lineColumns  = "columns"  // one too few or too many
	lineEncoding = "encoding" // bytes that the source's encoding does not have
	lineNameless = "nameless" // no name at all
)

// news is what a second delivery says of a person.
type news uint8

const (
	nothing news = iota // the first delivery, or the same again
	seen                // confirmed on a later day
	moved               // new phone, address and mail
	died
)

// view is a person as one record of a source has them.
type view struct {
	*person
	base  *source
	again uint64 // 1: the source has the person twice
	key   uint64

	written              fullName
	mothers, fathers     fullName
	typo, motherTypo     uint64 // 0: none; else decides which
	born, dead, on       day    // on: when the source says this was so
	tel                  uint64
	lives                home
	email                string
	status               uint8
	situation            uint8 // index into the Receita's codes
	aided, ended, elder  day   // benefits: Bolsa Família from and to, BPC from
	exempt               day   // IPTU
	cpfText              [14]byte
	cpfLen               int
	given, line          string
	brokenAt             uint64
	latest               bool
	motherCPF, fatherCPF uint64
}

// see draws what source s wrote of p. The draws of one record depend on nothing but the seed, the
// person, the source and the count.
func (w *world) see(v *view, p *person, s *source, again uint64, n news) {
	r := mixed(w.seed, p.n, uint64(s.index)<<1|again, 'R')
	*v = view{person: p, base: s, again: again, key: s.keyOf(p.n, again), born: p.birth, tel: p.phone, lives: p.home,
		email: p.mail, status: p.marital, written: p.name, mothers: p.mother, fathers: p.father, line: lineWhole}
	v.when(&r)
	v.named(w.city, &r)
	v.mistake(&r)
	w.number(v, &r)
	w.aid(v)
	v.motherCPF, v.fatherCPF = p.motherCPF, p.fatherCPF
	if r.chance(4000) {
		v.motherCPF, v.fatherCPF = 0, 0
	}
	if r.chance(10) {
		v.line, v.brokenAt = [4]string{lineColumns, lineColumns, s.undecodable, lineNameless}[r.below(4)], r.next()
	}
	w.later(v, n)
}

// when dates the record. A quarter of what a source has is old: former names, numbers and addresses.
func (v *view) when(r *rng) {
	v.on = dayIn(r, 2020, 2026)
	if r.chance(2500) {
		v.on = dayIn(r, 2012, 2019)
		if r.chance(7500) {
			v.lives = v.oldHome
		}
		if r.chance(7500) {
			v.tel = v.oldPhone
		}
	}
	v.on = min(max(v.on, v.born), today)
	if !v.former.empty() && v.on < v.changed {
		v.written, v.status = v.former, single
	}
	if v.death != 0 && r.chance(v.base.hearsOfDeath) {
		v.dead, v.on = v.death, max(v.on, v.death)
	}
}

// named writes the name as that clerk did: short, without a middle name, without the parents.
func (v *view) named(c *city, r *rng) {
	if r.chance(v.base.abbreviates) {
		v.written = c.abbreviated(v.written, r)
	}
	if r.chance(150) && v.written.n > 3 {
		v.written = v.written.without(1 + r.below(int(v.written.n)-2))
	}
	if r.chance(v.base.omitsMother) {
		v.mothers = fullName{}
	}
	if r.chance(4000) {
		v.fathers = fullName{}
	}
	if r.chance(6000) {
		v.tel *= uint64(r.below(4)/3 ^ 1) // a phone is missing more often than not known
	}
}

// mistake types something wrong now and then.
func (v *view) mistake(r *rng) {
	if r.chance(300) {
		v.typo = r.next() | 1
	}
	if r.chance(400) {
		v.motherTypo = r.next() | 1
	}
	switch {
	case r.chance(80) && v.born.date() <= 12: // day and month swapped
		v.born = day(v.born.year()*10000 + v.born.date()*100 + v.born.month())
	case r.chance(30): // a digit of the year
		if slip := v.born.plus(-10 + 20*r.below(2)); slip <= today {
			v.born = slip
		}
	}
}

// number writes the CPF: right, missing, mistyped or somebody else's.
func (w *world) number(v *view, r *rng) {
	cpf := v.cpf
	v.given = givenRight
	switch {
	case cpf == noCPF || r.chance(v.base.lacksCPF):
		v.given = givenNone
		return
	case r.chance(v.base.mistypesCPF):
		v.given = givenFalse
		v.cpfLen = mistyped(v.cpfText[:], cpf, r)
		return
	case v.base.mistypesCPF > 0 && r.chance(18):
		if other := w.somebodyElses(v.person, r); other != noCPF {
			cpf, v.given = other, givenOther
		}
	}
	v.cpfLen = v.base.cpfStyle(v.cpfText[:], cpf, r)
}

// somebodyElses is the mother's for a child, as clerks do, and else anybody's.
func (w *world) somebodyElses(p *person, r *rng) uint64 {
	switch {
	case p.child && p.motherCPF != noCPF:
		return p.motherCPF
	case p.spouseCPF != noCPF && r.chance(5000):
		return p.spouseCPF
	}
	return cpfOf(w.offset, p.n+household*uint64(r.between(1, 1000)))
}

// aid is what the city grants: to families, to the old, to owners of one small house.
func (w *world) aid(v *view) {
	r := mixed(w.seed, v.n/household, 'B')
	if r.chance(5500) {
		v.aided = dayIn(&r, 2009, 2025)
		if r.chance(3500) {
			v.ended = min(v.aided.plus(r.between(1, 6)), today)
		}
	}
	if old := v.birth.plus(65); old <= today.plus(-1) && r.chance(3000) {
		v.elder = old
	}
	if r.chance(900) {
		v.exempt = dayIn(&r, 2010, 2025)
	}
	v.situation = regular
	if k := r.below(1000); k < len(rarer)*4 {
		v.situation = rarer[k/4]
	}
	if v.dead != 0 {
		v.situation = deceased
	}
}

// later is what has changed since in a second delivery.
func (w *world) later(v *view, n news) {
	if n == nothing {
		return
	}
	r := mixed(w.seed, v.n, 'N')
	v.on = day(20261100 + r.between(1, 14))
	switch n {
	case moved:
		v.lives, v.tel, v.latest = w.home(&r), mobileOf(&r), true
	case died:
		v.dead, v.situation = v.on, deceased
	}
}

// without leaves out the word k.
func (f fullName) without(k int) fullName {
	copy(f.words[k:], f.words[k+1:f.n])
	f.n--
	return f
}

// abbreviated writes "Mª" for Maria, or a middle name by its initial.
func (c *city) abbreviated(f fullName, r *rng) fullName {
	if short, ok := c.abbreviation[f.words[0]]; ok && r.chance(5000) {
		f.words[0] = short
		return f
	}
	if f.n > 2 {
		k := 1 + r.below(int(f.n)-2)
		f.words[k] = c.initials[f.words[k]]
	}
	return f
}
