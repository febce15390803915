package consent

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
)

// ErrNotGranted: there is nothing to revoke.
var ErrNotGranted = fail.New(fail.NotFound, "not_found")

// Grant records a decision on top of the latest one, in the caller's transaction. Two answers at
// once are two records; the later one carries both, because the first is read under a lock on the
// person and service.
func Grant(ctx context.Context, tx pg.Tx, d Decision, now time.Time) (Record, error) {
	if err := pg.Lock(ctx, tx, "consent", d.PersonID.String()+d.ClientID); err != nil {
		return Record{}, err
	}
	latest, err := Latest(ctx, tx, d.PersonID, d.ClientID)
	if err != nil {
		return Record{}, err
	}
	return insert(ctx, tx, After(latest, d), now)
}

// RevokeAll records for every service a person allows that they do not any more, in the language in
// which each was allowed. The caller ends the tokens in the same transaction.
func RevokeAll(ctx context.Context, tx pg.Tx, person uuid.UUID, now time.Time) error {
	live, err := Live(ctx, tx, person)
	if err != nil {
		return err
	}
	for _, one := range live {
		if err := Revoke(ctx, tx, person, one.ClientID, one.Language, now); err != nil && err != ErrNotGranted { // withdrawn meanwhile
			return err
		}
	}
	return nil
}

// Revoke records that the person withdrew a service. The caller ends the tokens in the same
// transaction. Error: ErrNotGranted.
func Revoke(ctx context.Context, tx pg.Tx, person uuid.UUID, clientID, language string, now time.Time) error {
	if err := pg.Lock(ctx, tx, "consent", person.String()+clientID); err != nil {
		return err
	}
	latest, err := Latest(ctx, tx, person, clientID)
	if err != nil {
		return err
	}
	if latest == nil || latest.Kind != Granted {
		return ErrNotGranted
	}
	_, err = insert(ctx, tx, Record{PersonID: person, ClientID: clientID, Kind: Revoked, Claims: []string{},
		Offered: []string{}, Purposes: map[string]string{}, Bases: map[string]string{},
		ManifestVersion: latest.ManifestVersion, Language: language}, now)
	return err
}

// Carry repeats for a person what another had decided, who has turned out to be the same: nobody is
// asked twice. What both have decided stands as the later of the two left it: a service withdrawn
// since stays withdrawn, and a claim refused under the name that stays is not allowed by the other.
func Carry(ctx context.Context, tx pg.Tx, from, to uuid.UUID, now time.Time) error {
	live, err := Live(ctx, tx, from)
	if err != nil {
		return err
	}
	for _, one := range live {
		if err := carry(ctx, tx, one.Record, to, now); err != nil {
			return err
		}
	}
	return nil
}

func carry(ctx context.Context, tx pg.Tx, r Record, to uuid.UUID, now time.Time) error {
	if err := pg.Lock(ctx, tx, "consent", to.String()+r.ClientID); err != nil {
		return err
	}
	latest, err := Latest(ctx, tx, to, r.ClientID)
	if err != nil || latest != nil && latest.Kind == Revoked && latest.DecidedAt.After(r.DecidedAt) {
		return err
	}
	_, err = insert(ctx, tx, After(latest, r.unknownTo(latest, to)), now)
	return err
}

// unknownTo is a record as a decision of somebody else, without what they have decided themselves.
func (r Record) unknownTo(latest *Record, person uuid.UUID) Decision {
	fresh := func(claims []string) []string {
		return slices.DeleteFunc(slices.Clone(claims), func(c string) bool {
			return latest != nil && latest.Kind == Granted && slices.Contains(latest.Offered, c)
		})
	}
	return Decision{PersonID: person, ClientID: r.ClientID, Shown: fresh(r.Offered), Allowed: fresh(r.Claims), Offline: r.Offline,
		Purposes: r.Purposes, Bases: r.Bases, ManifestVersion: r.ManifestVersion, TextShown: r.TextShown, Language: r.Language}
}
