package registry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

func (w *world) forget(id registry.PersonID) {
	w.t.Helper()
	w.must(w.tx(func(tx pg.Tx) error { return w.store.ForgetDeclared(w.t.Context(), tx, id, w.clock.Now()) }))
}

// gist is what a person is but for ids, numbers and the instants of receipt, and what waits: twins of whom the same was
// said have the same.
func (w *world) gist(id registry.PersonID) (lines []string) {
	w.t.Helper()
	p, err := w.store.ByID(w.t.Context(), w.db, id)
	w.must(err)
	p.ID, p.CPF, p.CNPJ = uuid.Nil, "", ""
	for _, all := range []registry.Fields{p.Fields, p.Declared} {
		for name, v := range all {
			if v.Record = uuid.Nil; name == "cpf" {
				v.Text = ""
			}
			all[name] = v
		}
	}
	waiting, err := w.store.Waiting(w.t.Context(), w.db, id, 100)
	w.must(err)
	lines = told(p)
	for _, v := range waiting {
		lines = append(lines, fmt.Sprint(v.Field, " of ", v.Source, " waits by ", v.Rule))
	}
	level, _ := w.level(id)
	slices.Sort(lines)
	return append(lines, fmt.Sprint("level ", level))
}

// Of two of whom the bases and operators say the same, one also says much; forgotten, they are alike.
func TestWhoIsForgottenIsAsIfTheyHadNeverSaidAnything(t *testing.T) {
	t.Parallel()

	for _, opening := range []string{"a base", "the door"} {
		for seed := range uint64(6) {
			t.Run(fmt.Sprint(opening, " first, ", seed), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(seed, 157))
				w := newWorld(t)
				both := cpfs(r, 2)
				if opening == "the door" {
					w.register(both[0], "")
					w.register(both[1], "")
				} else {
					w.deliver(line{both[0], "saude/a0 2018-01-01 name=Ana_0"}, line{both[1], "saude/b0 2018-01-01 name=Ana_0"})
				}
				silent, talker := w.byCPF(both[0]).ID, w.byCPF(both[1]).ID
				before := 0
				for _, day := range r.Perm(25) { // of one day, the keys decide, which twins do not share
					w.tick()
					before += w.happens(r, 1+day, both, silent, talker)
				}
				if before == 0 {
					t.Fatal("nothing was said")
				}
				w.tick()
				w.forget(talker)
				w.forget(silent)
				same(t, "after forgetting", w.gist(silent), w.gist(talker))
				w.tick()
				w.deliver(line{both[0], "saude/a9 2025-01-01 name=Ana_9"}, line{both[1], "saude/b9 2025-01-01 name=Ana_9"})
				same(t, "and after a load", w.gist(silent), w.gist(talker))
				w.consistent()
			})
		}
	}
}

// happens does the same to both, or lets the second say something, and counts what was said.
func (w *world) happens(r *rand.Rand, day int, both []brdoc.CPF, silent, talker registry.PersonID) int {
	w.t.Helper()
	n, k := r.IntN(4), r.IntN(5)
	switch r.IntN(8) {
	case 0, 1, 2:
		source := []string{"saude", "fazenda", "assistencia"}[r.IntN(3)]
		text := fmt.Sprintf("2020-01-%02d name=Ana_%d birthdate=1990-01-0%d phone_number=+554191234567%d death=2025-01-0%d", day, n, 1+r.IntN(2), k, 1+n)
		w.deliver(line{both[0], fmt.Sprintf("%s/a%d %s", source, k, text)}, line{both[1], fmt.Sprintf("%s/b%d %s", source, k, text)})
		return 0
	case 3:
		action := []string{"set", "remove", "release"}[r.IntN(3)]
		for _, id := range []registry.PersonID{silent, talker} {
			w.decide(id, action, "name", "Ana Corrigida")
		}
		return 0
	case 4:
		w.say(talker, 1, "name=Ana_0 birthdate=1990-01-01") // may match
	case 5:
		w.say(talker, 1+r.IntN(5), fmt.Sprintf("email=%d@example.org phone_number=+554190000000%d address=Rua_%d", n, k, k))
	case 6:
		w.say(talker, 1+r.IntN(5), fmt.Sprintf("name=Outra_%d social_name=Aninha mother_name=Eva_%d cpf=%s", n, k, both[1].Digits()))
	default:
		w.say(talker, 1+r.IntN(5), "email= phone_number= name=Ana_Lima") // takes back some
	}
	return 1
}

func TestWhatOnlyTheHolderSaidGoesButTheNumberThatLeadsToThem(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	cpf := cpfs(rand.New(rand.NewPCG(1, 157)), 1)[0]
	id := w.register(cpf, "name=Rui_Reis email=rui@example.org phone_number=+5541900000000 address=Rua_A")
	w.tick()
	w.say(id, 3, "social_name=Ru mother_name=Eva_Reis")
	was, said := w.now("before"), told(w.byCPF(cpf))
	for range 2 { // the second changes nothing
		w.tick()
		w.forget(id)
		p := w.byCPF(cpf)
		if p.ID != id || p.CPF != cpf || len(p.Fields) != 1 || len(p.Declared) != 1 {
			t.Errorf("%v", told(p))
		}
	}
	if p, err := w.store.AsOf(t.Context(), w.db, id, was.at); err != nil || !slices.Equal(told(p), said) {
		t.Errorf("%v\nthen was\n%v\nand is shown as\n%v", err, said, told(p))
	}
	var events, undocumented int
	w.must(w.db.QueryRow(t.Context(), `SELECT count(*) FROM audit_pending WHERE action = 'registry.forget' AND person_id = $1
		AND fields @> '{name,email,address,social_name}' AND detail = '{}'`, id).Scan(&events))
	w.must(w.db.QueryRow(t.Context(), `SELECT count(*) FROM person WHERE undocumented`).Scan(&undocumented))
	if events != 1 || undocumented != 0 {
		t.Errorf("%d events, %d without a document", events, undocumented)
	}
	w.tick()
	w.say(id, 1, "name=Ana_Lima")
	if p := w.byCPF(cpf); p.DisplayName() != "Ana Lima" || len(p.Declared) != 2 {
		t.Errorf("the next holder is %v", told(p))
	}
	w.consistent()
}

func TestTheMatchOfAFormerHolderIsNotTheNextOnes(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	cpf := cpfs(rand.New(rand.NewPCG(2, 157)), 1)[0]
	w.deliver(line{cpf, "saude/1 2020-01-01 name=Ana_Lima birthdate=1990-01-01 mother_name=Eva_Lima"})
	id := w.byCPF(cpf).ID
	const words = "name=Ana_Lima birthdate=1990-01-01 mother_name=Eva_Lima"
	for n := 1; n <= 2; n++ {
		w.tick()
		w.say(id, 1, words)
		if level, matches := w.level(id); level != 3 || matches != n {
			t.Fatalf("level %d by %d matches", level, matches)
		}
		w.tick()
		w.forget(id)
		if level, _ := w.level(id); level != 0 {
			t.Fatalf("level %d of who said nothing", level)
		}
	}
}

func TestForgettingOneLeavesTheWordsOfWhoIsMergedLater(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	cpf := cpfs(rand.New(rand.NewPCG(3, 157)), 2)
	a, b := w.register(cpf[0], "name=Ana_Lima email=ana@example.org"), w.register(cpf[1], "name=Bia_Lima phone_number=+5541911111111")
	w.tick()
	bia := w.gist(b)
	w.forget(a)
	w.tick()
	stays, err := w.merge(a, b, "carla")
	w.must(err)
	if p := w.byCPF(cpf[0]); p.DisplayName() != "Bia Lima" || !p.Has("phone_number") || p.Has("email") {
		t.Errorf("together: %v", told(p))
	}
	w.consistent()
	goes := a
	if stays == a {
		goes = b
	}
	w.must(w.unmerge(goes))
	same(t, "parted", bia, w.gist(b))

	// And of two who are one both are forgotten, each with the number that leads to them.
	w.tick()
	_, err = w.merge(a, b, "carla")
	w.must(err)
	w.tick()
	w.forget(goes)
	w.tick()
	w.must(w.unmerge(goes))
	for n, id := range []registry.PersonID{a, b} {
		if p := w.byCPF(cpf[n]); p.ID != id || p.CPF != cpf[n] || len(p.Fields) != 1 || len(p.Declared) != 1 {
			t.Errorf("%v", told(p))
		}
	}
	w.consistent()
}

func TestWordsFiledByAFasterClockAreForgottenToo(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	cpf := cpfs(rand.New(rand.NewPCG(4, 157)), 1)[0]
	id := w.register(cpf, "name=Ana_Lima")
	other := registry.NewStore(w.box) // of another process, a minute ahead
	w.must(w.tx(func(tx pg.Tx) error {
		return other.Update(t.Context(), tx, id, fields("email=ana@example.org"), 1, w.clock.Now().Add(time.Minute))
	}))
	w.forget(id)
	if p := w.byCPF(cpf); p.Has("email") || p.Has("name") {
		t.Errorf("%v", told(p))
	}
}

func TestAHundredWordsAreForgottenAtOnceBesideALoad(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	cpf := cpfs(rand.New(rand.NewPCG(5, 157)), 1)[0]
	id := w.register(cpf, "name=Ana_Lima")
	for n := range 300 {
		w.say(id, 1, fmt.Sprintf("email=%d@example.org", n))
	}
	w.tick()
	work := []func(context.Context) error{func(ctx context.Context) error {
		return w.tx(func(tx pg.Tx) error { return w.store.ForgetDeclared(ctx, tx, id, w.clock.Now()) })
	}}
	for n := range 5 {
		c := w.chunkOf(line{cpf, fmt.Sprintf("saude/%d 2020-01-0%d name=Ana_%d", n, n+1, n)})
		work = append(work, func(ctx context.Context) error {
			bulk, err := w.store.NewBulk(ctx, w.db, w.clock.Now)
			if err == nil {
				_, err = bulk.File(ctx, c)
			}
			return err
		})
	}
	atOnce(t.Context(), t, work...)
	if p := w.byCPF(cpf); p.Has("email") || p.DisplayName() != "Ana 4" {
		t.Errorf("%v", told(p))
	}
	w.consistent()
}
