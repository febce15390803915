package registry_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

// town has people of every sort: with and without CPF, from bases and from the door, with values
// that wait, that a human set and that prove level 3.
func (w *world) town(r *rand.Rand) []registry.PersonID {
	w.t.Helper()
	cpf := cpfs(r, 5)
	w.deliver(
		line{cpf[0], "saude/1 2020-01-01 name=Ana_Lima birthdate=1990-01-01 phone_number=+5541911111111 death=2025-01-01"},
		line{cpf[0], "fazenda/1 2021-01-01 name=Ana_L_Lima address=Rua_A"},
		line{cpf[1], "saude/2 2019-01-01 name=Ana_Lima birthdate=1990-01-01 mother_name=Eva_Lima"},
		line{cpf[2], "assistencia/3 2022-01-01 name=Ana_de_Lima benefit/bpc=2020 benefit/bolsa=2021 phone_number=+5541922222222"},
		line{"", "saude/4 2023-01-01 name=Ana_Lima phone_number=+5541933333333 death=2025-02-02 cns=898001160656771"},
		line{"", "educacao/5 2024-01-01 name=Ana_S_Lima mother_name=Eva_Lima"})
	w.tick()
	door := w.register(cpf[3], "name=Ana_Lima birthdate=1990-01-01 phone_number=+5541944444444")
	w.tick()
	w.say(door, 3, "email=ana@example.org name=Ana_Lima_Souza")
	w.tick()
	w.say(w.byCPF(cpf[1]).ID, 1, "name=ANA_LIMA birthdate=1990-01-01 mother_name=EVA_LIMA") // matches
	w.tick()
	w.decide(w.byCPF(cpf[2]).ID, "set", "name", "Ana Corrigida")
	w.tick()
	people := append(w.without(), door)
	for _, c := range cpf[:3] {
		people = append(people, w.byCPF(c).ID)
	}
	return people
}

func TestUnmergeAfterMergeIsAsIfItHadNeverBeen(t *testing.T) {
	t.Parallel()

	r := rand.New(rand.NewPCG(3, 156))
	w := newWorld(t)
	people := w.town(r)
	before := w.everything()
	if len(people) != 6 || len(before) < 40 {
		t.Fatalf("%d people, %d facts", len(people), len(before))
	}
	for range 25 {
		// A few merges, some of people who stand for others already: A←B and C←A, A←B and B←C.
		var gone []registry.PersonID
		left := slices.Clone(people)
		for range 1 + r.IntN(len(people)-1) {
			r.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
			w.tick()
			stays, err := w.merge(left[0], left[1], "carla")
			if err != nil {
				t.Fatal(err)
			}
			goes := left[0]
			if goes == stays {
				goes = left[1]
			}
			gone = append(gone, goes)
			left = slices.DeleteFunc(left, func(id registry.PersonID) bool { return id == goes })
		}
		w.consistent()
		// Undone in any order.
		r.Shuffle(len(gone), func(i, j int) { gone[i], gone[j] = gone[j], gone[i] })
		for _, goes := range gone {
			w.tick()
			w.must(w.unmerge(goes))
			w.consistent()
		}
		same(t, "after merge and unmerge", before, w.everything())
		if t.Failed() {
			return
		}
	}
}

func TestAMergedPersonIsFoundByEveryDocumentAndHoldsWhatBothHad(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	cpf := cpfs(rand.New(rand.NewPCG(4, 156)), 2)
	w.deliver(
		line{cpf[0], "saude/1 2020-01-01 name=Ana_Lima phone_number=+5541911111111"},
		line{cpf[1], "saude/2 2021-01-01 name=Ana_Lima phone_number=+5541922222222"},
		line{"", "educacao/3 2022-01-01 name=Ana_Lima social_name=Aninha death=2020-01-01"})
	a, b, c := w.byCPF(cpf[0]).ID, w.byCPF(cpf[1]).ID, w.without()[0]
	w.tick()
	if _, err := w.merge(a, b, registry.Machine); !errors.Is(err, registry.ErrTwoCPFs) {
		t.Errorf("a machine merged two CPFs: %v", err)
	}
	if stays, err := w.merge(c, a, registry.Machine); err != nil || stays != a {
		t.Errorf("%s stays, %v; the one with a document must", stays, err)
	}
	stays, err := w.merge(a, b, "carla")
	if err != nil || stays != a && stays != b {
		t.Fatal(stays, err)
	}
	for _, each := range cpf {
		p := w.byCPF(each)
		if p.ID != stays || p.Fields["phone_number"].Text != "+5541922222222" || p.Fields["social_name"].Text != "Aninha" {
			t.Errorf("%v", told(p))
		}
	}
	for _, pair := range [][2]registry.PersonID{{a, b}, {a, a}, {b, c}, {stays, c}} {
		if _, err := w.merge(pair[0], pair[1], "carla"); !errors.Is(err, registry.ErrSamePerson) {
			t.Errorf("merged again: %v", err)
		}
	}
	if err := w.unmerge(stays); !errors.Is(err, registry.ErrNotMerged) {
		t.Errorf("unmerged who was not: %v", err)
	}
	if err := w.unmerge(pg.NewID()); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("unmerged nobody: %v", err)
	}
	if _, err := w.merge(a, pg.NewID(), "carla"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("merged with nobody: %v", err)
	}
}

// While two are one, what waits for a human waits once, under the one who stands for both.
func TestWhatWaitsForAHumanWaitsOnceWhilePeopleAreMerged(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.deliver(
		line{"", "saude/1 2020-01-01 name=Ana_Lima death=2020-01-01"},
		line{"", "saude/2 2021-01-01 name=Ana_Lima death=2021-01-01"})
	people := w.without()
	w.tick()
	stays, err := w.merge(people[0], people[1], "carla")
	w.must(err)
	waiting := 0
	w.each(`SELECT person_id FROM pending_value`, func(scan func(...any) error) error {
		var id registry.PersonID
		err := scan(&id)
		if waiting++; id != stays {
			t.Errorf("waits under %s, whom nobody sees", id)
		}
		return err
	})
	if waiting != 2 {
		t.Errorf("%d wait, want the deaths of two records", waiting)
	}
}

// Records of one CPF that come in while its person is merged belong to that person, and leave with
// them: a wrong merge must not leave one citizen's data with another.
func TestWhatComesInWhilePeopleAreMergedLeavesWithItsOwner(t *testing.T) {
	t.Parallel()

	cpf := cpfs(rand.New(rand.NewPCG(5, 156)), 2)
	first := []line{
		{cpf[0], "saude/1 2020-01-01 name=Ana_Lima"}, {cpf[1], "saude/2 2020-01-01 name=Ana_Lima"}, {"", "saude/3 2020-01-01 name=Ana_Lima"}}
	then := []line{
		{cpf[0], "saude/1 2021-01-01 name=Ana_Lima phone_number=+5541911111111"},
		{cpf[1], "saude/2 2021-01-01 name=Ana_Lima phone_number=+5541922222222 address=Rua_B"},
		{cpf[1], "educacao/9 2021-01-01 name=Ana_Lima mother_name=Eva_Lima"},
		{"", "saude/3 2021-01-01 name=Ana_Lima cns=898001160656771"}}
	values := func(w *world, id registry.PersonID) (lines []string) {
		p, err := w.store.ByID(t.Context(), w.db, id)
		w.must(err)
		for name, v := range p.Fields {
			lines = append(lines, name+"="+v.Text+" "+v.Source)
		}
		slices.Sort(lines)
		return lines
	}
	apart, w := newWorld(t), newWorld(t)
	for _, each := range []*world{apart, w} {
		each.deliver(first...)
		each.tick()
	}
	people := []registry.PersonID{w.byCPF(cpf[0]).ID, w.byCPF(cpf[1]).ID, w.without()[0]}
	for _, other := range people[1:] {
		_, err := w.merge(w.root(people[0]), other, "carla")
		w.must(err)
	}
	apart.tick()
	w.tick()
	apart.deliver(then...)
	w.deliver(then...)
	w.consistent()
	for _, id := range people {
		if w.root(id) != id {
			w.must(w.unmerge(id))
		}
	}
	w.consistent()
	for i, id := range []registry.PersonID{apart.byCPF(cpf[0]).ID, apart.byCPF(cpf[1]).ID, apart.without()[0]} {
		same(t, "merged meanwhile", values(apart, id), values(w, people[i]))
	}
}

func TestAccountsAndOrganizationsAreNotMerged(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	cpf := cpfs(rand.New(rand.NewPCG(6, 156)), 3)
	a, b, c := w.register(cpf[0], "name=Ana_Lima"), w.register(cpf[1], "name=Ana_Lima"), w.register(cpf[2], "name=Ana_Lima")
	for _, id := range []registry.PersonID{b, c} {
		_, err := w.db.Exec(t.Context(), `INSERT INTO password (person_id, hash, changed_at) VALUES ($1, '$argon2id$', now())`, id)
		w.must(err)
	}
	if _, err := w.merge(b, c, "carla"); !errors.Is(err, registry.ErrTwoAccounts) {
		t.Errorf("two accounts became one: %v", err)
	}
	if stays, err := w.merge(a, c, "carla"); err != nil || stays != c {
		t.Errorf("%s stays, %v; the one who signs in must", stays, err)
	}
	firm, err := w.store.Create(t.Context(), w.db, registry.Person{CNPJ: brdoc.CNPJ("11222333000181"), Fields: fields("name=Lima_Ltda")}, w.clock.Now())
	w.must(err)
	if _, err := w.merge(b, firm.ID, "carla"); !errors.Is(err, registry.ErrKinds) {
		t.Errorf("a person became a firm: %v", err)
	}
}

// Anybody can type a name and a birth date, and come in by their telephone: that joins them to no
// record of the city, whoever thinks so. Who signs in as both is both.
func TestAVisitorJoinsByProofAlone(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	citizen := w.register(cpfs(rand.New(rand.NewPCG(8, 156)), 1)[0], "name=Ana_Lima birthdate=1990-01-01")
	visitor := w.register("", "name=Ana_Lima birthdate=1990-01-01 passport=PY123456")
	w.must(w.store.Lifetimes.Record(t.Context(), w.db, visitor, trust.Evidence{Kind: trust.SelfDeclared, Source: registry.SourceSelf, Method: "sms_code",
		Verifier: "loginunico", VerifiedAt: w.clock.Now()}))
	w.tick()
	for _, actor := range []string{registry.Machine, "carla"} {
		for _, pair := range [][2]registry.PersonID{{citizen, visitor}, {visitor, citizen}} {
			if _, err := w.merge(pair[0], pair[1], actor); !errors.Is(err, registry.ErrVisitor) {
				t.Errorf("by %s: %v", actor, err)
			}
		}
	}
	if stays, err := w.merge(visitor, citizen, registry.Proven); err != nil || stays != citizen {
		t.Fatalf("%s stays, %v", stays, err)
	}
	if p, err := w.store.ByID(t.Context(), w.db, citizen); err != nil || !p.Has("passport") {
		t.Errorf("%v, %v", told(p), err)
	}
}

func TestAValueIsUnconfirmedAndStays(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	at := w.clock.Now()
	p, err := w.store.Create(t.Context(), w.db, registry.Person{Fields: registry.Fields{"phone_number": {Text: "+595981123456", Source: registry.SourceSelf, At: at, Confirmed: &at}}}, at)
	w.must(err)
	w.tick()
	w.clock.Advance(time.Hour)
	w.must(w.tx(func(tx pg.Tx) error { return w.store.Unconfirm(t.Context(), tx, p.ID, "phone_number", w.clock.Now()) }))
	now, err := w.store.ByID(t.Context(), w.db, p.ID)
	if v := now.Fields["phone_number"]; err != nil || v.Text != "+595981123456" || v.Confirmed != nil {
		t.Errorf("%+v, %v", v, err)
	}
	then, err := w.store.AsOf(t.Context(), w.db, p.ID, at)
	if v := then.Fields["phone_number"]; err != nil || v.Confirmed == nil {
		t.Errorf("before: %+v, %v", v, err)
	}
}

func TestPeopleKeptApartLeaveTheQueueAndStayTwo(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.deliver(line{"", "saude/1 2020-01-01 name=Ana_Lima"}, line{"", "saude/2 2020-01-01 name=Ana_Lima"})
	people := w.without()
	before := w.everything()
	queue := func() (waiting int, decision string) {
		w.must(w.db.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE decided_at IS NULL), coalesce(max(decision), '') FROM match_review`).Scan(&waiting, &decision))
		return waiting, decision
	}
	_, err := w.db.Exec(t.Context(), `INSERT INTO match_review (person_id, other_id, score, parts, found_at) VALUES ($1, $2, 0.9, '{}', now())`, people[0], people[1])
	w.must(err)
	w.tick()
	w.must(w.tx(func(tx pg.Tx) error {
		return w.store.KeepApart(t.Context(), tx, people[1], people[0], "carla", "two", w.clock.Now())
	}))
	same(t, "kept apart", before, w.everything())
	if waiting, decision := queue(); waiting != 0 || decision != "apart" {
		t.Errorf("%d wait, decided %q", waiting, decision)
	}
}

// Edits, loads and merges of the same people at once: whoever comes last sees all.
func TestMergesLoadsAndEditsAtOnceLoseNothing(t *testing.T) {
	t.Parallel()

	r := rand.New(rand.NewPCG(7, 156))
	w := newWorld(t)
	for range 8 {
		cpf := cpfs(r, 2)
		a, b := w.register(cpf[0], "name=Ana_Lima"), w.register(cpf[1], "name=Ana_Lima")
		w.tick()
		edit := func(id registry.PersonID, text string) func(context.Context) error {
			return func(ctx context.Context) error {
				return w.tx(func(tx pg.Tx) error { return w.store.Update(ctx, tx, id, fields(text), 1, w.clock.Now()) })
			}
		}
		chunks := []registry.Chunk{
			w.chunkOf(line{cpf[0], "saude/" + cpf[0].Digits() + " 2020-01-01 name=Ana_Lima cns=898001160656771"}),
			w.chunkOf(line{cpf[1], "educacao/" + cpf[1].Digits() + " 2020-01-01 name=Ana_Lima mother_name=Eva_Lima"})}
		work := []func(context.Context) error{
			edit(a, "rg=1"), edit(b, "voter_id=2"), edit(a, "nis=3"), edit(b, "passport=4"),
			func(context.Context) error { _, err := w.merge(a, b, "carla"); return err },
		}
		for _, c := range chunks {
			work = append(work, func(ctx context.Context) error {
				bulk, err := w.store.NewBulk(ctx, w.db, w.clock.Now)
				if err == nil {
					_, err = bulk.File(ctx, c)
				}
				return err
			})
		}
		r.Shuffle(len(work), func(i, j int) { work[i], work[j] = work[j], work[i] })
		atOnce(t.Context(), t, work...)
		p := w.byCPF(cpf[0])
		for _, name := range []string{"rg", "voter_id", "nis", "passport", "cns", "mother_name"} {
			if !p.Has(name) {
				t.Errorf("%s is lost", name)
			}
		}
	}
	w.consistent()
}
