package federation

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

func insertTrip(ctx context.Context, db pg.DB, state []byte, interaction uuid.UUID, browser, sealed []byte, now, expires time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO federation_trip (state_hash, interaction_id, browser_hash, sealed, created_at, expires_at)
		VALUES (@state, @interaction, @browser, @sealed, @now, @expires)`,
		pg.Args{"state": state, "interaction": interaction, "browser": browser, "sealed": sealed, "now": now, "expires": expires})
	return err
}

// takeTrip uses a trip up; pg.NoRows when there is none of this browser, or it was used.
func takeTrip(ctx context.Context, db pg.DB, state, browser []byte, now time.Time) (interaction uuid.UUID, began time.Time, sealed []byte, err error) {
	err = db.QueryRow(ctx, `
		UPDATE federation_trip
		   SET used_at = @now
		 WHERE state_hash = @state AND browser_hash = @browser AND used_at IS NULL AND expires_at > @now
		RETURNING interaction_id, created_at, sealed`,
		pg.Args{"state": state, "browser": browser, "now": now}).Scan(&interaction, &began, &sealed)
	return interaction, began, sealed, err
}

func leftTrip(ctx context.Context, db pg.DB, browser []byte, now time.Time) (interaction uuid.UUID, err error) {
	err = db.QueryRow(ctx, `
		SELECT interaction_id
		  FROM federation_trip
		 WHERE browser_hash = @browser AND used_at IS NULL AND expires_at > @now
		 ORDER BY created_at DESC
		 LIMIT 1`,
		pg.Args{"browser": browser, "now": now}).Scan(&interaction)
	return interaction, err
}

func keepAccount(ctx context.Context, db pg.DB, state, account []byte, until time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE federation_trip
		   SET account = @account, expires_at = @until
		 WHERE state_hash = @state AND used_at IS NOT NULL AND decided_at IS NULL`,
		pg.Args{"state": state, "account": account, "until": until})
	return err
}

func keptAccount(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte, now time.Time) (state []byte, began time.Time, account []byte, err error) {
	err = db.QueryRow(ctx, `
		SELECT state_hash, created_at, account
		  FROM federation_trip
		 WHERE browser_hash = @browser AND interaction_id = @interaction AND account IS NOT NULL AND expires_at > @now
		 ORDER BY used_at DESC
		 LIMIT 1`,
		pg.Args{"interaction": interaction, "browser": browser, "now": now}).Scan(&state, &began, &account)
	return state, began, account, err
}

// decideTrip forgets what was kept; false when somebody was first.
func decideTrip(ctx context.Context, db pg.DB, state []byte, now time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE federation_trip
		   SET decided_at = @now, account = NULL
		 WHERE state_hash = @state AND account IS NOT NULL AND expires_at > @now`,
		pg.Args{"state": state, "now": now})
	return err == nil && tag.RowsAffected() == 1, err
}

func purgeTrips(ctx context.Context, db pg.DB, now time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM federation_trip
		 WHERE expires_at < @now`,
		pg.Args{"now": now})
	return err
}
