package registry_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

var paulo = audit.Actor{Kind: audit.Operator, ID: "paulo"}

const (
	maria brdoc.CPF = "52998224725"
	joao  brdoc.CPF = "11144477735"
	ana   brdoc.CPF = "39053344705"
)

// policyOf is the default with another version and, in pairs, other texts.
func policyOf(t *testing.T, version int, changes ...string) []byte {
	t.Helper()
	text := strings.Replace(string(pmcc.DefaultYAML()), "version: 1\n", fmt.Sprintf("version: %d\n", version), 1)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			t.Fatalf("the policy has no %q", changes[i])
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	return []byte(text)
}

// deathBySaude lets the health department's word on a death in without a human.
var deathBySaude = []string{"include: [receita, desk, {source: saude, human: true}]", "include: [receita, desk, saude]"}

// noFazenda takes from fazenda the right to say names.
var noFazenda = []string{"include: [receita, desk, icp, govbr, saude, assistencia, educacao, habitacao, fazenda, empresas, self]\n    change: [receita, desk, saude",
	"include: [receita, desk, icp, govbr, saude, assistencia, educacao, habitacao, empresas, self]\n    change: [receita, desk, saude"}

func (w *world) apply(text []byte) (changed bool, err error) {
	err = w.tx(func(tx pg.Tx) error {
		_, changed, err = w.store.ApplyPolicy(w.t.Context(), tx, "policy.yaml", text, paulo, w.clock.Now())
		return err
	})
	return changed, err
}

// put applies a policy that is a new version.
func (w *world) put(text []byte) {
	w.t.Helper()
	changed, err := w.apply(text)
	w.must(err)
	if !changed {
		w.t.Fatal("the version is in force already")
	}
}

func (w *world) recompute() int64 {
	w.t.Helper()
	n, err := w.store.Recompute(w.t.Context(), w.db, 2, w.clock.Now, nil)
	w.must(err)
	return n
}

func TestAVersionOfThePolicyIsNeverChanged(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	for _, tc := range []struct {
		what    string
		text    []byte
		changed bool
		err     error
	}{
		{"the default, which is in force", pmcc.DefaultYAML(), false, nil},
		{"another text of its version", policyOf(t, 1, deathBySaude...), false, registry.ErrPolicyVersion},
		{"the next version", policyOf(t, 3), true, nil},
		{"the same again", policyOf(t, 3), false, nil},
		{"another text of that version", policyOf(t, 3, deathBySaude...), false, registry.ErrPolicyVersion},
		{"an elder version", policyOf(t, 2), false, registry.ErrPolicyVersion},
		{"a higher one", policyOf(t, 7, deathBySaude...), true, nil},
	} {
		if changed, err := w.apply(tc.text); changed != tc.changed || !errors.Is(err, tc.err) {
			t.Errorf("%s: changed %v, %v", tc.what, changed, err)
		}
		w.tick()
	}
	for version, want := range map[int][]byte{0: policyOf(t, 7, deathBySaude...), 1: pmcc.DefaultYAML(), 3: policyOf(t, 3)} {
		if text, err := w.store.PolicyText(t.Context(), w.db, version); err != nil || string(text) != string(want) {
			t.Errorf("version %d: %v", version, err)
		}
	}
	if _, err := w.store.PolicyText(t.Context(), w.db, 2); !errors.Is(err, registry.ErrNoPolicy) {
		t.Errorf("version 2: %v", err)
	}
}

func TestOfManyWhoApplyAVersionOneDoes(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	var won atomic.Int32
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			changed, err := w.apply(policyOf(t, 2, "title: Política", fmt.Sprintf("title: %d Política", n)))
			if changed {
				won.Add(1)
			}
			if !changed && !errors.Is(err, registry.ErrPolicyVersion) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d won", won.Load())
	}
}

// town has people about whom the policies of these tests differ.
func town(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.deliver(
		line{maria, "saude/1 2020-01-01 name=Maria_da_Silva death=2019-05-05"},
		line{joao, "fazenda/1 2020-01-01 name=Joao_Souza"},
		line{ana, "fazenda/2 2020-01-01 name=Ana_Ferreira"}, line{ana, "saude/3 2019-01-01 name=Anna_Ferreira"},
		line{"", "saude/4 2020-01-01 name=Jose_Lima death=2018-01-01"})
	w.tick()
	return w
}

func TestTryingAPolicySaysWhatApplyingItDoes(t *testing.T) {
	t.Parallel()

	w := town(t)
	before := w.everything()
	next := policyOf(t, 2, append(deathBySaude, noFazenda...)...)
	policy, err := pmcc.Parse("next", next)
	w.must(err)
	effect, err := w.store.Try(t.Context(), w.db, pmcc.Default(), policy, 0, 2, nil)
	w.must(err)
	if now := w.everything(); !slices.Equal(now, before) {
		t.Errorf("trying wrote:\n%s", strings.Join(now, "\n"))
	}
	if effect.People != 4 || effect.Changed != 3 {
		t.Errorf("%+v", effect)
	}
	death, name := effect.Fields[record.Death], effect.Fields[record.Name]
	if death == nil || death.Come != 2 || death.Settled != 2 || death.Sources["nobody → saude"] != 2 {
		t.Errorf("death: %+v", death)
	}
	if name == nil || name.Go != 1 || name.Sources["fazenda → nobody"] != 1 || name.Come+name.Change+name.Moved != 0 {
		t.Errorf("name: %+v", name)
	}
	if sampled, err := w.store.Try(t.Context(), w.db, pmcc.Default(), policy, 2, 1, nil); err != nil || sampled.People != 2 {
		t.Errorf("a sample: %+v, %v", sampled, err)
	}
	w.put(next)
	if n := w.recompute(); n != 4 {
		t.Errorf("%d computed", n)
	}
	if p := w.byCPF(maria); p.Fields["death"].Text != "2019-05-05" || p.Policy != 2 {
		t.Errorf("%+v", p)
	}
	if p := w.byCPF(joao); p.Fields["name"].Text != "" {
		t.Errorf("%+v", p)
	}
	w.consistent()
}

func TestRecomputingGoesOnWithWhomItLeft(t *testing.T) {
	t.Parallel()

	w := town(t)
	w.put(policyOf(t, 2, deathBySaude...))
	w.deliver(line{maria, "saude/1 2021-01-01 name=Maria_da_Silva"})
	if p := w.byCPF(maria); p.Policy != 2 {
		t.Errorf("a load that began under version 1 goes by %d", p.Policy)
	}
	if n := w.recompute(); n != 3 {
		t.Errorf("%d were left", n)
	}
	if n := w.recompute(); n != 0 {
		t.Errorf("%d computed twice", n)
	}
}

func TestALookAtThePastGoesByThePolicyOfThen(t *testing.T) {
	t.Parallel()

	w := town(t)
	then, before := w.clock.Now(), told(w.byCPF(maria))
	w.tick()
	w.put(policyOf(t, 2, deathBySaude...))
	w.recompute()
	now := w.byCPF(maria)
	if slices.Equal(told(now), before) {
		t.Fatal("the policy changed nothing")
	}
	past, err := w.store.AsOf(t.Context(), w.db, now.ID, then)
	w.must(err)
	if !slices.Equal(told(past), before) {
		t.Errorf("then %v\nnow as of then %v", before, told(past))
	}
}

func TestTheDefaultIsWrittenDownOnceAndCountsSinceEver(t *testing.T) {
	t.Parallel()

	w := town(t)
	then, before := w.clock.Now(), told(w.byCPF(maria))
	w.tick()
	for range 2 {
		w.must(w.store.KeepPolicy(t.Context(), w.db))
	}
	var kept string
	w.must(w.db.QueryRow(t.Context(), `SELECT policy FROM pmcc_version`).Scan(&kept))
	past, err := w.store.AsOf(t.Context(), w.db, w.byCPF(maria).ID, then)
	w.must(err)
	if kept != string(pmcc.DefaultYAML()) || !slices.Equal(told(past), before) {
		t.Errorf("then %v\nnow as of then %v", before, told(past))
	}
	w.put(policyOf(t, 2, deathBySaude...))
	w.must(w.store.KeepPolicy(t.Context(), w.db))
	if policy, err := w.store.Policy(t.Context(), w.db, w.clock.Now()); err != nil || policy.Version != 2 {
		t.Errorf("%v, %v", policy, err)
	}
}
