package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/loginunico/loginunico/internal/audit"
)

const (
	auditSummary = "Check the audit of who read or changed what, hand out its signed roots, sign them."
	auditHelp    = "loginunico audit COMMAND\n\n" + auditSummary + `

  audit verify [-from DAY] [-to DAY] [-roots FILE]
      Compute every hash of the chain anew and compare it with the signed roots, those of FILE too.
      Names the first batch, event or root that is not as it was written; then the exit code is 1.
      Days are in UTC, 2026-11-21, both included.
  audit roots [-from DAY]
      Print the signed roots, a line (compact JWS) per day under a line that says it in words. Give
      them to somebody else to keep: with them nobody can replace the chain unseen.
  audit seal
      Sign the days that have ended and have no root yet, and print those roots.
  audit keys [-rotate]
      Print the public keys of the roots as a JWK set; with -rotate, after making a new key.

Exit codes: 0 done, 1 failed, 2 wrong usage.
`
)

// runAudit has the audit's commands: what follows "audit" chooses.
func runAudit(ctx context.Context, args []string, out io.Writer) error {
	commands := map[string]func(context.Context, []string, io.Writer) error{
		"verify": runAuditVerify, "roots": runAuditRoots, "seal": runAuditSeal, "keys": runAuditKeys}
	run := func(context.Context, []string, io.Writer) error { return errUsage("verify, roots, seal or keys") }
	if len(args) > 0 && commands[args[0]] != nil {
		run = commands[args[0]]
		args = args[1:]
	}
	if slices.ContainsFunc(args, func(a string) bool { return a == "-h" || a == "-help" || a == "--help" }) {
		_, err := io.WriteString(out, auditHelp)
		return err
	}
	return run(ctx, args, out)
}

func runAuditVerify(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("audit verify")
	var o audit.Options
	fs.Func("from", "first day", day(&o.From))
	fs.Func("to", "last day", day(&o.To))
	file := fs.String("roots", "", "file of roots kept elsewhere")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if !o.To.IsZero() {
		o.To = o.To.AddDate(0, 0, 1)
	}
	if *file != "" {
		var err error
		if o.Roots, err = rootsOf(*file); err != nil {
			return err
		}
	}
	return manage(ctx, func(s *stack) error {
		report, err := audit.Verify(ctx, s.db, o)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "in order: %s\n", words(report))
		return nil
	})
}

// words is what a report says.
func words(r audit.Report) string {
	text := "no batch"
	if r.Last > 0 {
		text = fmt.Sprintf("batches %d to %d with %d events, the last of %s, hash %x; %d signed roots",
			r.First, r.Last, r.Events, r.At.Format(time.RFC3339), r.Head, r.Roots)
	}
	if r.LastRoot != "" {
		text += ", the last of " + r.LastRoot
	}
	if r.Kept > 0 {
		text += fmt.Sprintf("; %d roots kept elsewhere", r.Kept)
	}
	if r.Pending > 0 {
		text += fmt.Sprintf("; %d events wait for their batch", r.Pending)
	}
	return text
}

// day reads a flag such as 2026-11-21.
func day(into *time.Time) func(string) error {
	return func(text string) (err error) {
		*into, err = time.Parse(time.DateOnly, text)
		return err
	}
}

// rootsOf reads what `audit roots` printed: a JWS per line; # begins a comment. A file without any
// root is an error: it would seem to confirm what it does not.
func rootsOf(path string) (roots []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
			roots = append(roots, line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(roots) == 0 {
		return nil, fmt.Errorf("%s has no root", path)
	}
	return roots, nil
}

func runAuditRoots(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("audit roots")
	var from time.Time
	fs.Func("from", "first day", day(&from))
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		roots, err := audit.Roots(ctx, s.db, from)
		if err != nil {
			return err
		}
		return printRoots(out, roots)
	})
}

func printRoots(out io.Writer, roots []audit.Root) error {
	for _, r := range roots {
		_, err := fmt.Fprintf(out, "# %s: up to batch %d, hash %x, key %s\n%s\n", r.Day, r.Batch, r.Hash, r.KID, r.JWS)
		if err != nil {
			return err // a file that is cut short must not look whole
		}
	}
	return nil
}

func runAuditSeal(ctx context.Context, args []string, out io.Writer) error {
	if _, err := parse(flags("audit seal"), args, 0, 0); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		sealed, err := audit.Seal(ctx, s.db, s.box, time.Now())
		if err != nil {
			return err
		}
		if len(sealed) == 0 {
			fmt.Fprintln(out, "# nothing to seal")
		}
		return printRoots(out, sealed)
	})
}

func runAuditKeys(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("audit keys")
	rotate := fs.Bool("rotate", false, "make a new key first")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		if *rotate {
			if _, err := audit.RotateKey(ctx, s.db, s.box, time.Now()); err != nil {
				return err
			}
		}
		set, err := audit.Keys(ctx, s.db)
		if err != nil {
			return err
		}
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(set)
	})
}
