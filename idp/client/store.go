package client

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// serviceRow is one row of service.
type serviceRow struct {
	ID         string
	Version    int
	Manifest   string
	Digest     []byte
	SecretHash []byte // nil: no shared secret
	AppliedAt  time.Time
}

// services returns every service by id.
func services(ctx context.Context, db pg.DB) ([]serviceRow, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, version, manifest, digest, secret_hash, applied_at
		  FROM service
		 ORDER BY id`)
	return pgx.CollectRows(rows, pgx.RowToStructByName[serviceRow])
}

// lockServices lets one transaction at a time change services, a new id included.
func lockServices(ctx context.Context, tx pg.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('loginunico service', 0))`)
	return err
}

// saveService writes the current row and its version's row, which never changes again.
func saveService(ctx context.Context, tx pg.Tx, s serviceRow) error {
	_, err := tx.Exec(ctx, `
		WITH history AS (
			INSERT INTO service_version (id, version, manifest, applied_at)
			VALUES (@id, @version, @manifest, @applied_at)
		)
		INSERT INTO service (id, version, manifest, digest, secret_hash, applied_at)
		VALUES (@id, @version, @manifest, @digest, @secret_hash, @applied_at)
		ON CONFLICT (id) DO UPDATE
		   SET version = excluded.version, manifest = excluded.manifest, digest = excluded.digest,
		       secret_hash = excluded.secret_hash, applied_at = excluded.applied_at`,
		pgx.NamedArgs{"id": s.ID, "version": s.Version, "manifest": s.Manifest, "digest": s.Digest,
			"secret_hash": s.SecretHash, "applied_at": s.AppliedAt})
	return err
}

// setSecretHash exchanges the secret of a service that exists.
func setSecretHash(ctx context.Context, tx pg.Tx, id string, hash []byte) error {
	_, err := tx.Exec(ctx, `
		UPDATE service
		   SET secret_hash = @hash
		 WHERE id = @id`,
		pgx.NamedArgs{"id": id, "hash": hash})
	return err
}

// versionManifest is the YAML of one version; ErrServiceNotFound when there is none.
func versionManifest(ctx context.Context, db pg.DB, id string, version int) (string, error) {
	var manifest string
	err := db.QueryRow(ctx, `
		SELECT manifest
		  FROM service_version
		 WHERE id = @id AND version = @version`,
		pgx.NamedArgs{"id": id, "version": version}).Scan(&manifest)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", ErrServiceNotFound
	}
	return manifest, err
}

// useAssertion marks an assertion's jti as used; false when it was used before. One statement, so
// that of any number of concurrent uses one wins.
func useAssertion(ctx context.Context, db pg.DB, clientID string, jtiHash []byte, expires time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		INSERT INTO used_assertion (client_id, jti_hash, expires_at)
		VALUES (@client_id, @jti_hash, @expires_at)
		ON CONFLICT (client_id, jti_hash) DO NOTHING`,
		pgx.NamedArgs{"client_id": clientID, "jti_hash": jtiHash, "expires_at": expires})
	return err == nil && tag.RowsAffected() == 1, err
}

// deleteUsedAssertions forgets what expired before a moment.
func deleteUsedAssertions(ctx context.Context, db pg.DB, before time.Time) (int64, error) {
	tag, err := db.Exec(ctx, `
		DELETE FROM used_assertion
		 WHERE expires_at < @before`,
		pgx.NamedArgs{"before": before})
	return tag.RowsAffected(), err
}
