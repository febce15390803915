package factor

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/staff"
)

// DeskLifetime is how long a request waits to be approved, and then how long the code works: the
// citizen is there.
const DeskLifetime = time.Hour

var (
	// ErrDeskOwn: nobody requests or approves their own recovery, or approves what they requested.
	ErrDeskOwn = fail.New(fail.Forbidden, "desk_own")
	// ErrDeskOver: it waited too long, or was approved already.
	ErrDeskOver = fail.New(fail.Conflict, "desk_over")
	// ErrDeskReason: a reason has 1 to 500 characters.
	ErrDeskReason = fail.New(fail.Invalid, "desk_reason")
	// ErrDeskRequester: who requested it is no attendant any more.
	ErrDeskRequester = fail.New(fail.Conflict, "desk_requester")
)

// DeskRequest is a recovery at a desk that waits for a second person.
type DeskRequest struct {
	ID          uuid.UUID
	Person      uuid.UUID
	RequestedBy uuid.UUID
	Reason      string
	RequestedAt time.Time
	ExpiresAt   time.Time
}

// Desk is recovery by two people of the city, for a citizen who stands before them: attendants or
// supervisors who hold that office at the instant they act.
type Desk struct {
	operator string
	now      func() time.Time
}

// NewDesk makes the service. That both are who they say is the caller's to check.
//
//	operator  the account of the machine that acts for them, for the audit; "": they act themselves
func NewDesk(operator string, now func() time.Time) *Desk { return &Desk{operator: operator, now: now} }

// attends says whether somebody may act at a desk now. Error: staff.ErrNoStaff.
func (d *Desk) attends(ctx context.Context, tx pg.Tx, person uuid.UUID) error {
	_, err := staff.Require(ctx, tx, person, d.now(), staff.Attendant, staff.Supervisor)
	return err
}

// Request asks for a citizen to be let back in. Errors: ErrDeskOwn, ErrDeskReason, staff.ErrNoStaff.
func (d *Desk) Request(ctx context.Context, tx pg.Tx, attendant, person uuid.UUID, reason string) (uuid.UUID, error) {
	reason = strings.TrimSpace(reason)
	switch n := utf8.RuneCountInString(reason); {
	case attendant == person:
		return uuid.Nil, ErrDeskOwn
	case n < 1 || n > 500 || !utf8.ValidString(reason) || strings.ContainsRune(reason, 0):
		return uuid.Nil, ErrDeskReason
	}
	if err := d.attends(ctx, tx, attendant); err != nil {
		return uuid.Nil, err
	}
	id := pg.NewID()
	if err := insertDesk(ctx, tx, id, person, attendant, reason, d.now()); err != nil {
		return uuid.Nil, err
	}
	return id, d.audit(ctx, tx, "recovery.desk_request", attendant, person, id)
}

// Waiting lists what may be approved, oldest first; none is an empty slice.
func (d *Desk) Waiting(ctx context.Context, db pg.DB) ([]DeskRequest, error) {
	return deskWaiting(ctx, db, d.now())
}

// Approve lets the citizen back in by a code of 120 bits, which it returns to be handed over and
// shows nobody again. Who requested it must still be in office.
// Errors: ErrDeskOwn, ErrDeskOver, ErrDeskRequester, staff.ErrNoStaff.
func (d *Desk) Approve(ctx context.Context, tx pg.Tx, approver, id uuid.UUID) (code string, err error) {
	one, err := waitingDesk(ctx, tx, id, d.now())
	if err != nil {
		return "", err
	}
	if approver == one.RequestedBy || approver == one.Person {
		return "", ErrDeskOwn
	}
	if err := d.attends(ctx, tx, approver); err != nil {
		return "", err
	}
	if err := d.attends(ctx, tx, one.RequestedBy); errors.Is(err, staff.ErrNoStaff) {
		return "", ErrDeskRequester
	} else if err != nil {
		return "", err
	}
	code = newSecretCode()
	if err := approveDesk(ctx, tx, id, approver, hashSecretCode(code), d.now()); err != nil {
		return "", err
	}
	return code, d.audit(ctx, tx, "recovery.desk_approve", approver, one.Person, id)
}

// Redeem turns the code into a recovery that is ready for its new password, in this browser, and goes
// on at a visit as that of [Recoveries.Start]. Error: ErrRecovery.
func (d *Desk) Redeem(ctx context.Context, tx pg.Tx, code string, browser []byte, visit uuid.UUID) (uuid.UUID, error) {
	id := pg.NewID()
	desk, person, err := redeemDesk(ctx, tx, id, hashSecretCode(code), browser, visit, d.now())
	if err != nil {
		return uuid.Nil, err
	}
	return id, audit.RecordTx(ctx, tx, audit.Event{At: d.now(), Actor: audit.Actor{Kind: audit.Person, ID: person.String()},
		Action: "recovery.desk_redeem", Person: person, Detail: map[string]string{"request": desk.String()}})
}

func (d *Desk) audit(ctx context.Context, tx pg.Tx, action string, actor, person, request uuid.UUID) error {
	detail := map[string]string{"request": request.String()}
	if d.operator != "" {
		detail["operator"] = d.operator
	}
	return audit.RecordTx(ctx, tx, audit.Event{At: d.now(), Actor: audit.Actor{Kind: audit.Operator, ID: actor.String()},
		Action: action, Person: person, Fields: []string{"password"}, Detail: detail})
}
