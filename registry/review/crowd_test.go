package review_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/match"
	"github.com/loginunico/loginunico/registry/review"
)

// surname is one of a million.
func surname(i int) (name string) {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	for range 3 {
		name += string("bcdfghjlmnpqrstvxz"[r.IntN(18)]) + string("aeiou"[r.IntN(5)])
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// crowd is a town of people who share first name and birth date; some are there twice, with an error in the last name
// and no mother's name, so that the only key they share is that of all, and of every second that of their telephone.
type crowd struct {
	*town
	entries, again []registry.PersonID
	every          int // of how many entries one is there twice
}

func crowdOf(i int) who {
	return who{fmt.Sprintf("Maria %s %s", surname(i), surname(i*31+7)), "1980-01-01", "Ana " + surname(i*17+3), fmt.Sprintf("+55419%08d", 81000000+i)}
}

// misspelt is a name with another end.
func misspelt(name string) string { return name[:len(name)-2] + "kx" }

func newCrowd(t *testing.T, people, every int) *crowd {
	t.Helper()
	c := &crowd{town: newTown(t), every: every}
	err := pg.InTx(t.Context(), c.db, func(tx pg.Tx) error {
		for i := range people {
			c.entries = append(c.entries, c.addIn(tx, crowdOf(i), "receita", ""))
		}
		for i := 0; i < people; i += every {
			p := crowdOf(i)
			p.name, p.mother = misspelt(p.name), ""
			if i/every%2 == 1 {
				p.phone = ""
			}
			c.again = append(c.again, c.addIn(tx, p, "saude", ""))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// found counts the pairs that a run joined or put before a human.
func (c *crowd) found() (joined, offered int) {
	c.t.Helper()
	for i, id := range c.again {
		if entry := c.entries[i*c.every]; c.root(id) == c.root(entry) {
			joined++
		} else {
			offered += c.count(`SELECT count(*) FROM match_review WHERE $1 IN (person_id, other_id) AND $2 IN (person_id, other_id)`, id, entry)
		}
	}
	return joined, offered
}

func TestDuplicatesAreFoundInABlockOfThousands(t *testing.T) {
	t.Parallel()

	c := newCrowd(t, 5000, 50)
	start := time.Now()
	r := c.run()
	joined, offered := c.found()
	t.Logf("%v: %+v; %d joined, %d offered of %d", time.Since(start), r, joined, offered, len(c.again))
	if joined+offered != len(c.again) || r.Merged != int64(joined) {
		t.Errorf("%d joined of %d right ones, %d offered, of %d", r.Merged, joined, offered, len(c.again))
	}
	if r.Narrowed < 5100 || r.Looked == 0 || r.Wide != 0 || c.count(`SELECT (SELECT count(*) FROM match_near) + (SELECT count(*) FROM match_todo)`) != 0 {
		t.Errorf("%+v", r)
	}
	if _, wide, err := c.matcher.FindCandidates(t.Context(), c.db, match.Subject{Name: misspelt(crowdOf(41).name), Birthdate: "1980-01-01"}); wide != 1 || err != nil {
		t.Errorf("a look-up at once: %d blocks too large, %v", wide, err)
	}
}

func TestADeskFindsSomebodyInALargeBlock(t *testing.T) {
	t.Parallel()

	c := newCrowd(t, 400, 500)
	c.run()
	p := crowdOf(41)
	all, wide, err := c.matcher.FindCandidates(t.Context(), c.db, match.Subject{Name: misspelt(p.name), Birthdate: p.born, Phone: p.phone})
	if err != nil || wide != 0 || len(all) == 0 || all[0].Person != c.entries[41] {
		t.Errorf("%v, %d blocks too large, %v", all, wide, err)
	}
}

// Wherever a run is ended, the next goes on and finds what one run finds.
func TestARunEndedInALargeBlockIsGoneOnWith(t *testing.T) {
	t.Parallel()

	c := newCrowd(t, 400, 20)
	for n := 1; ; n++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*40*time.Millisecond)
		_, err := c.matcher.Run(ctx, c.db, review.Options{Now: time.Now})
		cancel()
		if err == nil {
			t.Logf("the %dth run came to its end", n)
			break
		}
	}
	if joined, offered := c.found(); joined+offered != len(c.again) {
		t.Errorf("%d joined, %d offered of %d", joined, offered, len(c.again))
	}
	if n := c.count(`SELECT (SELECT count(*) FROM match_near) + (SELECT count(*) FROM match_todo)`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}
