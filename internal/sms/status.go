package sms

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/phone"
)

// Keep is how long the trail of a message lasts: what the security page shows.
const Keep = 90 * 24 * time.Hour

// earlyKeep is how long a status waits for its message; a carrier's answer takes seconds.
const earlyKeep = time.Hour

// Hear is the Listener of the trail: it moves a message to the end its carrier tells of. What is told
// twice, too late, or of a message that is not ours, changes nothing.
//
// A status may come before the carrier's answer to the message itself: then it is kept, and applied
// by whichever of the two is noted last.
func (s *Service) Hear(ctx context.Context, st Status) error {
	if !st.State.Final() {
		return nil
	}
	st.Reason = cut(st.Reason)
	moved, early, err := hear(ctx, s.DB, st, s.Now())
	if err != nil {
		return fmt.Errorf("status of a text: %w", err)
	}
	if moved != nil {
		s.Metrics.ended(st.Carrier, *moved, st.State)
	}
	if early {
		return s.catchUp(ctx, st.Carrier, st.ID)
	}
	return nil
}

// catchUp ends a message whose status came before its name, if one did.
func (s *Service) catchUp(ctx context.Context, carrier, carrierID string) error {
	end, country, err := applyEarly(ctx, s.DB, carrier, carrierID)
	s.Metrics.ended(carrier, country, end)
	return err
}

// Trail is what is left of a message.
type Trail struct {
	ID        uuid.UUID
	Purpose   string
	State     State
	Reason    string
	Carrier   string
	CreatedAt time.Time
	EndedAt   *time.Time
}

// Of tells what became of a request; pg.NoRows of the error says that there was none.
func (s *Service) Of(ctx context.Context, key string) (Trail, error) {
	return trailOf(ctx, s.DB, key)
}

// History lists the texts of a number since a time, newest first, at most 100.
func (s *Service) History(ctx context.Context, to phone.Number, since time.Time) ([]Trail, error) {
	var indexes [][]byte
	for _, v := range s.Box.IndexVersions() {
		indexes = append(indexes, s.Box.IndexAt(v, numberDomain, []byte(to)))
	}
	return trailsTo(ctx, s.DB, indexes, since)
}

// Sweep is the queue's: end what nobody sends any more, forget what is old.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "sms_sweep" }

// Sweep ends messages whose time is over, those of cut jobs among them, and forgets old trails,
// windows that have passed, and statuses that nobody was waiting for.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.Now()
	countries, err := expire(ctx, s.DB, now)
	if err != nil {
		return err
	}
	for _, country := range countries {
		s.Metrics.ended(s.Carrier.Name(), country, Expired)
	}
	return purge(ctx, s.DB, now.Add(-Keep), now.Add(-earlyKeep), now)
}
