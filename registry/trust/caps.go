package trust

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// DefaultCaps is the table of the contract. Names are RFC 8176 amr values, with govbr and x509
// added, "gold" for a gov.br account of that level, and "recovered" for a session opened by
// recovery and not confirmed since, which caps whatever else happened.
const DefaultCaps = "otp=1,sms=1,kba=1,recovered=1,pwd=3,govbr=3,govbr+gold=4,govbr+mfa=4,hwk+mfa=4,swk+mfa=4,pwd+otp=4,x509=5"

// Recovered is the fact that lowers a session to its own row whatever else it did.
const Recovered = "recovered"

// Caps is the session strength table: the strongest row whose facts all happened.
type Caps []capRow

type capRow struct {
	facts []string
	cap   int
}

// ParseCaps reads "fact+fact=N,…", N from 1 to 5. Every fault is named.
func ParseCaps(s string) (Caps, error) {
	var caps Caps
	for row := range strings.SplitSeq(s, ",") {
		facts, n, ok := strings.Cut(strings.TrimSpace(row), "=")
		cap, err := strconv.Atoi(n)
		if !ok || err != nil || cap < 1 || cap > 5 || facts == "" {
			return nil, fmt.Errorf("session caps: %q is not fact[+fact]=1..5", row)
		}
		caps = append(caps, capRow{facts: strings.Split(facts, "+"), cap: cap})
	}
	return caps, nil
}

// Of is the cap of a session by what happened in it; 1 when no row matches, because a session
// that proved nothing the table knows must not be trusted for more.
func (c Caps) Of(facts []string) int {
	best := 1
	for _, row := range c {
		if !row.matches(facts) {
			continue
		}
		if slices.Contains(row.facts, Recovered) {
			return row.cap
		}
		best = max(best, row.cap)
	}
	return best
}

func (r capRow) matches(facts []string) bool {
	for _, f := range r.facts {
		if !slices.Contains(facts, f) {
			return false
		}
	}
	return true
}
