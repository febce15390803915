package revocation

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
)

// keepPoint notes a distribution point, due at once where it is new. A CA that names more of them
// than mostPoints is not believed.
func keepPoint(ctx context.Context, db pg.DB, p point, issuerKey []byte, now time.Time) error {
	_, err := db.Exec(ctx, `
		INSERT INTO crl (point, issuer_key, issuer, ca, urls, seen_at, due_at)
		SELECT @point, @issuer_key, @issuer, @ca, @urls, @now, @now
		 WHERE (SELECT count(*) FROM crl WHERE issuer_key = @issuer_key) < @most
		ON CONFLICT (point) DO UPDATE SET seen_at = excluded.seen_at`,
		pg.Args{"point": p.id[:], "issuer_key": issuerKey, "issuer": p.ca.Raw, "ca": p.ca.Subject.CommonName, "urls": p.urls, "now": now, "most": mostPoints})
	return err
}

// claim is a point whose list is due, taken for a while from other processes.
type claim struct {
	Point        []byte
	Issuer       []byte
	CA           string
	URLs         []string `db:"urls"`
	ETag         *string  `db:"etag"`
	LastModified *string
	Fetched      *string // the address that etag and last_modified are of
	Failures     int
}

// claimDue takes the point that is due longest; pg.NoRows when none is.
func claimDue(ctx context.Context, db pg.DB, now, until time.Time) (claim, error) {
	rows, _ := db.Query(ctx, `
		UPDATE crl
		   SET due_at = @until
		 WHERE point = (SELECT point FROM crl WHERE due_at <= @now ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING point, issuer, ca, urls, etag, last_modified, fetched, failures`,
		pg.Args{"now": now, "until": until})
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[claim])
}

// claimPoint takes one point whether it is due or not, unless somebody has it, or has just failed.
func claimPoint(ctx context.Context, db pg.DB, point []byte, now, until, before time.Time) (claim, error) {
	rows, _ := db.Query(ctx, `
		UPDATE crl
		   SET due_at = @until, tried_at = @now
		 WHERE point = @point AND (tried_at IS NULL OR tried_at <= @before)
		RETURNING point, issuer, ca, urls, etag, last_modified, fetched, failures`,
		pg.Args{"point": point, "now": now, "until": until, "before": before})
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[claim])
}

// fetched is a list and how it was found.
type fetched struct {
	url, etag, modified string
	list                *CRL
	sum                 []byte
}

// keepList replaces the list of a point, never by an older one: neither its number nor its time goes
// back. It reports false when it would.
func keepList(ctx context.Context, db pg.DB, point []byte, f fetched, compact []byte, now, due time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `
		UPDATE crl
		   SET compact = @compact, sum = @sum, number = @number::text::numeric, this_update = @this, next_update = @next, entries = @entries,
		       fetched_at = @now, tried_at = @now, due_at = @due, failures = 0, fault = NULL, fetched = @url, etag = @etag, last_modified = @modified
		 WHERE point = @point AND (number IS NULL OR number <= @number::text::numeric AND this_update <= @this)`,
		pg.Args{"point": point, "compact": compact, "sum": f.sum, "number": f.list.Number.String(), "this": f.list.ThisUpdate, "next": f.list.NextUpdate,
			"entries": f.list.Len(), "now": now, "due": due, "url": f.url, "etag": f.etag, "modified": f.modified})
	return err == nil && tag.RowsAffected() == 1, err
}

// keepSame notes that the CA has no newer list.
func keepSame(ctx context.Context, db pg.DB, point []byte, now, due time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE crl
		   SET fetched_at = @now, tried_at = @now, due_at = @due, failures = 0, fault = NULL
		 WHERE point = @point`,
		pg.Args{"point": point, "now": now, "due": due})
	return err
}

func keepFault(ctx context.Context, db pg.DB, point []byte, fault string, now, due time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE crl
		   SET tried_at = @now, due_at = @due, failures = failures + 1, fault = @fault
		 WHERE point = @point`,
		pg.Args{"point": point, "fault": fault, "now": now, "due": due})
	return err
}

// Status is what is known of one distribution point.
type Status struct {
	Point      []byte
	CA         string // common name of the CA
	IssuerKey  []byte
	URLs       []string `db:"urls"`
	Sum        []byte   // of the compact list; nil: none yet
	Entries    *int
	ThisUpdate *time.Time
	NextUpdate *time.Time
	FetchedAt  *time.Time
	Failures   int
	Fault      *string // of the last try; nil: none
}

func statuses(ctx context.Context, db pg.DB) ([]Status, error) {
	rows, _ := db.Query(ctx, `
		SELECT point, ca, issuer_key, urls, sum, entries, this_update, next_update, fetched_at, failures, fault
		  FROM crl
		 ORDER BY ca, point`)
	return pgx.CollectRows(rows, pgx.RowToStructByName[Status])
}

func compactOf(ctx context.Context, db pg.DB, point []byte) (compact, sum []byte, err error) {
	err = db.QueryRow(ctx, `
		SELECT compact, sum
		  FROM crl
		 WHERE point = @point AND compact IS NOT NULL`,
		pg.Args{"point": point}).Scan(&compact, &sum)
	return compact, sum, err
}
