package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/match"
	"github.com/loginunico/loginunico/registry/review"
)

const registryMatchHelp = `loginunico registry match COMMAND: find people whom the registry has twice (docs/matching.md).

  match run [-limit N] [-workers N] [-json]    Look at everybody new or changed since the last run, first
                                               at those without a CPF. Who is surely the same is joined;
                                               what is likely waits for a human. It may be ended and run
                                               again. -limit: people to look at (default: all)
  match list [-n N]                            List the pairs that wait, the likeliest first, without the
                                               people's data (default N: 50)
  match show -reason TEXT A B                  Print two people side by side, and what speaks for and
                                               against their being one. The look is audited
  match merge -reason TEXT [-overrule] A B     They are one. -overrule: although somebody parted them
  match apart -reason TEXT A B                 They are two, and no run asks again
  match undo -reason TEXT ID                   Take back the merge of ID into another; they stay apart

  match measure -columns MAP [-truth PATTERN] [-pairs FILE] CSV [CSV2]
                                               Link the records of a labelled file, or those of CSV2 with
                                               those of CSV, and hold the pairs against the labels: precision,
                                               recall, F1. Needs no database
      -columns MAP    COLUMN=FIELD, with commas; FIELD is one of id, name, given_name, surname, social_name,
                      mother_name, father_name, birthdate, gender, birthplace, cpf, phone, email, street,
                      number, complement, district, city, postcode, state. One column must be the id
      -truth PATTERN  regular expression on the id; its first group names the person (default: the first
                      number in it)
      -pairs FILE     also write the pairs found: id,id,weight

  -actor NAME  who does it, for the audit (default: your name on this machine)

A, B and ID are UUIDs, as list has them. Write none of the people's data into the reason.

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

func runRegistryMatch(ctx context.Context, args []string, out io.Writer) error {
	commands := map[string]func(context.Context, []string, io.Writer) error{"run": runMatchRun, "list": runMatchList, "show": runMatchShow,
		"merge": runMatchMerge, "apart": runMatchApart, "undo": runMatchUndo, "measure": runMatchMeasure}
	if len(args) == 0 || commands[args[0]] == nil {
		return errUsage("registry match run|list|show|merge|apart|undo|measure")
	}
	return commands[args[0]](ctx, args[1:], out)
}

// matcher judges as the program comes; a city may bring its own model one day.
func (s *stack) matcher() *review.Matcher {
	return review.New(s.box, s.people, match.Default(), match.DefaultLimits)
}

func runMatchRun(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("registry match run")
	o := review.Options{Now: time.Now}
	fs.Int64Var(&o.Limit, "limit", 0, "people")
	fs.IntVar(&o.Workers, "workers", runtime.GOMAXPROCS(0), "goroutines")
	asJSON := fs.Bool("json", false, "the report as JSON")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if o.Limit < 0 || o.Workers < 1 {
		return errUsage("-limit and -workers are numbers of people and goroutines")
	}
	return manageWith(ctx, int32(2*o.Workers+1), func(s *stack) error {
		m, start := newMeter(os.Stderr), time.Now()
		last := start
		o.Progress = func(r review.Report) {
			if time.Since(last) >= m.every {
				last = time.Now()
				m.line(fmt.Sprintf("%d people with keys, %d looked at, %d joined, %d pairs for a human", r.Filed, r.Judged, r.Merged, r.Reviews))
			}
		}
		report, err := s.matcher().Run(ctx, s.db, o)
		m.clear()
		if err != nil {
			return err
		}
		if *asJSON {
			return json.NewEncoder(out).Encode(report)
		}
		return printRun(out, report, time.Since(start))
	})
}

func printRun(out io.Writer, r review.Report, took time.Duration) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	for _, line := range []struct {
		n    int64
		what string
	}{{r.Changed, "people new or changed"}, {r.Judged, "people looked at"}, {r.Compared, "pairs compared"}, {r.Merged, "joined by machine"},
		{r.Reviews, "new pairs for a human"}, {r.Refused, "joins that the registry refused, now for a human"},
		{r.Narrowed, "look-ups of the likest in large groups"}, {r.Looked, "pairs looked at there"}, {r.Cut, "of them alike, but too many to compare"},
		{r.Wide, "groups too large even for that"},
		{r.Left, "people left for the next run"}} {
		fmt.Fprintf(w, "%d\t\t%s\n", line.n, line.what)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "in %s\n", took.Round(10*time.Millisecond))
	return err
}

func runMatchList(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("registry match list")
	n := fs.Int("n", 50, "pairs")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		all, err := s.matcher().Waiting(ctx, s.db, *n)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "A\tB\tODDS\tFOUND\tWHY NOT BY MACHINE")
		for _, p := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", p.A, p.B, odds(p.Weight), p.FoundAt.UTC().Format(time.DateOnly), bars(p.Parts.Barred))
		}
		return w.Flush()
	})
}

// judged reads what judges have in common: who, why, and about how many people.
func judged(name string, args []string, people int) (by review.Judgement, ids []uuid.UUID, err error) {
	fs := flags("registry match " + name)
	fs.StringVar(&by.Actor, "actor", login(), "who")
	fs.StringVar(&by.Reason, "reason", "", "why")
	if name == "merge" {
		fs.BoolVar(&by.Overrule, "overrule", false, "also what was kept apart")
	}
	rest, err := parse(fs, args, people, people)
	if err != nil {
		return by, nil, err
	}
	if strings.TrimSpace(by.Reason) == "" {
		return by, nil, errUsage("-reason TEXT is missing: the audit keeps why")
	}
	for _, text := range rest {
		id, err := uuid.Parse(text)
		if err != nil {
			return by, nil, errUsage("people are UUIDs, as `registry match list` has them")
		}
		ids = append(ids, id)
	}
	return by, ids, nil
}

func runMatchMerge(ctx context.Context, args []string, out io.Writer) error {
	by, ids, err := judged("merge", args, 2)
	if err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		stays, err := s.matcher().Merge(ctx, s.db, ids[0], ids[1], by, time.Now())
		if err != nil {
			return matchWords(err)
		}
		goes := ids[slices.IndexFunc(ids, func(id registry.PersonID) bool { return id != stays })]
		_, err = fmt.Fprintf(out, "one person: %s\nto take it back: loginunico registry match undo -reason TEXT %s\n", stays, goes)
		return err
	})
}

func runMatchApart(ctx context.Context, args []string, out io.Writer) error {
	by, ids, err := judged("apart", args, 2)
	if err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		if err := s.matcher().Apart(ctx, s.db, ids[0], ids[1], by, time.Now()); err != nil {
			return matchWords(err)
		}
		_, err = fmt.Fprintln(out, "two people")
		return err
	})
}

func runMatchUndo(ctx context.Context, args []string, out io.Writer) error {
	by, ids, err := judged("undo", args, 1)
	if err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		if err := s.matcher().Undo(ctx, s.db, ids[0], by, time.Now()); err != nil {
			return matchWords(err)
		}
		_, err = fmt.Fprintln(out, "two people again, as they were before")
		return err
	})
}
