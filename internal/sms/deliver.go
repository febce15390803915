package sms

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"
)

// settleTimeout is what the database has to note an answer, also when the process is stopping.
const settleTimeout = 10 * time.Second

// deliver works one job: it marks the message as being sent, hands it over, and notes the answer.
//
// A job that was cut in between finds the message marked and leaves it: whether the carrier has it,
// nobody here can know, and a missing text costs its reader another click, a doubled one their trust.
func (s *Service) deliver(ctx context.Context, job Job, _ int) error {
	m, err := claim(ctx, s.DB, job.ID, s.Carrier.Name(), s.Now())
	if err != nil || m.state != Sending {
		s.Metrics.ended(s.Carrier.Name(), m.country, m.state)
		return err
	}
	message, err := s.open(m)
	if err != nil {
		return s.settle(ctx, m, Failed, "sealed")
	}
	if message.To == "" {
		return s.settle(ctx, m, Expired, "decoy")
	}
	began := time.Now()
	sending, cancel := context.WithTimeout(ctx, sendTimeout)
	receipt, err := s.Carrier.Send(sending, message)
	cancel()
	s.Metrics.took(s.Carrier.Name(), time.Since(began))
	if err == nil && bound(message.Text) {
		s.Metrics.code(m.country, "sent")
	}
	return s.answered(ctx, m, receipt, err)
}

// answered notes what the carrier said, even when the process is told to stop meanwhile.
func (s *Service) answered(ctx context.Context, m row, receipt Receipt, err error) error {
	switch {
	case err == nil:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
		defer cancel()
		s.Metrics.ended(s.Carrier.Name(), m.country, Sent)
		if err := markSent(ctx, s.DB, m.id, receipt.ID, s.Now()); err != nil || receipt.ID == "" {
			return err
		}
		return s.catchUp(ctx, s.Carrier.Name(), receipt.ID)
	case errors.Is(err, ErrMessage), errors.Is(err, ErrRefused):
		return s.settle(ctx, m, Failed, reasonOf(err))
	case errors.Is(err, ErrNotTaken):
		return s.again(ctx, m, err)
	}
	s.Log.WarnContext(ctx, "text in doubt", "message", m.id, "carrier", s.Carrier.Name(), "error", err.Error())
	return s.settle(ctx, m, Sending, "in_doubt")
}

// again puts a message that the carrier has not taken back in the queue, while its time lasts.
func (s *Service) again(ctx context.Context, m row, cause error) error {
	s.Log.WarnContext(ctx, "text not taken", "message", m.id, "carrier", s.Carrier.Name(), "tries", m.tries, "error", cause.Error())
	pause := pauseAfter(m.tries)
	if !s.Now().Add(pause).Before(m.expires) {
		return s.settle(ctx, m, Expired, reasonOf(cause))
	}
	if err := s.settle(ctx, m, Queued, reasonOf(cause)); err != nil {
		return err
	}
	return river.JobSnooze(pause)
}

// pauseAfter grows from a second to half a minute: a code is of use for ten.
func pauseAfter(tries int) time.Duration { return min(time.Second<<min(tries-1, 5), 30*time.Second) }

// settle leaves a message that is being sent in a state.
func (s *Service) settle(ctx context.Context, m row, to State, reason string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if reason != "decoy" {
		s.Metrics.ended(s.Carrier.Name(), m.country, to)
	}
	return settle(ctx, s.DB, m.id, to, reason, s.Now())
}

// reasonOf is what the trail keeps of an error: the carrier's code, never the number.
func reasonOf(err error) string {
	var f *Fault
	if errors.As(err, &f) {
		return cut(f.Code)
	}
	return "carrier"
}
