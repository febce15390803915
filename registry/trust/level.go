package trust

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Kind is what sort of proof a piece of evidence is.
type Kind string

// The kinds, weakest first. Each gives the level in [Kind.Level].
const (
	SelfDeclared        Kind = "self_declared"        // the person says so; a channel was confirmed
	GovBR               Kind = "govbr"                // has a gov.br account
	RegistryMatch       Kind = "registry_match"       // matched in the city's registry
	BiometricEnrollment Kind = "biometric_enrollment" // biometrics at an attended desk
	ICPCertificate      Kind = "icp_certificate"      // showed a valid ICP-Brasil certificate
)

// Level is the trust level this kind gives while it lives; 0 for an unknown kind.
func (k Kind) Level() int {
	switch k {
	case SelfDeclared:
		return 1
	case GovBR:
		return 2
	case RegistryMatch:
		return 3
	case BiometricEnrollment:
		return 4
	case ICPCertificate:
		return 5
	}
	return 0
}

// PolicyVersion is written on every piece of evidence: which reading of the levels made it.
const PolicyVersion = 1

// Evidence is one proof of who a person is.
type Evidence struct {
	ID         uuid.UUID
	Kind       Kind
	Source     string // who holds the fact: "self", "govbr", "registry", an issuing AC
	Method     string // how it was checked: "mail_code", "oidc", "desk", "mtls"
	Verifier   string // who checked it: the service, an attendant's id
	VerifiedAt time.Time
	ExpiresAt  time.Time // zero: does not expire
	RevokedAt  time.Time // zero: not revoked
	// Why it was revoked, and by whom; "" when it was not, and where only the level is asked for.
	RevokedReason, RevokedBy string
	Attributes               map[string]any
}

// LiveAt says whether the evidence counted at an instant: verified, not yet expired or revoked.
func (e Evidence) LiveAt(at time.Time) bool {
	return !at.Before(e.VerifiedAt) &&
		(e.ExpiresAt.IsZero() || at.Before(e.ExpiresAt)) &&
		(e.RevokedAt.IsZero() || at.Before(e.RevokedAt))
}

// TakenAway says whether somebody of the city decided that it shall not count, by name.
func (e Evidence) TakenAway() bool { return strings.HasPrefix(e.RevokedBy, ByOperator) }

// ByOperator begins RevokedBy where somebody of the city revoked; their account follows.
const ByOperator = "operator:"

// Assessment is a trust level and how long it stands by itself.
type Assessment struct {
	Level int       // 0 (nothing live) to 5
	Until time.Time // when the level falls unless something new comes; zero: never
}

// Assess gives the highest live kind at an instant, past or present.
//
// Until is the latest expiry among the evidence of that level: a token carrying the level must
// not outlive it.
func Assess(evidence []Evidence, at time.Time) Assessment {
	var a Assessment
	for _, e := range evidence {
		if !e.LiveAt(at) || e.Kind.Level() < a.Level {
			continue
		}
		switch {
		case e.Kind.Level() > a.Level:
			a = Assessment{Level: e.Kind.Level(), Until: e.ExpiresAt}
		case e.ExpiresAt.IsZero():
			a.Until = time.Time{}
		case !a.Until.IsZero() && e.ExpiresAt.After(a.Until):
			a.Until = e.ExpiresAt
		}
	}
	return a
}

// Level is [Assess] without its end.
func Level(evidence []Evidence, at time.Time) int { return Assess(evidence, at).Level }

const acrPrefix = "urn:loginunico:nivel:"

// ACR is the authentication context of a session: the lower of what the city knows of the person
// and what this session's authentication can carry.
func ACR(level, cap int) string { return acrPrefix + strconv.Itoa(max(1, min(level, cap))) }

// ParseACR reads N out of urn:loginunico:nivel:N; ok is false for any other value.
func ParseACR(acr string) (n int, ok bool) {
	rest, found := strings.CutPrefix(acr, acrPrefix)
	if !found || len(rest) != 1 || rest[0] < '1' || rest[0] > '5' {
		return 0, false
	}
	return int(rest[0] - '0'), true
}

// ACRValues lists every value, lowest first, for discovery.
func ACRValues() []string {
	all := make([]string, 5)
	for i := range all {
		all[i] = acrPrefix + strconv.Itoa(i+1)
	}
	return all
}
