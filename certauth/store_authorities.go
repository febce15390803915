package certauth

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// Published says what the current authorities came from.
type Published struct {
	Source      string
	Digest      []byte // SHA-512
	Authorities int
	PublishedAt time.Time
	CheckedAt   time.Time // when the source was last seen to be the same
}

func storedAuthorities(ctx context.Context, db pg.DB) ([]storedAuthority, error) {
	rows, _ := db.Query(ctx, `
		SELECT name, der
		  FROM icp_authority
		 ORDER BY name, fingerprint`)
	return pgx.CollectRows(rows, pgx.RowToStructByName[storedAuthority])
}

type storedAuthority struct {
	Name string
	DER  []byte `db:"der"`
}

// published is pg.NoRows before the first set.
func published(ctx context.Context, db pg.DB) (p Published, err error) {
	err = db.QueryRow(ctx, `
		SELECT source, digest, authorities, published_at, checked_at
		  FROM icp_authority_set`).Scan(&p.Source, &p.Digest, &p.Authorities, &p.PublishedAt, &p.CheckedAt)
	return p, err
}

// replaceAuthorities puts a set in the place of the one there is.
func replaceAuthorities(ctx context.Context, tx pg.Tx, all []Candidate, p Published) error {
	if _, err := tx.Exec(ctx, `DELETE FROM icp_authority`); err != nil {
		return err
	}
	for _, c := range all {
		sum := sha256.Sum256(c.Cert.Raw)
		if _, err := tx.Exec(ctx, `
			INSERT INTO icp_authority (fingerprint, name, der)
			VALUES (@fingerprint, @name, @der)`,
			pg.Args{"fingerprint": sum[:], "name": c.Name, "der": c.Cert.Raw}); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO icp_authority_set (source, digest, authorities, published_at, checked_at)
		VALUES (@source, @digest, @authorities, @at, @at)
		ON CONFLICT (one) DO UPDATE
		   SET source = @source, digest = @digest, authorities = @authorities, published_at = @at, checked_at = @at`,
		pg.Args{"source": p.Source, "digest": p.Digest, "authorities": p.Authorities, "at": p.PublishedAt})
	return err
}

// sameAuthorities notes that the source has not changed.
func sameAuthorities(ctx context.Context, db pg.DB, at time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE icp_authority_set
		   SET checked_at = @at
		 WHERE checked_at < @at`,
		pg.Args{"at": at})
	return err
}
