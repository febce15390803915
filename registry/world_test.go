package registry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/record"
	"github.com/loginunico/loginunico/registry/trust"
)

// world is a registry whose time the test moves.
type world struct {
	t     *testing.T
	db    *pg.Pool
	box   *secret.Box
	store *registry.Store
	bulk  *registry.Bulk
	clock *testclock.Clock
	ids   record.IDs
	load  uuid.UUID
	chunk int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, db: testpg.New(t), clock: testclock.At("2026-11-21T12:00:00Z"), load: pg.NewID()}
	var err error
	if w.box, err = secret.Open(t.Context(), w.db, secret.KEK{}); err != nil {
		t.Fatal(err)
	}
	w.store = registry.NewStore(w.box)
	if w.bulk, err = w.store.NewBulk(t.Context(), w.db, w.clock.Now); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tx(fn func(tx pg.Tx) error) error { return pg.InTx(w.t.Context(), w.db, fn) }

// tick moves the clock; every step of a test has a second of its own.
func (w *world) tick() time.Time { return w.clock.Advance(time.Second) }

// line is one record of a source: "saude/7 2020-01-01 name=Ana_Lima" of a CPF, or of none.
type line struct {
	cpf  brdoc.CPF
	text string
}

// deliver files records as one chunk of a load.
func (w *world) deliver(lines ...line) registry.Tally {
	w.t.Helper()
	tally, err := w.bulk.File(w.t.Context(), w.chunkOf(lines...))
	w.must(err)
	return tally
}

func (w *world) chunkOf(lines ...line) registry.Chunk {
	w.t.Helper()
	d, err := w.store.Digester(w.t.Context(), w.db)
	w.must(err)
	w.chunk++
	c := registry.Chunk{Load: w.load, Number: w.chunk}
	for n, l := range lines {
		words := strings.Fields(l.text)
		source, key, _ := strings.Cut(words[0], "/")
		day, err := time.Parse(time.DateOnly, words[1])
		w.must(err)
		in := registry.Incoming{Source: source, Key: d.Key(source, []byte(key)), Line: int64(n), Content: record.Begin(nil, 0, day)}
		if l.cpf != "" {
			words = append(words, "cpf="+l.cpf.Digits())
			in.Document = registry.DocumentKeys(w.box, l.cpf.Digits())[0]
		}
		for _, v := range valuesOf(w.t, words[2:]) {
			in.Content = in.Content.Append(v)
		}
		in.Digest = d.Content(in.Content)
		c.Records = append(c.Records, in)
	}
	slices.SortFunc(c.Records, func(a, b registry.Incoming) int { return a.Compare(&b) })
	return c
}

func valuesOf(t testing.TB, words []string) (values []record.Value) {
	t.Helper()
	for _, word := range words {
		name, text, _ := strings.Cut(word, "=")
		f, key, ok := record.Parse(name)
		if !ok {
			t.Fatalf("no field: %s", word)
		}
		values = append(values, record.Value{Field: f, Key: []byte(key), Text: []byte(strings.ReplaceAll(text, "_", " "))})
	}
	record.Sort(values)
	return values
}

// fields reads "name=Ana_Lima birthdate=1990-01-01".
func fields(text string) registry.Fields {
	f := registry.Fields{}
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		f[name] = registry.Value{Text: strings.ReplaceAll(value, "_", " ")}
	}
	return f
}

// register makes the record of a citizen whom the city did not know.
func (w *world) register(cpf brdoc.CPF, text string) registry.PersonID {
	w.t.Helper()
	p, err := w.store.Create(w.t.Context(), w.db, registry.Person{CPF: cpf, Fields: fields(text)}, w.clock.Now())
	w.must(err)
	return p.ID
}

// say is an edit of the citizen.
func (w *world) say(id registry.PersonID, level int, text string) {
	w.t.Helper()
	w.must(w.tx(func(tx pg.Tx) error {
		return w.store.Update(w.t.Context(), tx, id, fields(text), level, w.clock.Now())
	}))
}

func (w *world) merge(a, b registry.PersonID, actor string) (stays registry.PersonID, err error) {
	err = w.tx(func(tx pg.Tx) error {
		stays, err = w.store.Merge(w.t.Context(), tx, a, b, actor, "test", nil, w.clock.Now())
		return err
	})
	return stays, err
}

func (w *world) unmerge(goes registry.PersonID) error {
	return w.tx(func(tx pg.Tx) error {
		return w.store.Unmerge(w.t.Context(), tx, goes, "carla", "test", w.clock.Now())
	})
}

// decide sets or removes a field by hand; the next computation sees it.
func (w *world) decide(id registry.PersonID, action, field, text string) {
	w.t.Helper()
	row := w.ids.At(w.clock.Now())
	var value []byte
	if action == "set" {
		value = w.box.Class(secret.Record).Seal([]byte(text), append(id[:], row[:]...))
	}
	_, err := w.db.Exec(w.t.Context(), `
		INSERT INTO person_override (person_id, id, action, field, value, actor, reason)
		VALUES ($1, $2, $3, $4, $5, 'paulo', 'test')`, id, row, action, field, value)
	w.must(err)
	w.say(id, 1, "") // computes
}

func (w *world) byCPF(cpf brdoc.CPF) registry.Person {
	w.t.Helper()
	p, err := w.store.ByCPF(w.t.Context(), w.db, cpf)
	w.must(err)
	return p
}

// without is the one person who has no document.
func (w *world) without() (ids []registry.PersonID) {
	w.t.Helper()
	w.each(`SELECT id FROM person WHERE undocumented ORDER BY id`, func(row func(...any) error) error {
		var id registry.PersonID
		ids = append(ids, id)
		return row(&ids[len(ids)-1])
	})
	return ids
}

func (w *world) each(sql string, fn func(scan func(...any) error) error, args ...any) {
	w.t.Helper()
	rows, err := w.db.Query(w.t.Context(), sql, args...)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		w.must(fn(rows.Scan))
	}
	w.must(rows.Err())
}

// root is who stands for a person.
func (w *world) root(id registry.PersonID) (root registry.PersonID) {
	w.t.Helper()
	w.must(w.db.QueryRow(w.t.Context(), `SELECT coalesce(merged_into, id) FROM person WHERE id = $1`, id).Scan(&root))
	return root
}

// told is all that a person is: each value with its provenance, and what they say.
func told(p registry.Person) (lines []string) {
	for kind, all := range map[string]registry.Fields{"": p.Fields, "says ": p.Declared} {
		for name, v := range all {
			confirmed := ""
			if v.Confirmed != nil {
				confirmed = v.Confirmed.UTC().String()
			}
			lines = append(lines, fmt.Sprintf("%s%s=%s %s %s %s %s rule %d %d", kind, name, v.Text, v.Source, v.At.UTC().Format(time.DateOnly), confirmed, v.Record, v.Rule, v.Confidence))
		}
	}
	slices.Sort(lines)
	return append(lines, fmt.Sprintf("%s %s %s policy %d", p.ID, p.CPF.Digits(), p.CNPJ.Text(), p.Policy))
}

// everything is the whole registry as it can be seen: who there is, what they are, who stands for
// whom, where the documents lead, what waits, which evidence lives.
func (w *world) everything() (lines []string) {
	w.t.Helper()
	ctx := w.t.Context()
	var roots []registry.PersonID
	w.each(`SELECT id, coalesce(merged_into, id), undocumented FROM person ORDER BY id`, func(scan func(...any) error) error {
		var id, into registry.PersonID
		var undocumented bool
		err := scan(&id, &into, &undocumented)
		if lines = append(lines, fmt.Sprintf("%s is %s, undocumented %v", id, into, undocumented)); id == into {
			roots = append(roots, id)
		}
		return err
	})
	for _, id := range roots {
		p, err := w.store.ByID(ctx, w.db, id)
		w.must(err)
		lines = append(lines, told(p)...)
		evidence, err := trust.Of(ctx, w.db, id)
		w.must(err)
		lines = append(lines, fmt.Sprintf("%s level %d by %d", id, trust.Level(evidence, w.clock.Now()), len(evidence)))
	}
	for _, sql := range []string{
		`SELECT index::text || ' leads to ' || person_id FROM found_person ORDER BY 1`,
		`SELECT person_id || ' waits for ' || field || ' of ' || record_id || ' by ' || rule FROM pending_value ORDER BY 1`,
	} {
		w.each(sql, func(scan func(...any) error) error {
			lines = append(lines, "")
			return scan(&lines[len(lines)-1])
		})
	}
	return lines
}

// consistent checks that what the registry holds of everybody is what their records give.
func (w *world) consistent() {
	w.t.Helper()
	w.each(`SELECT id FROM person WHERE merged_into IS NULL`, func(scan func(...any) error) error {
		var id registry.PersonID
		if err := scan(&id); err != nil {
			return err
		}
		held, err := w.store.ByID(w.t.Context(), w.db, id)
		w.must(err)
		given, err := w.store.AsOf(w.t.Context(), w.db, id, w.clock.Now().Add(time.Hour))
		w.must(err)
		if !slices.Equal(told(held), told(given)) {
			same(w.t, "held, but not what the records give", told(given), told(held))
		}
		return nil
	})
}

// same fails with what is different.
func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if slices.Equal(want, got) {
		return
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s: was   %s", what, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s: is now %s", what, line)
		}
	}
}

// cpfs are n different valid ones.
func cpfs(r *rand.Rand, n int) []brdoc.CPF {
	all := make([]brdoc.CPF, 0, n)
	for len(all) < n {
		digits := fmt.Sprintf("%09d", r.IntN(1_000_000_000))
		for range 2 {
			sum := 0
			for i, c := range digits {
				sum += int(c-'0') * (len(digits) + 1 - i)
			}
			digits += fmt.Sprint((sum * 10 % 11) % 10)
		}
		if cpf, err := brdoc.ParseCPF(digits); err == nil && !slices.Contains(all, cpf) {
			all = append(all, cpf)
		}
	}
	return all
}

// atOnce runs every function in a goroutine of its own and returns when all have.
func atOnce(ctx context.Context, t *testing.T, fns ...func(ctx context.Context) error) {
	t.Helper()
	done := make(chan error)
	for _, fn := range fns {
		go func() { done <- fn(ctx) }()
	}
	for range fns {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
