package session

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
)

var (
	// ErrEnded: the session has ended since the request began.
	ErrEnded = fail.New(fail.Expired, "expired")
	// ErrNotFound: this person has no live session of that id.
	ErrNotFound = fail.New(fail.NotFound, "not_found")
)

// Listed is a live session as its owner recognises it.
type Listed struct {
	ID         uuid.UUID
	Browser    string // its family, "Firefox, Android"; "" when it is like no other
	CreatedAt  time.Time
	LastSeenAt time.Time // as coarse as [Session.Stale]
}

// Of lists a person's live sessions, the one last seen first.
func (s *Service) Of(ctx context.Context, db pg.DB, person uuid.UUID) ([]Listed, error) {
	return listed(ctx, db, person, s.now())
}

// EndOf closes one session of a person as [Service.End] does. Error: ErrNotFound, for others' too.
func (s *Service) EndOf(ctx context.Context, tx pg.Tx, person, id uuid.UUID) error {
	ended, err := endOf(ctx, tx, person, id, s.now())
	if err != nil {
		return err
	}
	if !ended {
		return ErrNotFound
	}
	return s.follow(ctx, tx, person, id)
}

// EndOpenedBy closes the sessions of a person that a way in has opened or made stronger, as
// [Service.End] does: a fact of their amr, such as x509.
func (s *Service) EndOpenedBy(ctx context.Context, tx pg.Tx, person uuid.UUID, fact string) error {
	ended, err := endOpenedBy(ctx, tx, person, fact, s.now())
	if err != nil {
		return err
	}
	for _, id := range ended {
		if err := s.follow(ctx, tx, person, id); err != nil {
			return err
		}
	}
	return nil
}

// Hold makes sure that a session lives until the transaction ends: whoever ends it meanwhile waits.
// Error: ErrEnded.
func (s *Service) Hold(ctx context.Context, tx pg.Tx, id uuid.UUID) error {
	live, err := hold(ctx, tx, id)
	if err == nil && !live {
		return ErrEnded
	}
	return err
}
