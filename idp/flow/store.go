package flow

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loginunico/loginunico/internal/pg"
)

// begin writes a new interaction.
func begin(ctx context.Context, db pg.DB, in Interaction) error {
	_, err := db.Exec(ctx, `
		INSERT INTO interaction (id, browser_hash, client_id, request, created_at, expires_at, cpf, session_id)
		VALUES (@id, @browser, @client, @request, @created, @expires, @cpf, @session)`,
		pg.Args{"id": in.ID, "browser": in.BrowserHash, "client": in.ClientID, "request": in.Request,
			"created": in.CreatedAt, "expires": in.ExpiresAt, "cpf": in.CPF, "session": in.SessionID})
	return err
}

// interactionColumns are in the order of [Interaction.targets].
const interactionColumns = `id, browser_hash, client_id, request, created_at, expires_at, cpf, session_id,
		       chosen_at, busy_at, unlocked_at, registration, consented_at, half_person, half_at, visitor, proven_at, joining, company`

func (in *Interaction) targets() []any {
	return []any{&in.ID, &in.BrowserHash, &in.ClientID, &in.Request, &in.CreatedAt, &in.ExpiresAt, &in.CPF, &in.SessionID,
		&in.ChosenAt, &in.BusyAt, &in.UnlockedAt, &in.Registration, &in.ConsentedAt, &in.HalfPerson, &in.HalfAt,
		&in.Visitor, &in.ProvenAt, &in.Joining, &in.Company}
}

// find returns an unfinished interaction of this browser; pg.NoRows when there is none, whoever
// asks for it.
func find(ctx context.Context, db pg.DB, id uuid.UUID, browser []byte, now time.Time) (in Interaction, err error) {
	err = db.QueryRow(ctx, `
		SELECT `+interactionColumns+`
		  FROM interaction
		 WHERE id = @id AND browser_hash = @browser AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "browser": browser, "now": now}).
		Scan(in.targets()...)
	return in, err
}

// identified records the CPF and returns the interaction, as [find] does; what was proved about
// another CPF before does not count for this one.
func identified(ctx context.Context, db pg.DB, id uuid.UUID, browser, cpf []byte, now time.Time) (in Interaction, err error) {
	err = db.QueryRow(ctx, `
		UPDATE interaction
		   SET cpf = @cpf, busy_at = NULL, unlocked_at = NULL, registration = NULL, half_person = NULL, half_at = NULL,
		       visitor = NULL, proven_at = NULL
		 WHERE id = @id AND browser_hash = @browser AND finished_at IS NULL AND expires_at > @now
		RETURNING `+interactionColumns,
		pg.Args{"id": id, "browser": browser, "cpf": cpf, "now": now}).
		Scan(in.targets()...)
	return in, err
}

// busy records that the CPF met too many tries; false when that was known.
func busy(ctx context.Context, db pg.DB, id uuid.UUID, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET busy_at = @now
		 WHERE id = @id AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "now": now}))
}

// unlocked records that the mail code of a busy CPF was answered, if it is the one of the visit still.
func unlocked(ctx context.Context, db pg.DB, id uuid.UUID, cpf []byte, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET unlocked_at = @now
		 WHERE id = @id AND busy_at IS NOT NULL AND cpf IS NOT DISTINCT FROM @cpf AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "cpf": cpf, "now": now}))
}

// halfway records whose password was right.
func halfway(ctx context.Context, db pg.DB, id, person uuid.UUID, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET half_person = @person, half_at = @now
		 WHERE id = @id AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "person": person, "now": now}))
}

// unhalved forgets a right password.
func unhalved(ctx context.Context, db pg.DB, id uuid.UUID, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET half_person = NULL, half_at = NULL
		 WHERE id = @id AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "now": now}))
}

// registering records a new account that waits for its mail code.
func registering(ctx context.Context, db pg.DB, id uuid.UUID, cpf, registration []byte, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET cpf = @cpf, registration = @registration, half_person = NULL, half_at = NULL,
		       visitor = NULL, proven_at = NULL
		 WHERE id = @id AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "cpf": cpf, "registration": registration, "now": now}))
}

// authenticated records the session that this interaction opened and forgets what was typed.
func authenticated(ctx context.Context, db pg.DB, id, session uuid.UUID, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET session_id = @session, chosen_at = @now, cpf = NULL, registration = NULL, busy_at = NULL, unlocked_at = NULL,
		       half_person = NULL, half_at = NULL, visitor = NULL, proven_at = NULL, joining = NULL, company = NULL
		 WHERE id = @id AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "session": session, "now": now}))
}

// chosen records that the citizen goes on as who is signed in.
func chosen(ctx context.Context, db pg.DB, id, session uuid.UUID, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET session_id = @session, chosen_at = @now, cpf = NULL, registration = NULL, half_person = NULL, half_at = NULL,
		       visitor = NULL, proven_at = NULL
		 WHERE id = @id AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "session": session, "now": now}))
}

// actsFor records for which company the citizen uses the service, sealed.
func actsFor(ctx context.Context, db pg.DB, id uuid.UUID, choice []byte, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET company = @choice
		 WHERE id = @id AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "choice": choice, "now": now}))
}

// unregistered drops a registration that will not be confirmed.
func unregistered(ctx context.Context, db pg.DB, id uuid.UUID, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET registration = NULL
		 WHERE id = @id AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "now": now}))
}

// finish ends an interaction; a second end finds nothing, nor does one after its code was given out, so one
// interaction gives one answer.
func finish(ctx context.Context, db pg.DB, id uuid.UUID, now time.Time) error {
	return one(db.Exec(ctx, `
		UPDATE interaction
		   SET finished_at = @now, cpf = NULL, registration = NULL, visitor = NULL, company = NULL
		 WHERE id = @id AND finished_at IS NULL AND expires_at > @now
		   AND NOT EXISTS (SELECT 1 FROM oauth_grant WHERE id = @id)`,
		pg.Args{"id": id, "now": now}))
}

// settle writes the row of a carried interaction, unless there is one or its code was given out; its
// outcome is nobody's.
func settle(ctx context.Context, db pg.DB, in Interaction) error {
	return pg.Later(ctx, db, `
		INSERT INTO interaction (id, browser_hash, client_id, request, created_at, expires_at, cpf)
		SELECT @id, @browser, @client, @request, @created, @expires, @cpf
		 WHERE NOT EXISTS (SELECT 1 FROM oauth_grant WHERE id = @id)
		ON CONFLICT (id) DO NOTHING`,
		pg.Args{"id": in.ID, "browser": in.BrowserHash, "client": in.ClientID, "request": in.Request,
			"created": in.CreatedAt, "expires": in.ExpiresAt, "cpf": in.CPF})
}

// finishCarried is finish for a carried interaction, and its first row, unless its code was given out.
// Nobody asks what it was about any more, so the row does not say.
func finishCarried(ctx context.Context, db pg.DB, in Interaction, now time.Time) error {
	return one(db.Exec(ctx, `
		INSERT INTO interaction (id, browser_hash, client_id, request, created_at, expires_at, finished_at)
		SELECT @id, @browser, @client, '{}', @created, @expires, @now
		 WHERE NOT EXISTS (SELECT 1 FROM oauth_grant WHERE id = @id)
		ON CONFLICT (id) DO UPDATE
		   SET finished_at = excluded.finished_at, cpf = NULL, registration = NULL, visitor = NULL
		 WHERE interaction.finished_at IS NULL AND interaction.browser_hash = excluded.browser_hash`,
		pg.Args{"id": in.ID, "browser": in.BrowserHash, "client": in.ClientID,
			"created": in.CreatedAt, "expires": in.ExpiresAt, "now": now}))
}

// purge removes up to limit interactions that expired before a moment, oldest first.
func purge(ctx context.Context, db pg.DB, before time.Time, limit int) (int64, error) {
	tag, err := db.Exec(ctx, `
		DELETE FROM interaction
		 WHERE id IN (SELECT id FROM interaction WHERE id < @begun AND expires_at < @before ORDER BY id LIMIT @limit)`,
		pg.Args{"begun": pg.FirstID(before.Add(-InteractionLifetime)), "before": before, "limit": limit})
	return tag.RowsAffected(), err
}

// one turns "no row changed" into ErrExpired.
func one(tag pgconn.CommandTag, err error) error {
	if err == nil && tag.RowsAffected() == 0 {
		return ErrExpired
	}
	return err
}
