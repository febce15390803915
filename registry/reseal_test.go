package registry_test

import (
	"errors"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
)

func TestARotatedKeyLeavesNothingBehindAndNobodyUnread(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	box, err := secret.Open(t.Context(), db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	people := registry.NewStore(box)
	cpfs := []brdoc.CPF{"52998224725", "11144477735", "39053344705"}
	for _, cpf := range cpfs {
		p, err := people.Create(t.Context(), db, registry.Person{CPF: cpf, Fields: registry.Fields{"name": {Text: "Maria da Silva"},
			"email": {Text: "maria@example.org"}, "mother_name": {Text: "Aparecida da Silva"}}}, now)
		if err != nil {
			t.Fatal(err)
		}
		err = pg.InTx(t.Context(), db, func(tx pg.Tx) error {
			return people.Update(t.Context(), tx, p.ID, registry.Fields{"phone_number": {Text: "+5541987654321"}}, 1, now.Add(time.Hour))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, purpose := range secret.Classes() {
		if _, err := secret.Rotate(t.Context(), db, secret.KEK{}, purpose); err != nil {
			t.Fatal(err)
		}
	}
	if err := box.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	n, err := people.Reseal(t.Context(), db)
	if err != nil || n.People != 3 || n.Records != 6 {
		t.Fatalf("%+v %v", n, err)
	}
	if again, err := people.Reseal(t.Context(), db); err != nil || again != (registry.Renewed{}) {
		t.Errorf("a second run found %+v, %v", again, err)
	}
	for _, cpf := range cpfs {
		p, err := people.ByCPF(t.Context(), db, cpf)
		if err != nil || p.Fields["name"].Text != "Maria da Silva" || p.Fields["phone_number"].Text != "+5541987654321" {
			t.Errorf("%+v %v", p.Fields, err)
		}
	}
	if _, err := db.Exec(t.Context(), `UPDATE source_record SET load_id = person_id`); err == nil {
		t.Error("a record's load was changed")
	}
	if _, err := db.Exec(t.Context(), `DELETE FROM source_record`); err == nil {
		t.Error("a record was deleted")
	}
}

func TestANewIndexKeyFindsEverybodyBeforeDuringAndAfter(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	box, err := secret.Open(t.Context(), db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	people := registry.NewStore(box)
	if _, err := people.Create(t.Context(), db, registry.Person{CPF: "52998224725"}, now); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.Rotate(t.Context(), db, secret.KEK{}, secret.Index); err != nil {
		t.Fatal(err)
	}
	reload := func(when string) {
		t.Helper()
		if err := box.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := people.ByCPF(t.Context(), db, "52998224725"); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		if _, err := people.Create(t.Context(), db, registry.Person{CPF: "52998224725"}, now); !errors.Is(err, registry.ErrCPFTaken) {
			t.Errorf("%s: a second record of one CPF: %v", when, err)
		}
	}
	reload("while the key waits")
	if n, err := people.Rekey(t.Context(), db); err != nil || n.Documents != 0 {
		t.Errorf("before its time: %+v %v", n, err)
	}
	if _, err := db.Exec(t.Context(), `UPDATE data_key SET active_from = now() - interval '1 hour', created_at = now() - interval '2 hours' WHERE purpose = 'index'`); err != nil {
		t.Fatal(err)
	}
	reload("before the index is made")
	if n, err := people.Rekey(t.Context(), db); err != nil || n.Documents != 1 {
		t.Errorf("%+v %v", n, err)
	}
	reload("after")
	var old int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM cpf_index WHERE key_version = 1`).Scan(&old); err != nil || old != 0 {
		t.Errorf("%d old ways are left, %v", old, err)
	}
}
