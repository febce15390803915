package match_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loginunico/loginunico/registry/match"
)

// maria is whom the tests look up; each changes what it is about.
func maria() match.Subject {
	return match.Subject{ID: "maria", Name: "Maria Clara Zampieri da Silva", MotherName: "Rosângela Zampieri", FatherName: "José Carlos da Silva",
		Birthdate: "1991-05-14", Gender: "F", Birthplace: "Campinas"}
}

func joao() match.Subject {
	return match.Subject{ID: "joao", Name: "João Batista Sodré", MotherName: "Quitéria Lacerda", FatherName: "Agenor Sodré", Birthdate: "1958-03-02", Gender: "M"}
}

func change(s match.Subject, f func(*match.Subject)) match.Subject {
	s.ID += "-other"
	f(&s)
	return s
}

// decide looks a subject up among others, in a city of a million.
func decide(query match.Subject, base ...match.Subject) match.Decision {
	md := match.Default().For(1_000_000)
	q := match.Prepare(query)
	var results []match.Result
	for _, s := range base {
		results = append(results, md.Score(q, match.Prepare(s)))
	}
	return match.Decide(results, match.DefaultLimits)
}

// notAuto is review or none: a twin is about one in 20 likely to be a changed name, which is where
// review begins.
const notAuto match.Action = "review or none"

func TestDecisionOnOneCandidate(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		claim string
		query match.Subject
		other func(*match.Subject)
		want  match.Action
	}{
		{"the same again", maria(), func(*match.Subject) {}, match.Auto},
		{"accents, case, particles", maria(), func(s *match.Subject) { s.Name, s.MotherName = "MARIA CLARA ZAMPIERI SILVA", "rosangela zampieri" }, match.Auto},
		{"abbreviations", maria(), func(s *match.Subject) { s.Name = "Mª Clara Zampieri da Silva" }, match.Auto},
		{"spelt by ear", maria(), func(s *match.Subject) { s.Name = "Maria Klara Zanpieri da Sylva" }, match.Auto},
		{"a typing error in the mother's name", maria(), func(s *match.Subject) { s.MotherName = "Rosângela Zampeiri" }, match.Auto},
		{"mother's name by ear", maria(), func(s *match.Subject) { s.MotherName = "Rozangela Zampieri" }, match.Auto},
		{"mother under her married name", maria(), func(s *match.Subject) { s.MotherName = "Rosângela Zampieri da Silva" }, match.Auto},
		{"day and month exchanged", joao(), func(s *match.Subject) { s.Birthdate = "1958-02-03" }, match.Auto},
		{"one digit of the birth date wrong", joao(), func(s *match.Subject) { s.Birthdate = "1959-03-02" }, match.Auto},
		{"a name glued", joao(), func(s *match.Subject) { s.Name = "JOAOBATISTA SODRE" }, match.Auto},
		{"she married and added a name", maria(), func(s *match.Subject) { s.Name = "Maria Clara Zampieri da Silva Holanda" }, match.Auto},
		{"she married and gave one up", maria(), func(s *match.Subject) { s.Name = "Maria Clara Zampieri Holanda" }, match.Review},
		{"a social name, known elsewhere as the civil one", change(maria(), func(s *match.Subject) { s.Name, s.SocialName = "Maria Zampieri da Silva", "Mario" }),
			func(s *match.Subject) { s.Name, s.SocialName, s.Gender = "Mario Zampieri da Silva", "", "" }, match.Auto},

		{"twin sister of another name", maria(), func(s *match.Subject) { s.Name = "Helena Zampieri da Silva" }, notAuto},
		{"twin sister, the second name differs", maria(), func(s *match.Subject) { s.Name = "Maria Luiza Zampieri da Silva" }, match.Review},
		{"twins named nearly alike", joao(), func(s *match.Subject) { s.Name = "Joana Batista Sodré" }, notAuto},
		{"brother of another day", joao(), func(s *match.Subject) { s.Name, s.Birthdate = "Pedro Batista Sodré", "1961-11-20" }, match.None},
		{"son with Júnior", joao(), func(s *match.Subject) {
			s.Name, s.Birthdate, s.MotherName, s.FatherName = "João Batista Sodré Júnior", "1985-07-30", "Zuleica Haddad", "João Batista Sodré"
		}, match.None},
		{"son with Filho, nothing else known", joao(), func(s *match.Subject) { *s = match.Subject{Name: "João Batista Sodré Filho"} }, match.Review},
		{"grandson with Neto of a near birth date", joao(), func(s *match.Subject) { s.Name, s.Birthdate = "João Batista Sodré Neto", "1958-03-03" }, match.Review},
		{"homonym of another mother and day", match.Subject{ID: "jose", Name: "José da Silva", MotherName: "Maria dos Santos", Birthdate: "1970-01-12"},
			func(s *match.Subject) { s.MotherName, s.Birthdate = "Ana Pereira", "1982-09-05" }, match.None},
		{"homonym of a common name, nothing else known", match.Subject{ID: "jose", Name: "José da Silva"}, func(*match.Subject) {}, match.None},

		{"two valid CPFs that differ", change(maria(), func(s *match.Subject) { s.CPF = "529.982.247-25" }), func(s *match.Subject) { s.CPF = "111.444.777-35" }, match.Review},
		{"one CPF is false", change(joao(), func(s *match.Subject) { s.CPF = "529.982.247-25" }), func(s *match.Subject) { s.CPF = "529.982.247-24" }, match.Auto},
		{"one CPF, a name changed by a court", change(maria(), func(s *match.Subject) { s.CPF = "529.982.247-25" }), func(s *match.Subject) { s.Name, s.Gender = "Mario Zampieri da Silva", "M" }, match.Auto},
		{"a stranger who gives her CPF", change(maria(), func(s *match.Subject) { s.CPF = "529.982.247-25" }), func(s *match.Subject) {
			*s = joao()
			s.CPF = "529.982.247-25"
		}, match.None},
	} {
		d := decide(c.query, change(c.query, c.other))
		if d.Action != c.want && (c.want != notAuto || d.Action == match.Auto) {
			t.Errorf("%s: %s, want %s (weight %.1f, kin %.1f, barred %v, %+v)", c.claim, d.Action, c.want, d.Best.Weight, d.Best.Kin, d.Best.Barred, d.Best.Parts)
		}
	}
}

// A machine joins only when the best stands out. Two entries that both look like the one sought
// are for a person to tell apart, be they homonyms or the same citizen twice.
func TestNearSecondGoesToReview(t *testing.T) {
	t.Parallel()

	again := change(maria(), func(s *match.Subject) { s.FatherName = "" })
	d := decide(maria(), again, maria())
	if d.Action != match.Review || len(d.Review) != 2 {
		t.Errorf("%s with %d to review, want review of 2", d.Action, len(d.Review))
	}
	if d = decide(maria(), joao(), maria()); d.Action != match.Auto || d.Best.ID != "maria" {
		t.Errorf("%s %s, want auto maria", d.Action, d.Best.ID)
	}
}

func TestTwinInTheBaseDoesNotHideHerSister(t *testing.T) {
	t.Parallel()

	sister := change(maria(), func(s *match.Subject) { s.Name = "Helena Zampieri da Silva" })
	if d := decide(maria(), sister, maria()); d.Action != match.Auto || d.Best.ID != "maria" {
		t.Errorf("%s %s, want auto maria", d.Action, d.Best.ID)
	}
	if d := decide(maria(), sister); d.Action == match.Auto {
		t.Error("joined with her twin sister")
	}
}

// A town of families, twins and namesakes, each once in the base: whom a machine joins is right.
func TestMachineJoinsNoTwoCitizensOfATown(t *testing.T) {
	t.Parallel()

	town := newTown(5, 3000)
	index := map[string][]*match.Prepared{}
	for _, c := range town.people {
		p := match.Prepare(town.record(c, c.id))
		for _, k := range p.Keys() {
			index[k] = append(index[k], p)
		}
	}
	md := match.Default().For(len(town.people))
	right, wrong, review, known := 0, 0, 0, 1500
	for _, c := range town.people[:known] {
		q := match.Prepare(town.record(c, "query"))
		switch d := lookUp(md, q, index); {
		case d.Action == match.Auto && d.Best.ID == c.id:
			right++
		case d.Action == match.Auto:
			wrong++
		case d.Action == match.Review && slices.ContainsFunc(d.Review, func(r match.Result) bool { return r.ID == c.id }):
			review++
		}
	}
	t.Logf("of %d citizens: %d joined rightly, %d wrongly, %d sent to review with the right one among the candidates", known, right, wrong, review)
	if wrong > 0 {
		t.Errorf("%d joined wrongly", wrong)
	}
	if float64(right+review) < 0.98*float64(known) {
		t.Errorf("%d of %d found, want 98 %%", right+review, known)
	}
}

// lookUp finds candidates by their keys, as the registry does, and decides.
func lookUp(md *match.Model, q *match.Prepared, index map[string][]*match.Prepared) match.Decision {
	seen := map[string]bool{}
	var results []match.Result
	for _, k := range q.Keys() {
		for _, p := range index[k] {
			if !seen[p.ID] {
				seen[p.ID] = true
				results = append(results, md.Score(q, p))
			}
		}
	}
	return match.Decide(results, match.DefaultLimits)
}

func TestScoreIsSymmetric(t *testing.T) {
	t.Parallel()

	p, r, md := preparedTown(300), rand.New(rand.NewPCG(4, 4)), match.Default()
	for range 50_000 {
		a, b := p[r.IntN(len(p))], p[r.IntN(len(p))]
		if r.IntN(2) == 0 {
			i := r.IntN(len(p) - 1)
			a, b = p[i], p[i+1]
		}
		if match.Compare(a, b) != match.Compare(b, a) || md.Weight(a, b) != md.Weight(b, a) {
			t.Fatalf("%+v and %+v compare otherwise the other way round:\n%v\n%v", a, b, match.Compare(a, b), match.Compare(b, a))
		}
		if got := md.Score(a, b).Weight; got != md.Weight(a, b) {
			t.Fatalf("Score %g, Weight %g", got, md.Weight(a, b))
		}
	}
}

func TestDecisionIgnoresTheOrderOfCandidates(t *testing.T) {
	t.Parallel()

	md, q := match.Default(), match.Prepare(maria())
	a, b, c := md.Score(q, match.Prepare(joao())), md.Score(q, match.Prepare(maria())), md.Score(q, match.Prepare(change(maria(), func(s *match.Subject) { s.Birthdate = "" })))
	want := match.Decide([]match.Result{a, b, c}, match.DefaultLimits)
	for _, order := range [][]match.Result{{a, c, b}, {b, a, c}, {b, c, a}, {c, a, b}, {c, b, a}} {
		if got := match.Decide(order, match.DefaultLimits); got.Action != want.Action || got.Best.ID != want.Best.ID || got.Margin != want.Margin {
			t.Errorf("%s %s, want %s %s", got.Action, got.Best.ID, want.Action, want.Best.ID)
		}
	}
}

// Nobody reads a weight; the parts say what agreed, and that SILVA says less than ZAMPIERI.
func TestResultExplainsItself(t *testing.T) {
	t.Parallel()

	md := match.Default()
	surname := func(name string) match.Part {
		s := match.Subject{Name: "Ana " + name, Birthdate: "1990-01-02"}
		for _, p := range md.Score(match.Prepare(s), match.Prepare(s)).Parts {
			if p.Field == match.Surname {
				return p
			}
		}
		t.Fatalf("no part for the surname %s", name)
		return match.Part{}
	}
	silva, zampieri := surname("Silva"), surname("Zampieri")
	if silva.Agreement != match.Exact || silva.Rarity >= 0 || zampieri.Rarity <= 0 || zampieri.Weight-silva.Weight < 5 {
		t.Errorf("Silva %+v, Zampieri %+v", silva, zampieri)
	}
	if s := silva.Field.String() + " " + silva.Agreement.String(); s != "surname exact" {
		t.Errorf("%q, want surname exact", s)
	}
}

// Half a base has "NÃO INFORMADA" for a mother and 0000-0000 for a phone; that is no agreement.
func TestWordsForUnknownAgreeOnNothing(t *testing.T) {
	t.Parallel()

	s := match.Subject{Name: "Ana Souza", MotherName: "NÃO INFORMADA", FatherName: "ignorado", Phone: "(00) 0000-0000", CPF: "000.000.000-00",
		Birthdate: "01/01/1900", Street: "Sem informação", Number: "S/N", Birthplace: "XXXXX"}
	for _, p := range match.Default().Score(match.Prepare(s), match.Prepare(s)).Parts {
		if p.Field != match.Given && p.Field != match.Surname {
			t.Errorf("%s is %s", p.Field, p.Agreement)
		}
	}
	if k := match.Prepare(s).Keys(); len(k) > 0 {
		t.Errorf("keys %q, want none", k)
	}
}

func ExampleModel_Score() {
	md := match.Default().For(300_000) // a city of so many
	sought := match.Prepare(match.Subject{Name: "Mª Aparecida Zampieri", MotherName: "Luzia Zampieri", Birthdate: "20/03/1985"})
	found := match.Prepare(match.Subject{ID: "7f3a", Name: "MARIA APARECIDA ZAMPIERI", MotherName: "LUSIA ZAMPIERI", Birthdate: "1985-03-20"})

	r := md.Score(sought, found)
	for _, p := range r.Parts {
		fmt.Println(p.Field, p.Agreement)
	}
	fmt.Println(match.Decide([]match.Result{r}, match.DefaultLimits).Action)
	// Output:
	// given_name exact
	// surname exact
	// mother_name phonetic
	// birthdate exact
	// auto
}
