package token

import (
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/idp/ida"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/staff"
	"github.com/loginunico/loginunico/registry/trust"
)

// Lifetimes. A token also ends with its grant and with the evidence its level rests on.
const (
	CodeLifetime    = 60 * time.Second // RFC 6749 §4.1.2 allows 10 minutes; a redirect takes a second
	AccessLifetime  = 10 * time.Minute
	IDTokenLifetime = 10 * time.Minute
	OfflineLifetime = 90 * 24 * time.Hour // a refresh token the citizen allowed to outlive the session
)

// Grant is what one authorization allows one client to do for one person.
type Grant struct {
	ID            uuid.UUID // UUIDv7, of the visit that it answers
	Alone         bool      // that visit has no row: where it has one, the grant breaks a constraint
	PersonID      uuid.UUID
	ClientID      string
	SessionID     uuid.UUID    // sid
	Subject       string       // sub, by the client's sector
	Scope         string       // space delimited
	Claims        []string     // requested, in the manifest and covered when it was approved
	IDTokenClaims []string     // of those, asked for in the ID token
	Verified      *ida.Request // what is asked with a verification, cut likewise; nil: nothing
	Resources     []string     // RFC 8707; empty: the provider itself
	Offline       bool         // survives the session
	Nonce         string
	AuthTime      time.Time
	AMR           []string
	Cap           int // session strength cap
	Needs         int // the acr that the service asked for, below which it gets nothing; 0: any
	CodeChallenge string
	RedirectURI   string
	ExpiresAt     time.Time
	Company       *company.Company // for whom the person acts; nil: for themselves

	sealedCompany []byte // as the row has it
}

// Snapshot is a person as one statement read them.
type Snapshot struct {
	Sealed    registry.Sealed
	UpdatedAt time.Time
	Version   int64 // of person, evidence and employment together
	Evidence  []trust.Evidence
	Employed  []staff.Employment
}

// holder is a grant with the person behind it, as one statement reads them.
type holder struct {
	Grant
	Snapshot
	CodeExpiresAt time.Time // this, nonce, challenge, redirect URI and the next are read for codes alone
	CodeUsedAt    *time.Time
	RevokedAt     *time.Time
	Upheld        bool // session and consent stand; read for codes alone
	Person        registry.Person
	verified      []byte                     // Grant.Verified as stored
	detailed      bool                       // the evidence has its attributes
	sources       func(source string) string // names of the registry's sources, where detailed
}

// open makes the person of the snapshot, and the company of the grant.
func (h *holder) open(s registry.Sealer) (err error) {
	if h.Company, err = company.Open(s, h.sealedCompany, h.ID); err != nil {
		return err
	}
	h.Person, err = registry.Unseal(s, h.PersonID, h.Snapshot.Sealed)
	h.Person.UpdatedAt = h.UpdatedAt
	return err
}

// closed is the grant with its company as sealed as in the database.
func (g Grant) closed() Grant {
	g.Company = nil
	return g
}

// live says whether the grant still carries tokens.
func (h *holder) live(now time.Time) bool { return h.RevokedAt == nil && now.Before(h.ExpiresAt) }

// short is the acr that the service needs and this grant does not reach at a trust level: the request's
// or the manifest's, whichever is more; 0 where it is reached.
func (h *holder) short(c *client.Client, level int) int {
	if needed := max(h.Needs, c.MinLevel); min(level, h.Cap) < needed {
		return needed
	}
	return 0
}

// assess gives the level now and the moment until which a token may claim it.
func (h *holder) assess(c *client.Client, now time.Time, lifetime time.Duration) (level int, until time.Time) {
	a := trust.Assess(h.Evidence, now)
	until = now.Add(lifetime)
	ends := []time.Time{a.Until, h.ExpiresAt}
	if h.Company.Live(now) {
		ends = append(ends, h.Company.Until) // what a token opens must not change by time alone
	}
	if h.speaks(c, a.Level) {
		ends = append(ends, staff.Assess(h.Employed, now).Until) // nor what it says its person is
	}
	for _, end := range ends {
		if !end.IsZero() && end.Before(until) {
			until = end
		}
	}
	return a.Level, until
}
