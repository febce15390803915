package registry_test

import (
	"testing"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

// attest files what gov.br says of the person of a CPF.
func (w *world) attest(cpf brdoc.CPF, fields map[string]string) registry.Person {
	w.t.Helper()
	now := w.tick()
	all := registry.Fields{}
	for name, text := range fields {
		v := registry.Value{Text: text}
		if name == "email" {
			v.Confirmed = &now
		}
		all[name] = v
	}
	w.must(w.tx(func(tx pg.Tx) error {
		return w.store.Attest(w.t.Context(), tx, w.byCPF(cpf), registry.SourceGovBR, all, now)
	}))
	return w.byCPF(cpf)
}

func (w *world) records(id registry.PersonID) (n int) {
	w.t.Helper()
	w.must(w.db.QueryRow(w.t.Context(), `SELECT count(*) FROM source_record WHERE person_id = $1`, id).Scan(&n))
	return n
}

const attested = brdoc.CPF("52998224725")

func TestWhatGovBRSaysIsSeenByTheHolderAndFillsWhatTheyDidNotSay(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.register(attested, "name=Maria_S email=minha@example.org")
	p := w.attest(attested, map[string]string{"name": "Maria Aparecida da Silva", "email": "govbr@example.org", "phone_number": "+5541987654321"})
	for name, want := range map[string]registry.Value{"name": {Text: "Maria Aparecida da Silva", Source: registry.SourceGovBR}, // it is proven
		"email":        {Text: "minha@example.org", Source: registry.SourceSelf},
		"phone_number": {Text: "+5541987654321", Source: registry.SourceGovBR}} {
		if got := p.Seen(2).Fields[name]; got.Text != want.Text || got.Source != want.Source {
			t.Errorf("%s is %q by %s", name, got.Text, got.Source)
		}
	}
	w.say(p.ID, 2, "phone_number=+5541911111111")
	if got := w.byCPF(attested).Declared["phone_number"]; got.Text != "+5541911111111" || got.Source != registry.SourceSelf {
		t.Errorf("the holder's own word: %+v", got)
	}
	w.consistent()
}

func TestWhatGovBRSaysAgainIsWrittenOnceAndReplaced(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.register(attested, "")
	same := map[string]string{"name": "Maria Aparecida da Silva", "email": "a@example.org"}
	p := w.attest(attested, same)
	n := w.records(p.ID)
	w.attest(attested, same)
	if again := w.records(p.ID); again != n {
		t.Errorf("%d records, and %d after the same words", n, again)
	}
	p = w.attest(attested, map[string]string{"name": "Maria Aparecida Souza"})
	if p.Declared["name"].Text != "Maria Aparecida Souza" || p.Declared["email"].Text != "" {
		t.Errorf("%+v", p.Declared)
	}
	w.consistent()
}

func TestThePolicyDecidesBetweenGovBRAndTheBases(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.deliver(line{attested, "receita/1 2020-01-01 name=Maria_Aparecida_da_Silva"})
	p := w.attest(attested, map[string]string{"name": "Maria Silva"})
	if got := p.Fields["name"]; got.Source != "receita" {
		t.Errorf("the city knows %q by %s", got.Text, got.Source)
	}
	if got := p.Seen(2).Fields["name"]; got.Text != "Maria Silva" {
		t.Errorf("the holder sees %q", got.Text)
	}
}

func TestWhatWasBroughtFromGovBRLeavesWithItsHolderAndIsNeverTheirOwnWord(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.register(attested, "name=Maria_S")
	p := w.attest(attested, map[string]string{"name": "Maria Aparecida da Silva", "email": "govbr@example.org"})
	w.must(w.tx(func(tx pg.Tx) error { return w.store.Vouch(t.Context(), tx, p, 3, w.tick()) }))
	if got := w.byCPF(attested).Declared["email"]; got.Source != registry.SourceGovBR {
		t.Errorf("vouched for, the mail is by %s", got.Source)
	}
	w.tick()
	w.forget(id)
	if p := w.byCPF(attested); len(p.Declared) > 1 || p.Fields["email"].Text != "" || p.CPF != attested {
		t.Errorf("what stays: %+v", p)
	}
	w.tick()
	if p := w.attest(attested, map[string]string{"name": "Maria Aparecida da Silva"}); p.Seen(2).DisplayName() != "Maria Aparecida da Silva" {
		t.Errorf("brought again: %+v", p.Declared)
	}
	w.consistent()
}
