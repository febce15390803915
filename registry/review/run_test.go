package review_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/review"
)

func TestAPersonWithoutACPFIsJoinedWithTheirRecord(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	known := w.add(otacilia, "receita", "52998224725")
	loose := w.add(who{"OTACILIA ZAMPIERI KOVALCZUK", otacilia.born, otacilia.mother, ""}, "saude", "")
	r := w.run()
	if r.Merged != 1 || w.root(loose) != known || len(w.waiting()) != 0 {
		t.Errorf("%+v, waiting %v", r, w.waiting())
	}
	if n := w.count(`SELECT count(*) FROM audit_pending WHERE action = 'registry.merge' AND actor_id = $1 AND person_id = $2`, registry.Machine, known); n == 0 {
		t.Error("the merge is not audited")
	}
	if again := w.run(); again.Merged != 0 || again.Reviews != 0 {
		t.Errorf("a second run: %+v", again)
	}
}

func TestTwinsAreNeverJoined(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	known := w.add(otacilia, "receita", "52998224725")
	twin := w.add(cleusa, "saude", "")
	if r := w.run(); r.Merged != 0 || w.root(twin) != twin || w.root(known) != known {
		t.Errorf("%+v", r)
	}
}

func TestHomonymsAreNeverJoined(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	maria := who{"Maria Aparecida da Silva", "1958-05-14", "Maria de Souza", ""}
	w.add(maria, "receita", "52998224725")
	w.add(maria, "receita", "11144477735") // two of one name, birthday and mother's name
	w.add(maria, "saude", "")
	w.add(who{maria.name, "1971-02-03", "Ana Pereira", ""}, "educacao", "")
	if r := w.run(); r.Merged != 0 || len(w.waiting()) == 0 {
		t.Errorf("%+v, waiting %v", r, w.waiting())
	}
}

func TestARecordThatMayBeEitherOfTwoPeopleIsForAHuman(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	one, two := w.add(otacilia, "receita", "52998224725"), w.add(otacilia, "fazenda", "11144477735")
	w.run()
	loose := w.add(otacilia, "saude", "")
	w.run()
	if w.root(loose) != loose || !w.reviewed(loose, one) || !w.reviewed(loose, two) || !w.reviewed(one, two) {
		t.Errorf("waiting %v", w.waiting())
	}
}

func TestSeveralRecordsWithoutACPFBecomeOnePerson(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	var all []registry.PersonID
	for _, source := range []string{"saude", "educacao", "assistencia"} {
		all = append(all, w.add(otacilia, source, ""))
	}
	w.run()
	for _, id := range all {
		if w.root(id) != w.root(all[0]) {
			t.Errorf("%s and %s are two; waiting %v", id, all[0], w.waiting())
		}
	}
}

func TestWhatSomebodyTypedJoinsNobody(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	known := w.add(otacilia, "receita", "52998224725")
	visitor := w.add(otacilia, registry.SourceSelf, "") // signs in by telephone, and says she is Otacília
	w.account(visitor)
	if r := w.run(); r.Merged != 0 || len(w.waiting()) != 0 || w.root(visitor) != visitor || w.root(known) != known {
		t.Errorf("%+v, waiting %v", r, w.waiting())
	}
}

func TestTheMachineLeavesTwoAccountsToAHuman(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	a, b := w.add(otacilia, "saude", ""), w.add(otacilia, "receita", "52998224725")
	w.account(a)
	w.account(b)
	if r := w.run(); r.Merged != 0 || r.Refused == 0 || !w.reviewed(a, b) {
		t.Errorf("%+v, waiting %v", r, w.waiting())
	}
}

func TestAPersonWithAnAccountStays(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	loose := w.add(otacilia, "saude", "")
	account := w.add(otacilia, "govbr", "52998224725") // the younger record
	w.account(account)
	if w.run(); w.root(loose) != account {
		t.Errorf("%s stands for %s", w.root(loose), loose)
	}
}

func TestPairsKeptApartAreNeverProposedAgain(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	known, loose := w.add(otacilia, "receita", "52998224725"), w.add(otacilia, "saude", "")
	if err := w.matcher.Apart(t.Context(), w.db, known, loose, judge, time.Now()); err != nil {
		t.Fatal(err)
	}
	inTx(w, func(tx pg.Tx) error { // something new is learnt of one
		return w.store.Update(t.Context(), tx, known, registry.Fields{"email": {Text: "o@example.org"}}, 3, time.Now())
	})
	if r := w.run(); r.Merged != 0 || r.Reviews != 0 || w.root(loose) != loose {
		t.Errorf("%+v", r)
	}
}

func TestAnUndoneMergeIsNotMadeAgainEvenThroughAThird(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	known, loose := w.add(otacilia, "receita", "52998224725"), w.add(otacilia, "saude", "")
	w.run()
	if err := w.matcher.Undo(t.Context(), w.db, loose, judge, time.Now()); err != nil {
		t.Fatal(err)
	}
	third := w.add(otacilia, "educacao", "")
	if err := w.merge(loose, third); err != nil { // now the elder of the two stands for both
		t.Fatal(err)
	}
	if r := w.run(); r.Merged != 0 || w.root(loose) == known || w.root(third) == known || w.reviewed(known, w.root(loose)) {
		t.Errorf("%+v, waiting %v", r, w.waiting())
	}
}

func TestWhoIsAsLikeSomebodyPartedIsForAHuman(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	one, loose := w.add(otacilia, "receita", "52998224725"), w.add(otacilia, "saude", "")
	if err := w.matcher.Apart(t.Context(), w.db, one, loose, judge, time.Now()); err != nil {
		t.Fatal(err)
	}
	two := w.add(otacilia, "fazenda", "11144477735")
	if r := w.run(); r.Merged != 0 || !w.reviewed(two, loose) || w.reviewed(one, loose) {
		t.Errorf("%+v, waiting %v", r, w.waiting())
	}
}

func TestOnlyTheNewAndTheChangedAreLookedAt(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	for i := range 20 {
		w.add(numbered(i), "saude", "")
	}
	first := w.run()
	if _, err := w.db.Exec(t.Context(), `UPDATE match_progress SET upto = now()`); err != nil { // half a minute later
		t.Fatal(err)
	}
	w.add(numbered(30), "saude", "")
	if second := w.run(); first.Judged != 20 || second.Changed != 1 || second.Judged != 1 {
		t.Errorf("first %+v, second %+v", first, second)
	}
}

func TestALimitedRunIsGoneOnWith(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	for i := range 250 {
		w.add(numbered(i), "saude", "")
	}
	known, loose := w.add(otacilia, "receita", "52998224725"), w.add(otacilia, "educacao", "")
	limited, err := w.matcher.Run(t.Context(), w.db, review.Options{Now: time.Now, Limit: 10})
	if err != nil || limited.Left == 0 {
		t.Fatalf("%+v, %v", limited, err)
	}
	if rest := w.run(); rest.Left != 0 || w.root(loose) != known {
		t.Errorf("%+v", rest)
	}
}

func TestARunThatIsEndedIsGoneOnWith(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	d, err := w.store.Digester(t.Context(), w.db)
	if err != nil {
		t.Fatal(err)
	}
	var records []registry.Incoming
	for i := range 1200 {
		records = append(records, w.incoming(d, numbered(i), "saude", fmt.Sprint(i), ""))
	}
	if err := w.fileAll(records...); err != nil {
		t.Fatal(err)
	}
	known, loose := w.add(otacilia, "receita", "52998224725"), w.add(otacilia, "educacao", "")
	for cut := time.Millisecond; ; cut *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), cut)
		_, err := w.matcher.Run(ctx, w.db, review.Options{Now: time.Now})
		cancel()
		if err == nil {
			break
		}
	}
	w.run()
	if w.root(loose) != known || w.count(`SELECT count(DISTINCT person_id) FROM match_block`) != 1201 || w.count(`SELECT count(*) FROM match_todo`) != 0 {
		t.Errorf("%d people have keys", w.count(`SELECT count(DISTINCT person_id) FROM match_block`))
	}
}

func TestRunsAtOnceDoTheWorkOnce(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	for i := range 40 {
		w.add(numbered(i), "saude", "")
		w.add(numbered(i), "educacao", "")
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { w.run() })
	}
	all.Wait()
	if merges, two := w.count(`SELECT count(*) FROM link_decision`), w.count(`SELECT count(*) FROM person WHERE merged_into IS NULL`); merges != 40 || two != 40 {
		t.Errorf("%d merges, %d people, waiting %d", merges, two, len(w.waiting()))
	}
}

func TestOfWhomNothingTellsThemFromTheCrowdNobodyIsJoined(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	for range 260 { // nothing but a name is known of them
		w.add(who{"José Carlos da Silva", "", "", ""}, "saude", "")
	}
	r := w.run()
	if r.Narrowed != 260 || r.Cut != 260*260 || r.Wide+r.Merged+r.Compared != 0 {
		t.Errorf("%+v", r)
	}
}

func TestWhatWaitsForAHumanHoldsNoValues(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	w.add(otacilia, "receita", "52998224725")
	w.add(otacilia, "fazenda", "11144477735")
	w.run()
	if len(w.waiting()) == 0 {
		t.Fatal("nothing waits")
	}
	for _, word := range []string{"zampieri", "kowalczuk", "otac", "perp", "1958", "52998224725", "987654321"} {
		if n := w.count(`SELECT count(*) FROM match_review r WHERE lower(r::text) LIKE '%' || $1 || '%'`, word); n > 0 {
			t.Errorf("%q is in match_review", word)
		}
		if n := w.count(`SELECT count(*) FROM link_decision r WHERE lower(r::text) LIKE '%' || $1 || '%'`, word); n > 0 {
			t.Errorf("%q is in link_decision", word)
		}
	}
}

func TestTheMachineNeverJoinsTwoCPFs(t *testing.T) {
	t.Parallel()

	w := newTown(t)
	a, b := w.add(otacilia, "receita", "52998224725"), w.add(otacilia, "saude", "11144477735")
	if r := w.run(); r.Merged != 0 || !w.reviewed(a, b) {
		t.Errorf("%+v", r)
	}
	err := pg.InTx(t.Context(), w.db, func(tx pg.Tx) error {
		_, err := w.store.Merge(t.Context(), tx, a, b, registry.Machine, "test", nil, time.Now())
		return err
	})
	if !errors.Is(err, registry.ErrTwoCPFs) {
		t.Errorf("the registry lets it: %v", err)
	}
}
