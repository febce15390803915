package factor

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// insertTOTP begins to enrol an app in place of the one begun before; false when there are enough.
func insertTOTP(ctx context.Context, db pg.DB, person, id uuid.UUID, name string, sealed []byte, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		WITH forgotten AS (
		     DELETE FROM totp
		      WHERE person_id = @person AND confirmed_at IS NULL)
		INSERT INTO totp (person_id, id, name, secret, created_at)
		SELECT @person, @id, @name, @secret, @now
		 WHERE (SELECT count(*) FROM totp WHERE person_id = @person AND confirmed_at IS NOT NULL) < @most`,
		pg.Args{"person": person, "id": id, "name": name, "secret": sealed, "now": now, "most": MaxFactors})
	return err == nil && tag.RowsAffected() == 1, err
}

// pendingTOTP reads the secret of an app that waits to be confirmed. Error: ErrFactorNotFound.
func pendingTOTP(ctx context.Context, db pg.DB, person, id uuid.UUID, now time.Time) (sealed []byte, err error) {
	err = db.QueryRow(ctx, `
		SELECT secret
		  FROM totp
		 WHERE person_id = @person AND id = @id AND confirmed_at IS NULL AND created_at > @since`,
		pg.Args{"person": person, "id": id, "since": now.Add(-EnrolLifetime)}).Scan(&sealed)
	if pg.NoRows(err) {
		return nil, ErrFactorNotFound
	}
	return sealed, err
}

// confirmTOTP makes an app count, once.
func confirmTOTP(ctx context.Context, db pg.DB, person, id uuid.UUID, step int64, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE totp
		   SET confirmed_at = @now, used_at = @now, last_step = @step
		 WHERE person_id = @person AND id = @id AND confirmed_at IS NULL`,
		pg.Args{"person": person, "id": id, "step": step, "now": now})
	return err == nil && tag.RowsAffected() == 1, err
}

// heldTOTP is one app that counts.
type heldTOTP struct {
	ID          uuid.UUID
	Secret      []byte
	ConfirmedAt time.Time
}

// guessTOTP counts a guess before it is made, so that guesses at once cannot slip under the limit
// together, and reads the person's apps. A browser that has signed in as this person, or answered a
// mail code, counts by the hour and for itself; any other one for the person.
func guessTOTP(ctx context.Context, db pg.DB, g Guess, bucket []byte, now time.Time) (held []heldTOTP, n guessed, err error) {
	rows, _ := db.Query(ctx, `
		WITH browser AS (
		     SELECT @unlocked OR EXISTS (SELECT 1 FROM known_browser WHERE person_id = @person AND browser_hash = @browser) AS proven),
		     counted AS (
		     INSERT INTO throttle (bucket, starts_at, count)
		     SELECT @bucket, @hour, 1
		       FROM browser
		      WHERE proven
		     ON CONFLICT (bucket, starts_at) DO UPDATE SET count = throttle.count + 1
		     RETURNING count),
		     tried AS (
		     UPDATE totp
		        SET failures = failures + CASE WHEN browser.proven THEN 0 ELSE 1 END
		       FROM browser
		      WHERE person_id = @person AND confirmed_at IS NOT NULL
		     RETURNING id, secret, confirmed_at, CASE WHEN browser.proven THEN 0 ELSE failures END AS failures)
		SELECT id, secret, confirmed_at, failures, coalesce((SELECT count FROM counted), 0)
		  FROM tried
		 ORDER BY id`,
		pg.Args{"unlocked": g.Unlocked, "person": g.Person, "browser": g.Browser, "bucket": bucket, "hour": now.UTC().Truncate(time.Hour)})
	var h heldTOTP
	var failures int
	_, err = pgx.ForEachRow(rows, []any{&h.ID, &h.Secret, &h.ConfirmedAt, &failures, &n.proven}, func() error {
		if len(held) == 0 || failures < n.failures {
			n.failures = failures // the least: a success with one app is a success
		}
		held = append(held, h)
		return nil
	})
	return held, n, err
}

// useStep accepts a step once, and forgets the guesses before it.
func useStep(ctx context.Context, db pg.DB, person, id uuid.UUID, step int64, bucket []byte, now time.Time) (ok bool, err error) {
	err = db.QueryRow(ctx, `
		WITH used AS (
		     UPDATE totp
		        SET last_step = @step, used_at = @now, failures = 0
		      WHERE person_id = @person AND id = @id AND confirmed_at IS NOT NULL AND last_step < @step
		     RETURNING 1),
		     forgotten AS (
		     DELETE FROM throttle
		      WHERE bucket = @bucket AND EXISTS (SELECT FROM used))
		SELECT EXISTS (SELECT FROM used)`,
		pg.Args{"person": person, "id": id, "step": step, "bucket": bucket, "now": now}).Scan(&ok)
	return ok, err
}

func renameTOTP(ctx context.Context, db pg.DB, person, id uuid.UUID, name string) error {
	tag, err := db.Exec(ctx, `
		UPDATE totp
		   SET name = @name
		 WHERE person_id = @person AND id = @id AND confirmed_at IS NOT NULL`,
		pg.Args{"person": person, "id": id, "name": name})
	return foundOne(tag.RowsAffected(), err)
}

// removeTOTP removes an app, and the recovery codes with the last one.
func removeTOTP(ctx context.Context, db pg.DB, person, id uuid.UUID) error {
	tag, err := db.Exec(ctx, `
		WITH codes AS (
		     DELETE FROM recovery_code
		      WHERE person_id = @person
		        AND EXISTS (SELECT FROM totp WHERE person_id = @person AND id = @id)
		        AND NOT EXISTS (SELECT FROM totp WHERE person_id = @person AND id <> @id AND confirmed_at IS NOT NULL))
		DELETE FROM totp
		 WHERE person_id = @person AND id = @id`,
		pg.Args{"person": person, "id": id})
	return foundOne(tag.RowsAffected(), err)
}

func purgeTOTP(ctx context.Context, db pg.DB, before time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM totp
		 WHERE confirmed_at IS NULL AND created_at < @before`,
		pg.Args{"before": before})
	return err
}

// replaceRecoveryCodes overwrites all places; of two sets at once the later one stands whole,
// because both go through the places in one order.
func replaceRecoveryCodes(ctx context.Context, db pg.DB, person uuid.UUID, hashes [][]byte, now time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO recovery_code (person_id, place, code_hash, created_at)
		SELECT @person, place - 1, hash, @now
		  FROM unnest(@hashes::bytea[]) WITH ORDINALITY AS code (hash, place)
		 ORDER BY place
		ON CONFLICT (person_id, place) DO UPDATE SET code_hash = excluded.code_hash, created_at = excluded.created_at, used_at = NULL`,
		pg.Args{"person": person, "hashes": hashes, "now": now})
	return err
}

// useRecoveryCode uses one code up and counts the others.
func useRecoveryCode(ctx context.Context, db pg.DB, person uuid.UUID, hash []byte, now time.Time) (made time.Time, ok bool, left int, err error) {
	var at *time.Time
	err = db.QueryRow(ctx, `
		WITH used AS (
		     UPDATE recovery_code
		        SET used_at = @now
		      WHERE person_id = @person AND code_hash = @hash AND used_at IS NULL
		     RETURNING place, created_at)
		SELECT (SELECT created_at FROM used),
		       (SELECT count(*) FROM recovery_code c WHERE person_id = @person AND used_at IS NULL AND place NOT IN (SELECT place FROM used))`,
		pg.Args{"person": person, "hash": hash, "now": now}).Scan(&at, &left)
	if at != nil {
		made, ok = *at, true
	}
	return made, ok, left, err
}

// foundOne turns a change of no row into ErrFactorNotFound.
func foundOne(rows int64, err error) error {
	if err == nil && rows == 0 {
		return ErrFactorNotFound
	}
	return err
}
