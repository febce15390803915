package token

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/ida"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/staff"
	"github.com/loginunico/loginunico/registry/trust"
)

// insertGrant writes a grant and the hash of its code; in a transaction, with its COMMIT. One that is alone
// and whose visit has a row gets no id, which its column refuses.
func insertGrant(ctx context.Context, db pg.DB, g Grant, codeHash []byte, now time.Time) error {
	verified, err := g.Verified.Text()
	if err != nil {
		return err
	}
	return pg.Later(ctx, db, `
		INSERT INTO oauth_grant (id, person_id, client_id, session_id, sub, scope, claims, id_token_claims, verified_claims, resources,
		                         offline, nonce, auth_time, amr, cap, needs, code_hash, code_expires_at, code_challenge,
		                         redirect_uri, created_at, expires_at, company)
		VALUES (CASE WHEN @alone AND EXISTS (SELECT 1 FROM interaction WHERE id = @id) THEN NULL ELSE @id END, @person, @client, @session, @sub, @scope, @claims, @id_token_claims, @verified, @resources,
		        @offline, @nonce, @auth_time, @amr, @cap, @needs, @code_hash, @code_expires_at, @challenge,
		        @redirect_uri, @now, @expires_at, @company)`,
		pg.Args{"id": g.ID, "alone": g.Alone, "person": g.PersonID, "client": g.ClientID, "session": g.SessionID, "sub": g.Subject,
			"scope": g.Scope, "claims": g.Claims, "id_token_claims": g.IDTokenClaims, "verified": verified, "resources": g.Resources,
			"offline": g.Offline, "nonce": g.Nonce, "auth_time": g.AuthTime, "amr": g.AMR, "cap": g.Cap, "needs": g.Needs,
			"code_hash": codeHash, "code_expires_at": now.Add(CodeLifetime), "challenge": g.CodeChallenge,
			"redirect_uri": g.RedirectURI, "now": now, "expires_at": g.ExpiresAt, "company": g.sealedCompany})
}

// subjectOf returns the person's sub in a sector, random and made at first use.
//
// OIDC Core §8: pairwise identifiers; the sector is a host, or "" for public ones.
func subjectOf(ctx context.Context, db pg.DB, person uuid.UUID, sector, fresh string) (sub string, err error) {
	err = db.QueryRow(ctx, `
		INSERT INTO subject (person_id, sector, sub)
		VALUES (@person, @sector, @fresh)
		ON CONFLICT (person_id, sector) DO UPDATE SET sub = subject.sub
		RETURNING sub`,
		pg.Args{"person": person, "sector": sector, "fresh": fresh}).Scan(&sub)
	return sub, err
}

// targets are where [heldColumns] are scanned to; finish then opens what is sealed.
func (h *holder) targets(s registry.Sealer) (targets []any, finish func() error) {
	var ev trust.Columns
	var em staff.Columns
	targets = append([]any{&h.ID, &h.PersonID, &h.ClientID, &h.SessionID, &h.Subject, &h.Scope, &h.Claims, &h.IDTokenClaims,
		&h.verified, &h.Resources, &h.Offline, &h.AuthTime, &h.AMR, &h.Cap, &h.Needs, &h.ExpiresAt, &h.RevokedAt, &h.sealedCompany, &h.Sealed, &h.UpdatedAt, &h.Version}, append(ev.Targets(), em.Targets()...)...)
	return targets, func() (err error) {
		if h.Evidence, err = ev.Evidence(); err != nil {
			return err
		}
		if h.Verified, err = ida.Read(h.verified); err != nil {
			return err
		}
		if h.Employed, err = em.Employment(); err != nil {
			return err
		}
		return h.open(s)
	}
}

// heldColumns are a grant, its person, the evidence and their work for the city, in the order of [holder.targets]; a look-up
// names its own way to oauth_grant g. What only a redemption looks at is not among them.
const heldColumns = `
	g.id, g.person_id, g.client_id, g.session_id, g.sub, g.scope, g.claims, g.id_token_claims,
	g.verified_claims, g.resources, g.offline, g.auth_time, g.amr, g.cap, g.needs, g.expires_at, g.revoked_at, g.company,
	p.sealed, p.updated_at, p.version, p.evidence, p.employment`

const tokenColumns = `, t.scope, t.audience, t.issued_at, t.access_expires_at, t.refresh_used_at, t.revoked_at
	  FROM oauth_token t
	  JOIN oauth_grant g ON g.id = t.grant_id
	  JOIN known_person p ON p.id = g.person_id`

// holderByCode reads what a code stands for; pg.NoRows when there is none.
//
// Session and consent are looked at once more: one that ended in the very moment the grant was
// written could not see it, and would otherwise miss its code. [redeemCode] decides by the same.
func holderByCode(ctx context.Context, db pg.DB, s registry.Sealer, grant uuid.UUID, codeHash []byte) (*holder, error) {
	h := new(holder)
	targets, finish := h.targets(s)
	err := db.QueryRow(ctx, `
		SELECT `+heldColumns+`,
		       g.nonce, g.code_challenge, g.redirect_uri, g.code_expires_at, g.code_used_at,
		       EXISTS (SELECT 1 FROM session s WHERE s.id = g.session_id AND s.ended_at IS NULL)
		       AND 'granted' = (SELECT c.kind
		                          FROM consent c
		                         WHERE c.person_id = g.person_id AND c.client_id = g.client_id
		                         ORDER BY c.id DESC
		                         LIMIT 1)
		  FROM oauth_grant g
		  JOIN known_person p ON p.id = g.person_id
		 WHERE g.id = @grant AND g.code_hash = @hash`,
		pg.Args{"grant": grant, "hash": codeHash}).
		Scan(append(targets, &h.Nonce, &h.CodeChallenge, &h.RedirectURI, &h.CodeExpiresAt, &h.CodeUsedAt, &h.Upheld)...)
	if err != nil {
		return nil, err
	}
	return h, finish()
}

// issued is one row of oauth_token.
type issued struct {
	Scope           string
	Audience        []string
	IssuedAt        time.Time
	AccessExpiresAt time.Time
	RefreshUsedAt   *time.Time
	TokenRevokedAt  *time.Time
}

// holderByRefresh reads what a refresh token stands for; pg.NoRows when there is none.
func holderByRefresh(ctx context.Context, db pg.DB, s registry.Sealer, id uuid.UUID, hash []byte) (*holder, *issued, error) {
	h := new(holder)
	targets, finish := h.targets(s)
	row := db.QueryRow(ctx, `SELECT `+heldColumns+tokenColumns+` WHERE t.id = @id AND t.refresh_hash = @hash`, pg.Args{"id": id, "hash": hash})
	return h.scanIssued(row, targets, finish)
}

// holderByAccess reads what an access token stands for; pg.NoRows when there is none.
func holderByAccess(ctx context.Context, db pg.DB, s registry.Sealer, id uuid.UUID, hash []byte) (*holder, *issued, error) {
	h := new(holder)
	targets, finish := h.targets(s)
	row := db.QueryRow(ctx, `SELECT `+heldColumns+tokenColumns+` WHERE t.id = @id AND t.access_hash = @hash`, pg.Args{"id": id, "hash": hash})
	return h.scanIssued(row, targets, finish)
}

func (h *holder) scanIssued(row pgx.Row, targets []any, finish func() error) (*holder, *issued, error) {
	t := new(issued)
	if err := row.Scan(append(targets, &t.Scope, &t.Audience, &t.IssuedAt, &t.AccessExpiresAt, &t.RefreshUsedAt, &t.TokenRevokedAt)...); err != nil {
		return nil, nil, err
	}
	return h, t, finish()
}

// answersByAccess reads the sealed answers of a live access token, nil for none, and its person's
// version; pg.NoRows for every other token. It is the one statement of userinfo and introspection:
// primary keys only, and little to read.
func answersByAccess(ctx context.Context, db pg.DB, id uuid.UUID, hash []byte, now time.Time) (answers []byte, version int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT t.answers, p.version
		  FROM oauth_token t
		  JOIN oauth_grant g ON g.id = t.grant_id
		  JOIN person p ON p.id = g.person_id
		 WHERE t.id = @id AND t.access_hash = @hash AND t.revoked_at IS NULL AND t.access_expires_at > @now
		   AND g.revoked_at IS NULL AND g.expires_at > @now`,
		pg.Args{"id": id, "hash": hash, "now": now}).Scan(&answers, &version)
	return answers, version, err
}

// newToken is what a redemption or a rotation stores.
type newToken struct {
	ID                      uuid.UUID
	AccessHash, RefreshHash []byte // RefreshHash nil: no refresh token
	Scope                   string
	Audience                []string
	ExpiresAt               time.Time
	Answers                 []byte // sealed
}

// redeemCode uses the code and stores its tokens, for the audit too, in one statement and one commit; false when
// somebody used it first, or when what the tokens say has changed since it was read: the person or
// the evidence, the grant, its session, its consent.
//
// Under READ COMMITTED the loser of a race waits for the winner's row lock and then finds
// code_used_at set, so exactly one redemption wins.
func redeemCode(ctx context.Context, db pg.DB, h *holder, t newToken, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		WITH used AS (
		     UPDATE oauth_grant g
		        SET code_used_at = @now
		       FROM person p
		      WHERE g.id = @grant AND g.code_used_at IS NULL AND g.revoked_at IS NULL AND g.code_expires_at > @now
		        AND p.id = @person AND p.version = @version
		        AND EXISTS (SELECT 1 FROM session s WHERE s.id = @session AND s.ended_at IS NULL)
		        AND 'granted' = (SELECT c.kind
		                           FROM consent c
		                          WHERE c.person_id = @person AND c.client_id = @client
		                          ORDER BY c.id DESC
		                          LIMIT 1)
		     RETURNING g.id),
		     unaudited AS (
		     INSERT INTO token_unaudited (token_id)
		     SELECT @id
		       FROM used)
		INSERT INTO oauth_token (id, access_hash, grant_id, scope, audience, issued_at, access_expires_at, refresh_hash, answers)
		SELECT @id, @access_hash, id, @scope, @audience, @now, @expires_at, @refresh_hash, @answers
		  FROM used`,
		pg.Args{"grant": h.ID, "person": h.PersonID, "version": h.Version, "session": h.SessionID, "client": h.ClientID, "now": now,
			"id": t.ID, "access_hash": t.AccessHash, "refresh_hash": t.RefreshHash,
			"scope": t.Scope, "audience": t.Audience, "expires_at": t.ExpiresAt, "answers": t.Answers})
	return err == nil && tag.RowsAffected() == 1, err
}

// rotate uses a refresh token and stores its successor, for the audit too, in one statement and one commit; false
// when somebody used it first, or when the person, the evidence or the grant has changed since it
// was read.
//
// Nothing but its id leads to the token: a second way to it, by its grant, would be taken by some
// plans, and a grant has thousands.
func rotate(ctx context.Context, db pg.DB, h *holder, id uuid.UUID, used []byte, t newToken, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		WITH used AS (
		     UPDATE oauth_token
		        SET refresh_used_at = @now, answers = NULL
		      WHERE id = @used_id AND refresh_hash = @used AND refresh_used_at IS NULL
		        AND EXISTS (SELECT 1 FROM oauth_grant g
		                     WHERE g.id = @grant AND g.revoked_at IS NULL AND g.expires_at > @now AND g.company IS NOT DISTINCT FROM @company)
		        AND EXISTS (SELECT 1 FROM person p WHERE p.id = @person AND p.version = @version)
		     RETURNING grant_id),
		     unaudited AS (
		     INSERT INTO token_unaudited (token_id)
		     SELECT @id
		       FROM used)
		INSERT INTO oauth_token (id, access_hash, grant_id, scope, audience, issued_at, access_expires_at, refresh_hash, answers)
		SELECT @id, @access_hash, grant_id, @scope, @audience, @now, @expires_at, @refresh_hash, @answers
		  FROM used`,
		pg.Args{"used_id": id, "used": used, "grant": h.ID, "person": h.PersonID, "version": h.Version, "company": h.sealedCompany, "now": now,
			"id": t.ID, "access_hash": t.AccessHash, "refresh_hash": t.RefreshHash,
			"scope": t.Scope, "audience": t.Audience, "expires_at": t.ExpiresAt, "answers": t.Answers})
	return err == nil && tag.RowsAffected() == 1, err
}

// revokeGrant ends a grant and with it every token; the first reason stays.
func revokeGrant(ctx context.Context, db pg.DB, grant uuid.UUID, reason string, now time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE oauth_grant
		   SET revoked_at = @now, revoked_reason = @reason
		 WHERE id = @grant AND revoked_at IS NULL`,
		pg.Args{"grant": grant, "reason": reason, "now": now})
	return err
}

// revokeOwn ends what a client's own token stands for: the grant for a refresh token, the one
// token for an access token. RFC 7009 §2.1; another client's token is left alone and nothing is
// said about it.
func revokeOwn(ctx context.Context, db pg.DB, clientID string, id uuid.UUID, hash []byte, now time.Time) error {
	_, err := db.Exec(ctx, `
		WITH hit AS (
		     SELECT t.id, t.grant_id, t.refresh_hash = @hash AS refresh
		       FROM oauth_token t
		       JOIN oauth_grant g ON g.id = t.grant_id
		      WHERE t.id = @id AND (t.access_hash = @hash OR t.refresh_hash = @hash) AND g.client_id = @client),
		     one AS (
		     UPDATE oauth_token t
		        SET revoked_at = @now
		       FROM hit
		      WHERE t.id = hit.id AND hit.refresh IS NOT TRUE AND t.revoked_at IS NULL)
		UPDATE oauth_grant g
		   SET revoked_at = @now, revoked_reason = 'client'
		  FROM hit
		 WHERE g.id = hit.grant_id AND hit.refresh AND g.revoked_at IS NULL`,
		pg.Args{"client": clientID, "id": id, "hash": hash, "now": now})
	return err
}

// revokeSigned remembers a client_credentials token that must not count any more, by the SHA-256
// of its jti.
func revokeSigned(ctx context.Context, db pg.DB, hash []byte, expires time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO revoked_token (jti_hash, expires_at)
		VALUES (@hash, @expires)
		ON CONFLICT DO NOTHING`,
		pg.Args{"hash": hash, "expires": expires})
	return err
}

// signedRevoked says whether a client_credentials token was revoked.
func signedRevoked(ctx context.Context, db pg.DB, hash []byte) (revoked bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM revoked_token WHERE jti_hash = @hash)`,
		pg.Args{"hash": hash}).Scan(&revoked)
	return revoked, err
}

// revokeOf ends the grants of a person for one service.
func revokeOf(ctx context.Context, db pg.DB, person uuid.UUID, clientID, reason string, now time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE oauth_grant
		   SET revoked_at = @now, revoked_reason = @reason
		 WHERE person_id = @person AND client_id = @client AND revoked_at IS NULL`,
		pg.Args{"person": person, "client": clientID, "reason": reason, "now": now})
	return err
}

// revokeAll ends the grants of a person.
func revokeAll(ctx context.Context, db pg.DB, person uuid.UUID, reason string, now time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE oauth_grant
		   SET revoked_at = @now, revoked_reason = @reason
		 WHERE person_id = @person AND revoked_at IS NULL`,
		pg.Args{"person": person, "reason": reason, "now": now})
	return err
}

// revokeOpenedBy ends the grants of a person whose session had a fact.
func revokeOpenedBy(ctx context.Context, db pg.DB, person uuid.UUID, fact, reason string, now time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE oauth_grant
		   SET revoked_at = @now, revoked_reason = @reason
		 WHERE person_id = @person AND @fact = ANY (amr) AND revoked_at IS NULL`,
		pg.Args{"person": person, "fact": fact, "reason": reason, "now": now})
	return err
}

// revokeAccess ends the access tokens of a person that are still good; refresh tokens stay.
func revokeAccess(ctx context.Context, db pg.DB, person uuid.UUID, now time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE oauth_token t
		   SET revoked_at = @now
		  FROM oauth_grant g
		 WHERE g.person_id = @person AND g.revoked_at IS NULL AND t.grant_id = g.id
		   AND t.access_expires_at > @now AND t.revoked_at IS NULL`,
		pg.Args{"person": person, "now": now})
	return err
}

// carrySubjects moves the subs of a person to another in every sector that does not know the other.
func carrySubjects(ctx context.Context, db pg.DB, from, to uuid.UUID) error {
	_, err := db.Exec(ctx, `
		UPDATE subject s
		   SET person_id = @to
		 WHERE s.person_id = @from
		   AND NOT EXISTS (SELECT FROM subject own WHERE own.person_id = @to AND own.sector = s.sector)`,
		pg.Args{"from": from, "to": to})
	return err
}

// carryGrants moves the grants of a person to another; what was answered of the first is made anew.
func carryGrants(ctx context.Context, db pg.DB, from, to uuid.UUID) error {
	_, err := db.Exec(ctx, `
		WITH moved AS (
		     UPDATE oauth_grant
		        SET person_id = @to
		      WHERE person_id = @from
		     RETURNING id)
		UPDATE oauth_token t
		   SET answers = NULL
		  FROM moved
		 WHERE t.grant_id = moved.id AND t.answers IS NOT NULL`,
		pg.Args{"from": from, "to": to})
	return err
}

// subjectNow follows a sub that stayed with a merged person to the one in use in its sector.
func subjectNow(ctx context.Context, db pg.DB, sub string) (now string, err error) {
	err = db.QueryRow(ctx, `
		SELECT own.sub
		  FROM subject s
		  JOIN person p ON p.id = s.person_id
		  JOIN subject own ON own.person_id = p.merged_into AND own.sector = s.sector
		 WHERE s.sub = @sub`,
		pg.Args{"sub": sub}).Scan(&now)
	if pg.NoRows(err) {
		return sub, nil
	}
	return now, err
}

// revokeSession ends the grants of a session, but for those the citizen let outlive it, and
// returns every client that took part. Those that go on act for no company any more.
func revokeSession(ctx context.Context, db pg.DB, person, session uuid.UUID, now time.Time) ([]client.Party, error) {
	rows, _ := db.Query(ctx, `
		WITH ended AS (
		     UPDATE oauth_grant
		        SET revoked_at = CASE WHEN offline THEN revoked_at ELSE coalesce(revoked_at, @now) END,
		            revoked_reason = CASE WHEN offline THEN revoked_reason ELSE coalesce(revoked_reason, 'logout') END,
		            company = NULL
		      WHERE person_id = @person AND session_id = @session
		     RETURNING client_id, sub, code_used_at),
		     forgotten AS (
		     UPDATE oauth_token t
		        SET answers = NULL
		       FROM oauth_grant g
		      WHERE g.person_id = @person AND g.session_id = @session AND g.offline AND g.company IS NOT NULL
		        AND t.grant_id = g.id AND t.answers IS NOT NULL)
		SELECT DISTINCT client_id, sub
		  FROM ended
		 WHERE code_used_at IS NOT NULL
		 ORDER BY client_id`,
		pg.Args{"person": person, "session": session, "now": now})
	return pgx.CollectRows(rows, pgx.RowToStructByPos[client.Party])
}

// lastUses returns when each service last received something of a person.
func lastUses(ctx context.Context, db pg.DB, person uuid.UUID) (map[string]time.Time, error) {
	rows, _ := db.Query(ctx, `
		SELECT g.client_id, max(t.issued_at)
		  FROM oauth_grant g
		  JOIN oauth_token t ON t.grant_id = g.id
		 WHERE g.person_id = @person
		 GROUP BY g.client_id`,
		pg.Args{"person": person})
	uses := map[string]time.Time{}
	var clientID string
	var at time.Time
	_, err := pgx.ForEachRow(rows, []any{&clientID, &at}, func() error {
		uses[clientID] = at
		return nil
	})
	return uses, err
}

// purgeTokens removes up to limit tokens and grants that can say nothing any more: rows whose
// grant ended before a moment, and of which the audit knows. Used refresh tokens stay as long as their grant, because meeting one
// again is how theft is noticed.
//
// It goes along the ids, over whatever is old enough to have ended, and so over the offline grants that live.
func purgeTokens(ctx context.Context, db pg.DB, before time.Time, limit int) (int64, error) {
	tag, err := db.Exec(ctx, `
		WITH old AS (
		     SELECT id
		       FROM oauth_grant
		      WHERE id < @begun AND expires_at < @before
		        AND id NOT IN (SELECT t.grant_id FROM token_unaudited u JOIN oauth_token t ON t.id = u.token_id)
		      LIMIT @limit),
		     tokens AS (
		     DELETE FROM oauth_token t
		      USING old
		      WHERE t.grant_id = old.id)
		DELETE FROM oauth_grant g
		 USING old
		 WHERE g.id = old.id`,
		pg.Args{"begun": pg.FirstID(before), "before": before, "limit": limit})
	return tag.RowsAffected(), err
}

// forgetAnswers takes the answers, which hold personal values, from access tokens that have expired:
// their rows stay as long as the grant. The lower bound keeps the job from reading old rows again.
func forgetAnswers(ctx context.Context, db pg.DB, now time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE oauth_token
		   SET answers = NULL
		 WHERE id BETWEEN @since AND @until AND access_expires_at <= @now AND answers IS NOT NULL`,
		pg.Args{"since": pg.FirstID(now.Add(-lookBack)), "until": pg.FirstID(now), "now": now})
	return err
}

// purgeRevoked forgets revocations of tokens that have expired anyway.
func purgeRevoked(ctx context.Context, db pg.DB, before time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM revoked_token
		 WHERE expires_at < @before`,
		pg.Args{"before": before})
	return err
}
