package audit_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/pgcluster"
	"github.com/loginunico/loginunico/migrations"
)

// durable is a database on disk with durable settings: what a commit costs is what is measured.
func durable(b *testing.B) *pg.Pool {
	b.Helper()
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // the server may be another user
		b.Fatal(err)
	}
	c, err := pgcluster.StartWith(b.Context(), filepath.Join(dir, "cluster"), pgcluster.Settings{"shared_buffers": "512MB", "max_wal_size": "8GB"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Stop)
	if err := c.EnsureDatabase(b.Context(), "bench"); err != nil {
		b.Fatal(err)
	}
	if _, err := migrations.Up(b.Context(), c.URL("bench")); err != nil {
		b.Fatal(err)
	}
	db, err := pg.Open(b.Context(), c.URL("bench"), 16)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(db.Close)
	return db
}

func benchWriter(b *testing.B, db *pg.Pool) *audit.Writer {
	b.Helper()
	w, err := audit.NewWriter(b.Context(), db, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.Close)
	return w
}

// callers run do b.N times in all, so many at once, and report how many events that was a second.
func callers(b *testing.B, n, eventsEach int, do func(caller int) error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var wg sync.WaitGroup
	for caller := range n {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := do(caller); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N*eventsEach)/b.Elapsed().Seconds(), "events/s")
}

// commits reports how many commits (batches) a thousand events took.
func commits(b *testing.B, db *pg.Pool) {
	b.Helper()
	var perThousand float64
	err := db.QueryRow(b.Context(), `SELECT 1000.0 * max(seq) / sum(events) FROM audit_batch`).Scan(&perThousand)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(perThousand, "commits/1000")
}

// BenchmarkRecord is the writer under so many concurrent callers of one event each, and under few
// with many events each.
func BenchmarkRecord(b *testing.B) {
	for _, c := range []struct{ processes, callers, events int }{{1, 1, 1}, {1, 8, 1}, {1, 64, 1}, {1, 512, 1}, {1, 8, 200}, {2, 64, 1}, {4, 64, 1}} {
		b.Run(fmt.Sprintf("processes=%d/callers=%d/events=%d", c.processes, c.callers, c.events), func(b *testing.B) {
			db := durable(b)
			var writers []*audit.Writer
			for range c.processes {
				writers = append(writers, benchWriter(b, db))
			}
			events := make([]audit.Event, c.events)
			for i := range events {
				events[i] = read(i)
			}
			callers(b, c.callers, c.events, func(n int) error { return writers[n%len(writers)].Record(context.Background(), events...) })
			commits(b, db)
		})
	}
}

// BenchmarkRow is what group commit is compared with: each event inserted by its caller in a commit
// of its own, without any chain, over as many connections as there are callers up to 16.
func BenchmarkRow(b *testing.B) {
	for _, n := range []int{1, 8, 64, 512} {
		b.Run(fmt.Sprintf("callers=%d", n), func(b *testing.B) {
			db := durable(b)
			benchWriter(b, db) // makes the months
			var last atomic.Int64
			callers(b, n, 1, func(int) error {
				_, err := db.Exec(context.Background(), `
					INSERT INTO audit_event (batch, place, id, at, person_id, actor_kind, actor_id, action, fields, purpose, legal_basis, request_id, detail)
					VALUES ($3, 0, $1, now(), $2, 'client', 'saude-agenda', 'registry.read', '{cns,name}', 'Achar seu prontuário', 'consent', 'r-1', '{}')`,
					pg.NewID(), maria, last.Add(1))
				return err
			})
		})
	}
}

// BenchmarkVerify reads and hashes a chain of 200,000 events.
func BenchmarkVerify(b *testing.B) {
	db := durable(b)
	w := benchWriter(b, db)
	events := make([]audit.Event, 200)
	for i := range events {
		events[i] = read(i)
	}
	for range 1000 {
		if err := w.Record(b.Context(), events...); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if r, err := audit.Verify(b.Context(), db, audit.Options{}); err != nil || r.Events != 200_000 {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(200_000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkHash is the processor's part of one event.
func BenchmarkHash(b *testing.B) {
	e := read(1)
	for b.Loop() {
		audit.HashOf(e)
	}
}
