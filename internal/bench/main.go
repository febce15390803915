package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	time    time.Duration
	warm    time.Duration
	workers []int
	only    string // part of a scenario's name
	rounds  int
	rows    int
	json    string
	strict  bool
	dir     string
	profile string
	bare    bool // without floors
}

var errTargets = errors.New("a target was not reached")

func main() {
	if len(os.Args) > 1 && os.Args[1] == floorCommand {
		exit(serveFloor(os.Args[2:]))
	}
	o, err := parseFlags(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = run(ctx, o, os.Stdout)
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func parseFlags(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.DurationVar(&o.time, "time", 5*time.Second, "measured `duration` of each scenario in each round; whole multiples of the 5s between two runs of the audit's job")
	fs.DurationVar(&o.warm, "warm", time.Second, "`duration` before it that does not count")
	workers := fs.String("workers", "1,8,64", "`counts` of concurrent workers")
	fs.StringVar(&o.only, "scenario", "", "only scenarios whose name contains this `text`")
	fs.IntVar(&o.rounds, "rounds", 3, "`number` of rounds; the cheapest counts")
	fs.IntVar(&o.rows, "rows", 1_000_000, "`rows` of each table of the full database; 0: only the empty one")
	fs.StringVar(&o.json, "json", "", "also write the figures to this `file`")
	fs.BoolVar(&o.strict, "strict", false, "exit with 1 when a target is not reached")
	fs.StringVar(&o.dir, "dir", ".data/bench", "`directory` for the database while it runs; it should be on a disk")
	fs.StringVar(&o.profile, "profile", "", "write a CPU profile of the provider for each scenario into this `directory`")
	fs.BoolVar(&o.bare, "bare", false, "without floors and ratios, for work on one scenario")
	quick := fs.Bool("quick", false, "one short round at 8 workers on an empty database")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if *quick {
		*workers, o.rounds, o.rows, o.time, o.warm = "8", 1, 0, time.Second, 500*time.Millisecond
	}
	for _, field := range strings.Split(*workers, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 || n > maxWorkers {
			return o, fmt.Errorf("-workers: %q is not a number from 1 to %d", field, maxWorkers)
		}
		o.workers = append(o.workers, n)
	}
	if fs.NArg() > 0 || o.rounds < 1 || o.time <= 0 {
		return o, errors.New("wrong usage; see -h")
	}
	return o, nil
}

// run measures on an empty and on a full database and reports.
func run(ctx context.Context, o options, out io.Writer) error {
	m, err := newMachine(ctx, o)
	if err != nil {
		return err
	}
	defer m.close()
	r := &report{Started: time.Now().UTC(), Machine: describeMachine(), Options: o}
	sizes := []int{0}
	if o.rows > 0 {
		sizes = append(sizes, o.rows)
	}
	for _, rows := range sizes {
		if err := m.phase(ctx, rows, r); err != nil {
			return err
		}
	}
	r.print(out)
	if o.json != "" {
		if err := r.writeJSON(o.json); err != nil {
			return err
		}
	}
	if o.strict && !r.reached() {
		return errTargets
	}
	return nil
}
