package factor

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/trust"
)

// endedFactors is how many of each an account has lost.
type endedFactors struct {
	Passwords  int `json:"passwords"`
	Passkeys   int `json:"passkeys"`
	Apps       int `json:"apps"`
	Codes      int `json:"codes"`
	Channels   int `json:"channels"`
	Questions  int `json:"questions"`
	Recoveries int `json:"recoveries"`
	Links      int `json:"links"`
	Browsers   int `json:"browsers"`
}

func (n endedFactors) none() bool { return n == endedFactors{} }

// endFactors takes everything away by which a person could sign in or get back in. The handle goes
// too: the passkeys of the next holder belong to another user in the eyes of every device.
func endFactors(ctx context.Context, db pg.DB, person uuid.UUID) (n endedFactors, err error) {
	err = db.QueryRow(ctx, `
		WITH passwords AS (DELETE FROM password WHERE person_id = @person RETURNING 1),
		     passkeys AS (DELETE FROM passkey WHERE person_id = @person RETURNING 1),
		     apps AS (DELETE FROM totp WHERE person_id = @person RETURNING 1),
		     codes AS (DELETE FROM recovery_code WHERE person_id = @person RETURNING 1),
		     channels AS (DELETE FROM channel WHERE person_id = @person RETURNING 1),
		     questions AS (DELETE FROM secret_question WHERE person_id = @person RETURNING 1),
		     recoveries AS (DELETE FROM recovery WHERE person_id = @person RETURNING 1),
		     links AS (DELETE FROM not_me WHERE person_id = @person RETURNING 1),
		     browsers AS (DELETE FROM known_browser WHERE person_id = @person RETURNING 1),
		     handles AS (DELETE FROM webauthn_user WHERE person_id = @person),
		     challenges AS (DELETE FROM webauthn_challenge WHERE person_id = @person),
		     holds AS (DELETE FROM recovery_hold WHERE person_id = @person),
		     desks AS (DELETE FROM desk_recovery WHERE person_id = @person AND used_at IS NULL)
		SELECT (SELECT count(*) FROM passwords), (SELECT count(*) FROM passkeys), (SELECT count(*) FROM apps), (SELECT count(*) FROM codes),
		       (SELECT count(*) FROM channels), (SELECT count(*) FROM questions), (SELECT count(*) FROM recoveries),
		       (SELECT count(*) FROM links), (SELECT count(*) FROM browsers)`,
		pg.Args{"person": person}).
		Scan(&n.Passwords, &n.Passkeys, &n.Apps, &n.Codes, &n.Channels, &n.Questions, &n.Recoveries, &n.Links, &n.Browsers)
	return n, err
}

func insertDisplacement(ctx context.Context, db pg.DB, person uuid.UUID, held trust.Kind, by trust.Evidence, ended []byte, now time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO displacement (person_id, id, at, by_kind, by_source, held_by, ended)
		VALUES (@person, @id, @now, @kind, @source, @held, @ended)`,
		pg.Args{"person": person, "id": pg.NewID(), "now": now, "kind": string(by.Kind), "source": by.Source, "held": string(held), "ended": ended})
	return err
}

func displacedSince(ctx context.Context, db pg.DB, person uuid.UUID, at time.Time) (since bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM displacement WHERE person_id = @person AND at >= @at)`,
		pg.Args{"person": person, "at": at}).Scan(&since)
	return since, err
}

func hasFactor(ctx context.Context, db pg.DB, person uuid.UUID) (has bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM password WHERE person_id = @person) OR EXISTS (SELECT FROM passkey WHERE person_id = @person)`,
		pg.Args{"person": person}).Scan(&has)
	return has, err
}
