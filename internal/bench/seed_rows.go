package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

const (
	pastConsents = 20_000
	chainLength  = 3_000
	floorRows    = 10_000 // of the floor's table on an empty database: something to look up
	stockSize    = 40_000 // tokens to revoke in one measurement
)

var floorText = strings.Repeat("the quick brown fox jumps over the lazy dog ", 4)

// crowd fills every table that a look-up of the hot paths goes through with rows of other people.
// The n-th row of each belongs to the same invented person; nothing in them opens or signs in.
func (p *phase) crowd(ctx context.Context) error {
	if p.rows == 0 {
		return nil
	}
	for _, statement := range []string{
		`SET synchronous_commit = off`,
		`CREATE FUNCTION bench_id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
		 $$ SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`,
		`CREATE FUNCTION bench_hash(what text, n bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS
		 $$ SELECT sha256((what || n)::bytea) $$`,
		`INSERT INTO person (id, identity, documents, contact, family, declared, policy, created_at, updated_at)
		 SELECT bench_id(n), decode(repeat(md5(n::text), 9), 'hex'), decode(repeat(md5(n::text), 4), 'hex'), decode(repeat(md5(n::text), 8), 'hex'),
		        decode(repeat(md5(n::text), 4), 'hex'), decode(repeat(md5(n::text), 8), 'hex'), 1, now(), now() FROM generate_series(1, @rows) n`,
		`INSERT INTO cpf_index (index, person_id)
		 SELECT encode(substring(bench_hash('cpf', n) FOR 16), 'hex')::uuid, bench_id(n) FROM generate_series(1, @rows) n`,
		`INSERT INTO evidence (person_id, id, kind, source, method, verifier, verified_at, policy_version)
		 SELECT bench_id(n), bench_id(n), 'self_declared', 'self', 'mail_code', 'bench', now(), 1 FROM generate_series(1, @rows) n`,
		`UPDATE level_told SET look_at = NULL`, // the job that tells of new levels has long been there
		`INSERT INTO password (person_id, hash, changed_at)
		 SELECT bench_id(n), '$argon2id$v=19$m=19456,t=2,p=1$' || md5(n::text) || '$' || md5(n::text), now() FROM generate_series(1, @rows) n`,
		`INSERT INTO known_browser (person_id, browser_hash, seen_at)
		 SELECT bench_id(n), bench_hash('browser', n), now() FROM generate_series(1, @rows) n`,
		`INSERT INTO subject (person_id, sector, sub)
		 SELECT bench_id(n), 'localhost', translate(encode(bench_hash('sub', n), 'base64'), '+/=', '-_') FROM generate_series(1, @rows) n`,
		`INSERT INTO session (id, cookie_hash, person_id, auth_time, amr, cap, created_at, last_seen_at, expires_at)
		 SELECT bench_id(n), bench_hash('session', n), bench_id(n), now(), '{pwd}', 3, now(), now(), now() + interval '12 hours' FROM generate_series(1, @rows) n`,
		`INSERT INTO interaction (id, browser_hash, client_id, request, created_at, expires_at, finished_at)
		 SELECT bench_id(n), bench_hash('browser', n), 'bench', jsonb_build_object('client_id', 'bench', 'state', md5(n::text)), now(), now() + interval '12 hours', now()
		   FROM generate_series(1, @rows) n`,
		`INSERT INTO oauth_grant (id, person_id, client_id, session_id, sub, scope, claims, id_token_claims, resources, offline, nonce, auth_time,
		                          amr, cap, code_hash, code_expires_at, code_used_at, code_challenge, redirect_uri, created_at, expires_at)
		 SELECT bench_id(n), bench_id(n), 'bench', bench_id(n), md5(n::text), 'openid profile email', '{name,email}', '{}', '{}', true, md5(n::text), now(),
		        '{pwd}', 3, bench_hash('code', n), now(), now(), md5(n::text), 'http://localhost:9/bench/callback', now(), now() + interval '90 days'
		   FROM generate_series(1, @rows) n`,
		`INSERT INTO oauth_token (id, access_hash, grant_id, scope, audience, issued_at, access_expires_at, refresh_hash)
		 SELECT bench_id(n), bench_hash('access', n), bench_id(n), 'openid profile email', '{http://localhost}', now(), now() + interval '10 minutes', bench_hash('refresh', n)
		   FROM generate_series(1, @rows) n`,
	} {
		if _, err := p.db.Exec(ctx, statement, pgx.NamedArgs{"rows": p.rows}); err != nil {
			return fmt.Errorf("%.60s: %w", statement, err)
		}
	}
	return nil
}

// pastConsents gives a citizen of a full database a long history with the one service; those who
// sign in with an ordinary hash have none, because their login is not judged.
func (p *phase) pastConsents(ctx context.Context, tx pg.Tx, person uuid.UUID) error {
	if p.rows == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO consent (person_id, client_id, id, kind, claims, offered, offline, purposes, bases, manifest_version, text_shown, language, decided_at)
		SELECT @person, @client, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'granted', '{name,email}', '{name,email}', true,
		       '{}', '{}', 1, 'Medida da Silva allows', 'pt-BR', now()
		  FROM generate_series(1, @past) n`,
		pgx.NamedArgs{"person": person, "client": serviceID, "past": min(pastConsents, p.rows)})
	return err
}

// lengthen puts rotated tokens behind the one that is live.
func (p *phase) lengthen(ctx context.Context, refresh string) error {
	if p.rows == 0 {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(refresh) // begins with its row's id
	if err != nil {
		return err
	}
	_, err = p.db.Exec(ctx, `
		INSERT INTO oauth_token (id, access_hash, grant_id, scope, audience, issued_at, access_expires_at, refresh_hash, refresh_used_at)
		SELECT ('01900000-0001-7000-' || lpad(to_hex(n), 4, '0') || '-' || substr(md5(grant_id::text), 1, 12))::uuid, sha256(('old access' || n || grant_id)::bytea), grant_id, scope, audience, issued_at, access_expires_at,
		       sha256(('old refresh' || n || grant_id)::bytea), now()
		  FROM oauth_token, generate_series(1, @length) n
		 WHERE id = @id`,
		pgx.NamedArgs{"id": uuid.UUID(raw[:16]), "length": chainLength})
	return err
}

// stockUp writes the tokens of one revocation measurement; the first worker does it for all.
func (p *phase) stockUp(ctx context.Context, worker int) error {
	if worker != 0 {
		return nil
	}
	first := p.stocked
	p.stocked += stockSize
	_, err := p.db.Exec(ctx, `
		WITH made AS (
		     INSERT INTO oauth_grant (id, person_id, client_id, session_id, sub, scope, claims, id_token_claims, resources, offline, nonce, auth_time,
		                              amr, cap, code_expires_at, code_used_at, code_challenge, redirect_uri, created_at, expires_at)
		     SELECT ('01910000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, gen_random_uuid(), @client, gen_random_uuid(), md5(n::text),
		            'openid', '{}', '{}', '{}', true, '', now(), '{pwd}', 3, now(), now(), '', '', now(), now() + interval '1 day'
		       FROM generate_series(@first::int, @last) n
		     RETURNING id)
		INSERT INTO oauth_token (id, access_hash, grant_id, scope, audience, issued_at, access_expires_at, refresh_hash)
		SELECT id, sha256(('stock access' || n)::bytea), id, 'openid', '{}', now(), now(),
		       sha256(translate(encode(uuid_send(id) || sha256(('stock-' || n)::bytea), 'base64'), '+/', '-_')::bytea)
		  FROM generate_series(@first::int, @last) n, LATERAL (SELECT ('01910000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id) row`,
		pgx.NamedArgs{"client": serviceID, "first": first, "last": p.stocked - 1})
	p.stock = make(chan string, stockSize)
	for n := first; n < p.stocked; n++ {
		p.stock <- stockToken(n)
	}
	close(p.stock)
	return err
}

// stockToken is the n-th refresh token to revoke: as the provider's, its row's id and 256 bits.
func stockToken(n int) string {
	id, random := uuid.MustParse(fmt.Sprintf("01910000-0000-7000-8000-%012x", n)), sha256.Sum256(fmt.Appendf(nil, "stock-%d", n))
	return base64.RawURLEncoding.EncodeToString(append(id[:], random[:]...))
}

// fillFloor makes the floor's one table, with as many rows as the phase's.
func (p *phase) fillFloor(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.cluster.URL(p.floorDatabase()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range []string{
		`CREATE TABLE floor (hash bytea PRIMARY KEY, id uuid NOT NULL, body text NOT NULL, created_at timestamptz NOT NULL, used_at timestamptz) WITH (fillfactor = 85)`,
		`SET synchronous_commit = off`,
		`INSERT INTO floor (hash, id, body, created_at)
		 SELECT sha256(('floor-' || n)::bytea), gen_random_uuid(), @text, now() FROM generate_series(0, @rows - 1) n`,
		`VACUUM (ANALYZE) floor`,
	} {
		if _, err := conn.Exec(ctx, statement, pgx.NamedArgs{"rows": max(p.rows, floorRows), "text": floorText}); err != nil {
			return err
		}
	}
	return nil
}

// floorToken names one of the first rows of the floor's table.
func floorToken(n int) string { return fmt.Sprintf("floor-%d", n%floorRows) }
