package load_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/generate"
	"github.com/loginunico/loginunico/registry/load"
)

var today = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// town is a registry with files to load.
type town struct {
	t     testing.TB
	db    *pg.Pool
	box   *secret.Box
	store *registry.Store
	dir   string
}

func newTown(t testing.TB, o generate.Options) *town {
	t.Helper()
	db := testpg.New(t)
	box, err := secret.Open(t.Context(), db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	w := &town{t: t, db: db, box: box, store: registry.NewStore(box), dir: t.TempDir()}
	w.generate(o)
	return w
}

func (w *town) generate(o generate.Options) {
	w.t.Helper()
	if _, err := generate.Files(w.t.Context(), w.dir, o); err != nil {
		w.t.Fatal(err)
	}
}

// job loads the given sources, or all, in one load.
func (w *town) job(sources ...string) load.Job {
	w.t.Helper()
	if len(sources) == 0 {
		sources = demo.Sources()
	}
	job := load.Job{Name: "test", AsOf: today, TempDir: w.t.TempDir(), Now: time.Now}
	for _, name := range sources {
		m, err := load.ParseMapping(name, demo.Mapping(name))
		if err != nil {
			w.t.Fatal(err)
		}
		in, err := load.Open(filepath.Join(w.dir, name+".csv"), os.Stdin)
		if err != nil {
			w.t.Fatal(err)
		}
		job.Sources = append(job.Sources, load.Source{Mapping: m, Input: in})
	}
	return job
}

func (w *town) run(job load.Job) *load.Report {
	w.t.Helper()
	report, err := load.Run(context.Background(), w.db, w.box, w.store, job)
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

func TestALoadMadeAgainChangesNothing(t *testing.T) {
	t.Parallel()

	w := newTown(t, generate.Options{Records: 5000, Seed: 1})
	first := w.run(w.job())
	t.Logf("%+v", first.Tally)
	again := w.run(w.job())
	if !again.Again || again.Tally.People != first.Tally.People {
		t.Errorf("%+v", again)
	}
}

func TestARecordWithoutADateIsTheSameOneOnAnotherDay(t *testing.T) {
	t.Parallel()

	w := newTown(t, generate.Options{Records: 2000, Seed: 3})
	mapping := string(demo.Mapping("saude"))
	at := strings.Index(mapping, "\neffective:")
	if at < 0 {
		t.Fatal("the mapping has no date to take away")
	}
	undated := mapping[:at] + mapping[at+1+strings.Index(mapping[at+1:], "\n"):]
	deliver := func(day time.Time) registry.Tally {
		job := w.job("saude")
		m, err := load.ParseMapping("saude", []byte(undated))
		if err != nil {
			t.Fatal(err)
		}
		job.Sources[0].Mapping, job.AsOf = m, day
		return w.run(job).Tally
	}
	first := deliver(today)
	again := deliver(today.AddDate(0, 0, 1))
	if first.New == 0 || again.Unchanged != first.Records || again.Updated != 0 || again.Changed != 0 {
		t.Errorf("first %+v\nagain %+v", first, again)
	}
}

func TestALoadOfTwoConnectionsIsRefusedAndDoesNotWaitForItself(t *testing.T) {
	t.Parallel()

	w := newTown(t, generate.Options{Records: 1000, Seed: 4})
	for conns, fits := range map[int32]bool{2: false, 3: true} {
		cfg := w.db.Config()
		cfg.MaxConns = conns
		few, err := pg.OpenConfig(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(few.Close)
		if _, err := load.Run(t.Context(), few, w.box, w.store, w.job()); (err == nil) != fits {
			t.Errorf("%d connections: %v", conns, err)
		}
	}
}

func TestSmallLoadsAreCutFiner(t *testing.T) {
	t.Parallel()

	for records, want := range map[int64]int{0: 4_000, 10_000: 4_000, 100_000: 6_250, 1_000_000: 20_000, 88_000_000: 20_000} {
		if got := load.ChunkFor(records); got != want {
			t.Errorf("%d records are cut into chunks of %d, want %d", records, got, want)
		}
	}
}
