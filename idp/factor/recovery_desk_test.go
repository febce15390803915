package factor_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry/staff"
)

// counter is a desk with two people of the city.
type counter struct {
	*home
	*factor.Desk
	carla, paulo uuid.UUID
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	h := newHome(t)
	c := &counter{home: h, Desk: factor.NewDesk("", h.clock.Now), carla: pg.NewID(), paulo: pg.NewID()}
	c.employ(c.carla, staff.Attendant)
	c.employ(c.paulo, staff.Supervisor)
	return c
}

// employ makes somebody an employee from now on, in place of what they were.
func (c *counter) employ(person uuid.UUID, role staff.Role) {
	c.t.Helper()
	c.must(c.inTx(func(tx pg.Tx) error {
		_, err := staff.Appoint(c.t.Context(), tx, staff.Appointment{Person: person, Department: "Atendimento", Roles: []staff.Role{role}},
			staff.Decision{Actor: "rh", Reason: "Portaria 1"}, c.clock.Now())
		return err
	}))
}

func (c *counter) dismiss(person uuid.UUID) {
	c.t.Helper()
	c.must(c.inTx(func(tx pg.Tx) error {
		_, err := staff.End(c.t.Context(), tx, person, staff.Decision{Actor: "rh", Reason: "Portaria 2"}, c.clock.Now())
		return err
	}))
}

func (c *counter) request(by uuid.UUID) (id uuid.UUID, err error) {
	err = c.inTx(func(tx pg.Tx) (err error) {
		id, err = c.Request(c.t.Context(), tx, by, c.person, "Perdeu o telefone; RG conferido.")
		return err
	})
	return id, err
}

func (c *counter) approve(by, id uuid.UUID) (code string, err error) {
	err = c.inTx(func(tx pg.Tx) (err error) {
		code, err = c.Approve(c.t.Context(), tx, by, id)
		return err
	})
	return code, err
}

func (c *counter) redeem(code string) (id uuid.UUID, err error) {
	err = c.inTx(func(tx pg.Tx) (err error) {
		id, err = c.Redeem(c.t.Context(), tx, code, c.browser, uuid.Nil)
		return err
	})
	return id, err
}

func TestTwoPeopleAtADeskLetACitizenBackInWithoutAHold(t *testing.T) {
	t.Parallel()

	c := newCounter(t)
	lost, d := c.start(maria, factor.WayMail)
	c.prove(lost, d.Code)
	_, err := c.home.finish(lost)
	c.must(err)
	id, err := c.request(c.carla)
	c.must(err)
	waiting, err := c.Waiting(t.Context(), c.db)
	if err != nil || len(waiting) != 1 || waiting[0].ID != id || waiting[0].RequestedBy != c.carla || waiting[0].Person != c.person {
		t.Errorf("%+v, %v", waiting, err)
	}
	code, err := c.approve(c.paulo, id)
	c.must(err)
	back, err := c.redeem(strings.ToLower(strings.ReplaceAll(code, "-", " ")))
	c.must(err)
	o, err := c.home.finish(back)
	if err != nil || o.Person != c.person || o.Way != factor.WayDesk || o.Hold.Live() {
		t.Fatalf("%+v, %v", o, err)
	}
	facts, _ := o.Hold.Facts(o.Proofs...)
	if held, err := factor.HoldOf(t.Context(), c.db, c.person); held.Live() || err != nil || c.caps(facts) != 3 {
		t.Errorf("held %+v, session %v, %v", held, facts, err)
	}
	if n := c.count(`SELECT count(*) FROM audit_pending WHERE person_id = $1 AND detail ->> 'request' = $2
		AND (action, actor_id) IN (('recovery.desk_request', $3), ('recovery.desk_approve', $4), ('recovery.desk_redeem', $5))`,
		c.person, id.String(), c.carla.String(), c.paulo.String(), c.person.String()); n != 3 {
		t.Errorf("%d of 3 steps are in the audit", n)
	}
	if n := c.count(`SELECT count(*) FROM audit_pending a WHERE position($1 in a::text) > 0`, code); n != 0 {
		t.Error("the code is in the audit")
	}
}

func TestNobodyApprovesAlone(t *testing.T) {
	t.Parallel()

	c := newCounter(t)
	if _, err := c.request(c.person); !errors.Is(err, factor.ErrDeskOwn) {
		t.Errorf("for themselves: %v", err)
	}
	id, err := c.request(c.carla)
	c.must(err)
	for name, by := range map[string]uuid.UUID{"who requested": c.carla, "the citizen": c.person} {
		if code, err := c.approve(by, id); !errors.Is(err, factor.ErrDeskOwn) || code != "" {
			t.Errorf("%s approves: %v", name, err)
		}
	}
	for name, sql := range map[string]string{
		"one person for both":            `UPDATE desk_recovery SET approved_by = requested_by, approved_at = requested_at, code_hash = sha256('x')`,
		"the citizen for themselves":     `UPDATE desk_recovery SET approved_by = person_id, approved_at = requested_at, code_hash = sha256('x')`,
		"used without approval":          `UPDATE desk_recovery SET used_at = requested_at`,
		"a code without approval":        `UPDATE desk_recovery SET code_hash = sha256('x')`,
		"the citizen requests":           `UPDATE desk_recovery SET requested_by = person_id`,
		"a desk recovery without a desk": `UPDATE recovery SET way = 'desk'`,
	} {
		c.start(maria, factor.WayMail)
		if tag, err := c.db.Exec(t.Context(), sql); err == nil {
			t.Errorf("the table lets %s pass: %s", name, tag)
		}
	}
}

func TestOnlyAttendantsAndSupervisorsInOfficeActAtADesk(t *testing.T) {
	t.Parallel()

	c := newCounter(t)
	operator, stranger, former := pg.NewID(), pg.NewID(), pg.NewID()
	c.employ(operator, staff.Operator)
	c.employ(former, staff.Attendant)
	id, err := c.request(former)
	c.must(err)
	c.clock.Advance(time.Minute)
	c.dismiss(former)
	for name, by := range map[string]uuid.UUID{"a stranger": stranger, "an operator": operator, "a former attendant": former} {
		if _, err := c.request(by); !errors.Is(err, staff.ErrNoStaff) {
			t.Errorf("%s requests: %v", name, err)
		}
	}
	if code, err := c.approve(c.paulo, id); !errors.Is(err, factor.ErrDeskRequester) || code != "" {
		t.Errorf("approved what somebody asked who was dismissed since: %v", err)
	}
	id, err = c.request(c.carla)
	c.must(err)
	for name, by := range map[string]uuid.UUID{"a stranger": stranger, "an operator": operator, "a former attendant": former} {
		if code, err := c.approve(by, id); !errors.Is(err, staff.ErrNoStaff) || code != "" {
			t.Errorf("%s approves: %v", name, err)
		}
	}
	if _, err := c.approve(c.paulo, id); err != nil {
		t.Error(err)
	}
}

func TestADeskRequestAndItsCodeLastAnHourAndWorkOnce(t *testing.T) {
	t.Parallel()

	c := newCounter(t)
	id, err := c.request(c.carla)
	c.must(err)
	c.clock.Advance(factor.DeskLifetime)
	if _, err := c.approve(c.paulo, id); !errors.Is(err, factor.ErrDeskOver) {
		t.Errorf("approved after an hour: %v", err)
	}
	if waiting, err := c.Waiting(t.Context(), c.db); len(waiting) != 0 || err != nil {
		t.Errorf("%+v, %v", waiting, err)
	}
	id, err = c.request(c.carla)
	c.must(err)
	codes := make(chan string, 100)
	if won := c.together(func(int) (bool, error) {
		code, err := c.approve(c.paulo, id)
		if errors.Is(err, factor.ErrDeskOver) {
			return false, nil
		}
		codes <- code
		return err == nil, err
	}); won != 1 {
		t.Fatalf("%d of 100 approved", won)
	}
	code := <-codes
	if won := c.together(func(int) (bool, error) {
		_, err := c.redeem(code)
		if errors.Is(err, factor.ErrRecovery) {
			return false, nil
		}
		return err == nil, err
	}); won != 1 || c.count(`SELECT count(*) FROM recovery WHERE way = 'desk'`) != 1 {
		t.Errorf("%d of 100 used the code", won)
	}
	id, err = c.request(c.carla)
	c.must(err)
	code, err = c.approve(c.paulo, id)
	c.must(err)
	c.clock.Advance(factor.DeskLifetime)
	if _, err := c.redeem(code); !errors.Is(err, factor.ErrRecovery) {
		t.Errorf("redeemed after an hour: %v", err)
	}
	if _, err := c.redeem(secret.Token()); !errors.Is(err, factor.ErrRecovery) {
		t.Errorf("no code at all: %v", err)
	}
}

func TestADeskRequestHasAReason(t *testing.T) {
	t.Parallel()

	c := newCounter(t)
	for _, reason := range []string{"", "  ", strings.Repeat("a", 501), "a\x00b", "\xff"} {
		err := c.inTx(func(tx pg.Tx) error {
			_, err := c.Request(t.Context(), tx, c.carla, c.person, reason)
			return err
		})
		if !errors.Is(err, factor.ErrDeskReason) {
			t.Errorf("%.10q: %v", reason, err)
		}
	}
}
