package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/registry/generate"
)

const registryGenerateHelp = `loginunico registry generate -records N -out DIR [flags]: invent source bases of any size, for
trying and measuring the registry (docs/registry-generate.md). Nobody in them exists.

  -records N     records of all sources together, 1 to 500 million
  -out DIR       where SOURCE.csv and its mapping SOURCE.yaml go; made where missing. Records that are
                 already there is an error; a mapping stays as it is
  -seed S        same seed, same files (default 1)
  -sources LIST  only these, with commas: receita,saude,educacao,assistencia,fazenda,habitacao,empresas.
                 The others count among N, so that those written are the same as with all
  -gzip          write SOURCE.csv.gz
  -truth         write truth.csv too: who is behind each record, for measuring matching
  -delta P       write a second delivery, of P per cent of the people of -records N and -seed S
  -workers N     goroutines that write (default: one per processor); changes nothing in the files

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

func runRegistryGenerate(ctx context.Context, args []string, out io.Writer) error {
	given := flags("registry generate")
	var o generate.Options
	given.Int64Var(&o.Records, "records", 0, "records")
	given.Uint64Var(&o.Seed, "seed", 1, "seed")
	given.BoolVar(&o.Gzip, "gzip", false, "gzip")
	given.BoolVar(&o.Truth, "truth", false, "truth")
	given.Float64Var(&o.Delta, "delta", 0, "per cent")
	given.IntVar(&o.Workers, "workers", 0, "goroutines")
	dir, names := given.String("out", "", "directory"), given.String("sources", "", "names")
	if _, err := parse(given, args, 0, 0); err != nil {
		return err
	}
	if *dir == "" {
		return errUsage("-out DIR is missing")
	}
	if *names != "" {
		o.Sources = strings.Split(*names, ",")
	}
	start := time.Now()
	rep, err := generate.Files(ctx, *dir, o)
	if errors.Is(err, generate.ErrOptions) {
		return errUsage(err.Error())
	}
	if err == nil {
		err = writeMappings(*dir, o.Sources)
	}
	if err != nil {
		return err
	}
	return reportGenerated(out, rep, o.Sources, time.Since(start))
}

// writeMappings puts each source's mapping beside its records, so that the directory can be loaded
// as it is. A mapping that is there is somebody's, and stays.
func writeMappings(dir string, sources []string) error {
	for _, name := range demo.Sources() {
		if len(sources) > 0 && !slices.Contains(sources, name) {
			continue
		}
		f, err := os.OpenFile(filepath.Join(dir, name+".yaml"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		_, err = f.Write(demo.Mapping(name))
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

func reportGenerated(out io.Writer, rep generate.Report, sources []string, took time.Duration) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	for _, name := range demo.Sources() {
		if len(sources) == 0 || slices.Contains(sources, name) {
			fmt.Fprintf(w, "%s\t%d\trecords\t\n", name, rep.Source[name])
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%d records of %d people, %d MB in %s: %.0f records/s\n", rep.Records, rep.People,
		rep.Bytes/1_000_000, took.Round(10*time.Millisecond), float64(rep.Records)/took.Seconds())
	return err
}
