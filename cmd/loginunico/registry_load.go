package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/load"
)

const registryLoadHelp = `loginunico registry load -source NAME [flags] PATH: bring a source's records into the registry.
loginunico registry load -all DIR [flags]: bring every SOURCE.csv or SOURCE.csv.gz of DIR that has its
mapping SOURCE.yaml beside it, in one load.

PATH is a CSV file, also gzip, a directory of them, or - for standard input. What a file looks like
says its mapping (docs/mappings.md). The policy decides what enters (docs/registry.md).

  -mapping FILE  of PATH (default: NAME.yaml beside it, else the demo city's)
  -date DAY      since when a record is so that does not say it, 2026-11-21 (default: today)
  -rejects FILE  where rejected records go, with line and reason: personal data, readable by you alone
                 (default: PATH.rejected.csv in this directory; a number is added where another load's
                 rejects lie there)
  -workers N     goroutines, and as many connections (default: one per processor)
  -temp DIR      for a nameless file about as large as the records (default: TMPDIR, or /tmp)
  -actor NAME    who loads, for the audit (default: your name on this machine)
  -json FILE     write the report as JSON too
  -html FILE     write the report as a page too

Progress goes to standard error, the report to standard output. Ctrl-C stops when the chunks under
way are filed. The same command again goes on after the last of them; when everything was loaded it
changes nothing. Loads of different sources may run at once; of one source they wait for each other.

Exit codes: 0 done, 1 failed or stopped, 2 wrong usage.
`

// loadOrder is what the flags of a load say.
type loadOrder struct {
	source, all, mapping string
	path                 string
	rejects, temp, actor string
	jsonFile, htmlFile   string
	day                  time.Time
	workers              int
	given                []string // the arguments as they were
}

func runRegistryLoad(ctx context.Context, args []string, out io.Writer) error {
	o, err := readLoadOrder(args)
	if err != nil {
		return err
	}
	sources, err := o.sources()
	if err != nil {
		return err
	}
	return manageWith(ctx, load.Connections(o.workers), func(s *stack) error {
		progress := newMeter(os.Stderr)
		job := o.job(sources)
		job.Progress = progress.show
		report, err := s.loadRecords(ctx, job)
		progress.clear()
		if err != nil && ctx.Err() != nil {
			return fmt.Errorf("stopped; what was filed stays. To go on:\nloginunico registry load %s", strings.Join(o.again(), " "))
		}
		if err != nil {
			return err
		}
		return o.tell(out, report)
	})
}

func readLoadOrder(args []string) (loadOrder, error) {
	o := loadOrder{day: time.Now().UTC().Truncate(24 * time.Hour), workers: runtime.GOMAXPROCS(0), given: args}
	fs := flags("registry load")
	fs.StringVar(&o.source, "source", "", "name in the policy")
	fs.StringVar(&o.all, "all", "", "directory")
	fs.StringVar(&o.mapping, "mapping", "", "file")
	fs.StringVar(&o.rejects, "rejects", "", "file")
	fs.StringVar(&o.temp, "temp", "", "directory")
	fs.StringVar(&o.actor, "actor", login(), "name")
	fs.StringVar(&o.jsonFile, "json", "", "file")
	fs.StringVar(&o.htmlFile, "html", "", "file")
	fs.Func("date", "day", day(&o.day))
	fs.IntVar(&o.workers, "workers", o.workers, "goroutines")
	rest, err := parse(fs, args, 0, 1)
	if err != nil {
		return o, err
	}
	o.path = strings.Join(rest, "")
	return o, o.check()
}

func (o *loadOrder) check() error {
	switch {
	case o.all != "" && (o.source != "" || o.path != "" || o.mapping != ""):
		return errUsage("-all DIR takes no -source, -mapping or PATH")
	case o.all == "" && (o.source == "" || o.path == ""):
		return errUsage("-source NAME PATH, or -all DIR")
	case o.workers < 1 || o.workers > 256:
		return errUsage("-workers is 1 to 256")
	}
	if o.rejects == "" {
		o.rejects = o.title() + ".rejected.csv"
	}
	return nil
}

// title is what a load is called: the file's or directory's name.
func (o *loadOrder) title() string {
	if o.path == "-" {
		return o.source
	}
	name := o.all + o.path
	if full, err := filepath.Abs(name); err == nil {
		name = full // the name of "."
	}
	return filepath.Base(name)
}

// again is the command that goes on with this load: the day is part of what makes a load the same,
// and tomorrow's would be another.
func (o *loadOrder) again() []string {
	if slices.ContainsFunc(o.given, func(a string) bool { return strings.HasPrefix(strings.TrimLeft(a, "-"), "date") }) {
		return o.given
	}
	return append([]string{"-date", o.day.Format(time.DateOnly)}, o.given...)
}

func (o *loadOrder) job(sources []load.Source) load.Job {
	return load.Job{Sources: sources, Name: o.title(), AsOf: o.day, Rejects: o.rejects, TempDir: o.temp, Workers: o.workers,
		Now: time.Now, Actor: operator(o.actor)}
}

func (o *loadOrder) sources() ([]load.Source, error) {
	if o.all == "" {
		one, err := openSource(o.source, o.path, o.mapping)
		return []load.Source{one}, err
	}
	return everySource(o.all)
}

func openSource(name, path, mapping string) (s load.Source, err error) {
	text, file, err := mappingOf(name, path, mapping)
	if err != nil {
		return s, err
	}
	if s.Mapping, err = load.ParseMapping(file, text); err != nil {
		return s, err
	}
	if s.Mapping.Source != name {
		return s, fmt.Errorf("%s is of the source %s, not %s", file, s.Mapping.Source, name)
	}
	s.Input, err = load.Open(path, os.Stdin)
	return s, err
}

// mappingOf finds the mapping of a path: the one named, the one beside it, the demo city's.
func mappingOf(name, path, mapping string) (text []byte, file string, err error) {
	if mapping != "" {
		text, err = os.ReadFile(mapping)
		return text, mapping, err
	}
	beside := filepath.Join(filepath.Dir(path), name+".yaml")
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		beside = filepath.Join(path, name+".yaml")
	}
	text, err = os.ReadFile(beside)
	if !errors.Is(err, os.ErrNotExist) {
		return text, beside, err
	}
	if text = demo.Mapping(name); text == nil {
		return nil, "", fmt.Errorf("%s has no mapping: write %s, or name it with -mapping", name, beside)
	}
	return text, "the demo's " + name + ".yaml", nil
}

// everySource opens what lies in a directory in pairs of records and mapping.
func everySource(dir string) ([]load.Source, error) {
	mappings, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []load.Source
	for _, mapping := range mappings { // by name
		stem := strings.TrimSuffix(mapping, ".yaml")
		found := present(stem+".csv", stem+".csv.gz")
		if len(found) > 1 {
			return nil, fmt.Errorf("both %s and %s: one of them is the older", found[0], found[1])
		}
		for _, path := range found {
			one, err := openSource(filepath.Base(stem), path, mapping)
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no SOURCE.csv or SOURCE.csv.gz with SOURCE.yaml beside it", dir)
	}
	return all, nil
}

func present(paths ...string) []string {
	return slices.DeleteFunc(paths, func(path string) bool { _, err := os.Stat(path); return err != nil })
}

// loadRecords runs a job whose chunks under way are filed even when ctx ends meanwhile.
func (s *stack) loadRecords(ctx context.Context, job load.Job) (*load.Report, error) {
	job.NewLoader = func(inner context.Context) (load.BulkLoader, error) {
		bulk, err := s.people.NewBulk(inner, s.db, job.Now)
		return unhurried{bulk}, err
	}
	return load.Run(ctx, s.db, s.box, s.people, job)
}

// unhurried finishes a chunk it has begun.
type unhurried struct{ load.BulkLoader }

func (u unhurried) File(ctx context.Context, c registry.Chunk) (registry.Tally, error) {
	if err := ctx.Err(); err != nil {
		return registry.Tally{}, err
	}
	return u.BulkLoader.File(context.WithoutCancel(ctx), c)
}

// tell writes the report wherever it was asked for.
func (o *loadOrder) tell(out io.Writer, r *load.Report) error {
	for path, write := range map[string]func(io.Writer) error{o.jsonFile: asJSON(r), o.htmlFile: r.WritePage} {
		if path == "" {
			continue
		}
		if err := writeFile(path, write); err != nil {
			return err
		}
	}
	return r.WriteText(out)
}
