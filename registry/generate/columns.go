package generate

// The columns that sources are made of.

func putNothing(*line, *view)    {}
func putKey(l *line, v *view)    { l.digits(v.key, 10) }
func putCPF(l *line, v *view)    { l.b = append(l.b, v.cpfText[:v.cpfLen]...) }
func putCNS(l *line, v *view)    { l.digits(v.cns, 15) }
func putNIS(l *line, v *view)    { l.digits(v.nis, 11) }
func putVoter(l *line, v *view)  { l.digits(v.voter, 12) }
func putBirth(l *line, v *view)  { l.date(v.born) }
func putDeath(l *line, v *view)  { l.date(v.dead) }
func putOn(l *line, v *view)     { l.date(v.on) }
func putSocial(l *line, v *view) { l.name(&v.social, 0) }
func putMother(l *line, v *view) { l.name(&v.mothers, v.motherTypo) }
func putFather(l *line, v *view) { l.name(&v.fathers, 0) }
func putSpouse(l *line, v *view) { l.name(&v.spouse, 0) }
func putOrigin(l *line, v *view) { l.str(birthplaces[v.origin]) }

// putName leaves the name of a nameless line out.
func putName(l *line, v *view) {
	if v.line != lineNameless {
		l.name(&v.written, v.typo)
	}
}

// A family's code and the place in it identify a person in the CadÚnico; the second time in the
// base, somebody stands in another family.
func putFamilyKey(l *line, v *view) { l.digits(v.base.keyOf(v.n/household, v.again), 11) }
func putOrder(l *line, v *view)     { l.int(1 + v.n%household) }

func putSex(l *line, v *view)       { l.b = append(l.b, "MF"[at(v.woman)]) }
func putSexNumber(l *line, v *view) { l.b = append(l.b, "12"[at(v.woman)]) }
func putMarital(l *line, v *view)   { l.str([...]string{"S", "C", "D", "V", "U", ""}[v.status]) }

func putMotherCPF(l *line, v *view) { l.digits(v.motherCPF, 11) }
func putFatherCPF(l *line, v *view) { l.digits(v.fatherCPF, 11) }
func putSpouseCPF(l *line, v *view) { l.digits(v.spouseCPF, 11) }

// The Receita's codes of a CPF's situation.
const (
	regular   = 0
	suspended = 2
	deceased  = 3
	pending   = 4
	cancelled = 5
	void      = 8
)

var rarer = [...]uint8{suspended, pending, pending, cancelled, void}

func putSituation(l *line, v *view) { l.int(uint64(v.situation)) }

func putRG(l *line, v *view) {
	if v.rg != 0 {
		l.int(uint64(v.rg))
	}
}

func putIssuer(l *line, v *view) {
	if v.rg != 0 {
		l.str("SSP")
	}
}

func putRGState(l *line, v *view) {
	if v.rg != 0 {
		l.str(states[v.state])
	}
}

// putPhone writes (41) 90012-3456; landlines have a digit less.
func putPhone(l *line, v *view) {
	if v.tel == 0 {
		return
	}
	l.b = append(l.b, '(')
	putAreaCode(l, v)
	l.b = append(l.b, ") "...)
	putSubscriber(l, v)
	n := len(l.b)
	l.b = append(l.b[:n-4], '-', l.b[n-4], l.b[n-3], l.b[n-2], l.b[n-1])
}

// area and subscriber part of a phone of ten or eleven digits.
func split(tel uint64) (area, subscriber uint64) {
	if tel >= 10_000_000_000 {
		return tel / 1_000_000_000, tel % 1_000_000_000
	}
	return tel / 100_000_000, tel % 100_000_000
}

func putAreaCode(l *line, v *view) {
	if area, _ := split(v.tel); area != 0 {
		l.int(area)
	}
}

func putSubscriber(l *line, v *view) {
	if _, subscriber := split(v.tel); subscriber != 0 {
		l.int(subscriber)
	}
}

// putMail writes maria.silva48213@example.org for half the people: the given name, the surname and
// the number. Who moved has a new one.
func putMail(l *line, v *view) {
	if v.email != "" {
		l.str(v.email)
		return
	}
	if v.n%2 == 1 || v.name.empty() {
		return
	}
	l.str(l.words[plainLower][v.name.words[0]])
	l.b = append(l.b, '.')
	for _, c := range []byte(l.words[plainLower][v.name.words[v.name.n-1]]) {
		if c >= 'a' && c <= 'z' {
			l.b = append(l.b, c)
		}
	}
	l.int(v.n)
	if v.latest {
		l.str(".novo")
	}
	l.str("@example.org")
}

func putStreet(l *line, v *view)      { l.text(&l.streets[v.lives.street].name) }
func putBriefStreet(l *line, v *view) { l.text(&l.streets[v.lives.street].brief) }
func putNumber(l *line, v *view)      { l.int(uint64(v.lives.number)) }
func putDistrict(l *line, v *view)    { l.text(&l.districts[l.streets[v.lives.street].district]) }
func putCity(l *line, _ *view)        { l.text(&l.city.name) }
func putState(l *line, _ *view)       { l.str(cityState) }
func putCode(l *line, _ *view)        { l.str(cityCode) }
func putCEP(l *line, v *view)         { l.int(uint64(l.streets[v.lives.street].cep)) }

func putComplement(l *line, v *view) { l.free(&l.complements[v.lives.complement]) }

func putPointedCEP(l *line, v *view) {
	cep := uint64(l.streets[v.lives.street].cep)
	l.int(cep / 1000)
	l.b = append(l.b, '-')
	l.digits(cep%1000, 3)
	if cep%1000 == 0 {
		l.str("000")
	}
}

func putUnit(l *line, v *view) {
	l.str("UBS ")
	putDistrict(l, v)
}

func putSchool(l *line, v *view) {
	l.str("EM ")
	putDistrict(l, v)
}

func putAided(l *line, v *view)  { l.date(v.aided) }
func putEnded(l *line, v *view)  { l.date(v.ended) }
func putElder(l *line, v *view)  { l.date(v.elder) }
func putExempt(l *line, v *view) { l.date(v.exempt) }

func putAidStatus(l *line, v *view) {
	switch {
	case v.aided == 0:
	case v.ended != 0:
		l.str("CESSADO")
	default:
		l.str("ATIVO")
	}
}

func putExemptStatus(l *line, v *view) {
	if v.exempt != 0 {
		l.str("ATIVO")
	}
}
