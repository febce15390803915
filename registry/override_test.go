package registry_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

func (w *world) override(d registry.Decision) error {
	d.Actor = paulo
	if d.Reason == "" {
		d.Reason = "o documento mostra"
	}
	w.tick()
	return w.tx(func(tx pg.Tx) error { return w.store.Override(w.t.Context(), tx, d, w.clock.Now()) })
}

// trail is what the audit says of a person, the latest first: action, fields, purpose.
func (w *world) trail(id registry.PersonID) (acts []string) {
	w.t.Helper()
	events, _, err := audit.Of(w.t.Context(), w.db, id, audit.Page{})
	w.must(err)
	for _, e := range events {
		act := string(e.Actor.Kind) + " " + e.Action
		for _, f := range e.Fields {
			act += " " + f
		}
		acts = append(acts, act+" "+e.Purpose)
	}
	return acts
}

func TestAHumansWordStandsUntilItIsReleased(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.deliver(line{maria, "receita/1 2020-01-01 name=Maria_da_Silva birthdate=1958-05-14"})
	id := w.byCPF(maria).ID
	w.must(w.override(registry.Decision{Person: id, Action: pmcc.Set, Field: "birthdate", Text: " 15/05/1958 "}))
	w.must(w.override(registry.Decision{Person: id, Action: pmcc.Set, Field: "rg", Text: record.Composite("12.345.678-9", "ssp", "pr")}))
	w.must(w.override(registry.Decision{Person: id, Action: pmcc.Remove, Field: "name"}))
	w.deliver(line{maria, "receita/1 2021-01-01 name=Maria_da_Silva birthdate=1958-05-14"})
	p := w.byCPF(maria)
	if p.Fields["birthdate"].Text != "1958-05-15" || p.Fields["birthdate"].Source != registry.SourceOperator || p.Fields["name"].Text != "" ||
		record.RGLine(p.Fields["rg"].Text) != "123456789 SSP/PR" {
		t.Errorf("%+v", p.Fields)
	}
	for _, field := range []string{"birthdate", "rg", "name"} {
		w.must(w.override(registry.Decision{Person: id, Action: pmcc.Release, Field: field}))
	}
	p = w.byCPF(maria)
	if p.Fields["birthdate"].Text != "1958-05-14" || p.Fields["name"].Text != "Maria da Silva" || p.Fields["rg"].Text != "" {
		t.Errorf("%v", told(p))
	}
	if acts := w.trail(id); len(acts) != 6 || acts[5] != "operator registry.override.set birthdate o documento mostra" {
		t.Errorf("%q", acts)
	}
	if taken, err := w.store.Decisions(t.Context(), w.db, id); err != nil || len(taken) != 6 || taken[3].Action != pmcc.Remove || taken[3].Actor != "paulo" {
		t.Errorf("%+v, %v", taken, err)
	}
	w.consistent()
}

func TestADecisionThatIsWrongLeavesNothing(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.deliver(line{maria, "receita/1 2020-01-01 name=Maria_da_Silva"})
	id := w.byCPF(maria).ID
	before := w.everything()
	for _, tc := range []struct {
		d   registry.Decision
		err error
	}{
		{registry.Decision{Person: id, Action: pmcc.Set, Field: "cpf", Text: "11144477735"}, registry.ErrDocument},
		{registry.Decision{Person: id, Action: pmcc.Remove, Field: "cnpj"}, registry.ErrDocument},
		{registry.Decision{Person: id, Action: pmcc.Set, Field: "benefit", Text: "x"}, registry.ErrField},
		{registry.Decision{Person: id, Action: pmcc.Set, Field: "shoe_size", Text: "40"}, registry.ErrField},
		{registry.Decision{Person: id, Action: pmcc.Set, Field: "name", Text: "  "}, registry.ErrRequired},
		{registry.Decision{Person: id, Action: pmcc.Set, Field: "name", Text: "Ana Lima", Reason: "duas\nlinhas"}, registry.ErrReason},
		{registry.Decision{Person: id, Action: pmcc.Set, Field: "name", Text: "Ana Lima", Reason: " \t"}, registry.ErrReason},
		{registry.Decision{Person: id, Action: pmcc.Release, Field: "name"}, registry.ErrNotSet},
		{registry.Decision{Person: id, Action: pmcc.Approve, Field: "name", Record: uuid.New()}, registry.ErrNotPending},
		{registry.Decision{Person: uuid.New(), Action: pmcc.Remove, Field: "name"}, registry.ErrNotFound},
	} {
		if err := w.override(tc.d); !errors.Is(err, tc.err) {
			t.Errorf("%+v: %v", tc.d, err)
		}
	}
	var why *record.Reason
	if err := w.override(registry.Decision{Person: id, Action: pmcc.Set, Field: "birthdate", Text: "31/02/1980"}); !errors.As(err, &why) || why.Field != record.Birthdate {
		t.Errorf("a day that is none: %v", err)
	}
	if acts := w.trail(id); !slices.Equal(w.everything(), before) || len(acts) != 0 {
		t.Errorf("%v %q", w.everything(), acts)
	}
}

func TestWhatWaitsEntersWhenAHumanApproves(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.deliver(line{maria, "saude/1 2020-01-01 name=Maria_da_Silva death=2019-05-05"}, line{joao, "saude/2 2020-01-01 name=Joao_Souza death=2019-06-06"})
	all, err := w.store.Waiting(t.Context(), w.db, uuid.Nil, 10)
	w.must(err)
	if len(all) != 2 || all[0].Field != "death" || all[0].Source != "saude" {
		t.Fatalf("%+v", all)
	}
	mine, err := w.store.Waiting(t.Context(), w.db, w.byCPF(maria).ID, 10)
	w.must(err)
	if texts, err := w.store.Texts(t.Context(), w.db, mine); err != nil || !slices.Equal(texts, []string{"2019-05-05"}) {
		t.Errorf("%q, %v", texts, err)
	}
	answer := registry.Decision{Person: mine[0].Person, Field: "death", Record: mine[0].Record}
	for _, step := range []struct {
		action pmcc.Action
		death  string
	}{{pmcc.Refuse, ""}, {pmcc.Approve, "2019-05-05"}, {pmcc.Refuse, ""}} {
		answer.Action = step.action
		w.must(w.override(answer))
		if got := w.byCPF(maria).Fields["death"].Text; got != step.death {
			t.Errorf("%s: %q", step.action, got)
		}
	}
	if left, err := w.store.Waiting(t.Context(), w.db, uuid.Nil, 10); err != nil || len(left) != 1 || left[0].Person == mine[0].Person {
		t.Errorf("%+v, %v", left, err)
	}
	w.consistent()
}

func TestAnAnswerStaysWithItsRecordWhenAMergeIsUndone(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.deliver(line{maria, "receita/1 2020-01-01 name=Maria_da_Silva"}, line{"", "saude/1 2020-01-01 name=Maria_da_Silva death=2019-05-05"})
	id, other := w.byCPF(maria).ID, w.without()[0]
	stays, err := w.merge(id, other, "carla")
	w.must(err)
	waits, err := w.store.Waiting(t.Context(), w.db, stays, 10)
	w.must(err)
	if len(waits) != 1 {
		t.Fatalf("%+v", waits)
	}
	w.must(w.override(registry.Decision{Person: other, Action: pmcc.Approve, Field: "death", Record: waits[0].Record}))
	if w.byCPF(maria).Fields["death"].Text == "" {
		t.Error("approved of the two who are one, and not there")
	}
	w.tick()
	w.must(w.unmerge(other))
	p, err := w.store.ByID(t.Context(), w.db, other)
	w.must(err)
	if p.Fields["death"].Text != "2019-05-05" || w.byCPF(maria).Fields["death"].Text != "" {
		t.Errorf("%v\n%v", told(p), told(w.byCPF(maria)))
	}
	w.consistent()
}

func TestACitizensEditIsInTheirTrail(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.register(maria, "name=Maria_da_Silva email=maria@example.org")
	w.tick()
	w.say(id, 1, "phone_number=+5541987654321 gender=female")
	if acts := w.trail(id); !slices.Equal(acts, []string{"person registry.update gender phone_number "}) {
		t.Errorf("%q", acts)
	}
}
