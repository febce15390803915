package generate

// Days are written as numbers, 19580514, so that they compare as they should; 0 is unknown.
type day uint32

func (d day) year() int  { return int(d) / 10000 }
func (d day) month() int { return int(d) / 100 % 100 }
func (d day) date() int  { return int(d) % 100 }

// plus is the same day n years later.
func (d day) plus(years int) day { return d + day(years*10000) }

var monthLength = [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func dayIn(r *rng, fromYear, toYear int) day {
	month := r.between(1, 12)
	return day(r.between(fromYear, toYear)*10000 + month*100 + r.between(1, monthLength[month]))
}

// today is when the city's sources were delivered; the program has no other clock.
const today = day(20261031)

// A fullName is its words in order.
type fullName struct {
	words [9]word
	n     uint8
}

func (f *fullName) add(w word) {
	if w != 0 && int(f.n) < len(f.words) {
		f.words[f.n] = w
		f.n++
	}
}

func (f *fullName) family(s family) {
	f.add(s.particle)
	f.add(s.surname)
}

func (f *fullName) empty() bool { return f.n == 0 }

// marital status, by its place in the tables of the sources.
const (
	single = iota
	married
	divorced
	widowed
	union
	unknown
)

// person is one inhabitant as they are. What a source knows of them is a [view].
type person struct {
	n      uint64 // 4·household + place in it
	cpf    uint64 // noCPF: none was ever given
	woman  bool
	child  bool // born after 2008: another set of bases
	birth  day
	death  day
	origin uint8 // index into birthplaces

	name    fullName
	former  fullName // before the wedding; empty: never changed
	changed day      // when the name did
	social  fullName
	mother  fullName
	father  fullName
	spouse  fullName

	motherCPF, fatherCPF, spouseCPF uint64
	marital                         uint8

	rg              uint32
	state           uint8 // index into states, of the RG
	voter, nis, cns uint64
	phone, oldPhone uint64 // 11 digits with the area code
	mail            string // "": made of the name
	home, oldHome   home
}

// A household is a woman, perhaps a man, and up to two children: the people 4h … 4h+3.
const household = 4

// world makes people: a pure function of the seed and their number.
type world struct {
	*city
	seed   uint64
	offset uint64 // of the CPFs
}

func newWorld(seed uint64) world {
	r := mixed(seed, 'C')
	return world{city: vila(), seed: seed, offset: r.next() % bodies}
}

// people fills house with the household h and returns how many they are. Places may be empty: a
// person without a birth date is nobody.
func (w *world) people(house *[household]person, h uint64) {
	r := mixed(w.seed, h, 'H')
	*house = [household]person{}
	now, before := w.home(&r), w.home(&r)
	ofMother, ofFather, ofMother2, ofFather2 := w.surname(&r), w.surname(&r), w.surname(&r), w.surname(&r)
	woman, man := &house[0], &house[1]
	born := dayIn(&r, 1934, 2004)
	w.settle(woman, &r, h*household, true, born)
	w.parents(woman, &r, ofMother2, ofMother)
	couple := r.chance(7200)
	if couple {
		w.settle(man, &r, h*household+1, false, dayIn(&r, max(1928, born.year()-9), min(2006, born.year()+5)))
		w.parents(man, &r, ofFather2, ofFather)
		w.wedding(woman, man, &r, ofFather)
	}
	w.children(house, &r, ofMother, ofFather)
	for i := range house {
		house[i].home, house[i].oldHome = now, before
	}
}

func (w *world) surname(r *rng) family { return w.families[w.surnames.next(r)] }

// settle gives a person their own name and numbers; the family's come after.
func (w *world) settle(p *person, r *rng, n uint64, woman bool, born day) {
	p.n, p.woman, p.birth, p.child = n, woman, born, born.year() > 2008
	if !r.chance(40) { // a few adults never had a CPF
		p.cpf = cpfOf(w.offset, n)
	}
	p.name.add(w.given(r, woman, born))
	if r.chance(3800) {
		if second := w.second[at(woman)].next(r); second != p.name.words[0] {
			p.name.add(second)
		}
	}
	p.origin = uint8(r.below(len(birthplaces)))
	p.rg, p.state = uint32(r.between(1_000_000, 139_999_999)), uint8(r.below(len(states)))
	p.nis, p.cns = nisOf(r), cnsOf(r)
	if born <= today.plus(-17) {
		p.voter = voterOf(r)
	}
	p.phone, p.oldPhone = mobileOf(r), landlineOf(r)
	if age := today.year() - born.year(); r.below(1000) < age*age/90 {
		p.death = min(max(dayIn(r, born.year()+age*3/4, today.year()), born.plus(1)), today)
	}
}

func (w *world) given(r *rng, woman bool, born day) word {
	modern := at(born.year() >= 1990)
	if woman {
		return w.women[modern].next(r)
	}
	return w.men[modern].next(r)
}

// parents makes up the parents of somebody whose parents do not live in the city.
func (w *world) parents(p *person, r *rng, ofMother, ofFather family) {
	p.mother.add(w.given(r, true, p.birth.plus(-25)))
	if r.chance(3500) {
		p.mother.add(w.second[1].next(r))
	}
	p.mother.family(ofMother)
	if r.chance(5000) {
		p.mother.family(ofFather)
	}
	if !r.chance(700) {
		p.father.add(w.given(r, false, p.birth.plus(-28)))
		p.father.family(w.surname(r))
		p.father.family(ofFather)
	}
	if r.chance(5500) {
		p.name.family(ofMother)
	}
	p.name.family(ofFather)
	if r.chance(40) {
		p.social.add(w.given(r, !p.woman, p.birth))
		p.social.family(ofFather)
	}
}

// wedding joins two adults: half the women took the man's surname on the day, and some left it
// again.
func (w *world) wedding(woman, man *person, r *rng, ofHusband family) {
	woman.spouse, man.spouse, woman.spouseCPF, man.spouseCPF = man.name, woman.name, man.cpf, woman.cpf
	status := [8]uint8{married, married, married, married, union, union, divorced, single}[r.below(8)]
	woman.marital, man.marital = status, status
	wed := min(max(woman.birth, man.birth).plus(r.between(18, 38)), today)
	if status == married && r.chance(5500) {
		woman.former, woman.changed = woman.name, wed
		woman.name.family(ofHusband)
	}
	if status == married && woman.death != 0 {
		man.marital = widowed
	} else if status == married && man.death != 0 {
		woman.marital = widowed
	}
}

// children of the household: brothers and sisters, one pair in forty twins, one son in thirty
// called as his father.
func (w *world) children(house *[household]person, r *rng, ofMother, ofFather family) {
	woman, man := &house[0], &house[1]
	age := r.between(17, 38)
	first := dayIn(r, woman.birth.year()+age, woman.birth.year()+age)
	if first > today || !r.chance(6200) {
		return
	}
	w.child(house, 2, r, first, ofMother, ofFather)
	twins := r.chance(250)
	later := first.year() + r.between(1, 7)
	second := dayIn(r, later, later)
	if twins {
		second = first
	}
	if second > today || !twins && !r.chance(5200) {
		return
	}
	w.child(house, 3, r, second, ofMother, ofFather)
	if son := &house[2]; !son.woman && man.birth != 0 && r.chance(330) {
		son.name = man.name
		son.name.add(w.suffixes[r.below(3)])
	}
}

func (w *world) child(house *[household]person, place int, r *rng, born day, ofMother, ofFather family) {
	p, woman, man := &house[place], &house[0], &house[1]
	w.settle(p, r, woman.n+uint64(place), r.chance(4900), born)
	if twin := &house[2]; place == 3 && born == twin.birth && p.name.words[0] == twin.name.words[0] {
		p.name.words[0] = w.given(r, p.woman, born) // nobody calls twins alike; the second draw settles most
	}
	p.mother, p.motherCPF = woman.name, woman.cpf
	if !woman.former.empty() && woman.changed > born {
		p.mother = woman.former
	}
	p.name.family(ofMother)
	if man.birth != 0 {
		p.father, p.fatherCPF = man.name, man.cpf
		p.name.family(ofFather)
	}
	if r.chance(40) {
		p.social.add(w.given(r, !p.woman, born))
		p.social.family(ofMother)
	}
}

func at(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// areaCodes of Paraná.
var areaCodes = [6]uint64{41, 42, 43, 44, 45, 46}

// mobileOf is in a range that no operator gives out: a 0 after the ninth digit.
func mobileOf(r *rng) uint64 {
	return areaCodes[r.below(6)]*1_000_000_000 + 900_000_000 + uint64(r.below(10_000_000))
}

// landlineOf has ten digits, (41) 20xx-xxxx.
func landlineOf(r *rng) uint64 {
	return areaCodes[r.below(6)]*100_000_000 + 20_000_000 + uint64(r.below(1_000_000))
}
