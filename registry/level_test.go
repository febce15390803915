package registry_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

// level is a person's, by how many pieces of evidence of the registry.
func (w *world) level(id registry.PersonID) (level, matches int) {
	w.t.Helper()
	all, err := trust.Of(w.t.Context(), w.db, id)
	w.must(err)
	for _, e := range all {
		if e.Kind == trust.RegistryMatch {
			matches++
		}
	}
	return trust.Level(all, w.clock.Now()), matches
}

func TestWhoKnowsWhatTheBasesKnowReachesLevel3(t *testing.T) {
	t.Parallel()

	r := rand.New(rand.NewPCG(9, 156))
	w := newWorld(t)
	for _, tc := range []struct {
		name, base, said string
		level            int
	}{
		{"name and birth date agree", "name=Ana_Lima birthdate=1990-01-01", "name=Ana_Lima birthdate=1990-01-01", 3},
		{"in any case and without accents", "name=JOSE_AVILA birthdate=1990-01-01", "name=José_Ávila birthdate=1990-01-01", 3},
		{"another birth date", "name=Ana_Lima birthdate=1990-01-01", "name=Ana_Lima birthdate=1990-01-02", 0},
		{"another name", "name=Ana_Lima birthdate=1990-01-01", "name=Ana_Souza birthdate=1990-01-01", 0},
		{"no birth date said", "name=Ana_Lima birthdate=1990-01-01", "name=Ana_Lima", 0},
		{"no birth date known", "name=Ana_Lima", "name=Ana_Lima birthdate=1990-01-01", 0},
		{"the mother's name too, where both know one", "name=Ana_Lima birthdate=1990-01-01 mother_name=Eva_Lima", "name=Ana_Lima birthdate=1990-01-01 mother_name=Eva_Lima", 3},
		{"another mother", "name=Ana_Lima birthdate=1990-01-01 mother_name=Eva_Lima", "name=Ana_Lima birthdate=1990-01-01 mother_name=Iva_Lima", 0},
		{"a mother only the base knows", "name=Ana_Lima birthdate=1990-01-01 mother_name=Eva_Lima", "name=Ana_Lima birthdate=1990-01-01", 0},
		{"a mother only the person knows", "name=Ana_Lima birthdate=1990-01-01", "name=Ana_Lima birthdate=1990-01-01 mother_name=Eva_Lima", 3},
	} {
		for _, first := range []string{"base", "person"} {
			w.tick()
			cpf := cpfs(r, 1)[0]
			base := func() { w.deliver(line{cpf, "saude/" + cpf.Digits() + " 2020-01-01 " + tc.base}) }
			var id registry.PersonID
			if first == "base" { // and then somebody registers with the CPF
				base()
				id = w.byCPF(cpf).ID
				w.tick()
				w.say(id, 1, tc.said)
			} else { // and a later load knows the CPF
				id = w.register(cpf, tc.said)
				w.tick()
				base()
			}
			if level, _ := w.level(id); level != tc.level {
				t.Errorf("%s, the %s first: level %d, want %d", tc.name, first, level, tc.level)
			}
		}
	}
	w.consistent()
}

// Nobody proves anything by repeating themselves: what only the citizen said is no base.
func TestOnesOwnWordsProveNothing(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.register(cpfs(rand.New(rand.NewPCG(10, 156)), 1)[0], "name=Ana_Lima birthdate=1990-01-01")
	w.tick()
	w.say(id, 1, "name=Ana_Lima birthdate=1990-01-01")
	if level, _ := w.level(id); level != 0 {
		t.Errorf("level %d", level)
	}
}

// With the level comes what it allows: the phone said before stands now.
func TestWhatWasSaidBeforeIsHeardAtLevel3(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	cpf := cpfs(rand.New(rand.NewPCG(11, 156)), 1)[0]
	w.deliver(line{cpf, "saude/1 2020-01-01 name=Ana_Lima birthdate=1990-01-01 phone_number=+5541911111111"})
	id := w.byCPF(cpf).ID
	w.tick()
	w.say(id, 1, "phone_number=+5541922222222")
	if got := w.byCPF(cpf).Fields["phone_number"].Text; got != "+5541911111111" {
		t.Errorf("at level 1 the phone became %s", got)
	}
	w.tick()
	w.say(id, 1, "name=Ana_Lima birthdate=1990-01-01")
	if got := w.byCPF(cpf).Fields["phone_number"]; got.Text != "+5541922222222" || got.Source != registry.SourceSelf {
		t.Errorf("at level 3 the phone is %+v", got)
	}
}

// Somebody who types another's CPF sees their own words, and nothing of what the city knows.
func TestAnImpostorSeesNothingOfTheBases(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	cpf := cpfs(rand.New(rand.NewPCG(12, 156)), 1)[0]
	w.deliver(
		line{cpf, "saude/1 2020-01-01 name=Ana_Lima birthdate=1990-01-01 mother_name=Eva_Lima cns=898001160656771 phone_number=+5541911111111 address=Rua_A"},
		line{cpf, "assistencia/1 2021-01-01 name=Ana_Lima benefit/bpc=2020"})
	id := w.byCPF(cpf).ID
	w.tick()
	w.say(id, 1, "name=Rui_Reis birthdate=1980-01-01 email=rui@example.org")
	p := w.byCPF(cpf)
	if p.Fields["name"].Text != "Ana Lima" || len(p.Fields) < 8 {
		t.Fatalf("%v", told(p))
	}
	for level := range 3 {
		seen := p.Seen(level)
		for _, claim := range []string{"mother_name", "cns", "phone_number", "address", "benefit/bpc"} {
			if seen.Has(claim) {
				t.Errorf("level %d sees %s", level, claim)
			}
		}
		if seen.DisplayName() != "Rui Reis" || seen.Fields["birthdate"].Text != "1980-01-01" || len(seen.Fields) != 3 {
			t.Errorf("level %d sees %v", level, told(seen))
		}
	}
	if seen := p.Seen(3); seen.DisplayName() != "Ana Lima" || !seen.Has("cns") {
		t.Errorf("level 3 sees %v", told(seen))
	}
}

// However many say it at once, and while a load says the same, there is one piece of evidence.
func TestEvidenceIsGivenOnceUnderConcurrency(t *testing.T) {
	t.Parallel()

	r := rand.New(rand.NewPCG(13, 156))
	w := newWorld(t)
	var people []registry.PersonID
	var work []func(context.Context) error
	for range 4 {
		cpf := cpfs(r, 1)[0]
		id := w.register(cpf, "name=Ana_Lima")
		people = append(people, id)
		for n := range 5 {
			said := fields("name=Ana_Lima birthdate=1990-01-01")
			c := w.chunkOf(line{cpf, "saude/" + cpf.Digits() + string(rune('a'+n)) + " 2020-01-01 name=Ana_Lima birthdate=1990-01-01"})
			work = append(work, func(ctx context.Context) error {
				return w.tx(func(tx pg.Tx) error { return w.store.Update(ctx, tx, id, said, 1, w.clock.Now()) })
			}, func(ctx context.Context) error {
				bulk, err := w.store.NewBulk(ctx, w.db, w.clock.Now)
				if err == nil {
					_, err = bulk.File(ctx, c)
				}
				return err
			})
		}
	}
	atOnce(t.Context(), t, work...)
	for _, id := range people {
		if level, matches := w.level(id); level != 3 || matches != 1 {
			t.Errorf("level %d by %d matches", level, matches)
		}
	}
	w.consistent()
}

// A load counts the accounts it brought to level 3, not those that had it.
func TestALoadCountsWhomItBroughtToLevel3(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	all := cpfs(rand.New(rand.NewPCG(14, 156)), 2)
	for _, cpf := range all {
		w.register(cpf, "name=Ana_Lima birthdate=1990-01-01")
	}
	w.tick()
	line := func(cpf brdoc.CPF, day string) line {
		return line{cpf, "saude/" + cpf.Digits() + " " + day + " name=Ana_Lima birthdate=1990-01-01"}
	}
	if n := w.deliver(line(all[0], "2020-01-01")).Matched; n != 1 {
		t.Errorf("counted %d, want 1", n)
	}
	w.tick()
	if n := w.deliver(line(all[0], "2021-01-01"), line(all[1], "2021-01-01")).Matched; n != 1 {
		t.Errorf("counted %d, want only the second", n)
	}
}

// What somebody of the city has taken away neither a load nor the person's words give back.
func TestAMatchThatWasTakenAwayIsNotGivenBack(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	cpf := cpfs(rand.New(rand.NewPCG(15, 156)), 1)[0]
	id := w.register(cpf, "name=Ana_Lima birthdate=1990-01-01")
	line := func(day string) line {
		return line{cpf, "saude/" + cpf.Digits() + " " + day + " name=Ana_Lima birthdate=1990-01-01"}
	}
	w.tick()
	w.deliver(line("2020-01-01"))
	all, err := trust.Of(t.Context(), w.db, id)
	w.must(err)
	if level, _ := w.level(id); level != 3 {
		t.Fatalf("level %d", level)
	}
	for _, e := range all {
		if e.Kind == trust.RegistryMatch {
			_, err := trust.Revoke(t.Context(), w.db, id, e.ID, "protocolo 1", trust.ByOperator+"paulo", w.clock.Now())
			w.must(err)
		}
	}
	w.tick()
	w.deliver(line("2021-01-01"))
	w.tick()
	w.say(id, 1, "name=Ana_Lima birthdate=1990-01-01")
	if level, _ := w.level(id); level != 0 {
		t.Errorf("given back: level %d", level)
	}
}
