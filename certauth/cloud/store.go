package cloud

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
)

func insertTrip(ctx context.Context, db pg.DB, state []byte, provider string, interaction uuid.UUID, browser, sealed []byte, now, expires time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO cloud_trip (state_hash, provider, interaction_id, browser_hash, sealed, created_at, expires_at)
		VALUES (@state, @provider, @interaction, @browser, @sealed, @now, @expires)`,
		pg.Args{"state": state, "provider": provider, "interaction": interaction, "browser": browser, "sealed": sealed, "now": now, "expires": expires})
	return err
}

// takeTrip uses a trip up; pg.NoRows when there is none of this browser, or it was used.
func takeTrip(ctx context.Context, db pg.DB, state, browser []byte, now time.Time) (provider string, interaction uuid.UUID, sealed []byte, err error) {
	err = db.QueryRow(ctx, `
		UPDATE cloud_trip
		   SET used_at = @now
		 WHERE state_hash = @state AND browser_hash = @browser AND used_at IS NULL AND expires_at > @now
		RETURNING provider, interaction_id, sealed`,
		pg.Args{"state": state, "browser": browser, "now": now}).Scan(&provider, &interaction, &sealed)
	return provider, interaction, sealed, err
}

// pushOf is the trip by push that a visit of a browser waits for, the latest.
func pushOf(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte, now time.Time) (state []byte, provider string, sealed []byte, err error) {
	err = db.QueryRow(ctx, `
		SELECT state_hash, provider, sealed
		  FROM cloud_trip
		 WHERE browser_hash = @browser AND interaction_id = @interaction AND used_at IS NULL AND expires_at > @now
		 ORDER BY created_at DESC
		 LIMIT 1`,
		pg.Args{"interaction": interaction, "browser": browser, "now": now}).Scan(&state, &provider, &sealed)
	return state, provider, sealed, err
}

// begunSince counts the trips of a browser, so that nobody makes somebody's telephone ring on and on.
func begunSince(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte, since time.Time) (n int, err error) {
	err = db.QueryRow(ctx, `
		SELECT count(*)
		  FROM cloud_trip
		 WHERE browser_hash = @browser AND interaction_id = @interaction AND created_at > @since`,
		pg.Args{"interaction": interaction, "browser": browser, "since": since}).Scan(&n)
	return n, err
}

func purgeTrips(ctx context.Context, db pg.DB, now time.Time) error {
	_, err := db.Exec(ctx, `
		DELETE FROM cloud_trip
		 WHERE expires_at < @now`,
		pg.Args{"now": now})
	return err
}
