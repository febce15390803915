package trust

import (
	"cmp"
	"slices"
	"time"
)

// Explanation says why a level is what it is, and what would raise it.
type Explanation struct {
	Assessment
	Because []Evidence // live now and of this level, newest first
	Beside  []Evidence // live too, of lower levels, strongest first
	Past    []Evidence // what counted once: revoked or expired, newest first
	Raise   []Kind     // what would give more, the nearest level first
}

// Explain is [Assess] with its reasons, at an instant, past or present. Evidence that came later, or
// was not revoked or expired then, is told as it was then.
func Explain(evidence []Evidence, at time.Time) Explanation {
	x := Explanation{Assessment: Assess(evidence, at)}
	for _, e := range evidence {
		switch {
		case at.Before(e.VerifiedAt):
		case !e.LiveAt(at):
			x.Past = append(x.Past, e)
		case e.Kind.Level() == x.Level:
			x.Because = append(x.Because, e)
		default:
			x.Beside = append(x.Beside, e)
		}
	}
	newest := func(a, b Evidence) int { return b.VerifiedAt.Compare(a.VerifiedAt) }
	slices.SortStableFunc(x.Because, newest)
	slices.SortStableFunc(x.Past, newest)
	slices.SortStableFunc(x.Beside, func(a, b Evidence) int {
		return cmp.Or(cmp.Compare(b.Kind.Level(), a.Kind.Level()), newest(a, b))
	})
	for _, k := range []Kind{SelfDeclared, GovBR, RegistryMatch, BiometricEnrollment, ICPCertificate} {
		if k.Level() > x.Level {
			x.Raise = append(x.Raise, k)
		}
	}
	return x
}
