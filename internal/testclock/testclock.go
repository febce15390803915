// Package testclock is a clock that stands still until a test moves it.
//
//	clock := testclock.At("2026-11-21T12:00:00Z")
//	s := consent.New(db, clock.Now)
//	clock.Advance(10 * time.Minute)
package testclock

import (
	"sync"
	"time"
)

// Clock is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// At returns a clock standing at an RFC 3339 instant. It panics when instant does not parse: a
// test wrote it.
func At(instant string) *Clock {
	at, err := time.Parse(time.RFC3339Nano, instant)
	if err != nil {
		panic(err)
	}
	return &Clock{now: at.UTC()}
}

// Now returns the instant the clock shows, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d, backwards when d is negative, and returns the new instant.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}
