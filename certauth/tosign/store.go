package tosign

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

func insert(ctx context.Context, db pg.DB, nonce []byte, interaction uuid.UUID, browser []byte, content string, now, expires time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO certificate_challenge (nonce_hash, interaction_id, browser_hash, content, created_at, expires_at)
		VALUES (@nonce, @interaction, @browser, @content, @now, @expires)`,
		pg.Args{"nonce": nonce, "interaction": interaction, "browser": browser, "content": content, "now": now, "expires": expires})
	return err
}

func current(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte, now time.Time) (content string, err error) {
	err = db.QueryRow(ctx, `
		SELECT content
		  FROM certificate_challenge
		 WHERE browser_hash = @browser AND interaction_id = @interaction AND used_at IS NULL AND expires_at > @now AND tries < @most
		 ORDER BY created_at DESC
		 LIMIT 1`,
		pg.Args{"interaction": interaction, "browser": browser, "now": now, "most": mostTries}).Scan(&content)
	return content, err
}

// try counts a try at the current text before its signature is looked at.
func try(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte, now time.Time) (content string, err error) {
	err = db.QueryRow(ctx, `
		UPDATE certificate_challenge
		   SET tries = tries + 1
		 WHERE nonce_hash = (SELECT nonce_hash
		                       FROM certificate_challenge
		                      WHERE browser_hash = @browser AND interaction_id = @interaction AND used_at IS NULL AND expires_at > @now
		                      ORDER BY created_at DESC
		                      LIMIT 1)
		   AND tries < @most
		RETURNING content`,
		pg.Args{"interaction": interaction, "browser": browser, "now": now, "most": mostTries}).Scan(&content)
	return content, err
}

// use uses a text up; false when somebody was first.
func use(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte, content string, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE certificate_challenge
		   SET used_at = @now
		 WHERE browser_hash = @browser AND interaction_id = @interaction AND content = @content AND used_at IS NULL AND expires_at > @now`,
		pg.Args{"interaction": interaction, "browser": browser, "content": content, "now": now})
	return err == nil && tag.RowsAffected() == 1, err
}

func purge(ctx context.Context, db pg.DB, now time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM certificate_challenge
		 WHERE expires_at < @now`,
		pg.Args{"now": now})
	return err
}
