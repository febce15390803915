package consent

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/staff"
	"github.com/loginunico/loginunico/registry/trust"
)

// Standing is how a person stands to one service at one moment: all that decides whether a sign-in
// may answer it at once.
type Standing struct {
	Sealed    registry.Sealed
	UpdatedAt time.Time
	Version   int64 // of person and evidence together
	Evidence  []trust.Evidence
	Employed  []staff.Employment // what they are and were to the city
	Decision  *Record            // the latest about the service; claims, offered and offline only
	Subject   string             // sub for the service's sector; "" when there is none yet
}

// StandingColumns read a standing through a join, because it is asked for together with a session or
// an account in one statement. They are, of known_person p, consent c and subject sub,
//
//	p.sealed, p.updated_at, p.version, p.evidence, p.employment, c.kind, c.claims, c.offered, c.offline, sub.sub
type StandingColumns struct {
	sealed          registry.Sealed
	updatedAt       *time.Time
	version         *int64
	evidence        trust.Columns
	employment      staff.Columns
	kind, subject   *string
	claims, offered []string
	offline         *bool
}

// Targets are the scan targets.
func (s *StandingColumns) Targets() []any {
	return slices.Concat([]any{&s.sealed, &s.updatedAt, &s.version}, s.evidence.Targets(), s.employment.Targets(),
		[]any{&s.kind, &s.claims, &s.offered, &s.offline, &s.subject})
}

// Standing is what was read of a person and a service; nil when the join found no person.
func (s *StandingColumns) Standing(person uuid.UUID, clientID string) (*Standing, error) {
	if s.version == nil {
		return nil, nil
	}
	out := &Standing{Sealed: s.sealed, UpdatedAt: *s.updatedAt, Version: *s.version}
	if s.kind != nil {
		out.Decision = &Record{PersonID: person, ClientID: clientID, Kind: Kind(*s.kind), Claims: s.claims, Offered: s.offered, Offline: *s.offline}
	}
	if s.subject != nil {
		out.Subject = *s.subject
	}
	var err error
	if out.Evidence, err = s.evidence.Evidence(); err != nil {
		return nil, err
	}
	out.Employed, err = s.employment.Employment()
	return out, err
}
