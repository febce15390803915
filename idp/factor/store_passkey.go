package factor

import (
	"context"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// ownerOf reads a person's handle, giving them this fresh one when they have none, and their keys.
func ownerOf(ctx context.Context, db pg.DB, person uuid.UUID, fresh []byte, now time.Time) (*owner, error) {
	o := &owner{person: person}
	var ids [][]byte
	err := db.QueryRow(ctx, `
		WITH made AS (
		     INSERT INTO webauthn_user (person_id, handle, created_at)
		     VALUES (@person, @fresh, @now)
		     ON CONFLICT (person_id) DO UPDATE SET handle = webauthn_user.handle
		     RETURNING handle)
		SELECT handle, ARRAY(SELECT credential_id FROM passkey WHERE person_id = @person ORDER BY id)
		  FROM made`,
		pg.Args{"person": person, "fresh": fresh, "now": now}).Scan(&o.handle, &ids)
	for _, id := range ids {
		o.keys = append(o.keys, webauthn.Credential{ID: id})
	}
	return o, err
}

func insertChallenge(ctx context.Context, db pg.DB, hash []byte, purpose string, browser []byte, person *uuid.UUID, session []byte, expires time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO webauthn_challenge (challenge_hash, purpose, browser_hash, person_id, session, expires_at)
		VALUES (@hash, @purpose, @browser, @person, @session, @expires)`,
		pg.Args{"hash": hash, "purpose": purpose, "browser": browser, "person": person, "session": session, "expires": expires})
	return err
}

// useChallenge uses a challenge up, whatever comes of it. person, unless nil, must be whom it was
// begun for. Error: ErrChallenge.
func useChallenge(ctx context.Context, db pg.DB, hash []byte, purpose string, browser []byte, person *uuid.UUID, now time.Time) (session []byte, expected *uuid.UUID, err error) {
	err = db.QueryRow(ctx, `
		UPDATE webauthn_challenge
		   SET used_at = @now
		 WHERE challenge_hash = @hash AND purpose = @purpose AND browser_hash = @browser
		   AND (@person::uuid IS NULL OR person_id = @person)
		   AND used_at IS NULL AND expires_at > @now
		RETURNING session, person_id`,
		pg.Args{"hash": hash, "purpose": purpose, "browser": browser, "person": person, "now": now}).Scan(&session, &expected)
	if pg.NoRows(err) {
		return nil, nil, ErrChallenge
	}
	return session, expected, err
}

func purgeChallenges(ctx context.Context, db pg.DB, before time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM webauthn_challenge
		 WHERE expires_at < @before`,
		pg.Args{"before": before})
	return err
}

// insertPasskey keeps a new key. Errors: ErrPasskeyTaken.
func insertPasskey(ctx context.Context, db pg.DB, person uuid.UUID, name string, c *webauthn.Credential, now time.Time) (Passkey, error) {
	k := Passkey{ID: pg.NewID(), Name: name, BackupEligible: c.Flags.BackupEligible, BackedUp: c.Flags.BackupState, CreatedAt: now}
	copy(k.AAGUID[:], c.Authenticator.AAGUID)
	transports := make([]string, len(c.Transport))
	for i, t := range c.Transport {
		transports[i] = string(t)
	}
	_, err := db.Exec(ctx, `
		INSERT INTO passkey (person_id, id, credential_id, public_key, name, sign_count, backup_eligible, backed_up, aaguid, transports, created_at)
		VALUES (@person, @id, @credential, @key, @name, @count, @eligible, @backed_up, @aaguid, @transports, @now)`,
		pg.Args{"person": person, "id": k.ID, "credential": c.ID, "key": c.PublicKey, "name": name, "count": int64(c.Authenticator.SignCount),
			"eligible": k.BackupEligible, "backed_up": k.BackedUp, "aaguid": k.AAGUID, "transports": transports, "now": now})
	if pg.Unique(err) {
		return Passkey{}, ErrPasskeyTaken
	}
	return k, err
}

// heldPasskey is the row behind a credential.
type heldPasskey struct {
	person, id uuid.UUID
	createdAt  time.Time
}

// passkeyOf finds whose key a credential is; nil when it is nobody's.
func passkeyOf(ctx context.Context, db pg.DB, credential []byte) (*owner, *heldPasskey, error) {
	var o owner
	var k heldPasskey
	c := webauthn.Credential{ID: credential}
	var eligible, backedUp bool
	err := db.QueryRow(ctx, `
		SELECT k.person_id, k.id, k.created_at, k.public_key, k.backup_eligible, k.backed_up, u.handle
		  FROM passkey k
		  JOIN webauthn_user u ON u.person_id = k.person_id
		 WHERE k.credential_id = @credential`,
		pg.Args{"credential": credential}).Scan(&k.person, &k.id, &k.createdAt, &c.PublicKey, &eligible, &backedUp, &o.handle)
	if pg.NoRows(err) {
		return nil, nil, nil
	}
	c.Flags = webauthn.NewCredentialFlags(flags(eligible, backedUp))
	o.person, o.keys = k.person, []webauthn.Credential{c}
	return &o, &k, err
}

func flags(eligible, backedUp bool) (f protocol.AuthenticatorFlags) {
	if eligible {
		f |= protocol.FlagBackupEligible
	}
	if backedUp {
		f |= protocol.FlagBackupState
	}
	return f
}

// usePasskey counts a signature; false when the count did not go up. WebAuthn Level 3 §7.2 step 22.
func usePasskey(ctx context.Context, db pg.DB, k *heldPasskey, count uint32, backedUp bool, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE passkey
		   SET sign_count = @count, backed_up = @backed_up, used_at = @now
		 WHERE person_id = @person AND id = @id AND (sign_count < @count OR sign_count = 0 AND @count = 0)`,
		pg.Args{"person": k.person, "id": k.id, "count": int64(count), "backed_up": backedUp, "now": now})
	return err == nil && tag.RowsAffected() == 1, err
}

func passkeysOf(ctx context.Context, db pg.DB, person uuid.UUID) ([]Passkey, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, name, aaguid, backup_eligible, backed_up, created_at, used_at
		  FROM passkey
		 WHERE person_id = @person
		 ORDER BY id`,
		pg.Args{"person": person})
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Passkey])
}

func renamePasskey(ctx context.Context, db pg.DB, person, id uuid.UUID, name string) error {
	tag, err := db.Exec(ctx, `
		UPDATE passkey
		   SET name = @name
		 WHERE person_id = @person AND id = @id`,
		pg.Args{"person": person, "id": id, "name": name})
	return foundOne(tag.RowsAffected(), err)
}

// lastWayIn says whether a passkey is there, and whether the person could not sign in without it.
func lastWayIn(ctx context.Context, db pg.DB, person, id uuid.UUID) (there, last bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM passkey WHERE person_id = @person AND id = @id),
		       NOT EXISTS (SELECT FROM passkey WHERE person_id = @person AND id <> @id)
		       AND NOT EXISTS (SELECT FROM password WHERE person_id = @person)`,
		pg.Args{"person": person, "id": id}).Scan(&there, &last)
	return there, last, err
}

func deletePasskey(ctx context.Context, db pg.DB, person, id uuid.UUID) error {
	tag, err := db.Exec(ctx, `
		DELETE FROM passkey
		 WHERE person_id = @person AND id = @id`,
		pg.Args{"person": person, "id": id})
	return foundOne(tag.RowsAffected(), err)
}
