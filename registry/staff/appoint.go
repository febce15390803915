package staff

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
)

var (
	// ErrDepartment: a department has 1 to 120 characters, on one line.
	ErrDepartment = fail.New(fail.Invalid, "staff_department")
	// ErrRoles: one role at least, of those there are.
	ErrRoles = fail.New(fail.Invalid, "staff_roles")
	// ErrReason: a reason has 1 to 500 bytes, on one line.
	ErrReason = fail.New(fail.Invalid, "staff_reason")
	// ErrDates: an appointment ends after it begins, and after now.
	ErrDates = fail.New(fail.Invalid, "staff_dates")
	// ErrOverlap: another appointment holds in that time.
	ErrOverlap = fail.New(fail.Conflict, "staff_overlap")
	// ErrSecond: an operator or auditor is appointed with the word of another one.
	ErrSecond = fail.New(fail.Forbidden, "staff_second")
	// ErrNoStaff: the person holds no appointment, or none with the role that is asked for.
	ErrNoStaff = fail.New(fail.Forbidden, "no_staff")
)

// Decision is who decides, and why; the audit keeps both.
type Decision struct {
	Actor  string // account that runs the command
	Reason string
}

func (d Decision) check() error {
	if strings.TrimSpace(d.Reason) == "" || len(d.Reason) > 500 || !oneLine(d.Reason) {
		return ErrReason
	}
	return nil
}

func oneLine(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// Appointment is what is decided of a person.
type Appointment struct {
	Person     uuid.UUID
	Department string
	Roles      []Role
	From       time.Time // zero: now
	Until      time.Time // zero: no end
	Seconded   uuid.UUID // who agrees; zero: nobody
}

// Appoint makes somebody an employee, in the caller's transaction, and returns the appointment.
//
// Where one holds now and the new one is for now, it is changed: it ends now and the new one follows.
// An operator or auditor is appointed with the word of another one who is in office; the first of a
// city, while there is none, without.
// Errors: ErrDepartment, ErrRoles, ErrReason, ErrDates, ErrOverlap, ErrSecond.
func Appoint(ctx context.Context, tx pg.Tx, a Appointment, d Decision, now time.Time) (Employment, error) {
	e, err := a.employment(d, now)
	if err != nil {
		return e, err
	}
	if err := pg.Lock(ctx, tx, "employment", a.Person.String()); err != nil {
		return e, err
	}
	if err := seconded(ctx, tx, e, now); err != nil {
		return e, err
	}
	all, err := Of(ctx, tx, a.Person)
	if err != nil {
		return e, err
	}
	action := "staff.appoint"
	if was := Assess(all, now); was.Live && !e.From.After(now) {
		action, e.From, e.Replaces = "staff.change", now, was.Now.ID
		if _, err := end(ctx, tx, was.Now.Person, was.Now.ID, d, now); err != nil {
			return e, err
		}
	}
	if err := insert(ctx, tx, e); err != nil {
		return e, err
	}
	return e, record(ctx, tx, action, e, d, now)
}

// employment checks what is decided.
func (a Appointment) employment(d Decision, now time.Time) (Employment, error) {
	e := Employment{ID: pg.NewID(), Person: a.Person, Department: strings.TrimSpace(a.Department), From: a.From, Until: a.Until,
		Reason: d.Reason, By: d.Actor, Seconded: a.Seconded, At: now}
	if e.From.IsZero() {
		e.From = now
	}
	for _, r := range Roles() {
		if slices.Contains(a.Roles, r) {
			e.Roles = append(e.Roles, r)
		}
	}
	known := !slices.ContainsFunc(a.Roles, func(r Role) bool { return !slices.Contains(Roles(), r) })
	switch n := utf8.RuneCountInString(e.Department); {
	case n < 1 || n > 120 || !oneLine(e.Department):
		return e, ErrDepartment
	case len(e.Roles) == 0 || !known:
		return e, ErrRoles
	case !e.Until.IsZero() && (!e.Until.After(e.From) || !e.Until.After(now)):
		return e, ErrDates
	}
	return e, d.check()
}

// seconded holds the appointment of somebody who rules over others to two people.
func seconded(ctx context.Context, tx pg.Tx, e Employment, now time.Time) error {
	if !e.Has(Operator, Auditor) {
		return nil
	}
	if err := pg.Lock(ctx, tx, "employment", "rulers"); err != nil { // of two who would be the first, one is
		return err
	}
	if e.Seconded == uuid.Nil {
		if any, err := anyLive(ctx, tx, []Role{Operator, Auditor}, e.Person, now); err != nil || !any {
			return err // the first of a city
		}
		return ErrSecond
	}
	if e.Seconded == e.Person {
		return ErrSecond
	}
	if _, err := Require(ctx, tx, e.Seconded, now, Operator, Auditor); err != nil {
		return ErrSecond
	}
	return nil
}

// End ends what somebody holds and is to hold, at once and once, and returns what that was.
// Errors: ErrReason; ErrNoStaff: there is nothing, or it was ended before.
func End(ctx context.Context, tx pg.Tx, person uuid.UUID, d Decision, now time.Time) ([]Employment, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	ended, err := end(ctx, tx, person, uuid.Nil, d, now)
	if err == nil && len(ended) == 0 {
		err = ErrNoStaff
	}
	for _, e := range ended {
		if err == nil {
			err = record(ctx, tx, "staff.end", e, d, now)
		}
	}
	return ended, err
}

// Require returns the appointment that a person holds at an instant with one of these roles.
// Error: ErrNoStaff.
func Require(ctx context.Context, db pg.DB, person uuid.UUID, at time.Time, roles ...Role) (Employment, error) {
	all, err := Of(ctx, db, person)
	if err != nil {
		return Employment{}, err
	}
	if a := Assess(all, at); a.Live && a.Now.Has(roles...) {
		return a.Now, nil
	}
	return Employment{}, ErrNoStaff
}

// record tells the audit of a change, in its transaction.
func record(ctx context.Context, tx pg.Tx, action string, e Employment, d Decision, now time.Time) error {
	detail := map[string]string{"employment": e.ID.String()}
	if e.Seconded != uuid.Nil {
		detail["seconded_by"] = e.Seconded.String()
	}
	if e.Replaces != uuid.Nil {
		detail["replaces"] = e.Replaces.String()
	}
	return audit.RecordTx(ctx, tx, audit.Event{At: now, Actor: audit.Actor{Kind: audit.Operator, ID: d.Actor}, Action: action,
		Person: e.Person, Fields: []string{"department", "roles"}, Purpose: d.Reason, Detail: detail})
}

// Look tells the audit that somebody's appointments are read, or everybody's: the zero person. It
// comes before they are shown. Error: ErrReason.
func Look(ctx context.Context, tx pg.Tx, person uuid.UUID, d Decision, now time.Time) error {
	if err := d.check(); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Event{At: now, Actor: audit.Actor{Kind: audit.Operator, ID: d.Actor}, Action: "staff.read",
		Person: person, Fields: []string{"department", "roles"}, Purpose: d.Reason})
}
