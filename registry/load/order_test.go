package load_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/load"
	"github.com/loginunico/loginunico/registry/record"
)

// simple is the mapping of every source of these tests.
const simple = `source: %s
name: A base
encoding: utf-8
key: [ID]
effective: {column: DATE, layout: "2006-01-02"}
invalid_cpf: without_cpf
fields:
  cpf: CPF
  name: NAME
  birthdate: {column: BORN, layout: "2006-01-02"}
  phone_number: PHONE
  mother_name: MOTHER
  death: {column: DEATH, layout: "2006-01-02"}
  complement/saude.unidade: UNIT
`

const simpleHeader = "ID;CPF;NAME;BORN;PHONE;MOTHER;DEATH;UNIT;DATE\n"

// delivery is one file of one source.
type delivery struct{ source, text string }

// base is a registry without files of its own.
func base(t testing.TB) *town {
	t.Helper()
	db := testpg.New(t)
	box, err := secret.Open(t.Context(), db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	return &town{t: t, db: db, box: box, store: registry.NewStore(box), dir: t.TempDir()}
}

// delivered makes a job of deliveries, all in one load.
func (w *town) delivered(all ...delivery) load.Job {
	w.t.Helper()
	job := load.Job{Name: "test", AsOf: today, TempDir: w.t.TempDir(), Now: time.Now, Workers: 2, Chunk: 3}
	for _, d := range all {
		path := filepath.Join(w.t.TempDir(), d.source+".csv")
		if err := os.WriteFile(path, []byte(d.text), 0o600); err != nil {
			w.t.Fatal(err)
		}
		in, err := load.Open(path, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		job.Sources = append(job.Sources, load.Source{Mapping: mapping(w.t, fmt.Sprintf(simple, d.source)), Input: in})
	}
	return job
}

// picture is everybody as they can be seen, without the ids that differ from run to run: each value
// with its source, date, confidence, rule and the content of the record it came from, what waits,
// what the citizen says. People are told apart by all of that, so that two halves of one person are
// not one whole.
func (w *town) picture() (people []string) {
	w.t.Helper()
	ctx := w.t.Context()
	contents := map[uuid.UUID]string{}
	w.eachRecord(func(id uuid.UUID, source string, content record.Content) {
		sum := sha256.Sum256(content)
		contents[id] = source + " " + hex.EncodeToString(sum[:6])
	})
	waiting := map[uuid.UUID][]string{}
	rows, err := w.db.Query(ctx, `SELECT person_id, record_id, field, rule FROM pending_value ORDER BY field, rule`)
	w.must(err)
	for rows.Next() {
		var person, id uuid.UUID
		var field string
		var rule int
		w.must(rows.Scan(&person, &id, &field, &rule))
		waiting[person] = append(waiting[person], fmt.Sprintf("?%s of %s by %d", field, contents[id], rule))
	}
	w.must(rows.Err())
	for _, id := range w.ids(`SELECT id FROM person WHERE merged_into IS NULL`) {
		p, err := w.store.ByID(ctx, w.db, id)
		w.must(err)
		lines := waiting[id]
		for name, v := range p.Fields {
			lines = append(lines, fmt.Sprintf("%s=%s since %s %d by %d, %s", name, v.Text, v.At.Format(time.DateOnly), v.Confidence, v.Rule, contents[v.Record]))
		}
		for name, v := range p.Declared {
			lines = append(lines, fmt.Sprintf("says %s=%s", name, v.Text))
		}
		if len(lines) == 0 {
			continue // all their records turned out to be about others
		}
		slices.Sort(lines)
		people = append(people, strings.Join(lines, "\n\t"))
	}
	slices.Sort(people)
	return people
}

// eachRecord opens every record of the registry; see registry/sealed_records.go for the rows.
func (w *town) eachRecord(do func(id uuid.UUID, source string, content record.Content)) {
	w.t.Helper()
	rows, err := w.db.Query(w.t.Context(), `SELECT person_id, id, content FROM source_record UNION ALL SELECT id, id, content FROM first_record`)
	w.must(err)
	for rows.Next() {
		var person, id uuid.UUID
		var sealed []byte
		w.must(rows.Scan(&person, &id, &sealed))
		plain, err := w.box.Class(secret.Record).Open(sealed, append(person[:], id[:]...))
		w.must(err)
		var sources []string
		for rest, left := plain[1:], uint64(0); len(rest) > 0; id[15]++ {
			source := 0
			if plain[0] == 2 {
				if left == 0 { // the next person
					n, size := binary.Uvarint(rest[16:])
					left, rest = n, rest[16+size:]
				}
				source, rest, left = int(rest[0]), rest[1:], left-1
			}
			if source == 0 {
				var name []byte
				name, rest = cut(rest)
				sources = append(sources, string(name))
				source = len(sources)
			}
			var content []byte
			content, rest = cut(rest[8:])
			do(id, sources[source-1], content)
		}
	}
	w.must(rows.Err())
}

func cut(b []byte) (piece, rest []byte) {
	n, size := binary.Uvarint(b)
	return b[size : size+int(n)], b[size+int(n):]
}

// recordsBy counts the records of each source, without those that only say that another is void.
func (w *town) recordsBy() map[string]int {
	w.t.Helper()
	n := map[string]int{}
	w.eachRecord(func(_ uuid.UUID, source string, content record.Content) {
		if !content.IsVoid() {
			n[source]++
		}
	})
	return n
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) ids(sql string, args ...any) (ids []registry.PersonID) {
	w.t.Helper()
	rows, err := w.db.Query(w.t.Context(), sql, args...)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		ids = append(ids, uuid.Nil)
		w.must(rows.Scan(&ids[len(ids)-1]))
	}
	w.must(rows.Err())
	return ids
}

func (w *town) count(sql string, args ...any) (n int) {
	w.t.Helper()
	w.must(w.db.QueryRow(w.t.Context(), sql, args...).Scan(&n))
	return n
}

// whole checks what must hold of any registry after loads: nobody is half there, no CPF has two
// people, no version of a record is filed twice, and what everybody holds is what their records give.
func (w *town) whole() {
	w.t.Helper()
	for what, sql := range map[string]string{
		"documents that lead to nobody":     `SELECT count(*) FROM cpf_index i WHERE NOT EXISTS (SELECT FROM person p WHERE p.id = i.person_id)`,
		"records of nobody":                 `SELECT count(*) FROM source_record r WHERE NOT EXISTS (SELECT FROM person p WHERE p.id = r.person_id)`,
		"first records of nobody":           `SELECT count(*) FROM first_record f WHERE NOT EXISTS (SELECT FROM person p WHERE p.began_with = f.id)`,
		"people of whom nothing was filed":  `SELECT count(*) FROM person p WHERE NOT EXISTS (SELECT FROM source_record r WHERE r.person_id = p.id) AND NOT EXISTS (SELECT FROM first_record f WHERE f.id = p.began_with)`,
		"documented people nobody can find": `SELECT count(*) FROM person p WHERE NOT undocumented AND NOT EXISTS (SELECT FROM cpf_index i WHERE i.person_id = p.id)`,
		"values that wait of nobody":        `SELECT count(*) FROM pending_value v WHERE NOT EXISTS (SELECT FROM (SELECT id FROM source_record UNION ALL SELECT id FROM first_record) r WHERE uuid_send(r.id) = overlay(uuid_send(v.record_id) PLACING '\x00' FROM 16))`,
		"records filed twice in one load":   `SELECT count(*) FROM (SELECT 1 FROM record_key k JOIN person p ON p.id = k.person_id JOIN (SELECT person_id, id, load_id FROM source_record UNION ALL SELECT NULL, id, load_id FROM first_record) r ON r.person_id = p.id OR r.id = p.began_with WHERE filed = ('x' || left(replace(r.id::text, '-', ''), 16))::bit(64)::bigint AND digest IS NOT NULL GROUP BY p.id, key, digest, load_id HAVING count(*) > 1) d`,
		"chunks counted twice":              `SELECT count(*) FROM (SELECT 1 FROM registry_load_chunk GROUP BY load_id, chunk HAVING count(*) > 1) d`,
	} {
		if n := w.count(sql); n != 0 {
			w.t.Errorf("%d %s", n, what)
		}
	}
	seen := map[brdoc.CPF]bool{}
	for _, id := range w.ids(`SELECT id FROM person WHERE merged_into IS NULL`) {
		held, err := w.store.ByID(w.t.Context(), w.db, id)
		w.must(err)
		if seen[held.CPF] && held.CPF != "" {
			w.t.Error("a CPF has two people")
		}
		seen[held.CPF] = true
		given, err := w.store.AsOf(w.t.Context(), w.db, id, time.Now().Add(time.Hour))
		w.must(err)
		if fmt.Sprint(held.Fields) != fmt.Sprint(given.Fields) {
			w.t.Errorf("somebody holds %v; their records give %v", held.Fields, given.Fields)
		}
	}
}

// alike fails with the first people of whom two pictures differ.
func alike(t testing.TB, what string, want, got []string) {
	t.Helper()
	if slices.Equal(want, got) {
		return
	}
	shown := 0
	for _, pair := range []struct {
		word      string
		all, none []string
	}{{"only then", want, got}, {"only now", got, want}} {
		for _, person := range pair.all {
			if _, there := slices.BinarySearch(pair.none, person); !there && shown < 6 {
				shown++
				t.Errorf("%s: %s\n\t%s", what, pair.word, person)
			}
		}
	}
	t.Errorf("%s: %d people, and %d", what, len(want), len(got))
}

// person is somebody whom sources know.
type citizen struct {
	cpf         brdoc.CPF
	name, born  string
	wrongFirst  brdoc.CPF // what one source had until a later delivery corrected it
	mistaken    int       // that source
	withoutInto int       // the delivery from which on a source knows the CPF
}

// deliveries invents a few of overlapping sources about the same people: without CPF at first,
// corrected, changed, left out, with lines twice. Of one record no two versions have one date.
func deliveries(r *rand.Rand, n, people int) (all []delivery) {
	sources := []string{"saude", "fazenda", "assistencia", "receita"}
	numbers := validCPFs(r, 2*people)
	citizens := make([]citizen, people)
	for i := range citizens {
		citizens[i] = citizen{cpf: numbers[i], name: fmt.Sprintf("Ana %c Lima", 'A'+r.IntN(26)), born: fmt.Sprintf("19%02d-05-14", 40+r.IntN(60)), mistaken: r.IntN(4),
			withoutInto: r.IntN(n + 2)}
		if r.IntN(6) == 0 {
			citizens[i].wrongFirst = numbers[people+i]
		}
	}
	for d := range n {
		source := r.IntN(len(sources))
		var b strings.Builder
		b.WriteString(simpleHeader)
		var lines []string
		for i, c := range citizens {
			if r.IntN(3) == 0 {
				continue
			}
			cpf := c.cpf.Digits()
			switch {
			case c.wrongFirst != "" && source == c.mistaken && d < n/2:
				cpf = c.wrongFirst.Digits()
			case i%5 == 0 && d < c.withoutInto:
				cpf = ""
			}
			maybe := func(text string) string {
				if r.IntN(3) == 0 {
					return ""
				}
				return text
			}
			line := fmt.Sprintf("%d;%s;%s;%s;%s;%s;%s;%s;20%02d-%02d-01\n", i, cpf, strings.ToUpper(c.name)[:8+r.IntN(3)], maybe(c.born),
				maybe(fmt.Sprintf("+55419%08d", r.IntN(100_000_000))), maybe([]string{"Eva Lima", "Iva Lima", "NAO CONSTA"}[r.IntN(3)]),
				maybe(maybe([]string{"2025-03-03", "2025-04-04", ""}[r.IntN(3)])), maybe(fmt.Sprintf("UBS %d", r.IntN(3))), 10+r.IntN(3)*n+d, 1+r.IntN(9))
			lines = append(lines, line)
			if r.IntN(10) == 0 {
				lines = append(lines, line)
			}
		}
		r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		b.WriteString(strings.Join(lines, ""))
		all = append(all, delivery{sources[source], b.String()})
	}
	return all
}

// permutations of 0 … n-1.
func permutations(n int) (all [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for _, p := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(p), at, n-1))
		}
	}
	return all
}

func validCPFs(r *rand.Rand, n int) []brdoc.CPF {
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

func TestAnyOrderOfTheSameLoadsGivesTheSamePeople(t *testing.T) {
	t.Parallel()

	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 156))
		all := deliveries(r, 3+int(seed)%2, 25)
		orders := permutations(len(all))
		if len(orders) > 8 {
			r.Shuffle(len(orders)-1, func(i, j int) { orders[i+1], orders[j+1] = orders[j+1], orders[i+1] })
			orders = orders[:8]
		}
		var want []string
		for n, order := range orders {
			w := base(t)
			for _, d := range order {
				w.run(w.delivered(all[d]))
			}
			w.whole()
			got := w.picture()
			if n == 0 {
				want = got
				continue
			}
			alike(t, fmt.Sprintf("seed %d, %v and then %v", seed, orders[0], order), want, got)
			if t.Failed() {
				return
			}
		}
	}
}
