package audit

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// sealJob seals the days that have ended and makes the months ahead.
type sealJob struct{}

// Kind names the job in the queue.
func (sealJob) Kind() string { return "audit_seal" }

// Schedule has the queue seal each day within the hour after its end, and make partitions three
// months ahead. Each root is also logged: a log that is shipped elsewhere is a copy of the roots.
func Schedule(q *jobs.Queue, db *pg.Pool, box *secret.Box, log *slog.Logger, now func() time.Time) {
	jobs.Add(q, time.Minute, func(ctx context.Context, _ sealJob, _ int) error {
		sealed, err := Seal(ctx, db, box, now())
		for _, r := range sealed {
			log.InfoContext(ctx, "audit root", "day", r.Day, "batch", r.Batch, "jws", r.JWS)
		}
		return errors.Join(err, MakeMonths(ctx, db, now()))
	})
	q.Every(time.Hour, sealJob{})
}
