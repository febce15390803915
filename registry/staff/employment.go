package staff

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry/trust"
)

// Role is what somebody may do for the city.
type Role string

// The roles.
const (
	Attendant  Role = "attendant"  // serves citizens at a desk
	Supervisor Role = "supervisor" // an attendant who answers for others
	Operator   Role = "operator"   // runs and changes the systems
	Auditor    Role = "auditor"    // reads what others did
)

// Roles lists every role.
func Roles() []Role { return []Role{Attendant, Supervisor, Operator, Auditor} }

// Employment is one appointment of a person.
type Employment struct {
	ID         uuid.UUID
	Person     uuid.UUID
	Department string
	Roles      []Role // in the order of [Roles], at least one
	From       time.Time
	Until      time.Time // as planned; zero: none
	Reason     string
	By         string    // the account that appointed
	Seconded   uuid.UUID // who agreed; zero where nobody had to
	At         time.Time // when it was appointed
	Replaces   uuid.UUID // the appointment that this one changed; zero: none
	EndedAt    time.Time // when somebody ended it; zero: nobody did
	EndReason  string
	EndedBy    string
}

// Over is when the appointment ends, as planned or before; zero: no end in sight. One that was ended
// before it began never holds.
func (e Employment) Over() time.Time {
	if e.EndedAt.IsZero() || !e.Until.IsZero() && e.Until.Before(e.EndedAt) {
		return e.Until
	}
	return e.EndedAt
}

// LiveAt says whether the appointment holds at an instant.
func (e Employment) LiveAt(at time.Time) bool {
	return !at.Before(e.From) && (e.Over().IsZero() || at.Before(e.Over()))
}

// Has says whether one of these roles is among the appointment's.
func (e Employment) Has(any ...Role) bool {
	return slices.ContainsFunc(any, func(r Role) bool { return slices.Contains(e.Roles, r) })
}

// Assessment is how a person stands to the city at an instant.
type Assessment struct {
	Live  bool
	Now   Employment // the one that holds; zero unless Live
	Until time.Time  // when this changes unless something new is decided; zero: never
}

// Assess finds the appointment that holds at an instant, past or present.
//
// Until is its end, or the beginning of the next one: whatever tells of it must not outlive that.
func Assess(all []Employment, at time.Time) Assessment {
	var a Assessment
	sooner := func(t time.Time) {
		if t.After(at) && (a.Until.IsZero() || t.Before(a.Until)) {
			a.Until = t
		}
	}
	for _, e := range all {
		if e.LiveAt(at) {
			a.Live, a.Now = true, e
			sooner(e.Over())
		} else if e.Over().IsZero() || e.Over().After(e.From) {
			sooner(e.From)
		}
	}
	return a
}

// Level is the level from which somebody acts for the city, of the person and of the session.
const Level = 4

// SecondFactor says whether a session has shown two factors, by its RFC 8176 amr: a passkey that
// verified its user, a password and a code, gov.br where it says mfa itself, or a certificate, which
// is a key and its PIN. A gov.br account of gold alone is none: it says who somebody is, and not that
// more than a password was typed.
func SecondFactor(amr []string) bool {
	return slices.Contains(amr, "mfa") || slices.Contains(amr, "x509")
}

// Speaks says whether an employee in this session acts for the city.
//
//	level  trust level of the person at that instant
//	cap    of the session, by the city's table ([trust.Caps])
//	amr    of the session
func Speaks(level, cap int, amr []string) bool {
	return min(level, cap) >= Level && SecondFactor(amr) && !slices.Contains(amr, trust.Recovered)
}
