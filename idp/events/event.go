package events

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// AssuranceLevelChange is the type of the event that a trust level has changed. CAEP 1.0 §3.4.
const AssuranceLevelChange = "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change"

// Namespace says what the levels of an event are: trust_level, "0" to "5".
const Namespace = "urn:loginunico:nivel"

// Initiator is what brought a change about. CAEP 1.0 §2, initiating_entity.
type Initiator string

// The initiators.
const (
	ByAdmin  Initiator = "admin"  // somebody of the city
	ByUser   Initiator = "user"   // the citizen
	ByPolicy Initiator = "policy" // time
	BySystem Initiator = "system" // a base, a list of revoked certificates
)

// LevelChange is a change of what tokens say in trust_level.
type LevelChange struct {
	Person      uuid.UUID
	From, To    int       // 0 to 5
	At          time.Time // when it changed, which may be long before it is told
	Initiator   Initiator
	ReasonAdmin map[string]string // by language (BCP 47), for logs; nothing personal
	ReasonUser  map[string]string // by language, for the citizen
}

// body is the event's own part. CAEP 1.0 §2, §3.4.1.
func (c LevelChange) body() map[string]any {
	direction := "increase"
	if c.To < c.From {
		direction = "decrease"
	}
	return map[string]any{"namespace": Namespace, "current_level": strconv.Itoa(c.To), "previous_level": strconv.Itoa(c.From),
		"change_direction": direction, "event_timestamp": c.At.Unix(), "initiating_entity": c.Initiator,
		"reason_admin": c.ReasonAdmin, "reason_user": c.ReasonUser}
}

// Clients are the services there are; *client.Registry has them.
type Clients interface {
	Get(id string) (*client.Client, bool)
	All() []*client.Client
}

// Enqueuer puts a job into the transaction that makes it necessary; a *jobs.Queue is one.
type Enqueuer interface {
	Insert(ctx context.Context, tx pg.Tx, args jobs.Args) error
}

// Tell enqueues an event for every service that has reason to hear it: its manifest has an
// events_uri, it was told a level of this person before the change, and it still holds a live grant
// or consent of theirs. It returns how many.
func (s *Service) Tell(ctx context.Context, tx pg.Tx, c LevelChange) (int, error) {
	body, err := json.Marshal(c.body())
	if err != nil {
		return 0, err
	}
	all, err := receivers(ctx, tx, c.Person, s.listeners(), c.At, s.Now())
	for _, r := range all {
		d := Delivery{Person: c.Person, ClientID: r.ClientID, Subject: r.Subject, ID: secret.Token(), IssuedAt: s.Now().Unix(),
			Event: AssuranceLevelChange, Body: body}
		if err := s.Queue.Insert(ctx, tx, d); err != nil {
			return 0, err
		}
	}
	return len(all), err
}

// listeners are the services that want events about people.
func (s *Service) listeners() (all []*client.Client) {
	for _, c := range s.Clients.All() {
		if c.EventsURI != "" && c.HasGrant(client.GrantAuthorizationCode) {
			all = append(all, c)
		}
	}
	return all
}
