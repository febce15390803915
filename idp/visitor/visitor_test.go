package visitor_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/visitor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
)

const rosas = phone.Number("+595981123456")

// door is a city's visitors on a database of its own.
type door struct {
	*visitor.Visitors
	t      *testing.T
	db     *pg.Pool
	box    *secret.Box
	people *registry.Store
	clock  *testclock.Clock
}

func newDoor(t *testing.T) *door {
	t.Helper()
	d := &door{t: t, db: testpg.New(t), clock: testclock.At("2026-11-21T12:00:00Z")}
	var err error
	if d.box, err = secret.Open(t.Context(), d.db, secret.KEK{}); err != nil {
		t.Fatal(err)
	}
	d.people = registry.NewStore(d.box)
	d.Visitors = visitor.New(d.box, d.people, d.clock.Now)
	return d
}

func (d *door) tx(do func(tx pg.Tx) error) {
	d.t.Helper()
	if err := pg.InTx(d.t.Context(), d.db, do); err != nil {
		d.t.Fatal(err)
	}
}

func (d *door) holder(n phone.Number) (h visitor.Holder) {
	d.t.Helper()
	d.tx(func(tx pg.Tx) (err error) {
		h, err = d.Holder(d.t.Context(), tx, n)
		return err
	})
	return h
}

// rosa has come in by her number and told who she is.
func (d *door) rosa() (id uuid.UUID) {
	d.t.Helper()
	d.tx(func(tx pg.Tx) (err error) {
		if id, err = d.Welcome(d.t.Context(), tx, rosas, "es", visitor.Holder{}); err != nil {
			return err
		}
		return d.people.Update(d.t.Context(), tx, id, registry.Fields{"name": {Text: "Rosa María Giménez-Paz"}, "birthdate": {Text: "1984-05-06"}}, 1, d.clock.Now())
	})
	return id
}

func (d *door) confirm(name, birthdate string) (ok bool, left int) {
	d.t.Helper()
	d.tx(func(tx pg.Tx) error {
		h, err := d.Holder(d.t.Context(), tx, rosas)
		if err != nil {
			return err
		}
		ok, left, err = d.Confirm(d.t.Context(), tx, rosas, h, name, birthdate)
		return err
	})
	return ok, left
}

func TestNameAndBirthDateAreComparedAsPeopleWriteThem(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct {
		name, birthdate string
		want            bool
	}{
		{"Rosa María Giménez-Paz", "1984-05-06", true},
		{"ROSA MARIA GIMENEZ PAZ", "1984-05-06", true},
		{"  rosa maría  giménez paz. ", "1984-05-06", true},
		{"Rosa Giménez Paz", "1984-05-06", false},
		{"Rosa María Giménez-Paz", "1984-06-05", false},
		{"Rosa María Giménez-Paz", "", false},
		{"", "1984-05-06", false},
	} {
		d := newDoor(t)
		d.rosa()
		if ok, left := d.confirm(tc.name, tc.birthdate); ok != tc.want || left != visitor.Tries-1 {
			t.Errorf("%q %q: %v, %d left", tc.name, tc.birthdate, ok, left)
		}
	}
	d := newDoor(t) // who never told a name cannot be told by one
	d.tx(func(tx pg.Tx) error {
		_, err := d.Welcome(t.Context(), tx, rosas, "es", visitor.Holder{})
		return err
	})
	if ok, _ := d.confirm("", ""); ok {
		t.Error("nothing was told, and it was the same")
	}
}

func TestTriesAtOnceCannotSlipPastTheLast(t *testing.T) {
	t.Parallel()

	d := newDoor(t)
	d.rosa()
	var looked atomic.Int32
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			_ = pg.InTx(t.Context(), d.db, func(tx pg.Tx) error {
				_, left, err := d.Confirm(t.Context(), tx, rosas, visitor.Holder{}, "x y", "2000-01-01")
				if left > 0 || err != nil { // past the last one nobody is looked up; a holder who is nobody is an error
					looked.Add(1)
				}
				return nil
			})
		})
	}
	all.Wait()
	if ok, left := d.confirm("Rosa María Giménez-Paz", "1984-05-06"); ok || left != 0 || looked.Load() != visitor.Tries {
		t.Errorf("after %d looks: %v, %d left", looked.Load(), ok, left)
	}
	d.tx(func(tx pg.Tx) error { return d.Return(t.Context(), tx, rosas, d.holder(rosas), "") })
	if h := d.holder(rosas); h.Left != visitor.Tries {
		t.Errorf("%d tries after the number was used", h.Left)
	}
}

func TestANumberIsKnownForTwelveMonthsFromItsLastUse(t *testing.T) {
	t.Parallel()

	d := newDoor(t)
	if h := d.holder(rosas); h.Known() || h.PersonID != uuid.Nil {
		t.Errorf("a number that nobody has used: %+v", h)
	}
	id := d.rosa()
	d.clock.Advance(visitor.Memory - time.Second)
	if h := d.holder(rosas); !h.Known() || h.PersonID != id {
		t.Errorf("a second before: %+v", h)
	}
	d.tx(func(tx pg.Tx) error { return d.Return(t.Context(), tx, rosas, d.holder(rosas), "en") })
	d.clock.Advance(visitor.Memory)
	if h := d.holder(rosas); h.Known() || h.PersonID != id || h.Left != visitor.Tries {
		t.Errorf("twelve months after: %+v", h)
	}
	if p, err := d.people.ByID(t.Context(), d.db, id); err != nil || p.Fields["locale"].Text != "en" {
		t.Errorf("the language kept is %q, %v", p.Fields["locale"].Text, err)
	}
}

func TestANewIndexKeyFindsEveryNumberBeforeDuringAndAfter(t *testing.T) {
	t.Parallel()

	d := newDoor(t)
	id := d.rosa()
	if _, err := secret.Rotate(t.Context(), d.db, secret.KEK{}, secret.Index); err != nil {
		t.Fatal(err)
	}
	found := func(when string) {
		t.Helper()
		if err := d.box.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if h := d.holder(rosas); h.PersonID != id {
			t.Errorf("%s: %+v", when, h)
		}
	}
	found("while the key waits")
	if n, err := d.Rekey(t.Context(), d.db); err != nil || n != 0 {
		t.Errorf("before its time: %d, %v", n, err)
	}
	if _, err := d.db.Exec(t.Context(), `UPDATE data_key SET active_from = now() - interval '1 hour', created_at = now() - interval '2 hours' WHERE purpose = 'index'`); err != nil {
		t.Fatal(err)
	}
	found("before the index is made")
	if n, err := d.Rekey(t.Context(), d.db); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	found("after")
	if n, err := d.Rekey(t.Context(), d.db); err != nil || n != 0 {
		t.Errorf("once more: %d, %v", n, err)
	}
	d.tx(func(tx pg.Tx) error { return d.Return(t.Context(), tx, rosas, d.holder(rosas), "") })
	var rows int
	if err := d.db.QueryRow(t.Context(), `SELECT count(*) FROM visitor`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d rows of one number, %v", rows, err)
	}
}
