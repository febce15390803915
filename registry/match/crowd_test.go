package match_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/registry/match"
)

// invented is a name of three syllables.
func invented(r *rand.Rand) (name string) {
	for range 3 {
		name += string("bcdfghjlmnpqrstvxz"[r.IntN(18)]) + string("aeiou"[r.IntN(5)])
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// slip writes a letter of a name wrong.
func slip(name string, at int) string { return name[:at] + "k" + name[at+1:] }

// oneDay are people who share nothing but a birth date, and of some a second record with an error in each name.
func oneDay(people, every int) (records []match.Subject, truth map[string]string) {
	r, truth := rand.New(rand.NewPCG(1, 5)), map[string]string{}
	for i := range people {
		s := match.Subject{ID: fmt.Sprint(i), Name: invented(r) + " " + invented(r) + " " + invented(r), Birthdate: "1980-01-01"}
		records, truth[s.ID] = append(records, s), s.ID
		if i%every == 0 {
			words := strings.Fields(s.Name)
			s.ID += "b"
			s.Name = slip(words[0], 0) + " " + slip(words[1], 2) + " " + slip(words[2], 2)
			records, truth[s.ID] = append(records, s), fmt.Sprint(i)
		}
	}
	return records, truth
}

func TestInABlockOfThousandsEachIsPairedWithThoseMostAlike(t *testing.T) {
	t.Parallel()

	records, _ := oneDay(5000, 50)
	var crowd match.Crowd
	start := time.Now()
	for _, s := range records {
		crowd.Add(match.Prepare(s))
	}
	found, looked := 0, 0
	for i, s := range records {
		near := crowd.Near(i, 20)
		looked += near.Looked
		for _, k := range near.Places {
			if k == i {
				t.Fatalf("%s is like themselves", s.ID)
			}
			if records[k].ID == s.ID+"b" {
				found++
			}
		}
	}
	t.Logf("%d records in %v, %d pairs looked at, %d of 100 found", len(records), time.Since(start), looked, found)
	if found < 99 {
		t.Errorf("%d of 100 found", found)
	}
	if outside := crowd.NearTo(match.Prepare(match.Subject{Name: records[0].Name}), 5); len(outside.Places) == 0 || outside.Places[0] != 0 {
		t.Errorf("somebody who is no member: %+v", outside)
	}
}

func TestAFileOfOneBirthDateIsLinked(t *testing.T) {
	t.Parallel()

	records, truth := oneDay(5000, 5)
	start := time.Now()
	pairs, _ := match.Link(records)
	q := match.Evaluate(truth, pairs)
	t.Logf("%d records in %v: P %.4f, R %.4f, F1 %.4f (%d found, %d wrong)", len(records), time.Since(start), q.Precision, q.Recall, q.F1, q.Found, q.Wrong)
	if q.Precision < 0.99 || q.Recall < 0.9 {
		t.Errorf("P %.4f, R %.4f", q.Precision, q.Recall)
	}
}

// Of what one of two does not tell nothing is asked, and a crowd of namesakes is told apart by the rest.
func TestNamesakesAreToldApartByWhatElseIsKnown(t *testing.T) {
	t.Parallel()

	r := rand.New(rand.NewPCG(2, 5))
	var crowd match.Crowd
	for i := range 3000 {
		crowd.Add(match.Prepare(match.Subject{Name: "José Carlos da Silva", MotherName: invented(r) + " " + invented(r),
			Birthdate: fmt.Sprintf("19%02d-%02d-%02d", 40+r.IntN(50), 1+i%12, 1+r.IntN(28))}))
	}
	again := match.Subject{Name: "Jose Carlos Silva", MotherName: invented(r) + " " + invented(r), Birthdate: "1931-07-29"}
	same := crowd.Add(match.Prepare(again))
	again.MotherName = ""
	if near := crowd.NearTo(match.Prepare(again), 5); len(near.Places) == 0 || near.Places[0] != same {
		t.Errorf("%+v", near)
	}
	if near := crowd.NearTo(match.Prepare(match.Subject{Name: "José Carlos Silva"}), 5); len(near.Places) != 0 || near.Cut != 3001 {
		t.Errorf("nothing tells them apart: %+v", near)
	}
}
