package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

// Page is which part of a trail to read.
type Page struct {
	From, To time.Time // from ≤ at < to; a zero To is no end
	After    Cursor    // where the page before ended; zero: the first page
	Limit    int       // events; 0 is 50, at most 1000
}

// Cursor is a place in a trail.
type Cursor struct {
	At time.Time
	ID uuid.UUID
}

const (
	defaultPage = 50
	largestPage = 1000
)

var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Of returns what happened with a person's data, newest first, and the cursor of the next page; a
// zero cursor: that was the last. Events that wait for their batch are among them. It answers a
// citizen's request under LGPD art. 18 and 19; reading it is itself an act to record.
func Of(ctx context.Context, db pg.DB, person uuid.UUID, p Page) ([]Event, Cursor, error) {
	if p.To.IsZero() || p.To.After(endOfTime) {
		p.To = endOfTime
	}
	if p.After == (Cursor{}) {
		p.After = Cursor{At: endOfTime}
	}
	if p.Limit <= 0 {
		p.Limit = defaultPage
	}
	p.Limit = min(p.Limit, largestPage)
	events, err := trail(ctx, db, person, p)
	if err != nil {
		return nil, Cursor{}, fmt.Errorf("audit trail: %w", err)
	}
	if len(events) <= p.Limit {
		return events, Cursor{}, nil
	}
	last := events[p.Limit-1]
	return events[:p.Limit], Cursor{last.At, last.ID}, nil
}
