package session

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

// knownColumns are a session s with its person, evidence, latest decision about a client and sub,
// in the order of [scanKnown]; knownOf is where they come from.
const (
	knownColumns = `s.id, s.person_id, s.auth_time, s.amr, s.cap, s.last_seen_at, s.expires_at, s.company,
		       p.sealed, p.updated_at, p.version, p.evidence, p.employment, c.kind, c.claims, c.offered, c.offline, sub.sub`
	knownOf = ` s
		  JOIN known_person p ON p.id = s.person_id
		  LEFT JOIN LATERAL (
		       SELECT kind, claims, offered, offline
		         FROM consent
		        WHERE person_id = s.person_id AND client_id = @client
		        ORDER BY id DESC
		        LIMIT 1) c ON true
		  LEFT JOIN subject sub ON sub.person_id = s.person_id AND sub.sector = @sector`
)

// known reads the live session of a cookie and what belongs to it in one statement; nil when there
// is none.
func known(ctx context.Context, db pg.DB, box registry.Sealer, id uuid.UUID, hash []byte, clientID, sector string, now time.Time) (*Known, error) {
	return scanKnown(box, clientID, now, db.QueryRow(ctx, `
		SELECT `+knownColumns+`
		  FROM session`+knownOf+`
		 WHERE s.id = @id AND s.cookie_hash = @hash AND s.ended_at IS NULL AND s.expires_at > @now AND s.last_seen_at > @idle`,
		pg.Args{"id": id, "hash": hash, "client": clientID, "sector": sector, "now": now, "idle": now.Add(-Idle)}))
}

// insert writes a session and reads what [known] would.
func insert(ctx context.Context, db pg.DB, box registry.Sealer, s Session, hash []byte, clientID, sector string) (*Known, error) {
	return scanKnown(box, clientID, s.LastSeenAt, db.QueryRow(ctx, `
		WITH opened AS (
		     INSERT INTO session (id, cookie_hash, person_id, auth_time, amr, cap, browser, created_at, last_seen_at, expires_at, company)
		     VALUES (@id, @hash, @person, @auth_time, @amr, @cap, @browser, @seen, @seen, @expires, @company)
		     RETURNING id, person_id, auth_time, amr, cap, last_seen_at, expires_at, company)
		SELECT `+knownColumns+`
		  FROM opened`+knownOf,
		pg.Args{"id": s.ID, "hash": hash, "person": s.PersonID, "auth_time": s.AuthTime, "seen": s.LastSeenAt, "amr": s.AMR, "cap": s.Cap,
			"browser": s.Browser, "expires": s.ExpiresAt, "company": s.Companies, "client": clientID, "sector": sector}))
}

// open writes a session; nobody waits for it.
func open(ctx context.Context, db pg.DB, s Session, hash []byte) error {
	return pg.Later(ctx, db, `
		INSERT INTO session (id, cookie_hash, person_id, auth_time, amr, cap, browser, created_at, last_seen_at, expires_at)
		VALUES (@id, @hash, @person, @auth_time, @amr, @cap, @browser, @seen, @seen, @expires)`,
		pg.Args{"id": s.ID, "hash": hash, "person": s.PersonID, "auth_time": s.AuthTime, "seen": s.LastSeenAt, "amr": s.AMR, "cap": s.Cap,
			"browser": s.Browser, "expires": s.ExpiresAt})
}

func scanKnown(box registry.Sealer, clientID string, now time.Time, row pgx.Row) (*Known, error) {
	var k Known
	var columns consent.StandingColumns
	err := row.Scan(append([]any{&k.ID, &k.PersonID, &k.AuthTime, &k.AMR, &k.Cap, &k.LastSeenAt, &k.ExpiresAt, &k.Companies}, columns.Targets()...)...)
	if pg.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	standing, err := columns.Standing(k.PersonID, clientID)
	if err != nil {
		return nil, err
	}
	return knownBy(box, k.Session, standing, now)
}

// renew gives a live session a new cookie and authentication; false when it has ended. No companies
// leave those that it has.
func renew(ctx context.Context, db pg.DB, s Session, hash []byte) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE session
		   SET cookie_hash = @hash, auth_time = @auth_time, amr = @amr, cap = @cap, browser = @browser, last_seen_at = @seen, expires_at = @expires,
		       company = coalesce(@company, company)
		 WHERE id = @id AND person_id = @person AND ended_at IS NULL`,
		pg.Args{"id": s.ID, "hash": hash, "person": s.PersonID, "auth_time": s.AuthTime, "seen": s.LastSeenAt, "amr": s.AMR, "cap": s.Cap,
			"browser": s.Browser, "expires": s.ExpiresAt, "company": s.Companies})
	return err == nil && tag.RowsAffected() == 1, err
}

// choose replaces what a live session knows of companies, if that is what it was.
func choose(ctx context.Context, db pg.DB, id uuid.UUID, before, after []byte) error {
	_, err := db.Exec(ctx, `
		UPDATE session
		   SET company = @after
		 WHERE id = @id AND ended_at IS NULL AND company IS NOT DISTINCT FROM @before`,
		pg.Args{"id": id, "before": before, "after": after})
	return err
}

// end closes a session once; false when it had ended before.
func end(ctx context.Context, db pg.DB, id uuid.UUID, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE session
		   SET ended_at = @now
		 WHERE id = @id AND ended_at IS NULL`,
		pg.Args{"id": id, "now": now})
	return err == nil && tag.RowsAffected() == 1, err
}

// endAll closes the sessions of a person but one and returns those that were open.
func endAll(ctx context.Context, db pg.DB, person, keep uuid.UUID, now time.Time) ([]uuid.UUID, error) {
	rows, _ := db.Query(ctx, `
		UPDATE session
		   SET ended_at = @now
		 WHERE person_id = @person AND id <> @keep AND ended_at IS NULL
		RETURNING id`,
		pg.Args{"person": person, "keep": keep, "now": now})
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

func seen(ctx context.Context, db pg.DB, id uuid.UUID, now time.Time) error {
	return pg.Later(ctx, db, `
		UPDATE session
		   SET last_seen_at = @now
		 WHERE id = @id AND ended_at IS NULL`,
		pg.Args{"id": id, "now": now})
}

// purge removes up to limit sessions that expired before a moment, oldest first.
func purge(ctx context.Context, db pg.DB, before time.Time, limit int) (int64, error) {
	tag, err := db.Exec(ctx, `
		DELETE FROM session
		 WHERE id IN (SELECT id FROM session WHERE id < @begun AND expires_at < @before ORDER BY id LIMIT @limit)`,
		pg.Args{"begun": pg.FirstID(before.Add(-Lifetime)), "before": before, "limit": limit})
	return tag.RowsAffected(), err
}
