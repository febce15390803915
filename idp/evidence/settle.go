package evidence

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/events"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

// Look is the job that settles whoever is due.
type Look struct{}

// Kind names the job.
func (Look) Kind() string { return "evidence_look" }

// Period is how often [Look] runs, so at most how late a change is told that nobody asked for.
const Period = time.Minute

const (
	mostAtOnce = 5000      // people of one job; those who are left are the next one's
	setBack    = time.Hour // until somebody is tried again who could not be settled
)

// Keeper tells those concerned of levels that have changed.
type Keeper struct {
	DB      *pg.Pool
	Box     registry.Sealer
	People  *registry.Store
	Notices *notice.Notices
	Events  *events.Service
	Warning time.Duration // how long before a level falls by itself its holder is warned; 0: never
	Log     *slog.Logger
	Now     func() time.Time
}

// Look settles everybody who is due. One who cannot be settled is set back, so as to hold up nobody.
func (k *Keeper) Look(ctx context.Context, _ Look, _ int) error {
	for range mostAtOnce {
		person, err := k.next(ctx)
		if person == uuid.Nil {
			return err
		}
		if err == nil {
			continue
		}
		k.Log.ErrorContext(ctx, "evidence", "person", person, "error", err.Error())
		if err := postpone(ctx, k.DB, person, k.Now().Add(setBack)); err != nil {
			return err
		}
	}
	return nil
}

// next settles one person, whom it returns; the zero id: nobody is due.
func (k *Keeper) next(ctx context.Context) (person uuid.UUID, err error) {
	err = pg.InTx(ctx, k.DB, func(tx pg.Tx) error {
		told, err := due(ctx, tx, k.Now())
		if err != nil || told.person == uuid.Nil {
			return err
		}
		person = told.person
		return k.settle(ctx, tx, told)
	})
	return person, err
}

// settle compares the level with what was told, tells the difference, and says when to look again.
func (k *Keeper) settle(ctx context.Context, tx pg.Tx, t told) error {
	now := k.Now()
	all, err := trust.Of(ctx, tx, t.person)
	if err != nil {
		return err
	}
	a := trust.Assess(all, now)
	if a.Level != t.level && !t.displaced { // else somebody else holds the account, who was told nothing before
		if err := k.changed(ctx, tx, t, a.Level, all, now); err != nil {
			return err
		}
	}
	warned := t.warnedFor
	if warnAt := a.Until.Add(-k.Warning); k.Warning > 0 && !a.Until.IsZero() && !warned.Equal(a.Until) && !now.Before(warnAt) {
		if err := k.warn(ctx, tx, t.person, all, a); err != nil {
			return err
		}
		warned = a.Until
	}
	return settled(ctx, tx, t.person, a.Level, k.nextLook(all, a, warned, now), warned, now)
}

// nextLook is when the level may be another, or its holder must be warned; zero: never by itself.
func (k *Keeper) nextLook(all []trust.Evidence, a trust.Assessment, warned, now time.Time) (next time.Time) {
	sooner := func(t time.Time) {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if !a.Until.IsZero() {
		sooner(a.Until)
		if k.Warning > 0 && !warned.Equal(a.Until) {
			sooner(a.Until.Add(-k.Warning))
		}
	}
	for _, e := range all {
		sooner(e.VerifiedAt)
	}
	return next
}

// changed tells everybody whom a change concerns.
func (k *Keeper) changed(ctx context.Context, tx pg.Tx, t told, level int, all []trust.Evidence, now time.Time) error {
	c := causeOf(all, t.level, level, now)
	err := audit.RecordTx(ctx, tx, audit.Event{At: now, Actor: audit.Actor{Kind: audit.System, ID: "evidence"}, Action: "trust.level", Person: t.person,
		Detail: map[string]string{"from": strconv.Itoa(t.level), "to": strconv.Itoa(level), "since": c.at.Format(time.RFC3339), "because": c.why}})
	if err != nil {
		return err
	}
	l := notice.Level{From: t.level, To: level, At: c.ended, Rested: c.rested, Revoked: c.why == revoked}
	if level < t.level {
		if err := k.tell(ctx, tx, t.person, false, func(a notice.Asker) teller { return k.Notices.LevelFell(a, l) }); err != nil {
			return err
		}
	}
	user, err := k.Notices.LevelChanged(l)
	if err != nil {
		return err
	}
	_, err = k.Events.Tell(ctx, tx, events.LevelChange{Person: t.person, From: t.level, To: level, At: c.at, Initiator: c.by,
		ReasonAdmin: map[string]string{"en": c.why}, ReasonUser: user})
	return err
}

// Why a level is another.
const (
	proven  = "new evidence"
	expired = "evidence expired"
	revoked = "evidence revoked"
)

// cause is why a level is another than was told.
type cause struct {
	why    string
	by     events.Initiator
	at     time.Time // since when the level is what it is
	rested int       // the level of the evidence that came or ended
	ended  time.Time // when that ended
}

// causeOf finds the newest evidence that carries a risen level, or the one that ended last of those
// that carried a fallen one.
func causeOf(all []trust.Evidence, from, to int, now time.Time) cause {
	x := trust.Explain(all, now)
	c := cause{why: proven, by: events.ByUser, at: trust.Since(all, now), rested: max(to, 1)}
	if to > from {
		if x.Because[0].Kind == trust.RegistryMatch {
			c.by = events.BySystem // a load may have brought it
		}
		return c
	}
	c.why, c.by, c.rested, c.ended = expired, events.ByPolicy, max(from, 1), c.at
	var last trust.Evidence
	for _, e := range x.Past {
		if e.Kind.Level() == from && endOf(e).After(endOf(last)) {
			last = e
		}
	}
	if last.Kind == "" {
		return c
	}
	c.ended = endOf(last)
	if last.RevokedAt.Equal(c.ended) {
		c.why, c.by = revoked, events.BySystem
		if last.TakenAway() {
			c.by = events.ByAdmin
		}
	}
	return c
}

// endOf is when evidence stopped counting, or will; zero: never.
func endOf(e trust.Evidence) time.Time {
	if e.RevokedAt.IsZero() || !e.ExpiresAt.IsZero() && e.ExpiresAt.Before(e.RevokedAt) {
		return e.ExpiresAt
	}
	return e.RevokedAt
}
