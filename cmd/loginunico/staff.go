package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/staff"
	"github.com/loginunico/loginunico/themes"
)

// staffCommands say who works for the city. Each look and each change is audited with its reason.
func staffCommands() []command {
	const who = " Roles, divided by commas: attendant, supervisor, operator, auditor."
	return []command{
		{"staff appoint", "-cpf N -department TEXT -roles LIST -reason TEXT",
			"Make somebody an employee, or change what they are from now on." + who +
				" -from and -until (its last day) are days of the city, 2026-12-31, or instants; without them: now, and no end." +
				" An operator or auditor is appointed with the word of another one: -seconded CPF. -actor is you.", runStaffAppoint},
		{"staff end", "-cpf N -reason TEXT", "End what somebody is and is to be, at once: no service is told of it any more.", runStaffEnd},
		{"staff list", "-reason TEXT", "List who is an employee now, or is to be.", runStaffList},
		{"staff show", "-cpf N -reason TEXT", "Print somebody's appointments, past ones too, and by whose word.", runStaffShow},
	}
}

// post is what the staff's commands share.
type post struct {
	cpf, department, roles, from, until, seconded string
	staff.Decision
}

// read takes the flags; all of needed must be given.
func (p *post) read(name string, args []string, needed ...string) error {
	fs := flags(name)
	given := map[string]*string{"cpf": &p.cpf, "department": &p.department, "roles": &p.roles, "reason": &p.Reason}
	for _, flag := range needed {
		fs.StringVar(given[flag], flag, "", flag)
	}
	if name == "staff appoint" {
		fs.StringVar(&p.from, "from", "", "first day")
		fs.StringVar(&p.until, "until", "", "last day")
		fs.StringVar(&p.seconded, "seconded", "", "CPF of who agrees")
	}
	fs.StringVar(&p.Actor, "actor", login(), "account that runs this")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	for _, flag := range needed {
		if strings.TrimSpace(*given[flag]) == "" {
			return errUsage("needed: -" + strings.Join(needed, ", -"))
		}
	}
	return nil
}

func runStaffAppoint(ctx context.Context, args []string, out io.Writer) error {
	var p post
	if err := p.read("staff appoint", args, "cpf", "department", "roles", "reason"); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		zone, err := themes.Zone(s.cfg.ThemesDir, s.cfg.City)
		if err != nil {
			return err
		}
		var e staff.Employment
		err = pg.InTx(ctx, s.db, func(tx pg.Tx) error {
			a, err := p.appointment(ctx, s, tx, zone)
			if err == nil {
				e, err = staff.Appoint(ctx, tx, a, p.Decision, time.Now())
			}
			return staffWords(err)
		})
		if err != nil {
			return err
		}
		what := "appointed"
		if e.Replaces != uuid.Nil {
			what = "changed"
		}
		fmt.Fprintf(out, "%s: %s of %s, %s\n", what, rolesText(e), e.Department, span(e, zone))
		return nil
	})
}

// appointment reads what was typed.
func (p *post) appointment(ctx context.Context, s *stack, tx pg.Tx, zone *time.Location) (staff.Appointment, error) {
	a := staff.Appointment{Department: p.department}
	for name := range strings.SplitSeq(p.roles, ",") {
		a.Roles = append(a.Roles, staff.Role(strings.TrimSpace(name)))
	}
	person, err := s.byCPF(ctx, tx, "-cpf", p.cpf)
	if err != nil {
		return a, err
	}
	a.Person = person.ID
	if p.seconded != "" {
		other, err := s.byCPF(ctx, tx, "-seconded", p.seconded)
		if err != nil {
			return a, err
		}
		a.Seconded = other.ID
	}
	if a.From, err = boundary("-from", p.from, zone, 0); err != nil {
		return a, err
	}
	a.Until, err = boundary("-until", p.until, zone, 1)
	return a, err
}

// boundary reads a day of the city, or RFC 3339; the zero time is for "".
//
//	after  days from the beginning of the day: 0 is its first instant, 1 the first after it
func boundary(flag, text string, zone *time.Location, after int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return day, fmt.Errorf("%s: %q is no day like 2026-12-31, and no instant like 2026-12-31T18:00:00-03:00", flag, text)
	}
	return day.AddDate(0, 0, after).UTC(), nil
}

func runStaffEnd(ctx context.Context, args []string, out io.Writer) error {
	var p post
	if err := p.read("staff end", args, "cpf", "reason"); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		var ended []staff.Employment
		err := pg.InTx(ctx, s.db, func(tx pg.Tx) error {
			person, err := s.byCPF(ctx, tx, "-cpf", p.cpf)
			if err == nil {
				ended, err = staff.End(ctx, tx, person.ID, p.Decision, time.Now())
			}
			return staffWords(err)
		})
		for _, e := range ended {
			fmt.Fprintf(out, "ended: %s of %s\n", rolesText(e), e.Department)
		}
		return err
	})
}

func runStaffList(ctx context.Context, args []string, out io.Writer) error {
	var p post
	if err := p.read("staff list", args, "reason"); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		return s.showStaff(ctx, out, p.Decision, uuid.Nil, func(tx pg.Tx) ([]staff.Employment, error) { return staff.All(ctx, tx, time.Now()) })
	})
}

func runStaffShow(ctx context.Context, args []string, out io.Writer) error {
	var p post
	if err := p.read("staff show", args, "cpf", "reason"); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		person, err := s.byCPF(ctx, s.db, "-cpf", p.cpf)
		if err != nil {
			return err
		}
		return s.showStaff(ctx, out, p.Decision, person.ID, func(tx pg.Tx) ([]staff.Employment, error) { return staff.Of(ctx, tx, person.ID) })
	})
}

// showStaff prints appointments once the audit knows that somebody looks at them.
func (s *stack) showStaff(ctx context.Context, out io.Writer, d staff.Decision, person uuid.UUID, find func(tx pg.Tx) ([]staff.Employment, error)) error {
	zone, err := themes.Zone(s.cfg.ThemesDir, s.cfg.City)
	if err != nil {
		return err
	}
	var all []staff.Employment
	err = pg.InTx(ctx, s.db, func(tx pg.Tx) (err error) {
		if err := staff.Look(ctx, tx, person, d, time.Now()); err != nil {
			return staffWords(err)
		}
		all, err = find(tx)
		return err
	})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "CPF\tWHO\tDEPARTMENT\tROLES\tWHEN\tAPPOINTED\tENDED")
	for _, e := range all {
		p, err := s.people.ByID(ctx, s.db, e.Person)
		if err != nil {
			return err
		}
		ended := "-"
		if !e.EndedAt.IsZero() {
			ended = fmt.Sprintf("%s by %s: %q", e.EndedAt.In(zone).Format(time.DateTime), e.EndedBy, e.EndReason)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s by %s: %q\t%s\n", p.CPF.Masked(), p.DisplayName(), e.Department, rolesText(e), span(e, zone),
			e.At.In(zone).Format(time.DateTime), e.By, e.Reason, ended)
	}
	return w.Flush()
}

func rolesText(e staff.Employment) string {
	names := make([]string, len(e.Roles))
	for i, r := range e.Roles {
		names[i] = string(r)
	}
	return strings.Join(names, ",")
}

// span is the time of an appointment as it was planned, in the city's clock.
func span(e staff.Employment, zone *time.Location) string {
	text := "from " + e.From.In(zone).Format("2006-01-02 15:04")
	if !e.Until.IsZero() {
		text += " until " + e.Until.In(zone).Format("2006-01-02 15:04")
	}
	return text
}

// staffWords says in a sentence what the staff says by a code.
func staffWords(err error) error {
	for known, words := range map[error]string{
		staff.ErrDepartment: "-department: 1 to 120 characters, on one line",
		staff.ErrRoles:      "-roles: one or more of attendant, supervisor, operator, auditor, divided by commas",
		staff.ErrReason:     "-reason: is missing, has a line break, or is longer than 500 bytes",
		staff.ErrDates:      "-until: an appointment ends after it begins, and after now",
		staff.ErrOverlap:    "another appointment holds in that time: end it first, or leave -from away to change it now",
		staff.ErrSecond:     "an operator or auditor is appointed with the word of another one in office: -seconded CPF",
		staff.ErrNoStaff:    "there is nothing to end: no appointment, or it is over",
	} {
		if errors.Is(err, known) {
			return errors.New(words)
		}
	}
	return err
}
