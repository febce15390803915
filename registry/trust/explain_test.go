package trust

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var kinds = []Kind{SelfDeclared, GovBR, RegistryMatch, BiometricEnrollment, ICPCertificate}

// life is random evidence around a day.
func life(r *rand.Rand, day time.Time) []Evidence {
	all := make([]Evidence, r.IntN(8))
	for i := range all {
		e := Evidence{Kind: kinds[r.IntN(len(kinds))], VerifiedAt: day.AddDate(0, 0, r.IntN(400)-300)}
		if r.IntN(2) == 0 {
			e.ExpiresAt = e.VerifiedAt.AddDate(0, 0, 1+r.IntN(400))
		}
		if r.IntN(4) == 0 {
			e.RevokedAt = e.VerifiedAt.AddDate(0, 0, 1+r.IntN(400))
		}
		all[i] = e
	}
	return all
}

func TestAnExplanationTellsEveryPieceOfEvidenceOnceAndTheLevelRestsOnWhatItSays(t *testing.T) {
	t.Parallel()

	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		all := life(r, day)
		x := Explain(all, day)
		future := 0
		for _, e := range all {
			if day.Before(e.VerifiedAt) {
				future++
			}
		}
		if told := len(x.Because) + len(x.Beside) + len(x.Past); told+future != len(all) {
			t.Fatalf("%d of %d told: %+v", told, len(all)-future, x)
		}
		if x.Level != Level(all, day) || (x.Level > 0) != (len(x.Because) > 0) {
			t.Fatalf("level %d because of %v", x.Level, x.Because)
		}
		for _, e := range slices.Concat(x.Because, x.Beside) {
			if !e.LiveAt(day) || e.Kind.Level() > x.Level {
				t.Fatalf("%+v does not carry level %d", e, x.Level)
			}
		}
		for _, k := range x.Raise {
			if got := Level(append(slices.Clone(all), Evidence{Kind: k, VerifiedAt: day}), day); got <= x.Level {
				t.Fatalf("%s would not raise level %d", k, x.Level)
			}
		}
	}
}

func TestALevelIsMonotoneInEvidenceAndTheSameForAPastDayWhateverCameLater(t *testing.T) {
	t.Parallel()

	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		all := life(r, day)
		before := Level(all, day)
		more := Evidence{Kind: kinds[r.IntN(len(kinds))], VerifiedAt: day.AddDate(0, 0, -r.IntN(10))}
		if after := Level(append(slices.Clone(all), more), day); after < before || after > max(before, more.Kind.Level()) {
			t.Fatalf("%d became %d with a %s", before, after, more.Kind)
		}
		later := slices.Clone(all)
		for i := range later { // what is revoked after the day, and what is verified after it
			if later[i].RevokedAt.IsZero() && r.IntN(2) == 0 {
				later[i].RevokedAt = day.Add(time.Hour)
			}
		}
		later = append(later, Evidence{Kind: ICPCertificate, VerifiedAt: day.Add(time.Hour)})
		if after := Level(later, day); after != before {
			t.Fatalf("the day's level was %d and is told as %d afterwards", before, after)
		}
	}
}

func TestALevelIsWhatItIsSinceItsLastTurn(t *testing.T) {
	t.Parallel()

	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	r := rand.New(rand.NewPCG(5, 6))
	turned := 0
	for range 2000 {
		all := life(r, day)
		level, since := Level(all, day), Since(all, day)
		if since.IsZero() {
			if level != 0 {
				t.Fatalf("level %d since ever: %v", level, all)
			}
			continue
		}
		turned++
		if since.After(day) || Level(all, since.Add(-time.Nanosecond)) == level {
			t.Fatalf("level %d did not begin at %v: %v", level, since, all)
		}
		for at := since; !at.After(day); at = at.Add(12 * time.Hour) {
			if Level(all, at) != level {
				t.Fatalf("level %d since %v, and %d at %v: %v", level, since, Level(all, at), at, all)
			}
		}
	}
	if turned < 1000 {
		t.Fatalf("%d of 2000 lives had a level", turned)
	}
}
