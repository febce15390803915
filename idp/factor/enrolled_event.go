package factor

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
)

// EventKind is what happened. Message "event.<kind>" names each for the owner.
type EventKind string

// The kinds of events. Sign-ins that failed are none: whoever knows a CPF could fill its owner's page.
const (
	SignedIn        EventKind = "signed_in"
	SessionsEnded   EventKind = "sessions_ended"
	PasswordChanged EventKind = "password_changed"
	PasskeyAdded    EventKind = "passkey_added"
	PasskeyRemoved  EventKind = "passkey_removed"
	PasskeyCloned   EventKind = "passkey_cloned" // it counted backwards and was refused
	TOTPAdded       EventKind = "totp_added"
	TOTPRemoved     EventKind = "totp_removed"
	CodesRenewed    EventKind = "codes_renewed"
	CodeUsed        EventKind = "code_used"
	MailChanged     EventKind = "mail_changed"
	MailAdded       EventKind = "mail_added"
	MailRemoved     EventKind = "mail_removed"
	PhoneAdded      EventKind = "phone_added"
	PhoneRemoved    EventKind = "phone_removed"
	QuestionChanged EventKind = "question_changed"
	Recovered       EventKind = "recovered"
	DeskRecovered   EventKind = "desk_recovered"
	HoldLifted      EventKind = "hold_lifted"
	SaidNotMe       EventKind = "not_me"
	Displaced       EventKind = "displaced"
	GovBRLinked     EventKind = "govbr_linked" // an account that had other ways in
	// CertificateLinked: likewise, and the first certificate of them.
	CertificateLinked EventKind = "certificate_linked"
)

// Shown is how long an event is shown to the owner. The table refuses to lose it before.
const Shown = 90 * 24 * time.Hour

// Event is one sign-in or change, as coarse as its owner needs to recognise it: no address, no
// exact browser.
type Event struct {
	ID      uuid.UUID
	Person  uuid.UUID
	At      time.Time
	Kind    EventKind
	Factor  uuid.UUID // the passkey, app or address it is about; zero: none
	Browser string    // of [BrowserFamily]; "": not in a browser
}

// Note keeps an event, in the transaction of what it tells about, and gives it its ID.
func Note(ctx context.Context, db pg.DB, e Event) (Event, error) {
	e.ID = pg.NewID()
	return e, insertEvent(ctx, db, e)
}

// Audit puts a change of a person's factors into the audit.
func Audit(ctx context.Context, tx pg.Tx, e Event) error {
	return audit.RecordTx(ctx, tx, audit.Event{At: e.At, Actor: audit.Actor{Kind: audit.Person, ID: e.Person.String()},
		Action: "factor." + string(e.Kind), Person: e.Person, Detail: map[string]string{"factor": e.Factor.String()}})
}

// EventsOf lists what happened in the last 90 days, newest first, up to most. What happened under
// somebody who held the CPF before, by their word alone, is not the owner's to see.
func EventsOf(ctx context.Context, db pg.DB, person uuid.UUID, now time.Time, most int) ([]Event, error) {
	return eventsOf(ctx, db, person, now.Add(-Shown), most)
}

// PurgeEvents forgets what is not shown any more. It reads the whole table, some millions of rows in a
// large city, once a day: an index by time would cost every sign-in.
func PurgeEvents(ctx context.Context, db pg.DB, now time.Time) error {
	return purgeEvents(ctx, db, now.Add(-Shown-24*time.Hour)) // the day is for clocks that differ
}

// families are looked for in this order: each later one is named in the headers of those before.
var browserFamilies = []struct{ mark, name string }{
	{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"FxiOS", "Firefox"}, {"Firefox", "Firefox"},
	{"CriOS", "Chrome"}, {"Chrome", "Chrome"}, {"Safari", "Safari"},
}

var systemFamilies = []struct{ mark, name string }{
	{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
	{"Macintosh", "Mac"}, {"Linux", "Linux"},
}

// BrowserFamily makes "Chrome, Android" of a User-Agent header; "" when it is like no other.
func BrowserFamily(userAgent string) string {
	var found []string
	for _, families := range [][]struct{ mark, name string }{browserFamilies, systemFamilies} {
		for _, f := range families {
			if strings.Contains(userAgent, f.mark) {
				found = append(found, f.name)
				break
			}
		}
	}
	return strings.Join(found, ", ")
}
