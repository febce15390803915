package registry_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/record"
)

// Of more records than fit into a row, and of one too long for any, all are there again, in the order
// they came in.
func TestRecordsOfOnePersonShareRowsAndComeBackAsTheyWere(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	box, err := secret.Open(t.Context(), db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	store := registry.NewStore(box)
	bulk, err := store.NewBulk(t.Context(), db, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	digester, err := store.Digester(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	document := uuid.New()
	chunk := registry.Chunk{Load: uuid.New()}
	for n := range 600 {
		text := fmt.Sprintf("Maria %d", n)
		if n == 300 {
			text = strings.Repeat("x", 4000)
		}
		c := record.Begin(nil, 0, now.Add(time.Duration(n)*24*time.Hour)).Append(record.Value{Field: record.Complement, Key: fmt.Appendf(nil, "k%03d", n), Text: []byte(text)})
		chunk.Records = append(chunk.Records, registry.Incoming{Document: document, Source: "saude", Key: int64(n + 1), Digest: digester.Content(c), Content: c})
	}
	tally, err := bulk.File(t.Context(), chunk)
	if err != nil || tally.New != 600 || tally.People != 1 {
		t.Fatalf("%+v %v", tally, err)
	}
	var id registry.PersonID
	var rows, largest int
	if err := db.QueryRow(t.Context(), `SELECT p.id, count(*), max(octet_length(r.content)) FROM person p JOIN source_record r ON r.person_id = p.id GROUP BY p.id`).
		Scan(&id, &rows, &largest); err != nil {
		t.Fatal(err)
	}
	if rows < 3 || rows > 60 || largest < 4000 {
		t.Errorf("%d rows, the largest of %d bytes", rows, largest)
	}
	held, err := store.ByID(t.Context(), db, id)
	if err != nil {
		t.Fatal(err)
	}
	given, err := store.AsOf(t.Context(), db, id, time.Now().Add(time.Hour))
	if err != nil || fmt.Sprint(held.Fields) != fmt.Sprint(given.Fields) || len(held.Fields) != 600 {
		t.Fatalf("%d values held, %d given by the records, %v", len(held.Fields), len(given.Fields), err)
	}
	var before uuid.UUID
	for n := range 600 {
		v := held.Fields[fmt.Sprintf("complement/k%03d", n)]
		if bytes.Compare(before[:], v.Record[:]) >= 0 {
			t.Fatalf("record %d: %s does not follow %s", n, v.Record, before)
		}
		if before = v.Record; v.At != now.Add(time.Duration(n)*24*time.Hour) {
			t.Fatalf("record %d: since %s", n, v.At)
		}
	}
	chunk.Number = 1
	if again, err := bulk.File(t.Context(), chunk); err != nil || again.Unchanged != 600 || again.Changed != 0 {
		t.Errorf("again: %+v %v", again, err)
	}
}

// People whom a load meets for the first time share rows of records; each has theirs alone, as they
// were, whatever key they are under, and nobody else's, wherever somebody makes the row point.
func TestPeopleMetTogetherShareRowsAndKeepTheirRecordsApart(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	box, err := secret.Open(t.Context(), db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	store := registry.NewStore(box)
	bulk, err := store.NewBulk(t.Context(), db, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	digester, err := store.Digester(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	chunk := registry.Chunk{Load: uuid.New(), Fresh: true}
	for n := range 400 {
		document := uuid.UUID{byte(1 + n/200), byte(n % 200 / 2)} // two records each
		c := record.Begin(nil, 0, now).Append(record.Value{Field: record.Complement, Key: fmt.Appendf(nil, "k%d", n%2), Text: fmt.Appendf(nil, "of %d", n/2)})
		chunk.Records = append(chunk.Records, registry.Incoming{Document: document, Source: "saude", Key: int64(n + 1), Digest: digester.Content(c), Content: c})
	}
	tally, err := bulk.File(t.Context(), chunk)
	if err != nil || tally.New != 400 || tally.People != 200 {
		t.Fatalf("%+v %v", tally, err)
	}
	var rows, own int
	if err := db.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM first_record), (SELECT count(*) FROM source_record)`).Scan(&rows, &own); err != nil {
		t.Fatal(err)
	}
	if rows < 3 || rows > 20 || own != 0 {
		t.Fatalf("%d rows together, %d alone", rows, own)
	}
	if _, err := secret.Rotate(t.Context(), db, secret.KEK{}, secret.Record); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), `UPDATE data_key SET active_from = now() - interval '1 hour', created_at = now() - interval '2 hours' WHERE purpose = 'record'`); err != nil {
		t.Fatal(err)
	}
	if err := box.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := store.Reseal(t.Context(), db); err != nil || n.Records != int64(rows) {
		t.Errorf("resealed %+v of %d rows, %v", n, rows, err)
	}
	texts := func(document uuid.UUID) (string, error) {
		t.Helper()
		var id registry.PersonID
		if err := db.QueryRow(t.Context(), `SELECT person_id FROM cpf_index WHERE index = $1`, document).Scan(&id); err != nil {
			t.Fatal(err)
		}
		p, err := store.AsOf(t.Context(), db, id, time.Now().Add(time.Hour))
		return p.Fields["complement/k0"].Text + ", " + p.Fields["complement/k1"].Text, err
	}
	for n := range 200 {
		got, err := texts(uuid.UUID{byte(1 + n/100), byte(n % 100)})
		if want := fmt.Sprintf("of %d, of %d", n, n); got != want || err != nil {
			t.Errorf("%d has %q, want %q, %v", n, got, want, err)
		}
	}
	if _, err := db.Exec(t.Context(), `UPDATE person SET began_with = (SELECT max(id::text)::uuid FROM first_record)`); err != nil {
		t.Fatal(err)
	}
	if got, err := texts(uuid.UUID{1, 0}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("the first has %q of whoever is in another row, %v", got, err)
	}
}

// The index that a first load leaves away is there again after it, or after whoever needs it first.
func TestTheIndexOfKeysIsAwayForFirstLoadsOnly(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	is := func() (there bool) {
		if err := db.QueryRow(t.Context(), `SELECT to_regclass('record_key_key') IS NOT NULL`).Scan(&there); err != nil {
			t.Fatal(err)
		}
		return there
	}
	if !is() {
		t.Fatal("away from the start")
	}
	first, leave, err := registry.BeginFirst(t.Context(), db)
	if err != nil || is() {
		t.Fatalf("there while a first load runs, %v", err)
	}
	defer leave()
	second, leave, err := registry.BeginFirst(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if err := first(t.Context()); err != nil || is() {
		t.Fatalf("made while another first load runs, %v", err)
	}
	if err := second(t.Context()); err != nil || !is() {
		t.Fatalf("away after the last, %v", err)
	}
	_, leaveKilled, err := registry.BeginFirst(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	leaveKilled()
	if is() {
		t.Fatal("a load that did not end made it")
	}
	leave()
	if err := registry.EnsureKeys(t.Context(), db); err != nil || !is() {
		t.Fatalf("away for whoever needs it, %v", err)
	}
	if _, err := db.Exec(t.Context(), `INSERT INTO record_key (key, filed, person_id) VALUES (1, 1, gen_random_uuid())`); err != nil {
		t.Fatal(err)
	}
	third, _, err := registry.BeginFirst(t.Context(), db)
	if err != nil || !is() {
		t.Fatalf("away though records were filed, %v", err)
	}
	if err := third(t.Context()); err != nil {
		t.Fatal(err)
	}
}
