package match_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loginunico/loginunico/registry/match"
)

func TestFileWithNothingToLinkGivesNoPairs(t *testing.T) {
	t.Parallel()

	records, truth := febrl(t)
	seen := map[string]bool{}
	alone := slices.DeleteFunc(slices.Clone(records), func(s match.Subject) bool { // the first record of each person
		again := seen[truth[s.ID]]
		seen[truth[s.ID]] = true
		return again
	})
	for _, file := range [][]match.Subject{nil, alone[:1], alone[:2], alone} {
		if pairs, _ := match.Link(file); len(pairs) > 0 {
			t.Errorf("%d records of as many people: %d pairs", len(file), len(pairs))
		}
	}
	for _, files := range [][2][]match.Subject{{nil, records}, {records, nil}, {nil, nil}} {
		if pairs, _ := match.LinkTwo(files[0], files[1]); len(pairs) > 0 {
			t.Errorf("%d pairs with an empty file", len(pairs))
		}
	}
}

// The weights are learnt from the file, and a small one teaches little.
func TestSmallFilesAreLinked(t *testing.T) {
	t.Parallel()

	records, truth := febrl(t)
	for _, n := range []int{20, 100, 500} {
		part, partTruth := partOf(records, truth, n)
		pairs, _ := match.Link(part)
		q := match.Evaluate(partTruth, pairs)
		t.Logf("%d records: P %.4f, R %.4f, F1 %.4f", len(part), q.Precision, q.Recall, q.F1)
		if q.F1 < 0.99 {
			t.Errorf("%d records: F1 %.4f, want ≥ 0.99", len(part), q.F1)
		}
	}
}

// partOf keeps whole people, about n records of them.
func partOf(records []match.Subject, truth map[string]string, n int) (part []match.Subject, partTruth map[string]string) {
	people := map[string]bool{}
	partTruth = map[string]string{}
	for _, r := range records {
		if len(people) < n*2/5 || people[truth[r.ID]] {
			people[truth[r.ID]] = true
		}
	}
	for _, r := range records {
		if people[truth[r.ID]] {
			part, partTruth[r.ID] = append(part, r), truth[r.ID]
		}
	}
	return part, partTruth
}

// No field is needed: without address, or with the name in one column, the rest still speaks.
func TestLinksOnWhatAFileHas(t *testing.T) {
	t.Parallel()

	all, allTruth := febrl(t)
	records, truth := partOf(all, allTruth, 1500)
	for _, c := range []struct {
		claim  string
		change func(*match.Subject)
		f1     float64
	}{
		{"name in one column", func(s *match.Subject) {
			s.Name, s.GivenName, s.Surname = s.GivenName+" "+s.Surname, "", ""
		}, 0.998},
		{"no birth date", func(s *match.Subject) { s.Birthdate = "" }, 0.91},
		{"no names", func(s *match.Subject) { s.GivenName, s.Surname = "", "" }, 0.94},
		{"name, suburb and birth date alone", func(s *match.Subject) {
			s.Street, s.Number, s.Complement, s.Postcode, s.State = "", "", "", "", ""
		}, 0.96},
	} {
		changed := slices.Clone(records)
		for i := range changed {
			c.change(&changed[i])
		}
		pairs, _ := match.Link(changed)
		q := match.Evaluate(truth, pairs)
		t.Logf("%s: P %.4f, R %.4f, F1 %.4f", c.claim, q.Precision, q.Recall, q.F1)
		if q.F1 < c.f1 || q.Precision < 0.999 {
			t.Errorf("%s: want F1 ≥ %.3f, P ≥ 0.999", c.claim, c.f1)
		}
	}
}

// A set as FEBRL 4 is: 5,000 people and one damaged copy of each. Up to eight damages a copy are
// more than FEBRL 4 does.
func TestDamagedCopiesFindTheirOriginals(t *testing.T) {
	t.Parallel()

	for damages, want := range map[int]float64{3: 0.999, 8: 0.992} {
		originals, copies, ofOriginal, ofCopy := damaged(t, damages)
		pairs, _ := match.LinkTwo(originals, copies)
		q := match.EvaluateTwo(ofOriginal, ofCopy, pairs)
		t.Logf("up to %d damages: P %.4f, R %.4f, F1 %.4f", damages, q.Precision, q.Recall, q.F1)
		if q.F1 < want {
			t.Errorf("up to %d damages: F1 %.4f, want ≥ %.3f", damages, q.F1, want)
		}
	}
}

// febrlFields are the fields FEBRL damages; the last four are numbers.
var febrlFields = []func(*match.Subject) *string{
	func(s *match.Subject) *string { return &s.GivenName }, func(s *match.Subject) *string { return &s.Surname },
	func(s *match.Subject) *string { return &s.Street }, func(s *match.Subject) *string { return &s.Complement },
	func(s *match.Subject) *string { return &s.District }, func(s *match.Subject) *string { return &s.State },
	func(s *match.Subject) *string { return &s.Number }, func(s *match.Subject) *string { return &s.Postcode },
	func(s *match.Subject) *string { return &s.Birthdate },
}

// damaged makes 5,000 new people out of FEBRL 3's words and a copy of each with up to so many
// damages: typing errors mostly, a value lost, replaced by another's, exchanged with its neighbour.
func damaged(t *testing.T, damages int) (originals, copies []match.Subject, ofOriginal, ofCopy map[string]string) {
	t.Helper()
	records, _ := febrl(t)
	r, town := rand.New(rand.NewPCG(9, uint64(damages))), newTown(1, 1)
	ofOriginal, ofCopy = map[string]string{}, map[string]string{}
	for i := range 5000 {
		o := match.Subject{ID: fmt.Sprintf("a%04d", i)}
		for _, field := range febrlFields {
			*field(&o) = *field(&records[r.IntN(len(records))])
		}
		o.Birthdate = fmt.Sprintf("%04d%02d%02d", 1900+r.IntN(100), r.IntN(12)+1, r.IntN(28)+1)
		c := o
		c.ID = fmt.Sprintf("b%04d", i)
		for range 1 + r.IntN(damages) {
			damage(&c, records[r.IntN(len(records))], r, town)
		}
		originals, copies = append(originals, o), append(copies, c)
		ofOriginal[o.ID], ofCopy[c.ID] = fmt.Sprint(i), fmt.Sprint(i)
	}
	return originals, copies, ofOriginal, ofCopy
}

func damage(s *match.Subject, other match.Subject, r *rand.Rand, town *town) {
	k := r.IntN(len(febrlFields))
	v := febrlFields[k](s)
	switch kind := r.IntN(12); {
	case kind == 0:
		*v = ""
	case kind == 1:
		*v = *febrlFields[k](&other)
	case kind == 2:
		s.GivenName, s.Surname = s.Surname, s.GivenName
	case kind == 3:
		s.Street, s.Complement = s.Complement, s.Street
	case k < 6:
		*v = town.mistyped(*v, 1)
	case len(*v) > 1:
		b := []byte(*v)
		i := r.IntN(len(b) - 1)
		b[i], b[i+1] = b[i+1], byte('0'+r.IntN(10))
		*v = string(b)
	}
}

func TestEvaluateCountsPairs(t *testing.T) {
	t.Parallel()

	truth := map[string]string{"a": "1", "b": "1", "c": "1", "d": "2", "e": "2", "f": "3"}
	q := match.Evaluate(truth, []match.Pair{{A: "a", B: "b"}, {A: "d", B: "e"}, {A: "e", B: "f"}})
	if q.Found != 2 || q.Wrong != 1 || q.Missed != 2 || q.Precision != 2.0/3 || q.Recall != 0.5 || math.Abs(q.F1-4.0/7) > 1e-12 {
		t.Errorf("%+v", q)
	}
	q = match.EvaluateTwo(map[string]string{"a": "1", "b": "2"}, map[string]string{"x": "1", "y": "1", "z": "3"}, []match.Pair{{A: "a", B: "x"}})
	if q.Found != 1 || q.Wrong != 0 || q.Missed != 1 {
		t.Errorf("%+v", q)
	}
}

// Whatever else they share, two valid CPFs are two people to a machine.
func TestTwoValidCPFsAreNeverLinked(t *testing.T) {
	t.Parallel()

	all, truth := febrl(t)
	records, _ := partOf(all, truth, 500)
	before, _ := match.Link(records)
	cpf := map[string]string{}
	for i := range records {
		records[i].CPF = []string{"529.982.247-25", "111.444.777-35", "", "529.982.247-24"}[i%4]
		cpf[records[i].ID] = records[i].CPF
	}
	pairs, _ := match.Link(records)
	for _, p := range pairs {
		if two := []string{cpf[p.A], cpf[p.B]}; slices.Contains(two, "529.982.247-25") && slices.Contains(two, "111.444.777-35") {
			t.Errorf("%s and %s are linked", p.A, p.B)
		}
	}
	if len(pairs) == 0 || len(pairs) >= len(before) {
		t.Errorf("%d pairs, %d without CPFs: want some, and fewer", len(pairs), len(before))
	}
}
