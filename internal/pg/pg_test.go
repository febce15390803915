package pg_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

type personID uuid.UUID

func TestUUIDsTravelInEveryShape(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	id, second := pg.NewID(), pg.NewID()
	var (
		plain    uuid.UUID
		named    personID
		pointer  *uuid.UUID
		nothing  *uuid.UUID
		null     uuid.NullUUID
		array    []uuid.UUID
		namedArr []personID
		text     string
	)
	err := db.QueryRow(t.Context(), `
		SELECT @id::uuid, @named::uuid, @pointer::uuid, @nothing::uuid, @null::uuid, @array::uuid[], @array::uuid[], @id::uuid::text`,
		pgx.NamedArgs{"id": id, "named": personID(id), "pointer": &id, "nothing": nothing, "null": uuid.NullUUID{UUID: id, Valid: true}, "array": []uuid.UUID{id, second}}).
		Scan(&plain, &named, &pointer, &nothing, &null, &array, &namedArr, &text)
	if err != nil {
		t.Fatal(err)
	}
	if plain != id || named != personID(id) || *pointer != id || nothing != nil || null.UUID != id || !null.Valid || text != id.String() {
		t.Fatal(plain, named, pointer, nothing, null, text)
	}
	if !slices.Equal(array, []uuid.UUID{id, second}) || !slices.Equal(namedArr, []personID{personID(id), personID(second)}) {
		t.Fatal(array, namedArr)
	}
}

func TestNullIntoUUIDIsAnError(t *testing.T) {
	t.Parallel()

	var id uuid.UUID
	if err := testpg.New(t).QueryRow(t.Context(), `SELECT NULL::uuid`).Scan(&id); err == nil || !strings.Contains(err.Error(), "NULL") {
		t.Fatal(err)
	}
}

func TestTimesAreReadInUTC(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	want := time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)
	var at time.Time
	var all []time.Time
	err := db.QueryRow(t.Context(), `SELECT $1::timestamptz, ARRAY[$1::timestamptz]`, want.In(time.FixedZone("BRT", -3*3600))).Scan(&at, &all)
	if err != nil {
		t.Fatal(err)
	}
	if at != want || at.Location() != time.UTC || all[0] != want { // == compares the location too
		t.Fatal(at, all)
	}
}

func TestIDsSortByTheMomentTheyWereMade(t *testing.T) {
	t.Parallel()

	ids := make([]string, 10_000)
	for i := range ids {
		ids[i] = pg.NewID().String()
	}
	if !slices.IsSorted(ids) || len(slices.Compact(ids)) != len(ids) || uuid.MustParse(ids[0]).Version() != 7 {
		t.Fatal("not distinct, ascending UUIDv7")
	}
}

func TestOpenKeepsTheWholePoolConnected(t *testing.T) {
	t.Parallel()

	pool, err := pg.Open(t.Context(), testpg.URL(t), 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	eventually(t, func() bool { return pool.Stat().TotalConns() == 3 })
	var name string
	if err := pool.QueryRow(t.Context(), `SELECT current_setting('application_name')`).Scan(&name); err != nil || name != "loginunico" {
		t.Fatal(name, err)
	}
}

func TestOpenRefusesWhatDoesNotAnswer(t *testing.T) {
	t.Parallel()

	for _, url := range []string{"postgres:///x?host=" + t.TempDir(), "postgres://%zz"} {
		if pool, err := pg.Open(t.Context(), url, 1); err == nil {
			pool.Close()
			t.Errorf("Open(%q) succeeded", url)
		}
	}
}

func TestInTxKeepsAllOrNothing(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	if _, err := db.Exec(t.Context(), `CREATE TABLE n (n int)`); err != nil {
		t.Fatal(err)
	}
	insert := func(n int, fail error, panics bool) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("%v", p)
			}
		}()
		return pg.InTx(t.Context(), db, func(tx pg.Tx) error {
			if _, err := tx.Exec(t.Context(), `INSERT INTO n VALUES ($1)`, n); err != nil {
				return err
			}
			if panics {
				panic("stop")
			}
			return fail
		})
	}
	failure := errors.New("no")
	if err := errors.Join(insert(1, nil, false)); err != nil {
		t.Fatal(err)
	}
	if err := insert(2, failure, false); !errors.Is(err, failure) {
		t.Fatal(err)
	}
	if err := insert(3, nil, true); err == nil {
		t.Fatal("the panic was lost")
	}
	rows, _ := db.Query(t.Context(), `SELECT n FROM n`)
	kept, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || !slices.Equal(kept, []int{1}) {
		t.Fatal(kept, err)
	}
}

func eventually(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(20 * time.Second); !done(); {
		select {
		case <-limit:
			t.Fatal("it did not happen within 20 s")
		case <-tick.C:
		}
	}
}
