package factor

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/trust"
)

// Hold is what a recovery by mail, text message or secret question leaves behind until something
// stronger confirms it. The zero Hold is none.
type Hold struct {
	Way   Way
	Since time.Time // of the first recovery that nothing has confirmed: what was enrolled from then on is held
	At    time.Time // of the latest one: only a session opened since can confirm it
}

// Live says whether there is one.
func (h Hold) Live() bool { return !h.At.IsZero() }

// covers says whether what counts since a moment was enrolled under the hold.
func (h Hold) covers(enrolled time.Time) bool { return h.Live() && !enrolled.Before(h.Since) }

// lifts says whether a proof confirms what is held.
func (h Hold) lifts(p Proof) bool {
	switch p.By {
	case ByGovBR, ByCertificate, ByDesk:
		return true
	case ByPasskey, ByTOTP, ByRecoveryCode:
		return !h.covers(p.Enrolled)
	}
	return false
}

// Cap is the highest level a session of these facts may claim.
func (h Hold) Cap(caps trust.Caps, proofs ...Proof) int {
	facts, _ := h.Facts(proofs...)
	return caps.Of(facts)
}

// HoldOf returns what is held of a person; the zero Hold when nothing is.
func HoldOf(ctx context.Context, db pg.DB, person uuid.UUID) (Hold, error) {
	return holdOf(ctx, db, person)
}

// Lift ends a hold, when [Hold.Facts] said that the session's proofs confirm it; false when another
// recovery came meanwhile, or it had ended.
func Lift(ctx context.Context, db pg.DB, person uuid.UUID, h Hold, by Method, now time.Time) (bool, error) {
	return liftHold(ctx, db, person, h.At, by, now)
}
