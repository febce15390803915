package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const maxWorkers = 64

// operation is one worker's loop body.
type operation func() error

// result is one scenario at one number of workers. Costs are per 1,000 operations in seconds,
// which is milliseconds for one.
type result struct {
	Name        string  `json:"name"`
	Rows        int     `json:"rows"`
	Round       int     `json:"round"`
	Workers     int     `json:"workers"`
	Operations  int     `json:"operations"`
	PerSecond   float64 `json:"per_second"`
	CPUServer   float64 `json:"cpu_server"`
	CPUPostgres float64 `json:"cpu_postgres"`
	Statements  float64 `json:"statements"` // per operation, as the rest
	Commits     float64 `json:"commits"`
	Syncs       float64 `json:"syncs"`
	WAL         float64 `json:"wal_bytes"`
	Signatures  int     `json:"signatures"`
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
}

func (r result) cpu() float64 { return r.CPUServer + r.CPUPostgres }

// load drives operations until it is stopped. Operations under way are finished: a refresh token
// that was rotated and not read would end its chain.
type load struct {
	counting, stopped atomic.Bool
	group             sync.WaitGroup
	mu                sync.Mutex
	latencies         []time.Duration
	err               error
}

func (l *load) drive(op operation) {
	l.group.Go(func() {
		var mine []time.Duration
		for !l.stopped.Load() {
			began := time.Now()
			if err := op(); err != nil {
				l.fail(err)
				break
			}
			if l.counting.Load() {
				mine = append(mine, time.Since(began))
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.latencies = append(l.latencies, mine...)
	})
}

func (l *load) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = errors.Join(l.err, err)
	l.stopped.Store(true)
}

// measure warms up, counts for the set time, and stops.
func (m *machine) measure(ctx context.Context, s *server, database, name string, ops []operation) (result, error) {
	l := new(load)
	for _, op := range ops {
		l.drive(op)
	}
	used, length, err := m.count(ctx, l, s, database, name)
	l.stopped.Store(true)
	l.group.Wait()
	if err := errors.Join(err, l.err); err != nil {
		return result{}, fmt.Errorf("%s: %w", name, err)
	}
	n := len(l.latencies)
	if n == 0 {
		return result{}, fmt.Errorf("%s: no operation ended within %s", name, m.time)
	}
	slices.Sort(l.latencies)
	per := 1 / float64(n)
	return result{Name: name, Workers: len(ops), Operations: n, PerSecond: float64(n) / length.Seconds(),
		CPUServer: 1000 * used.server.Seconds() * per, CPUPostgres: 1000 * used.postgres.Seconds() * per,
		Statements: float64(used.statements) * per, Commits: float64(used.commits) * per, Syncs: float64(used.syncs) * per,
		WAL: float64(used.wal) * per, P50: milliseconds(l.latencies[n/2]), P99: milliseconds(l.latencies[n*99/100])}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (m *machine) count(ctx context.Context, l *load, s *server, database, name string) (used counters, length time.Duration, err error) {
	if err := sleep(ctx, m.warm); err != nil {
		return used, 0, err
	}
	before, err := m.read(ctx, s.cmd.Process.Pid, database)
	if err != nil {
		return used, 0, err
	}
	began := time.Now()
	l.counting.Store(true)
	profiled := make(chan error, 1)
	go func() {
		if s.profile == "" {
			profiled <- nil
			return
		}
		profiled <- m.keepProfile(s, fmt.Sprintf("%s-%s", database, slug(name)), m.time)
	}()
	err = sleep(ctx, m.time)
	l.counting.Store(false)
	length = time.Since(began)
	if err != nil {
		return used, 0, err
	}
	after, err := m.read(ctx, s.cmd.Process.Pid, database)
	return after.minus(before), length, errors.Join(err, <-profiled)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
