package trust

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
)

// DefaultLifetimes is how long each kind of evidence counts, unless the city says otherwise. "own" is
// the end that the proof itself has, such as a certificate's.
const DefaultLifetimes = "self_declared=never,govbr=12m,registry_match=never,biometric_enrollment=10y,icp_certificate=own"

// ErrNoEnd: evidence that counts until its own end was written without one.
var ErrNoEnd = fail.New(fail.Invalid, "evidence_without_end")

// Lifetimes says how long evidence counts, by kind. The zero value is [DefaultLifetimes].
type Lifetimes struct{ table map[Kind]span }

// span is a length in the calendar, which is how people agree on such things.
type span struct {
	years, months, days int
	own                 bool // the proof's own end, which there must be
}

// ParseLifetimes reads "kind=LENGTH,…"; LENGTH is a number with d, m or y (days, months, years), never,
// or own. Kinds that are not named keep their default. The error names every fault.
func ParseLifetimes(s string) (Lifetimes, error) {
	l := Lifetimes{table: map[Kind]span{}}
	faults := l.read(DefaultLifetimes)
	if s != "" {
		faults = append(faults, l.read(s)...)
	}
	if len(faults) > 0 {
		return Lifetimes{}, fmt.Errorf("lifetimes of evidence: %s", strings.Join(faults, "; "))
	}
	return l, nil
}

func (l Lifetimes) read(s string) (faults []string) {
	seen := map[Kind]bool{}
	for row := range strings.SplitSeq(s, ",") {
		name, length, _ := strings.Cut(strings.TrimSpace(row), "=")
		kind := Kind(name)
		one, ok := parseSpan(length)
		switch {
		case kind.Level() == 0:
			faults = append(faults, fmt.Sprintf("%q is no kind of evidence", name))
		case seen[kind]:
			faults = append(faults, name+" is there twice")
		case !ok:
			faults = append(faults, fmt.Sprintf("%s=%q is not 30d, 12m, 10y, never or own", name, length))
		}
		seen[kind], l.table[kind] = true, one
	}
	return faults
}

// mostSpan keeps ends within what a calendar and a database hold.
const mostSpan = 1000

func parseSpan(s string) (one span, ok bool) {
	switch {
	case s == "never":
		return span{}, true
	case s == "own":
		return span{own: true}, true
	case len(s) < 2:
		return span{}, false
	}
	n, err := strconv.Atoi(s[:len(s)-1])
	if err != nil || n < 1 || n > mostSpan || s[0] == '+' {
		return span{}, false
	}
	switch s[len(s)-1] {
	case 'd':
		return span{days: n}, true
	case 'm':
		return span{months: n}, true
	case 'y':
		return span{years: n}, true
	}
	return span{}, false
}

// End is when evidence ends: after the lifetime of its kind, and never later than the end it brings.
// Zero: never. Error: ErrNoEnd.
func (l Lifetimes) End(e Evidence) (time.Time, error) {
	one, ok := l.table[e.Kind]
	if !ok {
		one = defaultSpans[e.Kind]
	}
	if one.own && e.ExpiresAt.IsZero() {
		return time.Time{}, ErrNoEnd
	}
	if one.own || one == (span{}) {
		return e.ExpiresAt, nil
	}
	end := e.VerifiedAt.AddDate(one.years, one.months, one.days)
	if !e.ExpiresAt.IsZero() && e.ExpiresAt.Before(end) {
		end = e.ExpiresAt
	}
	return end, nil
}

// defaultSpans serve the zero value.
var defaultSpans = func() map[Kind]span {
	l := Lifetimes{table: map[Kind]span{}}
	if faults := l.read(DefaultLifetimes); len(faults) > 0 {
		panic(faults)
	}
	return l.table
}()

// Record writes one piece of evidence, with the end that its kind has; it is never changed afterwards.
// It is the only way evidence comes to be. Error: ErrNoEnd.
func (l Lifetimes) Record(ctx context.Context, db pg.DB, person uuid.UUID, e Evidence) (err error) {
	if e.ExpiresAt, err = l.End(e); err != nil {
		return err
	}
	return insert(ctx, db, person, e)
}
