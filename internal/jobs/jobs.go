// Package jobs is the queue for work that must happen after a commit: mail, back-channel logout,
// purges. It is River, which keeps jobs in the same PostgreSQL, so that a job is enqueued in the
// transaction that makes it necessary and is never lost nor sent for a change that did not commit.
package jobs

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/loginunico/loginunico/internal/pg"
)

// Args is one job's payload. Personal data in it must be sealed: it lies in a table.
type Args = river.JobArgs

// Queue enqueues and, once started, works.
type Queue struct {
	client  *river.Client[pgx.Tx]
	workers *river.Workers
	pool    *pg.Pool
	config  *river.Config
	lanes   map[string]string // kind of job to its own queue's name; others are in the common one
	byHand  bool
}

// New prepares a queue on the pool; add workers, then Start.
func New(pool *pg.Pool, log *slog.Logger) *Queue {
	workers := river.NewWorkers()
	return &Queue{workers: workers, pool: pool, lanes: map[string]string{}, config: &river.Config{
		ID: processName(), Logger: log, Workers: workers, MaxAttempts: attempts,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}},
		// Listening wakes the workers; polling is only the net under it.
		FetchPollInterval: 5 * time.Second,
	}}
}

// Sender enqueues for others to work: all that a command needs, which has no workers to name.
func Sender(pool *pg.Pool, log *slog.Logger) (*Queue, error) {
	q := &Queue{pool: pool, config: &river.Config{ID: processName(), Logger: log, MaxAttempts: attempts}}
	return q, q.Open()
}

// attempts is how often a job is tried.
const attempts = 10

// processName tells processes apart in the log. River's own would be the machine's name and the
// time; letters alone can be no code, number or date that a search of the log looks for.
func processName() string {
	name := make([]byte, 12)
	_, _ = rand.Read(name) // never fails: crypto/rand ends the process instead
	for i := range name {
		name[i] = 'a' + name[i]%26
	}
	return string(name)
}

// Add registers the function that works jobs of type T. An error is retried with growing pauses,
// ten times in all; river.JobCancel ends the tries.
func Add[T Args](q *Queue, timeout time.Duration, work func(ctx context.Context, args T, attempt int) error) {
	river.AddWorker(q.workers, &worker[T]{work: work, timeout: timeout})
}

// AddApart is Add with workers of their own, so that jobs of this kind that wait for somebody slow
// delay no others, and others not them. It must have been called wherever such jobs are inserted.
func AddApart[T Args](q *Queue, workers int, timeout time.Duration, work func(ctx context.Context, args T, attempt int) error) {
	Add(q, timeout, work)
	var job T
	q.lanes[job.Kind()] = job.Kind()
	q.config.Queues[job.Kind()] = river.QueueConfig{MaxWorkers: workers}
}

type worker[T Args] struct {
	river.WorkerDefaults[T]
	work    func(context.Context, T, int) error
	timeout time.Duration
}

func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error {
	return w.work(ctx, job.Args, job.Attempt)
}

func (w *worker[T]) Timeout(*river.Job[T]) time.Duration { return w.timeout }

// ByHand leaves periodic jobs out, for tests that say themselves when time has come: one that moves
// its own clock would be raced by them. Jobs that are inserted are worked as ever.
func (q *Queue) ByHand() { q.byHand = true }

// Every runs a job of these args at start and then each period, once among all processes.
func (q *Queue) Every(period time.Duration, args Args) {
	if q.byHand {
		return
	}
	q.config.PeriodicJobs = append(q.config.PeriodicJobs, river.NewPeriodicJob(river.PeriodicInterval(period),
		func() (river.JobArgs, *river.InsertOpts) { return args, &river.InsertOpts{Queue: q.lanes[args.Kind()]} }, &river.PeriodicJobOpts{RunOnStart: true}))
}

// Open makes the queue ready to enqueue; workers and periodic jobs must have been added.
func (q *Queue) Open() (err error) {
	q.client, err = river.NewClient(riverpgxv5.New(q.pool), q.config)
	return err
}

// Start works jobs until Stop.
func (q *Queue) Start(ctx context.Context) error { return q.client.Start(ctx) }

// Stop lets running jobs finish, or gives up when ctx ends; an unfinished job is tried again later.
func (q *Queue) Stop(ctx context.Context) error { return q.client.Stop(ctx) }

// Insert enqueues a job in the caller's transaction.
func (q *Queue) Insert(ctx context.Context, tx pg.Tx, args Args) error {
	_, err := q.client.InsertTx(ctx, tx, args, &river.InsertOpts{Queue: q.lanes[args.Kind()]}) // "": the common one
	return err
}
