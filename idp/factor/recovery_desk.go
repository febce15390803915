package factor

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
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

// Desk is recovery by two people of the city, for a citizen who stands before them.
type Desk struct {
	operator string
	now      func() time.Time
}

// NewDesk makes the service. That both people may do this is the caller's to check.
//
//	operator  the account of the machine that acts for them, for the audit; "": they act themselves
func NewDesk(operator string, now func() time.Time) *Desk { return &Desk{operator: operator, now: now} }

// Request asks for a citizen to be let back in. Errors: ErrDeskOwn, ErrDeskReason.
func (d *Desk) Request(ctx context.Context, tx pg.Tx, attendant, person uuid.UUID, reason string) (uuid.UUID, error) {
	reason = strings.TrimSpace(reason)
	switch n := utf8.RuneCountInString(reason); {
	case attendant == person:
		return uuid.Nil, ErrDeskOwn
	case n < 1 || n > 500 || !utf8.ValidString(reason) || strings.ContainsRune(reason, 0):
		return uuid.Nil, ErrDeskReason
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
// shows nobody again. Errors: ErrDeskOwn, ErrDeskOver.
func (d *Desk) Approve(ctx context.Context, tx pg.Tx, approver, id uuid.UUID) (code string, err error) {
	one, err := waitingDesk(ctx, tx, id, d.now())
	if err != nil {
		return "", err
	}
	if approver == one.RequestedBy || approver == one.Person {
		return "", ErrDeskOwn
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
