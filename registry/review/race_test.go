package review_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// A load gives somebody a CPF while the machine joins them with the owner of another.
func TestTwoCPFsAreNeverJoinedByMachineEvenInARaceWithALoad(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	valid := cpfs(40)
	for i := range 20 {
		p, key := numbered(i), fmt.Sprint("k", i)
		w.add(p, "receita", valid[2*i])
		if err := w.file(p, "saude", key, ""); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		both.Go(func() { w.run() })
		both.Go(func() {
			if err := w.file(p, "saude", key, valid[2*i+1]); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
	}
	w.run()
	two := w.pairs(`
		SELECT coalesce(p.merged_into, p.id), coalesce(p.merged_into, p.id)
		  FROM cpf_index i
		  JOIN person p ON p.id = i.person_id
		 GROUP BY 1
		HAVING count(*) > 1`)
	if len(two) > 0 {
		t.Errorf("%d people have two CPFs", len(two))
	}
}

// cpfs are valid and different ones.
func cpfs(n int) (all []string) {
	for body := 123456700; len(all) < n; body++ {
		d := []byte(fmt.Sprintf("%09d", body))
		for range 2 {
			sum := 0
			for k, c := range slices.Backward(d) {
				sum += int(c-'0') * (len(d) - k + 1)
			}
			d = append(d, byte('0'+sum*10%11%10))
		}
		all = append(all, string(d))
	}
	return all
}

// A source gives a CPF to somebody whom the machine has joined with the owner of another.
func TestALaterCPFIsNotGivenToWhomTheMachineJoined(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	known := w.add(otacilia, "receita", "52998224725")
	if err := w.file(otacilia, "saude", "k", ""); err != nil {
		t.Fatal(err)
	}
	if r := w.run(); r.Merged != 1 {
		t.Fatalf("%+v", r)
	}
	if err := w.file(otacilia, "saude", "k", "11144477735"); err != nil {
		t.Fatal(err)
	}
	other, err := w.store.ByCPF(t.Context(), w.db, "11144477735")
	if err != nil || w.root(other.ID) == known || w.of(known).CPF != "52998224725" {
		t.Errorf("%s and %s are one: %v", other.ID, known, err)
	}
}
