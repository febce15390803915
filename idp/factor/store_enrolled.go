package factor

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// enrolledRow is what one statement tells about a person's factors.
type enrolledRow struct {
	passwordAt, heldSince, heldAt, changedAt *time.Time
	passkeys, authenticators                 []byte // JSON
	codes                                    int
	recoveries                               int // begun of late and not proven; only of recoverable
	question                                 bool
	heldWay                                  string
	addresses                                addresses
}

// enrolledOf reads a row for anybody, all empty for a person who has nothing.
func enrolledOf(ctx context.Context, db pg.DB, person uuid.UUID) (r enrolledRow, err error) {
	a := &r.addresses
	err = db.QueryRow(ctx, `
		SELECT w.changed_at,
		       (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'aaguid', aaguid, 'backup_eligible', backup_eligible,
		                        'backed_up', backed_up, 'created_at', created_at, 'used_at', used_at) ORDER BY id), '[]')
		          FROM passkey WHERE person_id = @person),
		       (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'confirmed_at', confirmed_at, 'used_at', used_at) ORDER BY id), '[]')
		          FROM totp WHERE person_id = @person AND confirmed_at IS NOT NULL),
		       (SELECT count(*) FROM recovery_code WHERE person_id = @person AND used_at IS NULL),
		       EXISTS (SELECT FROM secret_question WHERE person_id = @person),
		       coalesce(h.way, ''), h.since, h.held_at,
		       (SELECT at FROM factor_event WHERE person_id = @person AND kind <> 'signed_in' ORDER BY id DESC LIMIT 1),
		       CASE WHEN p.id IS NOT NULL THEN ARRAY[p.identity, p.documents, p.contact, p.family, p.complements, p.declared] END,
		       ARRAY(SELECT kind FROM channel WHERE person_id = @person AND confirmed_at IS NOT NULL ORDER BY id),
		       ARRAY(SELECT id FROM channel WHERE person_id = @person AND confirmed_at IS NOT NULL ORDER BY id),
		       ARRAY(SELECT address FROM channel WHERE person_id = @person AND confirmed_at IS NOT NULL ORDER BY id),
		       ARRAY(SELECT confirmed_at FROM channel WHERE person_id = @person AND confirmed_at IS NOT NULL ORDER BY id)
		  FROM (SELECT 1) one
		  LEFT JOIN person p ON p.id = @person
		  LEFT JOIN password w ON w.person_id = @person
		  LEFT JOIN recovery_hold h ON h.person_id = @person AND h.lifted_at IS NULL`,
		pg.Args{"person": person}).
		Scan(&r.passwordAt, &r.passkeys, &r.authenticators, &r.codes, &r.question, &r.heldWay, &r.heldSince, &r.heldAt, &r.changedAt,
			&a.sealed, &a.kinds, &a.ids, &a.texts, &a.since)
	return r, err
}

// insertChannel keeps an address that waits for its code, in place of the one of its kind that
// waited before; false when there are enough.
func insertChannel(ctx context.Context, db pg.DB, person, id uuid.UUID, kind ChannelKind, sealed, hash []byte, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		WITH forgotten AS (
		     DELETE FROM channel
		      WHERE person_id = @person AND kind = @kind AND confirmed_at IS NULL)
		INSERT INTO channel (person_id, id, kind, address, code_hash, code_expires, created_at)
		SELECT @person, @id, @kind, @address, @hash, @expires, @now
		 WHERE (SELECT count(*) FROM channel WHERE person_id = @person AND kind = @kind AND confirmed_at IS NOT NULL) < @most`,
		pg.Args{"person": person, "id": id, "kind": string(kind), "address": sealed, "hash": hash, "expires": now.Add(EnrolLifetime),
			"now": now, "most": MaxFactors})
	return err == nil && tag.RowsAffected() == 1, err
}

// pendingChannel reads an address that is not confirmed, still sealed, in time or not. Error: ErrFactorNotFound.
func pendingChannel(ctx context.Context, db pg.DB, person, id uuid.UUID, kind *ChannelKind) (sealed []byte, err error) {
	err = db.QueryRow(ctx, `
		SELECT kind, address
		  FROM channel
		 WHERE person_id = @person AND id = @id AND confirmed_at IS NULL`,
		pg.Args{"person": person, "id": id}).Scan(kind, &sealed)
	if pg.NoRows(err) {
		return nil, ErrFactorNotFound
	}
	return sealed, err
}

// confirmChannel counts one try, and makes the address count when it was right.
func confirmChannel(ctx context.Context, db pg.DB, person, id uuid.UUID, hash []byte, now time.Time) (ok bool, left int, err error) {
	err = db.QueryRow(ctx, `
		UPDATE channel
		   SET tries = tries + 1,
		       confirmed_at = CASE WHEN code_hash = @hash THEN @now::timestamptz END,
		       code_hash = CASE WHEN code_hash <> @hash THEN code_hash END,
		       code_expires = CASE WHEN code_hash <> @hash THEN code_expires END
		 WHERE person_id = @person AND id = @id AND confirmed_at IS NULL AND code_expires > @now AND tries < @most
		RETURNING confirmed_at IS NOT NULL, @most - tries`,
		pg.Args{"person": person, "id": id, "hash": hash, "now": now, "most": CodeTries}).Scan(&ok, &left)
	if pg.NoRows(err) {
		return false, 0, nil
	}
	return ok, left, err
}

func deleteChannel(ctx context.Context, db pg.DB, person, id uuid.UUID) error {
	tag, err := db.Exec(ctx, `
		DELETE FROM channel
		 WHERE person_id = @person AND id = @id`,
		pg.Args{"person": person, "id": id})
	return foundOne(tag.RowsAffected(), err)
}

func purgeChannels(ctx context.Context, db pg.DB, before time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM channel
		 WHERE confirmed_at IS NULL AND created_at < @before`,
		pg.Args{"before": before})
	return err
}

func insertEvent(ctx context.Context, db pg.DB, e Event) error {
	var factor *uuid.UUID
	if e.Factor != uuid.Nil {
		factor = &e.Factor
	}
	return pg.Later(ctx, db, `
		INSERT INTO factor_event (person_id, id, at, kind, factor, browser)
		VALUES (@person, @id, @at, @kind, @factor, left(@browser, 40))`,
		pg.Args{"person": e.Person, "id": e.ID, "at": e.At, "kind": string(e.Kind), "factor": factor, "browser": e.Browser})
}

func eventsOf(ctx context.Context, db pg.DB, person uuid.UUID, since time.Time, most int) ([]Event, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, person_id, at, kind, factor, browser
		  FROM (SELECT id, person_id, at, kind, coalesce(factor, '00000000-0000-0000-0000-000000000000') AS factor, browser
		          FROM factor_event
		         WHERE person_id = @person AND at > @since
		           AND at >= coalesce((SELECT max(at) FROM displacement WHERE person_id = @person), '-infinity')
		         ORDER BY id DESC
		         LIMIT @most) last
		 ORDER BY at DESC, id DESC`,
		pg.Args{"person": person, "since": since, "most": most})
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Event])
}

// eventOf reads what kind of event it was and about which factor; no Kind when it is forgotten.
func eventOf(ctx context.Context, db pg.DB, person, id uuid.UUID) (e Event, err error) {
	err = db.QueryRow(ctx, `
		SELECT kind, coalesce(factor, '00000000-0000-0000-0000-000000000000')
		  FROM factor_event
		 WHERE person_id = @person AND id = @id`,
		pg.Args{"person": person, "id": id}).Scan(&e.Kind, &e.Factor)
	if pg.NoRows(err) {
		return e, nil
	}
	return e, err
}

func purgeEvents(ctx context.Context, db pg.DB, before time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM factor_event
		 WHERE at < @before`,
		pg.Args{"before": before})
	return err
}

func insertNotMe(ctx context.Context, db pg.DB, hash []byte, e Event, to Channel, sealed []byte, expires time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO not_me (token_hash, person_id, event_id, way, channel, address, expires_at)
		VALUES (@hash, @person, @event, @way, nullif(@channel, '00000000-0000-0000-0000-000000000000'::uuid), @address, @expires)`,
		pg.Args{"hash": hash, "person": e.Person, "event": e.ID, "way": string(to.Way()), "channel": to.ID, "address": sealed, "expires": expires})
	return err
}

// deleteNotMe forgets the links that were sent to an address of ours.
func deleteNotMe(ctx context.Context, db pg.DB, person, channel uuid.UUID) error {
	_, err := db.Exec(ctx, `
		DELETE FROM not_me
		 WHERE person_id = @person AND channel = @channel`,
		pg.Args{"person": person, "channel": channel})
	return err
}

// useNotMe uses a link up; the address is still sealed. Error: ErrNotMe.
func useNotMe(ctx context.Context, db pg.DB, hash []byte, now time.Time) (d Disowned, to Destination, err error) {
	var sealed []byte
	err = db.QueryRow(ctx, `
		UPDATE not_me
		   SET used_at = @now
		 WHERE token_hash = @hash AND used_at IS NULL AND expires_at > @now
		RETURNING person_id, event_id, way, address`,
		pg.Args{"hash": hash, "now": now}).Scan(&d.Person, &d.Event, &to.Way, &sealed)
	if pg.NoRows(err) {
		return d, to, ErrNotMe
	}
	to.Address = Address(sealed)
	return d, to, err
}

func purgeNotMe(ctx context.Context, db pg.DB, before time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM not_me
		 WHERE expires_at < @before`,
		pg.Args{"before": before})
	return err
}
