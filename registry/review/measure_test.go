package review_test

import (
	"testing"
	"time"

	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/generate"
)

// joins counts, person by real person, how many joins of their entries in the registry there are to
// find, and how many of those a machine may make: two entries with different valid CPFs are for
// humans.
func joins(people map[registry.PersonID]string, undocumented map[registry.PersonID]bool) (all, machine int) {
	bare, documented := map[string]int{}, map[string]int{}
	for id, who := range people {
		switch {
		case who == "":
		case undocumented[id]:
			bare[who]++
		default:
			documented[who]++
		}
	}
	for who, n := range documented {
		all += n - 1
		if bare[who] > 0 {
			machine++
		}
	}
	for _, n := range bare {
		machine += n - 1
	}
	for who, n := range bare {
		all += n
		if documented[who] == 0 {
			all--
		}
	}
	return all, machine
}

func (w *town) pairs(sql string) (all [][2]registry.PersonID) {
	w.t.Helper()
	rows, err := w.db.Query(w.t.Context(), sql)
	if err != nil {
		w.t.Fatal(err)
	}
	for rows.Next() {
		var p [2]registry.PersonID
		if err := rows.Scan(&p[0], &p[1]); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, p)
	}
	if rows.Err() != nil {
		w.t.Fatal(rows.Err())
	}
	return all
}

func (w *town) undocumented() map[registry.PersonID]bool {
	of := map[registry.PersonID]bool{}
	for _, p := range w.pairs(`SELECT id, id FROM person WHERE undocumented`) {
		of[p[0]] = true
	}
	return of
}

func TestGeneratedTownIsJoinedRightly(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	people := w.generated(generate.Options{Records: 50_000, Seed: 5, Truth: true})
	all, possible := joins(people, w.undocumented())
	start := time.Now()
	report := w.run()
	t.Logf("%d people in %v: %+v", len(people), time.Since(start), report)

	right, wrong, mixed := 0, 0, 0
	union := map[registry.PersonID]registry.PersonID{}
	root := func(id registry.PersonID) registry.PersonID {
		for union[id] != (registry.PersonID{}) {
			id = union[id]
		}
		return id
	}
	for _, p := range w.pairs(`SELECT person_id, other_id FROM link_decision WHERE kind = 'merge'`) {
		switch a, b := people[p[0]], people[p[1]]; {
		case a == "" || b == "":
			mixed++
		case a == b:
			right++
			union[root(p[1])] = root(p[0])
		default:
			wrong++
			t.Logf("wrong: %s and %s", a, b)
		}
	}
	offered, noise := 0, 0
	for _, p := range w.pairs(`SELECT person_id, other_id FROM match_review WHERE decided_at IS NULL`) {
		a, b := root(p[0]), root(p[1])
		if people[p[0]] == people[p[1]] && people[p[0]] != "" {
			if a != b {
				offered++
				union[a] = b
			}
		} else {
			noise++
		}
	}
	precision, recall, both := float64(right)/float64(right+wrong), float64(right)/float64(possible), float64(right+offered)/float64(all)
	t.Logf("joined %d of %d, %d wrong, %d with an entry of mixed records; offered %d more of %d among %d others: precision %.4f, recall %.4f, with review %.4f",
		right, possible, wrong, mixed, offered, all-right, noise, precision, recall, both)
	if precision < 0.999 {
		t.Errorf("precision %.4f", precision)
	}
}
