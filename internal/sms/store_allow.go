package sms

import (
	"context"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
)

// count adds one to every bucket, or to none where one is full, and returns the place of a full one,
// -1 when there is none.
//
// The look at what is full may be overtaken; the condition on the row itself cannot, and then the
// other buckets keep one count too many, which errs on the side of the caps.
func count(ctx context.Context, db pg.DB, all []bucket) (full int, err error) {
	keys, starts, ends, most := make([][]byte, len(all)), make([]time.Time, len(all)), make([]time.Time, len(all)), make([]int32, len(all))
	for i, b := range all {
		keys[i], starts[i], ends[i], most[i] = b.key, b.starts, b.starts.Add(b.Window), int32(b.Most)
	}
	err = db.QueryRow(ctx, `
		WITH asked AS (
		     SELECT bucket, starts_at, ends_at, most, place - 1 AS place
		       FROM unnest(@keys::bytea[], @starts::timestamptz[], @ends::timestamptz[], @most::integer[])
		            WITH ORDINALITY AS a (bucket, starts_at, ends_at, most, place)),
		     full_ones AS (
		     SELECT a.place
		       FROM asked a
		       LEFT JOIN sms_count c ON c.bucket = a.bucket AND c.starts_at = a.starts_at
		      WHERE coalesce(c.count, 0) >= a.most),
		     counted AS (
		     INSERT INTO sms_count (bucket, starts_at, ends_at, count)
		     SELECT bucket, starts_at, ends_at, 1
		       FROM asked
		      WHERE NOT EXISTS (SELECT FROM full_ones)
		      ORDER BY bucket
		     ON CONFLICT (bucket, starts_at) DO UPDATE SET count = sms_count.count + 1
		      WHERE sms_count.count < (SELECT a.most FROM asked a WHERE a.bucket = excluded.bucket)
		     RETURNING bucket)
		SELECT coalesce((SELECT min(place) FROM full_ones),
		                (SELECT min(place) FROM asked WHERE bucket NOT IN (SELECT bucket FROM counted)), -1)`,
		pg.Args{"keys": keys, "starts": starts, "ends": ends, "most": most}).Scan(&full)
	return full, err
}
