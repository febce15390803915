package review_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/match"
	"github.com/loginunico/loginunico/registry/review"
)

func TestUndoGivesBothPeopleBackAsTheyWere(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	for key, cpf := range map[string]string{"a": "52998224725", "b": "52998224725"} {
		if err := w.file(otacilia, "saude", key, cpf); err != nil {
			t.Fatal(err)
		}
	}
	known, err := w.store.ByCPF(t.Context(), w.db, "52998224725")
	if err != nil {
		t.Fatal(err)
	}
	inTx(w, func(tx pg.Tx) error {
		return w.store.Update(t.Context(), tx, known.ID, registry.Fields{"email": {Text: "o@example.org"}, "name": {Text: "Otacília Z."}}, 1, time.Now())
	})
	loose := w.add(who{"Otacilia Zampieri", otacilia.born, otacilia.mother, "+5541911112222"}, "educacao", "")
	if err := w.file(who{"Otacilia Zampieri", otacilia.born, otacilia.mother, "+5541911112222"}, "educacao", "c", ""); err != nil {
		t.Fatal(err)
	}
	before, other := w.of(known.ID), w.of(loose)
	if err := w.merge(known.ID, loose); err != nil {
		t.Fatal(err)
	}
	if w.root(loose) != known.ID {
		t.Error("the one with a document goes")
	}
	if err := w.matcher.Undo(t.Context(), w.db, loose, judge, time.Now()); err != nil {
		t.Fatal(err)
	}
	if diff := same(before, w.of(known.ID)); diff != "" {
		t.Errorf("who stayed: %s", diff)
	}
	if diff := same(other, w.of(loose)); diff != "" {
		t.Errorf("who went: %s", diff)
	}
	if n := w.count(`SELECT count(*) FROM audit_pending WHERE actor_id = 'carla' AND action IN ('registry.merge','registry.unmerge')`); n < 2 {
		t.Errorf("%d of the two decisions are audited", n)
	}
	if err := w.matcher.Undo(t.Context(), w.db, loose, judge, time.Now()); !errors.Is(err, registry.ErrNotMerged) {
		t.Errorf("undone twice: %v", err)
	}
}

func TestThePastKnowsWhoWasOneThen(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	known := w.add(who{otacilia.name, otacilia.born, otacilia.mother, ""}, "receita", "52998224725")
	loose := w.add(otacilia, "saude", "")
	apart := time.Now()
	merged, undone := apart.Add(time.Second), apart.Add(2*time.Second)
	if _, err := w.matcher.Merge(t.Context(), w.db, known, loose, judge, merged); err != nil {
		t.Fatal(err)
	}
	if err := w.matcher.Undo(t.Context(), w.db, loose, judge, undone); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   time.Time
		id   registry.PersonID
		want registry.PersonID
	}{{apart, loose, loose}, {merged, loose, known}, {undone, loose, loose}} {
		p, err := w.store.AsOf(t.Context(), w.db, c.id, c.at)
		if err != nil || p.ID != c.want {
			t.Errorf("at %s: %s, want %s, %v", c.at, p.ID, c.want, err)
		}
		if phone := p.Fields["phone_number"].Text; phone != otacilia.phone {
			t.Errorf("at %s: phone %q", c.at, phone)
		}
	}
	if p, err := w.store.AsOf(t.Context(), w.db, known, apart); err != nil || p.Fields["phone_number"].Text != "" {
		t.Errorf("before the merge the phone was not known: %v, %v", p.Fields["phone_number"].Text, err)
	}
}

func TestOfManyWhoJudgeOnePairOneIsHeard(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	a, b := w.add(otacilia, "receita", "52998224725"), w.add(otacilia, "fazenda", "11144477735")
	w.run()
	var heard atomic.Int64
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			first, second := a, b
			if i%2 == 1 {
				first, second = b, a
			}
			var err error
			if i%4 < 2 {
				err = w.merge(first, second)
			} else {
				err = w.matcher.Apart(t.Context(), w.db, first, second, judge, time.Now())
			}
			switch {
			case err == nil:
				heard.Add(1)
			case !errors.Is(err, registry.ErrSamePerson) && !errors.Is(err, review.ErrKeptApart):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.count(`SELECT count(*) FROM link_decision`); heard.Load() != 1 || n != 1 {
		t.Errorf("%d were heard, %d decisions", heard.Load(), n)
	}
	if n := w.count(`SELECT count(*) FROM match_review WHERE decided_at IS NOT NULL`); n != 1 || len(w.waiting()) != 0 {
		t.Errorf("%d reviews are decided, %d wait", n, len(w.waiting()))
	}
}

func TestAHumanMayOverruleAHuman(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	a, b := w.add(otacilia, "receita", "52998224725"), w.add(otacilia, "fazenda", "11144477735")
	w.run()
	if err := w.matcher.Apart(t.Context(), w.db, a, b, judge, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := w.merge(a, b); !errors.Is(err, review.ErrKeptApart) {
		t.Errorf("merged what was kept apart: %v", err)
	}
	overruling := judge
	overruling.Overrule = true
	if stays, err := w.matcher.Merge(t.Context(), w.db, a, b, overruling, time.Now()); err != nil || w.root(b) != stays {
		t.Errorf("%v", err)
	}
	if n := w.count(`SELECT count(*) FROM match_review WHERE decision = 'merge'`); n != 1 {
		t.Errorf("%d reviews say merge", n)
	}
}

func TestAJudgementIsSigned(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	a, b := w.add(otacilia, "saude", ""), w.add(otacilia, "educacao", "")
	for _, by := range []review.Judgement{{}, {Actor: "carla"}, {Reason: "x"}, {Actor: registry.Machine, Reason: "x"}} {
		_, merge := w.matcher.Merge(t.Context(), w.db, a, b, by, time.Now())
		_, compare := w.matcher.Compare(t.Context(), w.db, a, b, by, time.Now())
		for _, err := range []error{merge, compare, w.matcher.Apart(t.Context(), w.db, a, b, by, time.Now()), w.matcher.Undo(t.Context(), w.db, a, by, time.Now())} {
			if !errors.Is(err, review.ErrUnsigned) {
				t.Errorf("%+v: %v", by, err)
			}
		}
	}
}

func TestWhoLooksAtAPairIsAudited(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	a, b := w.add(otacilia, "receita", "52998224725"), w.add(otacilia, "saude", "")
	c, err := w.matcher.Compare(t.Context(), w.db, a, b, judge, time.Now())
	if err != nil || c.A.Fields["name"].Text != otacilia.name || c.Result.Weight < 10 || c.KeptApart {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, id := range []registry.PersonID{a, b} {
		if n := w.count(`SELECT count(*) FROM audit_pending WHERE action = 'registry.read' AND person_id = $1 AND purpose = $2 AND 'mother_name' = ANY(fields)`, id, judge.Reason); n != 1 {
			t.Errorf("%d reads of %s are audited", n, id)
		}
	}
}

func TestCandidatesAreFoundByWhatADeskIsTold(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	known := w.add(otacilia, "receita", "52998224725")
	twin := w.add(cleusa, "receita", "11144477735")
	for i := range 30 {
		w.add(numbered(i), "saude", "")
	}
	w.run()
	all, _, err := w.matcher.FindCandidates(t.Context(), w.db, match.Subject{Name: "otacilia zampieri", Birthdate: "14/05/1958", MotherName: "Perpetua Zampieri"})
	if err != nil || len(all) == 0 || all[0].Person != known {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, c := range all[1:] {
		if c.Person != twin || len(c.Barred) == 0 {
			t.Errorf("%+v", c)
		}
	}
	if none, _, err := w.matcher.FindCandidates(t.Context(), w.db, match.Subject{Name: "Otacília"}); err != nil || len(none) != 0 {
		t.Errorf("by a first name: %v, %v", none, err)
	}
}
