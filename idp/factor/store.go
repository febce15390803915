package factor

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

type counts struct{ pair, cpf, address, global int }

// enter counts a try and reads the account and the other counts, in one statement. A browser the
// account knows, and one that answered a mail code, have buckets of their own, out of reach of
// others; any other try counts for its CPF too, as long as its own bucket lasts. The second count
// follows the first, so that all statements lock rows in one order.
//
// How a person stands to the service is looked up for a browser they know, by an id that is NULL for
// every other one: what an unknown browser asks costs the same with an account and without.
//
// Its commit does not wait for the disk. The next one of the request does, and all before it with it:
// see [Throttle.Enter].
func enter(ctx context.Context, db pg.DB, b buckets, cpf []uuid.UUID, try Try, most int, window time.Time) (a Account, n counts, err error) {
	var person *uuid.UUID
	var since, held *time.Time
	var standing consent.StandingColumns
	err = db.QueryRow(ctx, `
		WITH account AS (
		     SELECT w.person_id, w.hash, coalesce(h.way, '') AS way, h.since, h.held_at,
		            EXISTS (SELECT 1 FROM known_browser k WHERE k.person_id = w.person_id AND k.browser_hash = @browser) AS known,
		            EXISTS (SELECT 1 FROM totp t WHERE t.person_id = w.person_id AND t.confirmed_at IS NOT NULL) AS second
		       FROM found_person f
		       JOIN password w ON w.person_id = f.person_id
		       LEFT JOIN recovery_hold h ON h.person_id = w.person_id AND h.lifted_at IS NULL
		      WHERE f.index = ANY(@cpf)),
		     own AS (
		     SELECT CASE WHEN @unlocked THEN @mailed::bytea
		                 WHEN coalesce((SELECT known FROM account), false) THEN @proven::bytea
		                 ELSE @pair::bytea END AS bucket),
		     counted AS (
		     INSERT INTO throttle (bucket, starts_at, count)
		     SELECT bucket, @window, 1
		       FROM own
		     ON CONFLICT (bucket, starts_at) DO UPDATE SET count = throttle.count + 1
		     RETURNING bucket, count),
		     counted_cpf AS (
		     INSERT INTO throttle (bucket, starts_at, count)
		     SELECT @cpf_bucket, @window, 1
		       FROM counted
		      WHERE counted.bucket = @pair AND counted.count <= @most
		     ON CONFLICT (bucket, starts_at) DO UPDATE SET count = throttle.count + 1
		     RETURNING count)
		SELECT a.person_id, coalesce(a.hash, ''), coalesce(a.known, false), coalesce(a.second, false), coalesce(a.way, ''), a.since, a.held_at,
		       (SELECT count FROM counted),
		       coalesce((SELECT count FROM counted_cpf), 0),
		       coalesce((SELECT count FROM throttle WHERE bucket = @address AND starts_at = @window), 0),
		       coalesce((SELECT count FROM throttle WHERE bucket = @global AND starts_at = @window), 0),
		       p.sealed, p.updated_at, p.version, p.evidence, p.employment, c.kind, c.claims, c.offered, c.offline, sub.sub
		  FROM (SELECT set_config('synchronous_commit', 'off', true)) now
		  LEFT JOIN account a ON true
		  LEFT JOIN known_person p ON p.id = CASE WHEN a.known THEN a.person_id END
		  LEFT JOIN LATERAL (
		       SELECT kind, claims, offered, offline
		         FROM consent
		        WHERE person_id = p.id AND client_id = @client
		        ORDER BY id DESC
		        LIMIT 1) c ON true
		  LEFT JOIN subject sub ON sub.person_id = p.id AND sub.sector = @sector`,
		pg.Args{"browser": try.Browser, "cpf": cpf, "unlocked": try.Unlocked, "mailed": b.mailed, "proven": b.proven, "pair": b.pair,
			"most": most, "window": window, "cpf_bucket": b.cpf, "address": b.address, "global": b.global,
			"client": try.ClientID, "sector": try.Sector}).
		Scan(append([]any{&person, &a.Hash, &a.Known, &a.Second, &a.Hold.Way, &since, &held, &n.pair, &n.cpf, &n.address, &n.global}, standing.Targets()...)...)
	if err != nil {
		return a, n, err
	}
	if person != nil {
		a.PersonID = *person
	}
	a.Standing, err = standing.Standing(a.PersonID, try.ClientID)
	if held != nil {
		a.Hold.Since, a.Hold.At = *since, *held
	}
	return a, n, err
}

// harden makes durable what [enter] has counted, by a commit that changes nothing.
func harden(ctx context.Context, db pg.DB, own [][]byte, window time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE throttle
		   SET count = count
		 WHERE bucket = ANY (@own) AND starts_at = @window`,
		pg.Args{"own": own, "window": window})
	return err
}

// count adds one to each bucket.
func count(ctx context.Context, db pg.DB, keys [][]byte, window time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO throttle (bucket, starts_at, count)
		SELECT bucket, @window, 1
		  FROM unnest(@keys::bytea[]) AS bucket
		 ORDER BY bucket
		ON CONFLICT (bucket, starts_at) DO UPDATE SET count = throttle.count + 1`,
		pg.Args{"keys": keys, "window": window})
	return err
}

// countMost adds one to each bucket and returns the largest.
func countMost(ctx context.Context, db pg.DB, keys [][]byte, window time.Time) (most int, err error) {
	err = db.QueryRow(ctx, `
		WITH counted AS (
		     INSERT INTO throttle (bucket, starts_at, count)
		     SELECT bucket, @window, 1
		       FROM unnest(@keys::bytea[]) AS bucket
		      ORDER BY bucket
		     ON CONFLICT (bucket, starts_at) DO UPDATE SET count = throttle.count + 1
		     RETURNING count)
		SELECT max(count) FROM counted`,
		pg.Args{"keys": keys, "window": window}).Scan(&most)
	return most, err
}

// welcome clears the tries of a browser that the account knows and keeps the event of its sign-in.
func welcome(ctx context.Context, db pg.DB, own [][]byte, window time.Time, e Event) error {
	return pg.Later(ctx, db, `
		WITH cleared AS (
		     DELETE FROM throttle
		      WHERE bucket = ANY (@own) AND starts_at = @window)
		INSERT INTO factor_event (person_id, id, at, kind, browser)
		VALUES (@person, @id, @at, @kind, left(@browser, 40))`,
		pg.Args{"own": own, "window": window, "person": e.Person, "id": e.ID, "at": e.At, "kind": string(e.Kind), "browser": e.Browser})
}

// forget clears a pair's tries: all there is to do for a browser that the account knows.
func forget(ctx context.Context, db pg.DB, own [][]byte, window time.Time) error {
	return pg.Later(ctx, db, `
		DELETE FROM throttle
		 WHERE bucket = ANY (@own) AND starts_at = @window`,
		pg.Args{"own": own, "window": window})
}

// succeed clears a pair's tries, takes back the one that counted for the CPF, and remembers the
// browser, in one statement and in the order of enter.
func succeed(ctx context.Context, db pg.DB, person uuid.UUID, browser []byte, own [][]byte, cpf []byte, window, now time.Time) error {
	return pg.Later(ctx, db, `
		WITH cleared AS (
		     DELETE FROM throttle
		      WHERE bucket = ANY (@own) AND starts_at = @window
		     RETURNING 1),
		     refunded AS (
		     UPDATE throttle
		        SET count = count - 1
		      WHERE bucket = @cpf AND starts_at = @window AND count > 1 AND (SELECT count(*) FROM cleared) >= 0)
		INSERT INTO known_browser (person_id, browser_hash, seen_at)
		VALUES (@person, @browser, @now)
		ON CONFLICT (person_id, browser_hash) DO UPDATE SET seen_at = excluded.seen_at`,
		pg.Args{"own": own, "cpf": cpf, "window": window, "person": person, "browser": browser, "now": now})
}

func purgeThrottle(ctx context.Context, db pg.DB, before time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM throttle
		 WHERE starts_at < @before`,
		pg.Args{"before": before})
	return err
}

// purgeBrowsers forgets browsers that nobody has signed in with for long.
func purgeBrowsers(ctx context.Context, db pg.DB, before time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM known_browser
		 WHERE seen_at < @before`,
		pg.Args{"before": before})
	return err
}

func insertCode(ctx context.Context, db pg.DB, interaction uuid.UUID, purpose Purpose, hash []byte, now time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO mail_code (interaction_id, purpose, id, code_hash, created_at, expires_at)
		VALUES (@interaction, @purpose, @id, @hash, @now, @expires)`,
		pg.Args{"interaction": interaction, "purpose": string(purpose), "id": pg.NewID(), "hash": hash, "now": now,
			"expires": now.Add(CodeLifetime)})
	return err
}

// tryCode counts one try against every live code of an interaction and uses up the one that
// matches.
func tryCode(ctx context.Context, db pg.DB, interaction uuid.UUID, purpose Purpose, hash []byte, now time.Time) (ok bool, left int, err error) {
	err = db.QueryRow(ctx, `
		WITH tried AS (
		     UPDATE mail_code
		        SET tries = tries + 1, used_at = CASE WHEN code_hash = @hash THEN @now::timestamptz END
		      WHERE interaction_id = @interaction AND purpose = @purpose
		        AND used_at IS NULL AND expires_at > @now AND tries < @most
		     RETURNING used_at, tries)
		SELECT coalesce(bool_or(used_at IS NOT NULL), false), coalesce(max(@most - tries), 0)
		  FROM tried`,
		pg.Args{"interaction": interaction, "purpose": string(purpose), "hash": hash, "now": now, "most": CodeTries}).
		Scan(&ok, &left)
	return ok, left, err
}

func purgeCodes(ctx context.Context, db pg.DB, before time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM mail_code
		 WHERE expires_at < @before`,
		pg.Args{"before": before})
	return err
}

// insertPassword gives a person their first password; false when they have one.
func insertPassword(ctx context.Context, db pg.DB, person uuid.UUID, hash string, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		INSERT INTO password (person_id, hash, changed_at)
		VALUES (@person, @hash, @now)
		ON CONFLICT DO NOTHING`,
		pg.Args{"person": person, "hash": hash, "now": now})
	return err == nil && tag.RowsAffected() == 1, err
}

// accountID finds whose account a CPF is; pg.NoRows when it is nobody's.
func accountID(ctx context.Context, db pg.DB, cpf []uuid.UUID) (id uuid.UUID, err error) {
	err = db.QueryRow(ctx, `
		SELECT f.person_id
		  FROM found_person f
		 WHERE f.index = ANY(@cpf)
		   AND (EXISTS (SELECT FROM password WHERE person_id = f.person_id) OR EXISTS (SELECT FROM passkey WHERE person_id = f.person_id))`,
		pg.Args{"cpf": cpf}).Scan(&id)
	return id, err
}

// accountOf reads the person behind a CPF that has an account, or evidence of one of these kinds;
// pg.NoRows when there is none.
func accountOf(ctx context.Context, db pg.DB, cpf []uuid.UUID, kinds []string, now time.Time) (id uuid.UUID, sealed registry.Sealed, err error) {
	err = db.QueryRow(ctx, `
		SELECT p.id, ARRAY[p.identity, p.documents, p.contact, p.family, p.complements, p.declared]
		  FROM found_person f
		  JOIN person p ON p.id = f.person_id
		 WHERE f.index = ANY(@cpf)
		   AND (EXISTS (SELECT FROM password WHERE person_id = p.id) OR EXISTS (SELECT FROM passkey WHERE person_id = p.id)
		        OR EXISTS (SELECT FROM evidence
		                    WHERE person_id = p.id AND kind = ANY(@kinds) AND revoked_at IS NULL
		                      AND (expires_at IS NULL OR expires_at > @now)))`,
		pg.Args{"cpf": cpf, "kinds": kinds, "now": now}).Scan(&id, &sealed)
	return id, sealed, err
}
