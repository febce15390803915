package staff_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry/staff"
)

// office is a database with people in it.
type office struct {
	*testing.T
	db *pg.Pool
}

func newOffice(t *testing.T) office { return office{t, testpg.New(t)} }

func (o office) person() uuid.UUID {
	o.Helper()
	id := pg.NewID()
	if _, err := o.db.Exec(o.Context(), `INSERT INTO person (id, created_at, updated_at) VALUES ($1, now(), now())`, id); err != nil {
		o.Fatal(err)
	}
	return id
}

var word = staff.Decision{Actor: "rh1", Reason: "Portaria 12/2026"}

func (o office) appoint(a staff.Appointment, now time.Time) (e staff.Employment, err error) {
	o.Helper()
	err = pg.InTx(o.Context(), o.db, func(tx pg.Tx) error {
		e, err = staff.Appoint(o.Context(), tx, a, word, now)
		return err
	})
	return e, err
}

func (o office) end(person uuid.UUID, now time.Time) (ended []staff.Employment, err error) {
	err = pg.InTx(o.Context(), o.db, func(tx pg.Tx) error {
		ended, err = staff.End(o.Context(), tx, person, staff.Decision{Actor: "rh2", Reason: "exonerada a pedido"}, now)
		return err
	})
	return ended, err
}

func (o office) of(person uuid.UUID) []staff.Employment {
	o.Helper()
	all, err := staff.Of(o.Context(), o.db, person)
	if err != nil {
		o.Fatal(err)
	}
	return all
}

func (o office) version(person uuid.UUID) (n int) {
	o.Helper()
	if err := o.db.QueryRow(o.Context(), `SELECT version FROM person WHERE id = $1`, person).Scan(&n); err != nil {
		o.Fatal(err)
	}
	return n
}

func (o office) actions(person uuid.UUID) (all string) {
	o.Helper()
	if err := o.db.QueryRow(o.Context(), `SELECT coalesce(string_agg(action, ' ' ORDER BY at, id), '') FROM audit_pending WHERE person_id = $1`,
		person).Scan(&all); err != nil {
		o.Fatal(err)
	}
	return all
}

func attendant(p uuid.UUID) staff.Appointment {
	return staff.Appointment{Person: p, Department: " Secretaria da Saúde ", Roles: []staff.Role{staff.Supervisor, staff.Attendant}}
}

func TestAppointmentsAreChangedAndEndedAndTheirHistoryStays(t *testing.T) {
	t.Parallel()

	o := newOffice(t)
	carla, hour := o.person(), noon.Add(time.Hour)
	first, err := o.appoint(attendant(carla), noon)
	if err != nil || first.Department != "Secretaria da Saúde" || !slices.Equal(first.Roles, []staff.Role{staff.Attendant, staff.Supervisor}) {
		t.Fatalf("%+v, %v", first, err)
	}
	before := o.version(carla)
	second, err := o.appoint(staff.Appointment{Person: carla, Department: "Fazenda", Roles: []staff.Role{staff.Attendant}, Until: noon.AddDate(1, 0, 0)}, hour)
	if err != nil || second.Replaces != first.ID {
		t.Fatalf("%+v, %v", second, err)
	}
	if after := o.version(carla); after <= before {
		t.Errorf("version %d stayed %d: answers made before would still stand", before, after)
	}
	before = o.version(carla)
	if _, err := o.end(carla, hour.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := o.end(carla, hour.Add(time.Hour)); !errors.Is(err, staff.ErrNoStaff) {
		t.Errorf("ended twice: %v", err)
	}
	if after := o.version(carla); after <= before {
		t.Errorf("version %d stayed %d at the end", before, after)
	}
	all := o.of(carla)
	if len(all) != 2 || !all[0].EndedAt.Equal(hour) || all[0].EndedBy != "rh1" || all[1].EndReason != "exonerada a pedido" || all[1].EndedBy != "rh2" {
		t.Fatalf("%+v", all)
	}
	for at, department := range map[time.Duration]string{-1: "", 0: "Secretaria da Saúde", time.Hour - 1: "Secretaria da Saúde", time.Hour: "Fazenda", 2 * time.Hour: ""} {
		if a := staff.Assess(all, noon.Add(at)); a.Now.Department != department {
			t.Errorf("%v after noon: %+v", at, a)
		}
	}
	if got := o.actions(carla); got != "staff.appoint staff.change staff.end" {
		t.Errorf("audit: %s", got)
	}
	for _, statement := range []string{`UPDATE employment SET roles = '{auditor}'`, `DELETE FROM employment`, `UPDATE employment SET ended_at = NULL, ended_reason = NULL, ended_by = NULL`,
		`UPDATE employment SET ended_at = ended_at + interval '1 year'`, `TRUNCATE employment`} {
		_, err := o.db.Exec(t.Context(), statement)
		if pgErr, ok := err.(*pgconn.PgError); !ok || pgErr.Code != "23000" {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func TestNobodyHoldsTwoAppointmentsAtOneTime(t *testing.T) {
	t.Parallel()

	o := newOffice(t)
	carla, day := o.person(), 24*time.Hour
	if _, err := o.appoint(staff.Appointment{Person: carla, Department: "A", Roles: []staff.Role{staff.Attendant}, From: noon.Add(-10 * day), Until: noon.Add(10 * day)}, noon); err != nil {
		t.Fatal(err)
	}
	next := staff.Appointment{Person: carla, Department: "B", Roles: []staff.Role{staff.Attendant}, From: noon.Add(9 * day)}
	if _, err := o.appoint(next, noon); !errors.Is(err, staff.ErrOverlap) {
		t.Errorf("overlap: %v", err)
	}
	next.From = noon.Add(10 * day)
	if _, err := o.appoint(next, noon); err != nil {
		t.Errorf("one after the other: %v", err)
	}
	if _, err := o.appoint(staff.Appointment{Person: carla, Department: "C", Roles: []staff.Role{staff.Attendant}, From: noon.Add(-11 * day), Until: noon.Add(5 * day)}, noon.Add(time.Hour)); err != nil {
		t.Errorf("a change of the one that holds: %v", err)
	}
	if ended, err := o.end(carla, noon.Add(2*time.Hour)); err != nil || len(ended) != 2 {
		t.Errorf("an end ends what is to come too: %+v, %v", ended, err)
	}
	if a := staff.Assess(o.of(carla), noon.Add(11*day)); a.Live {
		t.Errorf("%+v", a)
	}

	paulo := o.person()
	var wg sync.WaitGroup
	for range 8 { // each changes the one before
		wg.Go(func() {
			if _, err := o.appoint(attendant(paulo), noon); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if live := slices.DeleteFunc(o.of(paulo), func(e staff.Employment) bool { return !e.LiveAt(noon) }); len(live) != 1 {
		t.Errorf("%d hold at once", len(live))
	}
}

func TestOfManyEndsAtOnceOneEnds(t *testing.T) {
	t.Parallel()

	o := newOffice(t)
	carla := o.person()
	if _, err := o.appoint(attendant(carla), noon); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var won atomic.Int32
	for i := range 20 {
		wg.Go(func() {
			switch _, err := o.end(carla, noon.Add(time.Duration(i)*time.Second)); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, staff.ErrNoStaff):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || o.actions(carla) != "staff.appoint staff.end" {
		t.Errorf("%d ended it: %s", won.Load(), o.actions(carla))
	}
}

func TestWhoRulesOverOthersIsAppointedByTwo(t *testing.T) {
	t.Parallel()

	o := newOffice(t)
	paulo, helena, carla := o.person(), o.person(), o.person()
	rule := func(p, with uuid.UUID, role staff.Role) error {
		_, err := o.appoint(staff.Appointment{Person: p, Department: "TI", Roles: []staff.Role{role}, Seconded: with}, noon)
		return err
	}
	if err := rule(paulo, uuid.Nil, staff.Operator); err != nil {
		t.Fatalf("the first of a city: %v", err)
	}
	if _, err := o.appoint(attendant(carla), noon); err != nil {
		t.Errorf("an attendant needs one: %v", err)
	}
	for name, with := range map[string]uuid.UUID{"nobody": uuid.Nil, "themselves": helena, "an attendant": carla, "a stranger": o.person()} {
		if err := rule(helena, with, staff.Auditor); !errors.Is(err, staff.ErrSecond) {
			t.Errorf("with the word of %s: %v", name, err)
		}
	}
	if err := rule(helena, paulo, staff.Auditor); err != nil {
		t.Error(err)
	}
	if err := rule(paulo, paulo, staff.Auditor); !errors.Is(err, staff.ErrSecond) {
		t.Errorf("an operator makes themselves an auditor: %v", err)
	}
}

func TestOfManyWhoWouldBeTheFirstOperatorOneIs(t *testing.T) {
	t.Parallel()

	o := newOffice(t)
	var wg sync.WaitGroup
	var first, refused atomic.Int32
	for range 8 {
		p := o.person()
		wg.Go(func() {
			switch _, err := o.appoint(staff.Appointment{Person: p, Department: "TI", Roles: []staff.Role{staff.Operator}}, noon); {
			case err == nil:
				first.Add(1)
			case errors.Is(err, staff.ErrSecond):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if first.Load() != 1 || refused.Load() != 7 {
		t.Errorf("%d without a second word, %d refused", first.Load(), refused.Load())
	}
}

func TestAnAppointmentThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()

	o := newOffice(t)
	carla := o.person()
	for name, c := range map[string]struct {
		change func(*staff.Appointment, *staff.Decision)
		want   error
	}{
		"no department":   {func(a *staff.Appointment, _ *staff.Decision) { a.Department = "  " }, staff.ErrDepartment},
		"a long one":      {func(a *staff.Appointment, _ *staff.Decision) { a.Department = strings.Repeat("á", 121) }, staff.ErrDepartment},
		"two lines":       {func(a *staff.Appointment, _ *staff.Decision) { a.Department = "a\nb" }, staff.ErrDepartment},
		"a byte 0":        {func(a *staff.Appointment, _ *staff.Decision) { a.Department = "a\x00b" }, staff.ErrDepartment},
		"no role":         {func(a *staff.Appointment, _ *staff.Decision) { a.Roles = nil }, staff.ErrRoles},
		"an unknown role": {func(a *staff.Appointment, _ *staff.Decision) { a.Roles = []staff.Role{"attendant", "mayor"} }, staff.ErrRoles},
		"an end before": {func(a *staff.Appointment, _ *staff.Decision) {
			a.From, a.Until = noon.Add(time.Hour), noon.Add(time.Minute)
		}, staff.ErrDates},
		"over already":     {func(a *staff.Appointment, _ *staff.Decision) { a.From, a.Until = noon.Add(-2*time.Hour), noon }, staff.ErrDates},
		"no reason":        {func(_ *staff.Appointment, d *staff.Decision) { d.Reason = " " }, staff.ErrReason},
		"a long reason":    {func(_ *staff.Appointment, d *staff.Decision) { d.Reason = strings.Repeat("x", 501) }, staff.ErrReason},
		"a broken  reason": {func(_ *staff.Appointment, d *staff.Decision) { d.Reason = "\xff" }, staff.ErrReason},
	} {
		a, d := attendant(carla), word
		c.change(&a, &d)
		err := pg.InTx(t.Context(), o.db, func(tx pg.Tx) error {
			_, err := staff.Appoint(t.Context(), tx, a, d, noon)
			return err
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := pg.InTx(t.Context(), o.db, func(tx pg.Tx) error {
		return staff.Look(t.Context(), tx, carla, staff.Decision{Actor: "rh1"}, noon)
	}); !errors.Is(err, staff.ErrReason) {
		t.Errorf("a look without a reason: %v", err)
	}
	if all := o.of(carla); len(all) != 0 || o.actions(carla) != "" {
		t.Errorf("something was kept: %+v, %s", all, o.actions(carla))
	}
}

func TestAppointmentsThroughAJoinAreThoseOfTheTable(t *testing.T) {
	t.Parallel()

	o := newOffice(t)
	carla := o.person()
	carried := func(ctx context.Context) []staff.Employment {
		var c staff.Columns
		if err := o.db.QueryRow(ctx, `SELECT employment FROM known_person WHERE id = $1`, carla).Scan(c.Targets()...); err != nil {
			t.Fatal(err)
		}
		all, err := c.Employment()
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if all := carried(t.Context()); len(all) != 0 {
		t.Fatalf("appointments of nobody: %+v", all)
	}
	long := noon.Add(123456 * time.Microsecond)
	for i, a := range []staff.Appointment{{From: long.AddDate(-30, 0, 0), Until: long.AddDate(1, 0, 0)}, {}, {Until: long.AddDate(3, 0, 0)}} {
		a.Person, a.Department, a.Roles = carla, "Educação, Esporte e Cultura", []staff.Role{staff.Attendant, staff.Supervisor}
		if _, err := o.appoint(a, long.AddDate(0, i, 0)); err != nil {
			t.Fatal(err)
		}
	}
	all, got := o.of(carla), carried(t.Context())
	for i, e := range all {
		want := staff.Employment{Department: e.Department, Roles: e.Roles, From: e.From, Until: e.Over()}
		if !reflect.DeepEqual(got[i], want) {
			t.Errorf("%+v, in the table %+v", got[i], want)
		}
	}
	if len(got) != 3 || !got[0].Until.Equal(long.AddDate(0, 1, 0)) {
		t.Error("nothing was compared")
	}
}
