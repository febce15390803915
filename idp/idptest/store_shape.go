package idptest

import (
	"context"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
)

// keepShape makes sure, at the end of every test, of what the tables that each sign-in writes do not check
// themselves, because it would cost there (migrations/0019, 0020).
func (c *City) keepShape() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if bad, err := misshapen(ctx, c.DB); err != nil || bad != "" {
		c.t.Errorf("rows of a shape that nobody should write: %s %v", bad, err)
	}
}

func misshapen(ctx context.Context, db pg.DB) (bad string, err error) {
	err = db.QueryRow(ctx, `
		SELECT concat_ws(', ',
		       (SELECT 'session ' || id FROM session
		         WHERE octet_length(cookie_hash) <> 32 OR cap NOT BETWEEN 1 AND 5 OR char_length(browser) > 40 LIMIT 1),
		       (SELECT 'interaction ' || id FROM interaction
		         WHERE octet_length(browser_hash) <> 32 LIMIT 1),
		       (SELECT 'grant ' || id FROM oauth_grant
		         WHERE octet_length(code_hash) <> 32 OR cap NOT BETWEEN 1 AND 5 OR needs NOT BETWEEN 0 AND 5
		            OR octet_length(verified_claims::text) > 65536 LIMIT 1),
		       (SELECT 'token ' || id FROM oauth_token
		         WHERE octet_length(access_hash) <> 32 OR octet_length(refresh_hash) <> 32 LIMIT 1),
		       (SELECT 'event ' || id FROM factor_event
		         WHERE char_length(browser) > 40 LIMIT 1),
		       (SELECT 'try' FROM throttle
		         WHERE count < 1 LIMIT 1))`).Scan(&bad)
	return bad, err
}
