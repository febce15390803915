package jobs_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

type slow struct {
	N int `json:"n"`
}

func (slow) Kind() string { return "slow" }

type quick struct{}

func (quick) Kind() string { return "quick" }

func TestJobsOfASlowKindDelayNoOthers(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	q := jobs.New(db, slog.New(slog.DiscardHandler))
	const workers, all = 2, 20 // all of them would fill the common workers many times over
	began, release, done := make(chan struct{}, all), make(chan struct{}), make(chan struct{}, 1)
	jobs.AddApart(q, workers, time.Minute, func(context.Context, slow, int) error {
		began <- struct{}{}
		<-release
		return nil
	})
	jobs.Add(q, time.Minute, func(context.Context, quick, int) error { done <- struct{}{}; return nil })
	if err := q.Open(); err != nil {
		t.Fatal(err)
	}
	if err := q.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = q.Stop(context.WithoutCancel(t.Context())) }()
	insert := func(args jobs.Args) {
		if err := pg.InTx(t.Context(), db, func(tx pg.Tx) error { return q.Insert(t.Context(), tx, args) }); err != nil {
			t.Fatal(err)
		}
	}
	for n := range all {
		insert(slow{n})
	}
	for range workers {
		<-began
	}
	insert(quick{})
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Error("the quick job waits for the slow ones")
	}
	select {
	case <-began:
		t.Errorf("more than %d slow jobs run", workers)
	default:
	}
	close(release)
}
