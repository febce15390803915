package trust

import (
	"slices"
	"time"
)

// Since is when the level became what it is at an instant, past or present; zero where there never was
// any evidence.
func Since(evidence []Evidence, at time.Time) (since time.Time) {
	var turns []time.Time
	for _, e := range evidence {
		for _, t := range []time.Time{e.VerifiedAt, e.ExpiresAt, e.RevokedAt} {
			if !t.IsZero() && !t.After(at) {
				turns = append(turns, t)
			}
		}
	}
	slices.SortFunc(turns, time.Time.Compare)
	level := 0
	for _, t := range turns {
		if l := Level(evidence, t); l != level {
			level, since = l, t
		}
	}
	return since
}
