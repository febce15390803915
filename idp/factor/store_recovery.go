package factor

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

// recoverable finds the account of a CPF, with its addresses and how many recoveries were begun since
// a moment and led nowhere; the zero person without one.
func recoverable(ctx context.Context, db pg.DB, cpf []uuid.UUID, since time.Time) (person uuid.UUID, r enrolledRow, err error) {
	a := &r.addresses
	err = db.QueryRow(ctx, `
		SELECT p.id, EXISTS (SELECT FROM secret_question WHERE person_id = p.id),
		       (SELECT count(*) FROM recovery WHERE person_id = p.id AND created_at > @since AND proven_at IS NULL),
		       ARRAY[p.identity, p.documents, p.contact, p.family, p.complements, p.declared],
		       ARRAY(SELECT kind FROM channel WHERE person_id = p.id AND confirmed_at IS NOT NULL ORDER BY id),
		       ARRAY(SELECT id FROM channel WHERE person_id = p.id AND confirmed_at IS NOT NULL ORDER BY id),
		       ARRAY(SELECT address FROM channel WHERE person_id = p.id AND confirmed_at IS NOT NULL ORDER BY id),
		       ARRAY(SELECT confirmed_at FROM channel WHERE person_id = p.id AND confirmed_at IS NOT NULL ORDER BY id)
		  FROM found_person f
		  JOIN person p ON p.id = f.person_id
		 WHERE f.index = ANY(@cpf)
		   AND (EXISTS (SELECT FROM password WHERE person_id = p.id) OR EXISTS (SELECT FROM passkey WHERE person_id = p.id))`,
		pg.Args{"cpf": cpf, "since": since}).Scan(&person, &r.question, &r.recoveries, &a.sealed, &a.kinds, &a.ids, &a.texts, &a.since)
	if pg.NoRows(err) {
		return uuid.Nil, enrolledRow{}, nil
	}
	return person, r, err
}

func insertRecovery(ctx context.Context, db pg.DB, id, person uuid.UUID, browser []byte, visit uuid.UUID, way Way, code []byte, now time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO recovery (id, person_id, browser_hash, visit_id, way, code_hash, created_at, expires_at)
		VALUES (@id, @person, @browser, nullif(@visit, '00000000-0000-0000-0000-000000000000'::uuid), @way, @code, @now, @expires)`,
		pg.Args{"id": id, "person": person, "browser": browser, "visit": visit, "way": string(way), "code": code, "now": now,
			"expires": now.Add(RecoveryLifetime)})
	return err
}

// wayOf is the way of a recovery that still waits for its code; "" when it has one, or is over.
func wayOf(ctx context.Context, db pg.DB, id uuid.UUID, now time.Time) (way Way, err error) {
	err = db.QueryRow(ctx, `
		SELECT way
		  FROM recovery
		 WHERE id = @id AND link_hash IS NULL AND proven_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "now": now}).Scan(&way)
	if pg.NoRows(err) {
		return "", nil
	}
	return way, err
}

// issueRecovery gives a recovery of nobody its person, code and link, once.
func issueRecovery(ctx context.Context, db pg.DB, id, person uuid.UUID, code, link []byte) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE recovery
		   SET person_id = @person, code_hash = @code, link_hash = @link
		 WHERE id = @id AND link_hash IS NULL AND proven_at IS NULL`,
		pg.Args{"id": id, "person": person, "code": code, "link": link})
	return err == nil && tag.RowsAffected() == 1, err
}

// proveRecovery counts one try of the code, and accepts it once.
func proveRecovery(ctx context.Context, db pg.DB, id uuid.UUID, browser, code []byte, now time.Time) (ok bool, left int, err error) {
	err = db.QueryRow(ctx, `
		UPDATE recovery
		   SET tries = tries + 1,
		       proven_at = CASE WHEN code_hash = @code THEN @now::timestamptz END,
		       expires_at = CASE WHEN code_hash = @code THEN @later ELSE expires_at END
		 WHERE id = @id AND browser_hash = @browser AND proven_at IS NULL AND expires_at > @now AND tries < @most
		RETURNING proven_at IS NOT NULL, @most - tries`,
		pg.Args{"id": id, "browser": browser, "code": code, "now": now, "later": now.Add(RecoveryLifetime), "most": CodeTries}).Scan(&ok, &left)
	if pg.NoRows(err) {
		return false, 0, nil
	}
	return ok, left, err
}

// proveByLink accepts a link once and ties the recovery to the browser that opened it.
func proveByLink(ctx context.Context, db pg.DB, link, browser []byte, now time.Time) (id uuid.UUID, err error) {
	err = db.QueryRow(ctx, `
		UPDATE recovery
		   SET proven_at = @now, browser_hash = @browser, expires_at = @later
		 WHERE link_hash = @link AND proven_at IS NULL AND expires_at > @now
		RETURNING id`,
		pg.Args{"link": link, "browser": browser, "now": now, "later": now.Add(RecoveryLifetime)}).Scan(&id)
	if pg.NoRows(err) {
		return id, ErrRecovery
	}
	return id, err
}

func stageOf(ctx context.Context, db pg.DB, id uuid.UUID, browser []byte, now time.Time) (s Stage, err error) {
	err = db.QueryRow(ctx, `
		SELECT CASE WHEN proven_at IS NOT NULL THEN person_id ELSE '00000000-0000-0000-0000-000000000000' END,
		       coalesce(visit_id, '00000000-0000-0000-0000-000000000000'), way, proven_at IS NOT NULL, answered_at IS NOT NULL, expires_at
		  FROM recovery
		 WHERE id = @id AND browser_hash = @browser AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "browser": browser, "now": now}).Scan(&s.Person, &s.Visit, &s.Way, &s.Proven, &s.Answered, &s.ExpiresAt)
	if pg.NoRows(err) {
		return s, ErrRecovery
	}
	return s, err
}

// recovering is whom a recovery is for. Error: ErrRecovery.
func recovering(ctx context.Context, db pg.DB, id uuid.UUID) (person uuid.UUID, err error) {
	err = db.QueryRow(ctx, `
		SELECT person_id
		  FROM recovery
		 WHERE id = @id`,
		pg.Args{"id": id}).Scan(&person)
	if pg.NoRows(err) {
		return person, ErrRecovery
	}
	return person, err
}

// finishRecovery ends a recovery that is ready, once; not one that was begun before the account went
// to somebody with a stronger proof. Error: ErrRecovery.
func finishRecovery(ctx context.Context, db pg.DB, id uuid.UUID, browser []byte, now time.Time) (o Outcome, err error) {
	err = db.QueryRow(ctx, `
		UPDATE recovery r
		   SET finished_at = @now
		 WHERE id = @id AND browser_hash = @browser AND proven_at IS NOT NULL AND (way <> 'question' OR answered_at IS NOT NULL)
		   AND finished_at IS NULL AND expires_at > @now
		   AND NOT EXISTS (SELECT FROM displacement d WHERE d.person_id = r.person_id AND d.at >= r.created_at)
		RETURNING person_id, way`,
		pg.Args{"id": id, "browser": browser, "now": now}).Scan(&o.Person, &o.Way)
	if pg.NoRows(err) {
		return o, ErrRecovery
	}
	return o, err
}

// voidRecoveries ends what is under way for a person, except one.
func voidRecoveries(ctx context.Context, db pg.DB, person, except uuid.UUID, now time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE recovery
		   SET expires_at = @now
		 WHERE person_id = @person AND id <> @except AND finished_at IS NULL AND expires_at > @now`,
		pg.Args{"person": person, "except": except, "now": now})
	return err
}

func purgeRecoveries(ctx context.Context, db pg.DB, before time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM recovery
		 WHERE expires_at < @before`,
		pg.Args{"before": before})
	return err
}

// setPassword gives a person a password in place of the one they had, if any.
func setPassword(ctx context.Context, db pg.DB, person uuid.UUID, hash string, now time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO password (person_id, hash, changed_at)
		VALUES (@person, @hash, @now)
		ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at`,
		pg.Args{"person": person, "hash": hash, "now": now})
	return err
}

// liftAny ends whatever hold there is.
func liftAny(ctx context.Context, db pg.DB, person uuid.UUID, by Method, now time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE recovery_hold
		   SET lifted_at = @now, lifted_by = @by
		 WHERE person_id = @person AND lifted_at IS NULL`,
		pg.Args{"person": person, "by": string(by), "now": now})
	return err
}

func upsertQuestion(ctx context.Context, db pg.DB, person uuid.UUID, sealed []byte, hash string, now time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO secret_question (person_id, question, answer_hash, changed_at)
		VALUES (@person, @question, @hash, @now)
		ON CONFLICT (person_id) DO UPDATE SET question = excluded.question, answer_hash = excluded.answer_hash, changed_at = excluded.changed_at`,
		pg.Args{"person": person, "question": sealed, "hash": hash, "now": now})
	return err
}

func deleteQuestion(ctx context.Context, db pg.DB, person uuid.UUID) error {
	_, err := db.Exec(ctx, `
		DELETE FROM secret_question
		 WHERE person_id = @person`,
		pg.Args{"person": person})
	return err
}

// questionOf reads what a proven recovery asks. Error: ErrRecovery.
func questionOf(ctx context.Context, db pg.DB, id uuid.UUID, browser []byte, now time.Time) (person uuid.UUID, sealed []byte, err error) {
	err = db.QueryRow(ctx, `
		SELECT q.person_id, q.question
		  FROM recovery r
		  JOIN secret_question q ON q.person_id = r.person_id
		 WHERE r.id = @id AND r.browser_hash = @browser AND r.way = 'question' AND r.proven_at IS NOT NULL
		   AND r.answered_at IS NULL AND r.finished_at IS NULL AND r.expires_at > @now`,
		pg.Args{"id": id, "browser": browser, "now": now}).Scan(&person, &sealed)
	if pg.NoRows(err) {
		return person, nil, ErrRecovery
	}
	return person, sealed, err
}

// tryAnswer counts one try at the answer of a proven recovery and reads its hash; "" when there is
// none to be made.
func tryAnswer(ctx context.Context, db pg.DB, id uuid.UUID, browser []byte, now time.Time) (hash string, left int, err error) {
	err = db.QueryRow(ctx, `
		UPDATE recovery r
		   SET answer_tries = r.answer_tries + 1
		  FROM secret_question q
		 WHERE r.id = @id AND r.browser_hash = @browser AND q.person_id = r.person_id AND r.way = 'question'
		   AND r.proven_at IS NOT NULL AND r.answered_at IS NULL AND r.expires_at > @now AND r.answer_tries < @most
		RETURNING q.answer_hash, @most - r.answer_tries`,
		pg.Args{"id": id, "browser": browser, "now": now, "most": CodeTries}).Scan(&hash, &left)
	if pg.NoRows(err) {
		return "", 0, nil
	}
	return hash, left, err
}

// answered notes the right answer, once.
func answered(ctx context.Context, db pg.DB, id uuid.UUID, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE recovery
		   SET answered_at = @now
		 WHERE id = @id AND proven_at IS NOT NULL AND answered_at IS NULL AND expires_at > @now`,
		pg.Args{"id": id, "now": now})
	return err == nil && tag.RowsAffected() == 1, err
}
