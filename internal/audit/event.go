package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

// ErrEvent: an event says less than it must, or what it must not. It is a fault of the program.
var ErrEvent = errors.New("audit: wrong event")

// Kind is what sort of actor did it.
type Kind string

// The kinds of actors.
const (
	Person   Kind = "person"   // a citizen, about their own data; ID is the person's
	Client   Kind = "client"   // a service, through an API; ID is its client_id
	Operator Kind = "operator" // somebody of the city; ID is theirs as a person
	System   Kind = "system"   // a job or a load; ID is its name
)

// Actor is who did it.
type Actor struct {
	Kind Kind
	ID   string
}

// Event is one act upon somebody's data. Apart from the identifiers it holds nothing personal:
// fields by name, never their values.
type Event struct {
	ID         uuid.UUID         // UUIDv7; the zero ID is given one
	At         time.Time         // in microseconds; the zero time is now
	Actor      Actor             //
	Action     string            // what was done: "registry.read", "consent.revoke"
	Person     uuid.UUID         // whose data; the zero ID: nobody's in particular
	Fields     []string          // names of what was read or changed, sorted
	Purpose    string            // why, as declared: up to 500 bytes
	LegalBasis string            // LGPD art. 7 and 11, as in the manifests: "consent", "public_policy"
	RequestID  string            // of the request that did it, which the logs have too
	Detail     map[string]string // more, nothing personal: up to 20 entries
}

const (
	maxText   = 500 // bytes of purpose and of a detail's value
	maxName   = 100 // bytes of every other text
	maxFields = 200
	maxDetail = 20
)

// prepare returns the events as they will be stored and hashed. Errors: ErrEvent.
func prepare(events []Event, now time.Time) ([]Event, error) {
	ready := make([]Event, len(events))
	for i, e := range events {
		if err := e.check(); err != nil {
			return nil, err
		}
		if e.ID == uuid.Nil {
			e.ID = pg.NewID()
		}
		if e.At.IsZero() {
			e.At = now
		}
		e.At = e.At.UTC().Truncate(time.Microsecond) // what PostgreSQL keeps
		e.Fields = slices.Compact(slices.Sorted(slices.Values(e.Fields)))
		e.Detail = maps.Clone(e.Detail)
		ready[i] = e
	}
	return ready, nil
}

func (e Event) check() error {
	switch {
	case !slices.Contains([]Kind{Person, Client, Operator, System}, e.Actor.Kind):
		return fmt.Errorf("%w: kind of actor %q", ErrEvent, e.Actor.Kind)
	case e.Actor.ID == "":
		return fmt.Errorf("%w: no actor", ErrEvent)
	case !isName(e.Action):
		return fmt.Errorf("%w: action %q", ErrEvent, e.Action)
	case len(e.Fields) > maxFields || len(e.Detail) > maxDetail:
		return fmt.Errorf("%w: %d fields, %d details", ErrEvent, len(e.Fields), len(e.Detail))
	case !plain(e.Actor.ID, maxName) || !plain(e.LegalBasis, maxName) || !plain(e.RequestID, maxName) || !plain(e.Purpose, maxText):
		return fmt.Errorf("%w: %s: a text is too long or not plain", ErrEvent, e.Action)
	}
	for _, f := range e.Fields {
		if !isName(f) { // not quoted: it may be a value
			return fmt.Errorf("%w: %s: a field is not a name", ErrEvent, e.Action)
		}
	}
	for k, v := range e.Detail {
		if !isName(k) || !plain(v, maxText) {
			return fmt.Errorf("%w: %s: a detail is too long or not plain", ErrEvent, e.Action)
		}
	}
	return nil
}

// isName says whether a text has the shape of actions, fields and the keys of details: letters, digits
// and _, and behind the first also . / : and -. A comma cannot be in it: fields travel joined by commas.
func isName(s string) bool {
	for i, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_':
		case i > 0 && strings.IndexByte("./:-", c) >= 0:
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

// plain says whether PostgreSQL would give a text back as it was.
func plain(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

// month is the first day of the month that an event's partition holds.
func (e Event) month() time.Time {
	return time.Date(e.At.Year(), e.At.Month(), 1, 0, 0, 0, 0, time.UTC)
}
