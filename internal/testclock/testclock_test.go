package testclock

import (
	"testing"
	"time"
)

func TestClockStandsStillUntilAdvanced(t *testing.T) {
	t.Parallel()

	c := At("2026-11-21T09:00:00-03:00")
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	if got := c.Now(); got != noon || c.Now() != got {
		t.Fatalf("Now() = %v, want %v twice", got, noon)
	}
	if got, want := c.Advance(-90*time.Second), noon.Add(-90*time.Second); got != want || c.Now() != want {
		t.Fatalf("Advance = %v, Now() = %v, want %v", got, c.Now(), want)
	}
}
