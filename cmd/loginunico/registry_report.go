package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/load"
)

const registryReportHelp = `loginunico registry report: list the newest loads.
loginunico registry report [-json|-html] ID: print the report of a load that has ended. Reports hold
counts and no personal data. A running process has them at http://127.0.0.1:9090/loads too
(LOGINUNICO_METRICS_LISTEN).

  -n N    list so many loads (default 20)
  -json   the report as JSON
  -html   the report as a page

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

func runRegistryReport(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("registry report")
	inJSON, inHTML, n := fs.Bool("json", false, "JSON"), fs.Bool("html", false, "page"), fs.Int("n", 20, "loads")
	rest, err := parse(fs, args, 0, 1)
	if err != nil {
		return err
	}
	if *inJSON && *inHTML || (*inJSON || *inHTML) && len(rest) == 0 {
		return errUsage("-json or -html, with the ID of a load")
	}
	return manage(ctx, func(s *stack) error {
		if len(rest) == 0 {
			return listLoads(ctx, s, out, *n)
		}
		r, err := reportOf(ctx, s.db, rest[0])
		switch {
		case err != nil:
			return err
		case *inJSON:
			return asJSON(&r)(out)
		case *inHTML:
			return r.WritePage(out)
		}
		return r.WriteText(out)
	})
}

var errNoReport = errors.New("no load that has ended has this ID")

func reportOf(ctx context.Context, db pg.DB, text string) (r load.Report, err error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return r, errNoReport
	}
	if r, err = load.ReportOf(ctx, db, id); pg.NoRows(err) {
		err = errNoReport
	}
	return r, err
}

func listLoads(ctx context.Context, s *stack, out io.Writer, n int) error {
	loads, err := load.Loads(ctx, s.db, n)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tBEGAN\tRECORDS\tSTATE\tSOURCES\tNAME")
	for _, l := range loads {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", l.ID, l.Started.UTC().Format(time.RFC3339), l.Records, l.State(), strings.Join(l.Sources, ","), l.Name)
	}
	return w.Flush()
}

func asJSON(r *load.Report) func(io.Writer) error {
	return func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
