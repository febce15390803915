// Command loadbench measures the registry's batch load: records per second, CPU and WAL of a first
// load and of a delta, beside raw COPY of the same bytes in the same run and on the same durable
// PostgreSQL.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/internal/cputime"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/pgcluster"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/migrations"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/generate"
	"github.com/loginunico/loginunico/registry/load"
)

// settings are a city's: everything durable.
var settings = pgcluster.Settings{
	"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "wal_level": "replica",
	"shared_buffers": "2GB", "max_wal_size": "16GB", "checkpoint_timeout": "30min", "maintenance_work_mem": "512MB",
	"autovacuum": "on", "jit": "off", "max_connections": "40",
}

func main() {
	sizes := flag.String("records", "1000000,5000000", "`numbers` of records")
	dir := flag.String("dir", ".data/loadbench", "`directory` for files and database while it runs")
	delta := flag.Float64("delta", 10, "per cent of the people in the delta; 0: none")
	profile := flag.String("profile", "", "`file` for a CPU profile of the last first load")
	workers := flag.Int("workers", 0, "goroutines; 0: one per processor")
	before := flag.String("before", "", "`SQL` to run before the first load, for experiments")
	cold := flag.Bool("cold", false, "do not touch the memory first that the measured steps will fill")
	pause := flag.Bool("pause", false, "keep the database after each size, until interrupted, to look at")
	held := flag.Int64("hold", 0, "be the process that holds so many `bytes` of memory, see warm.go")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if *held > 0 {
		if err := hold(ctx, *held, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "loadbench:", err)
			os.Exit(1)
		}
		return
	}
	err := run(ctx, *sizes, *dir, *delta, *profile, *workers, *before, *cold, *pause)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "loadbench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, sizes, dir string, delta float64, profile string, workers int, before string, cold, pause bool) error {
	var rows []row
	for _, field := range strings.Split(sizes, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(field), 10, 64)
		if err != nil || n < 1000 {
			return fmt.Errorf("-records: %q is no number from 1000", field)
		}
		b := &bench{records: n, delta: delta, profile: profile, workers: workers, before: before, cold: cold, pause: pause}
		if err := b.measure(ctx, dir); err != nil {
			return err
		}
		rows = append(rows, b.rows...)
	}
	return print(rows)
}

// row is one measured step.
type row struct {
	size    int64
	what    string
	records int64
	wall    time.Duration
	pg, own time.Duration
	wal     int64
	ratio   float64 // of the raw COPY's rate; 0: not compared
}

func print(rows []row) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "records\tstep\tseconds\trecords/s\tof raw COPY\tCPU-s/M PostgreSQL\tCPU-s/M Go\tCPU-s/M\tWAL B/record\t")
	for _, r := range rows {
		m := float64(r.records) / 1e6
		ratio := ""
		if r.ratio > 0 {
			ratio = fmt.Sprintf("%.0f %%", 100*r.ratio)
		}
		fmt.Fprintf(w, "%d\t%s\t%.2f\t%.0f\t%s\t%.2f\t%.2f\t%.2f\t%d\t\n", r.size, r.what, r.wall.Seconds(), float64(r.records)/r.wall.Seconds(), ratio,
			r.pg.Seconds()/m, r.own.Seconds()/m, (r.pg+r.own).Seconds()/m, r.wal/max(r.records, 1))
	}
	return w.Flush()
}

// bench is one size, with a database cluster of its own.
type bench struct {
	records int64
	delta   float64
	profile string
	workers int
	before  string
	cold    bool
	pause   bool

	dir        string
	cluster    *pgcluster.Cluster
	postmaster int
	db         *pg.Pool
	box        *secret.Box
	store      *registry.Store
	rows       []row
}

func (b *bench) measure(ctx context.Context, dir string) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp(dir, "run-"); err != nil {
		return err
	}
	if b.dir, err = filepath.Abs(b.dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if err := os.Chmod(b.dir, 0o755); err != nil { // the database's user walks through it
		return err
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	defer b.cluster.Stop()
	defer b.db.Close()
	if _, err := generate.Files(ctx, filepath.Join(b.dir, "first"), generate.Options{Records: b.records, Seed: 1}); err != nil {
		return err
	}
	if !b.cold {
		cool, err := b.warm(ctx)
		if err != nil {
			return err
		}
		defer cool()
	}
	raw, err := b.rawCopy(ctx)
	if err != nil {
		return err
	}
	if _, err := b.db.Exec(ctx, b.before, pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	if err := b.firstLoad(ctx, raw); err != nil {
		return err
	}
	if err := b.sealing(ctx, b.rows[len(b.rows)-1].records); err != nil {
		return err
	}
	if b.delta > 0 {
		if err := b.deltaLoad(ctx); err != nil {
			return err
		}
	}
	if b.pause {
		_ = print(b.rows)
		fmt.Fprintf(os.Stderr, "%s until interrupted\n", b.cluster.URL("loginunico"))
		<-ctx.Done()
	}
	return nil
}

func (b *bench) start(ctx context.Context) (err error) {
	data := filepath.Join(b.dir, "postgres")
	if b.cluster, err = pgcluster.StartWith(ctx, data, settings); err != nil {
		return err
	}
	if b.postmaster, err = cputime.Postmaster(filepath.Join(data, "data")); err != nil {
		return err
	}
	if err := b.cluster.EnsureDatabase(ctx, "loginunico"); err != nil {
		return err
	}
	if b.db, err = pg.Open(ctx, b.cluster.URL("loginunico"), 8); err != nil {
		return err
	}
	if _, err := migrations.Up(ctx, b.cluster.URL("loginunico")); err != nil {
		return err
	}
	if b.box, err = secret.Open(ctx, b.db, secret.KEK{}); err != nil {
		return err
	}
	b.store = registry.NewStore(b.box)
	return nil
}

// step measures one thing from a checkpoint on.
func (b *bench) step(ctx context.Context, what string, do func() (records int64, err error)) (row, error) {
	if _, err := b.db.Exec(ctx, `CHECKPOINT`, pgx.QueryExecModeSimpleProtocol); err != nil {
		return row{}, err
	}
	before, err := b.counters(ctx)
	if err != nil {
		return row{}, err
	}
	start := time.Now()
	n, err := do()
	wall := time.Since(start)
	if err != nil {
		return row{}, fmt.Errorf("%s: %w", what, err)
	}
	after, err := b.counters(ctx)
	r := row{size: b.records, what: what, records: n, wall: wall, pg: after.pg - before.pg, own: after.own - before.own, wal: after.wal - before.wal}
	fmt.Fprintf(os.Stderr, "%d %s: %.1f s, %.0f records/s\n", b.records, what, wall.Seconds(), float64(n)/wall.Seconds())
	return r, err
}

type counters struct {
	pg, own time.Duration
	wal     int64
}

func (b *bench) counters(ctx context.Context) (c counters, err error) {
	if err = b.db.QueryRow(ctx, `SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint`).Scan(&c.wal); err != nil {
		return c, err
	}
	if c.pg, err = cputime.Family(b.postmaster); err != nil {
		return c, err
	}
	c.own, err = cputime.Process(os.Getpid())
	return c, err
}

func (b *bench) firstLoad(ctx context.Context, raw row) error {
	if b.profile != "" {
		f, err := os.Create(b.profile)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	return b.load(ctx, "first load", "first", raw)
}

func (b *bench) deltaLoad(ctx context.Context) error {
	if _, err := generate.Files(ctx, filepath.Join(b.dir, "delta"), generate.Options{Records: b.records, Seed: 1, Delta: b.delta}); err != nil {
		return err
	}
	return b.load(ctx, fmt.Sprintf("delta of %g %%", b.delta), "delta", row{})
}

func (b *bench) load(ctx context.Context, what, dir string, raw row) error {
	r, err := b.step(ctx, what, func() (int64, error) {
		job := load.Job{Name: what, AsOf: time.Now(), TempDir: b.dir, Now: time.Now, Workers: b.workers}
		for _, name := range demo.Sources() {
			m, err := load.ParseMapping(name, demo.Mapping(name))
			if err != nil {
				return 0, err
			}
			in, err := load.Open(filepath.Join(b.dir, dir, name+".csv"), os.Stdin)
			if err != nil {
				return 0, err
			}
			job.Sources = append(job.Sources, load.Source{Mapping: m, Input: in})
		}
		report, err := load.Run(ctx, b.db, b.box, b.store, job)
		if err != nil {
			return 0, err
		}
		t := report.Tally
		fmt.Fprintf(os.Stderr, "new %d, updated %d, unchanged %d, moved %d, people %d, changed %d\n", t.New, t.Updated, t.Unchanged, t.Moved, t.People, t.Changed)
		return report.Read(), nil
	})
	if err != nil {
		return err
	}
	if raw.wall > 0 {
		r.ratio = float64(r.records) / r.wall.Seconds() / (float64(raw.records) / raw.wall.Seconds())
	}
	b.rows = append(b.rows, r)
	return nil
}

func (b *bench) connections() int {
	if b.workers > 0 {
		return b.workers
	}
	return runtime.GOMAXPROCS(0)
}
