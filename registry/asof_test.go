package registry_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/registry"
)

// moment is what the registry held of everybody at an instant.
type moment struct {
	at   time.Time
	what string
	held map[registry.PersonID][]string // nobody there: not yet known
}

// now takes everybody as they are: of people merged into others, whoever stands for them.
func (w *world) now(what string) moment {
	w.t.Helper()
	m := moment{w.clock.Now(), what, map[registry.PersonID][]string{}}
	w.each(`SELECT id, coalesce(merged_into, id) FROM person`, func(scan func(...any) error) error {
		var id, root registry.PersonID
		if err := scan(&id, &root); err != nil {
			return err
		}
		p, err := w.store.ByID(w.t.Context(), w.db, root)
		m.held[id] = told(p)
		return err
	})
	return m
}

// step is one random thing that happens in a registry.
func (w *world) step(r *rand.Rand, cpf []brdoc.CPF) string {
	w.t.Helper()
	var roots, gone []registry.PersonID
	w.each(`SELECT id, merged_into IS NULL FROM person ORDER BY id`, func(scan func(...any) error) error {
		var id registry.PersonID
		var root bool
		err := scan(&id, &root)
		if root {
			roots = append(roots, id)
		} else {
			gone = append(gone, id)
		}
		return err
	})
	any := roots[r.IntN(len(roots))]
	switch n := r.IntN(10); {
	case n < 4:
		l := line{cpf[r.IntN(len(cpf))], fmt.Sprintf("%s/%d 20%02d-01-01 name=Ana_%d", []string{"saude", "fazenda", "assistencia"}[r.IntN(3)], r.IntN(9), 15+r.IntN(10), r.IntN(4))}
		for _, v := range []string{"birthdate=1990-01-01", "phone_number=+554191234567#", "benefit/bpc=201#", "death=2025-01-0#", "mother_name=Eva_#"} {
			if r.IntN(2) == 0 {
				l.text += " " + strings.ReplaceAll(v, "#", fmt.Sprint(1+r.IntN(4)))
			}
		}
		if r.IntN(3) == 0 {
			l.cpf = ""
		}
		w.deliver(l)
		return "load of " + l.text
	case n == 4:
		w.forget(any)
		return "forgetting"
	case n < 6:
		w.say(any, 1+r.IntN(4), fmt.Sprintf("phone_number=+554190000000%d email=%d@example.org", r.IntN(9), r.IntN(9)))
		return "edit"
	case n == 6:
		w.say(any, 3, "name=Ana_1 birthdate=1990-01-01 social_name=Aninha")
		return "edit of a name"
	case n == 7:
		w.decide(any, []string{"set", "remove", "release"}[r.IntN(3)], "name", "Ana Corrigida")
		return "override"
	case n == 8 && len(roots) > 3:
		other := roots[r.IntN(len(roots))]
		if _, err := w.merge(any, other, "carla"); err != nil && !errors.Is(err, registry.ErrSamePerson) {
			w.t.Fatal(err)
		}
		return "merge"
	case len(gone) > 0:
		w.must(w.unmerge(gone[r.IntN(len(gone))]))
		return "unmerge"
	}
	return "nothing"
}

func TestAPastInstantIsShownAsItWas(t *testing.T) {
	t.Parallel()

	r := rand.New(rand.NewPCG(8, 158))
	w := newWorld(t)
	cpf := cpfs(r, 4)
	w.register(cpf[0], "name=Ana_Lima")
	moments := []moment{w.now("registration")}
	for n := range 90 {
		w.tick()
		what := "policy"
		switch n {
		case 30:
			w.put(policyOf(t, 2, deathBySaude...))
			w.recompute()
		case 60:
			w.put(policyOf(t, 3, noFazenda...))
			w.recompute()
		default:
			what = w.step(r, cpf)
		}
		moments = append(moments, w.now(what))
	}
	w.consistent()
	last := moments[len(moments)-1]
	if len(last.held) < 8 {
		t.Fatalf("only %d people", len(last.held))
	}
	for _, m := range moments {
		for _, at := range []time.Time{m.at, m.at.Add(500 * time.Millisecond)} { // and between
			for id := range last.held {
				p, err := w.store.AsOf(t.Context(), w.db, id, at)
				held, known := m.held[id]
				if !known {
					if !errors.Is(err, registry.ErrNotFound) {
						t.Errorf("%s was known before, %v", id, err)
					}
					continue
				}
				if err != nil {
					t.Fatalf("%s: %v", m.what, err)
				}
				same(t, m.what, held, told(p))
			}
			if t.Failed() {
				return
			}
		}
	}
	if _, err := w.store.AsOf(t.Context(), w.db, w.byCPF(cpf[0]).ID, moments[0].at.Add(-time.Second)); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("somebody was known before anything happened: %v", err)
	}
}
