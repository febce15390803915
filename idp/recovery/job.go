package recovery

import (
	"context"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/pg"
)

// Enqueuer puts a job into the transaction that makes it necessary; a *jobs.Queue is one.
type Enqueuer interface {
	Insert(ctx context.Context, tx pg.Tx, args jobs.Args) error
}

// Request is the job that sends the code of a recovery, with who asked for it.
type Request struct {
	factor.RecoveryRequest
	Lang string `json:"lang"` // of the page: nobody knows yet whose account it is
	From []byte `json:"from"` // the address, sealed: the caps on texts count it
}

func (h *Handler) request(ctx context.Context, tx pg.Tx, r factor.RecoveryRequest, a notice.Asker) error {
	from, err := a.Address.MarshalBinary()
	if err != nil {
		return err
	}
	return h.Requests.Insert(ctx, tx, Request{RecoveryRequest: r, Lang: a.Lang, From: h.Box.Seal(from, r.ID[:])})
}

// Deliver makes the worker of [Request].
func Deliver(d *flow.Dependencies) func(context.Context, Request, int) error {
	return func(ctx context.Context, job Request, _ int) error {
		from, err := d.Box.Open(job.From, job.ID[:])
		if err != nil {
			return err
		}
		asker := notice.Asker{Lang: job.Lang}
		if err := asker.Address.UnmarshalBinary(from); err != nil {
			return err
		}
		err = pg.InTx(ctx, d.DB, func(tx pg.Tx) error {
			return d.Recoveries.Deliver(ctx, tx, job.RecoveryRequest, d.Notices.Courier(asker, notice.Recover))
		})
		if k := fail.KindOf(err); err != nil && (k == fail.Throttled || k == fail.Invalid) {
			return nil // a cap on texts, or a country that gets none: the citizen asks again, another way
		}
		return err
	}
}
