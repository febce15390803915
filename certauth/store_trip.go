package certauth

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

func insertTrip(ctx context.Context, db pg.DB, ticket []byte, interaction uuid.UUID, browser []byte, now, expires time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO certificate_trip (ticket_hash, interaction_id, browser_hash, created_at, expires_at)
		VALUES (@ticket, @interaction, @browser, @now, @expires)`,
		pg.Args{"ticket": ticket, "interaction": interaction, "browser": browser, "now": now, "expires": expires})
	return err
}

// useTicket gives a trip its code; false when there is none, or the ticket was used.
func useTicket(ctx context.Context, db pg.DB, ticket, code []byte, now, expires time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE certificate_trip
		   SET code_hash = @code, expires_at = @expires
		 WHERE ticket_hash = @ticket AND code_hash IS NULL AND expires_at > @now`,
		pg.Args{"ticket": ticket, "code": code, "now": now, "expires": expires})
	return err == nil && tag.RowsAffected() == 1, err
}

func noteOutcome(ctx context.Context, db pg.DB, code, outcome []byte) error {
	_, err := db.Exec(ctx, `
		UPDATE certificate_trip
		   SET outcome = @outcome
		 WHERE code_hash = @code AND outcome IS NULL AND taken_at IS NULL`,
		pg.Args{"code": code, "outcome": outcome})
	return err
}

// takeOutcome uses a code up; pg.NoRows when there is none of this browser, or it was used.
func takeOutcome(ctx context.Context, db pg.DB, code, browser []byte, now time.Time) (t Trip, outcome []byte, err error) {
	err = db.QueryRow(ctx, `
		UPDATE certificate_trip
		   SET taken_at = @now
		 WHERE code_hash = @code AND browser_hash = @browser AND taken_at IS NULL AND outcome IS NOT NULL AND expires_at > @now
		RETURNING ticket_hash, interaction_id, outcome`,
		pg.Args{"code": code, "browser": browser, "now": now}).Scan(&t.hash, &t.Interaction, &outcome)
	return t, outcome, err
}

// insertKept is a trip that is over but for the citizen's decision.
func insertKept(ctx context.Context, db pg.DB, ticket []byte, interaction uuid.UUID, browser, kept []byte, now, until time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO certificate_trip (ticket_hash, code_hash, interaction_id, browser_hash, created_at, expires_at, taken_at, kept)
		VALUES (@ticket, @ticket, @interaction, @browser, @now, @until, @now, @kept)`,
		pg.Args{"ticket": ticket, "interaction": interaction, "browser": browser, "kept": kept, "now": now, "until": until})
	return err
}

func keptOutcome(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte, now time.Time) (t Trip, kept []byte, err error) {
	err = db.QueryRow(ctx, `
		SELECT ticket_hash, interaction_id, kept
		  FROM certificate_trip
		 WHERE browser_hash = @browser AND interaction_id = @interaction AND kept IS NOT NULL AND expires_at > @now
		 ORDER BY taken_at DESC
		 LIMIT 1`,
		pg.Args{"interaction": interaction, "browser": browser, "now": now}).Scan(&t.hash, &t.Interaction, &kept)
	return t, kept, err
}

// decideTrip forgets what was kept; false when somebody was first.
func decideTrip(ctx context.Context, db pg.DB, ticket []byte, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE certificate_trip
		   SET decided_at = @now, kept = NULL
		 WHERE ticket_hash = @ticket AND kept IS NOT NULL AND expires_at > @now`,
		pg.Args{"ticket": ticket, "now": now})
	return err == nil && tag.RowsAffected() == 1, err
}

func purgeTrips(ctx context.Context, db pg.DB, now time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM certificate_trip
		 WHERE expires_at < @now`,
		pg.Args{"now": now})
	return err
}

// noteUse keeps that a person has signed in with a certificate.
func noteUse(ctx context.Context, db pg.DB, person uuid.UUID, s Shown, now time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO person_certificate (issuer_key, serial, person_id, fingerprint, profile, not_before, not_after, first_used_at, last_used_at)
		VALUES (@issuer, @serial, @person, @fingerprint, @profile, @not_before, @not_after, @now, @now)
		ON CONFLICT (issuer_key, serial, person_id) DO UPDATE
		   SET last_used_at = @now
		 WHERE person_certificate.last_used_at < @now`,
		pg.Args{"issuer": s.Identity.IssuerKey, "serial": s.Identity.Serial, "person": person, "fingerprint": s.Identity.Fingerprint,
			"profile": s.Holder.Profile, "not_before": s.NotBefore, "not_after": s.NotAfter, "now": now})
	return err
}
