package session

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/staff"
	"github.com/loginunico/loginunico/registry/trust"
)

// Lifetimes: a session ends after Lifetime, or after Idle without a sign-in to any service.
const (
	Lifetime = 12 * time.Hour
	Idle     = 2 * time.Hour
	touch    = 5 * time.Minute // last_seen_at is this coarse, so that most sign-ins write nothing
)

// Session is one browser signed in as one person.
type Session struct {
	ID         uuid.UUID // sid
	PersonID   uuid.UUID
	AuthTime   time.Time
	AMR        []string
	Cap        int
	Browser    string // its family, "Firefox, Android"; "" when it is like no other
	LastSeenAt time.Time
	ExpiresAt  time.Time
	Companies  []byte // sealed company.Set; nil: nothing was said of any
}

// Known is what one statement tells about the browser that holds a session cookie: who, how
// surely, and how they stand to one client.
type Known struct {
	Session
	Person   registry.Person
	Sealed   registry.Sealed // the person as read, before [registry.Person.Seen]
	Version  int64           // of person and evidence together, as read
	Evidence []trust.Evidence
	Employed []staff.Employment // what they are and were to the city
	Consent  *consent.Record    // latest decision about the client; claims, offered and offline only
	Subject  string             // sub for the client's sector; "" when there is none yet
	Acts     company.Set        // what the session knows of companies
}

// Level is the person's trust level now.
func (k *Known) Level(now time.Time) int { return trust.Level(k.Evidence, now) }

// Employee says whether the person works for the city now, in whatever session.
func (k *Known) Employee(now time.Time) bool { return staff.Assess(k.Employed, now).Live }

// Speaks says whether they act for the city in this session now.
func (k *Known) Speaks(now time.Time) bool {
	return k.Employee(now) && staff.Speaks(k.Level(now), k.Cap, k.AMR)
}

// TokenEnder ends the tokens of a session and says which clients took part.
type TokenEnder interface {
	EndSession(ctx context.Context, tx pg.DB, person, session uuid.UUID) ([]client.Party, error)
}

// Service keeps sessions.
type Service struct {
	db     *pg.Pool
	shared *pg.Shared
	box    registry.Sealer
	tokens TokenEnder
	queue  *jobs.Queue
	caps   trust.Caps
	secure bool
	now    func() time.Time

	upstream string // gov.br's logout; "" without
}

// New keeps sessions; secure says that the issuer is https, which the cookie's name and flags
// follow.
func New(db *pg.Pool, shared *pg.Shared, box registry.Sealer, tokens TokenEnder, queue *jobs.Queue, caps trust.Caps, secure bool, now func() time.Time) *Service {
	return &Service{db: db, shared: shared, box: box, tokens: tokens, queue: queue, caps: caps, secure: secure, now: now}
}

// Claimed says whether a request carries a session cookie at all, of a live session or not.
func (s *Service) Claimed(r *http.Request) bool {
	cookie, err := r.Cookie(s.CookieName())
	return err == nil && cookie.Value != ""
}

// Current finds the session of a request; nil when nobody is signed in. Consent and Subject are
// those for the client of this id and sector; "" asks for neither.
func (s *Service) Current(ctx context.Context, r *http.Request, clientID, sector string) (*Known, error) {
	cookie, err := r.Cookie(s.CookieName())
	if err != nil {
		return nil, nil
	}
	id := secret.HandleID(cookie.Value, secret.Unguessable)
	if id == uuid.Nil {
		return nil, nil
	}
	return known(ctx, s.shared.Reads, s.box, id, secret.Hash(cookie.Value), clientID, sector, s.now())
}

// Entry is who has just authenticated, and how.
type Entry struct {
	Person  uuid.UUID
	AMR     []string // with the facts that only caps read
	Browser string   // its family, at most 40 characters
	// AuthTime is when, where somebody else has seen them; zero is now.
	AuthTime time.Time
	// Companies are those that this sign-in says they may act for; zero says nothing.
	Companies company.Said
}

// Begin opens a session for a person who has just authenticated, in the caller's transaction. It
// returns the cookie's value, and what [Service.Current] would find by it.
//
// The same person signing in again keeps the session and its sid under a new cookie, so that a
// planted cookie is worth nothing; another person's session in this browser ends.
func (s *Service) Begin(ctx context.Context, tx pg.Tx, e Entry, before *Known, clientID, sector string) (string, *Known, error) {
	now := s.now()
	one := s.fresh(e)
	if before != nil && before.PersonID == e.Person {
		again := one
		again.ID = before.ID
		var err error
		if again.Companies, err = s.companies(before.Session, e.Companies); err != nil {
			return "", nil, err
		}
		value := cookieOf(again)
		renewed, err := renew(ctx, tx, again, secret.Hash(value))
		if err != nil {
			return "", nil, err
		}
		if renewed { // else it ended meanwhile
			k, err := known(ctx, tx, s.box, again.ID, secret.Hash(value), clientID, sector, now)
			return value, k, err
		}
	} else if before != nil {
		if err := s.End(ctx, tx, before.Session); err != nil {
			return "", nil, err
		}
	}
	var err error
	if one.Companies, err = s.companies(one, e.Companies); err != nil {
		return "", nil, err
	}
	value := cookieOf(one)
	k, err := insert(ctx, tx, s.box, one, secret.Hash(value), clientID, sector)
	return value, k, err
}

// Prospect is what [Service.Begin] would open for a person in a browser where nobody is signed in,
// as they stood to the service when their try was counted. [Service.Open] then opens it.
func (s *Service) Prospect(e Entry, standing *consent.Standing) (*Known, error) {
	one := s.fresh(e)
	return knownBy(s.box, one, standing, one.LastSeenAt)
}

// knownBy opens what was read about who holds a session.
func knownBy(box registry.Sealer, one Session, standing *consent.Standing, now time.Time) (k *Known, err error) {
	k = &Known{Session: one, Sealed: standing.Sealed, Version: standing.Version, Evidence: standing.Evidence,
		Employed: standing.Employed, Consent: standing.Decision, Subject: standing.Subject}
	if k.Acts, err = company.OpenSet(box, one.Companies, one.ID); err != nil {
		return nil, err
	}
	person, err := registry.Unseal(box, one.PersonID, standing.Sealed)
	person.UpdatedAt = standing.UpdatedAt
	k.Person = person.Seen(k.Level(now))
	return k, err
}

// Open writes a prospective session, which acts for nobody, put off as [pg.Later] does, and returns its cookie's value.
func (s *Service) Open(ctx context.Context, db pg.DB, one Session) (string, error) {
	value := cookieOf(one)
	return value, open(ctx, db, one, secret.Hash(value))
}

// cookieOf makes a new cookie value for a session.
func cookieOf(one Session) string { return secret.Handle(one.ID, secret.Unguessable) }

func (s *Service) fresh(e Entry) Session {
	now := s.now()
	if e.AuthTime.IsZero() {
		e.AuthTime = now
	}
	return Session{ID: pg.NewID(), PersonID: e.Person, AuthTime: e.AuthTime, AMR: e.AMR, Cap: s.caps.Of(e.AMR), Browser: e.Browser,
		LastSeenAt: now, ExpiresAt: now.Add(Lifetime)}
}

// End closes a session: its tokens end in the same transaction, and every service that took part
// and wants to know is told by a job. Ending twice changes nothing.
func (s *Service) End(ctx context.Context, tx pg.Tx, one Session) error {
	ended, err := end(ctx, tx, one.ID, s.now())
	if err != nil || !ended {
		return err
	}
	return s.follow(ctx, tx, one.PersonID, one.ID)
}

// EndSessions closes every session of a person as [Service.End] closes one.
func (s *Service) EndSessions(ctx context.Context, tx pg.Tx, person uuid.UUID) error {
	return s.EndOthers(ctx, tx, person, uuid.Nil)
}

// EndOthers closes every session of a person but one.
func (s *Service) EndOthers(ctx context.Context, tx pg.Tx, person, keep uuid.UUID) error {
	ended, err := endAll(ctx, tx, person, keep, s.now())
	if err != nil {
		return err
	}
	for _, id := range ended {
		if err := s.follow(ctx, tx, person, id); err != nil {
			return err
		}
	}
	return nil
}

// follow ends what rests on a session that has just ended.
func (s *Service) follow(ctx context.Context, tx pg.Tx, person, session uuid.UUID) error {
	parties, err := s.tokens.EndSession(ctx, tx, person, session)
	if err != nil {
		return err
	}
	for _, p := range parties {
		if err := s.queue.Insert(ctx, tx, Notice{ClientID: p.ClientID, Subject: p.Subject, SessionID: session.String()}); err != nil {
			return err
		}
	}
	return nil
}

// Stale says whether last_seen_at is due to be written again.
func (s Session) Stale(now time.Time) bool { return now.Sub(s.LastSeenAt) > touch }

// Touch keeps a session from going idle.
func (s *Service) Touch(ctx context.Context, db pg.DB, id uuid.UUID) error {
	return seen(ctx, db, id, s.now())
}

// CookieName has the __Host- prefix wherever a browser would keep it: with https.
func (s *Service) CookieName() string { return cookieName("loginunico", s.secure) }

// Cookie carries a value that [Service.Begin] or [Service.Open] gave; "" removes it.
func (s *Service) Cookie(value string) *http.Cookie {
	return HostCookie("loginunico", value, s.secure)
}

// HostCookie makes a cookie for this host alone, out of reach of scripts and not sent with
// cross-site POSTs; an empty value removes it. RFC 6265bis §4.1.3.2 for __Host-.
func HostCookie(name, value string, secure bool) *http.Cookie {
	c := &http.Cookie{Name: cookieName(name, secure), Value: value, Path: "/", HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

func cookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// Methods are the RFC 8176 values of a session without the facts that only caps read.
func (s Session) Methods() []string {
	return slices.DeleteFunc(slices.Clone(s.AMR), func(m string) bool { return m == "gold" || m == trust.Recovered })
}

// Purge removes up to limit sessions that expired a day ago; it returns how many.
func (s *Service) Purge(ctx context.Context, limit int) (int64, error) {
	return purge(ctx, s.db, s.now().Add(-24*time.Hour), limit)
}
