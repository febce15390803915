package review_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/record"
	"github.com/loginunico/loginunico/registry/review"
)

// who is somebody as a source writes them.
type who struct{ name, born, mother, phone string }

var (
	otacilia = who{"Otacília Zampieri Kowalczuk", "1958-05-14", "Perpétua Zampieri", "+5541987654321"}
	cleusa   = who{"Cleusa Zampieri Kowalczuk", "1958-05-14", "Perpétua Zampieri", "+5541987654321"} // her twin
)

// fields are what a source says of somebody.
func (p who) fields(source string) registry.Fields {
	f := registry.Fields{}
	for name, text := range map[string]string{"name": p.name, "birthdate": p.born, "mother_name": p.mother, "phone_number": p.phone} {
		if text != "" {
			f[name] = registry.Value{Text: text, Source: source}
		}
	}
	return f
}

// add creates a person from one source's record; cpf may be "".
func (w *town) add(p who, source, cpf string) registry.PersonID {
	w.t.Helper()
	return w.addIn(w.db, p, source, cpf)
}

// addIn is add in a transaction.
func (w *town) addIn(db pg.DB, p who, source, cpf string) registry.PersonID {
	w.t.Helper()
	made, err := w.store.Create(context.Background(), db, registry.Person{CPF: brdoc.CPF(cpf), Fields: p.fields(source)}, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return made.ID
}

// file files a record as a load does, under the CPF where there is one.
func (w *town) file(p who, source, key, cpf string) error {
	d, err := w.store.Digester(context.Background(), w.db)
	if err != nil {
		return err
	}
	return w.fileAll(w.incoming(d, p, source, key, cpf))
}

// incoming is the record of a delivery.
func (w *town) incoming(d registry.Digester, p who, source, key, cpf string) registry.Incoming {
	values := []record.Value{{Field: record.Name, Text: []byte(p.name)}, {Field: record.Birthdate, Text: []byte(p.born)},
		{Field: record.MotherName, Text: []byte(p.mother)}, {Field: record.Phone, Text: []byte(p.phone)}}
	in := registry.Incoming{Source: source, Key: d.Key(source, []byte(key))}
	if cpf != "" {
		in.Document = registry.DocumentKeys(w.box, cpf)[0]
		values = append(values, record.Value{Field: record.CPF, Text: []byte(cpf)})
	}
	record.Sort(values)
	in.Content = record.Begin(nil, 0, time.Now())
	for _, v := range values {
		in.Content = in.Content.Append(v)
	}
	in.Digest = d.Content(in.Content)
	return in
}

// fileAll files records in one chunk.
func (w *town) fileAll(records ...registry.Incoming) error {
	bulk, err := w.store.NewBulk(context.Background(), w.db, time.Now)
	if err != nil {
		return err
	}
	_, err = bulk.File(context.Background(), registry.Chunk{Load: uuid.New(), Records: records})
	return err
}

// account lets a person sign in.
func (w *town) account(id registry.PersonID) {
	w.t.Helper()
	if _, err := w.db.Exec(context.Background(), `INSERT INTO password (person_id, hash, changed_at) VALUES ($1, '$argon2id$x', now())`, id); err != nil {
		w.t.Fatal(err)
	}
}

// of reads a person's values and who stands for them.
func (w *town) of(id registry.PersonID) registry.Person {
	w.t.Helper()
	p, err := w.store.ByID(context.Background(), w.db, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *town) root(id registry.PersonID) (root registry.PersonID) {
	w.t.Helper()
	if err := w.db.QueryRow(context.Background(), `SELECT coalesce(merged_into, id) FROM person WHERE id = $1`, id).Scan(&root); err != nil {
		w.t.Fatal(err)
	}
	return root
}

func (w *town) count(sql string, args ...any) (n int) {
	w.t.Helper()
	if err := w.db.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *town) waiting() []review.Waiting {
	w.t.Helper()
	all, err := w.matcher.Waiting(context.Background(), w.db, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// reviewed says whether a pair waits for a human.
func (w *town) reviewed(a, b registry.PersonID) bool {
	for _, x := range w.waiting() {
		if x.A == a && x.B == b || x.A == b && x.B == a {
			return true
		}
	}
	return false
}

// same says how two people differ in what the registry knows of them; "" when in nothing.
func same(a, b registry.Person) string {
	if a.CPF != b.CPF {
		return "CPF"
	}
	if !reflect.DeepEqual(a.Fields, b.Fields) {
		return fmt.Sprintf("%+v and %+v", a.Fields, b.Fields)
	}
	if !reflect.DeepEqual(a.Declared, b.Declared) {
		return fmt.Sprintf("%+v and %+v", a.Declared, b.Declared)
	}
	return ""
}

// numbered is one of many people without anything in common but the city.
func numbered(i int) who {
	syllable := func(k int) string {
		return []string{"Ba", "Ze", "Ri", "Go", "Tu", "Mel", "Fan", "Chi", "Dor", "Wes"}[k%10]
	}
	word := func(k int) string {
		return strings.ToUpper(syllable(k)[:1]) + strings.ToLower(syllable(k)[1:]+syllable(k/10)+syllable(k/3)+syllable(k/7))
	}
	return who{word(i) + " " + word(i*7+3) + " " + word(i*13+5), fmt.Sprintf("19%02d-%02d-%02d", 40+i%50, 1+i%12, 1+i%28), word(i*3+1) + " " + word(i*7+3),
		fmt.Sprintf("+55419%08d", 81000000+i*7919)}
}

var judge = review.Judgement{Actor: "carla", Reason: "documentos conferidos no atendimento"}

func (w *town) merge(a, b registry.PersonID) error {
	_, err := w.matcher.Merge(context.Background(), w.db, a, b, judge, time.Now())
	return err
}

func inTx(w *town, do func(tx pg.Tx) error) {
	w.t.Helper()
	if err := pg.InTx(context.Background(), w.db, do); err != nil {
		w.t.Fatal(err)
	}
}
