package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/pmcc"
)

const registryPolicyHelp = `loginunico registry policy COMMAND: the policy of the registry (PMCC), which says per field who may
include, change and exclude, which value wins, what a human must approve and what never enters.
docs/registry.md explains every key of the file.

  policy show [-version N]   Print the policy in force, or an earlier version, as it was applied.
  policy start               Print the policy that comes with the program, to begin one's own from.
  policy check FILE          Say every fault by line; then, computing everybody's values by FILE too,
                             what it would change. Writes nothing. Fails where apply would.
      -sample N              compute about N people only
  policy apply FILE          Put FILE in force. Its version must be above the newest; the same bytes
                             again change nothing. Then everybody's values are decided anew.
      -later                 leave that to: policy recompute
      -actor NAME            who applies it, for the audit (default: your name on this machine)
  policy recompute           Decide anew the values that an older version decided. Ctrl-C stops it; the
                             same command goes on.

  -workers N  for check, apply and recompute: goroutines, and connections (default: one per processor)

Every version is kept, so that the registry can show any past instant by the rules of then.

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

func runRegistryPolicy(ctx context.Context, args []string, out io.Writer) error {
	commands := map[string]func(context.Context, []string, io.Writer) error{"show": runPolicyShow, "start": runPolicyStart,
		"check": runPolicyCheck, "apply": runPolicyApply, "recompute": runPolicyRecompute}
	if len(args) == 0 || commands[args[0]] == nil {
		return errUsage("registry policy show|start|check|apply|recompute")
	}
	return commands[args[0]](ctx, args[1:], out)
}

func runPolicyShow(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("registry policy show")
	version := fs.Int("version", 0, "version")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		text, err := s.people.PolicyText(ctx, s.db, *version)
		if err == nil {
			_, err = out.Write(text)
		}
		return err
	})
}

func runPolicyStart(_ context.Context, args []string, out io.Writer) error {
	if _, err := parse(flags("registry policy start"), args, 0, 0); err != nil {
		return err
	}
	_, err := out.Write(pmcc.DefaultYAML())
	return err
}

func runPolicyCheck(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("registry policy check")
	sample, workers := fs.Int("sample", 0, "people"), fs.Int("workers", runtime.GOMAXPROCS(0), "goroutines")
	rest, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	if *sample < 0 || *workers < 1 {
		return errUsage("-sample and -workers are numbers of people and goroutines")
	}
	text, err := os.ReadFile(rest[0])
	if err != nil {
		return err
	}
	next, err := pmcc.Parse(rest[0], text)
	if err != nil {
		return err
	}
	return manageWith(ctx, int32(*workers+2), func(s *stack) error {
		now, err := s.people.Policy(ctx, s.db, time.Now())
		if err != nil {
			return err
		}
		_, refused := s.people.MayFollow(ctx, s.db, next, text)
		if refused != nil && !errors.Is(refused, registry.ErrPolicyVersion) {
			return refused
		}
		progress := newMeter(os.Stderr)
		effect, err := s.people.Try(ctx, s.db, now, next, *sample, *workers, progress.people("compared"))
		progress.clear()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: version %d, no fault in it\n", rest[0], next.Version)
		return errors.Join(printEffect(out, effect, now.Version), refused)
	})
}

func runPolicyApply(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("registry policy apply")
	later, actor := fs.Bool("later", false, "recompute later"), fs.String("actor", login(), "name")
	workers := fs.Int("workers", runtime.GOMAXPROCS(0), "goroutines")
	rest, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	if *workers < 1 {
		return errUsage("-workers is a number of goroutines")
	}
	text, err := os.ReadFile(rest[0])
	if err != nil {
		return err
	}
	return manageWith(ctx, int32(*workers+2), func(s *stack) error {
		var policy *pmcc.Policy
		changed := false
		err := pg.InTx(ctx, s.db, func(tx pg.Tx) (err error) {
			policy, changed, err = s.people.ApplyPolicy(ctx, tx, rest[0], text, operator(*actor), time.Now())
			return err
		})
		switch {
		case err != nil:
			return err
		case !changed:
			fmt.Fprintf(out, "%s: unchanged, version %d\n", rest[0], policy.Version)
		default:
			fmt.Fprintf(out, "%s: applied, version %d\n", rest[0], policy.Version)
		}
		if *later {
			return nil
		}
		return s.recompute(ctx, *workers, out)
	})
}

func runPolicyRecompute(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("registry policy recompute")
	workers := fs.Int("workers", runtime.GOMAXPROCS(0), "goroutines")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if *workers < 1 {
		return errUsage("-workers is a number of goroutines")
	}
	return manageWith(ctx, int32(*workers+2), func(s *stack) error { return s.recompute(ctx, *workers, out) })
}

func (s *stack) recompute(ctx context.Context, workers int, out io.Writer) error {
	progress, start := newMeter(os.Stderr), time.Now()
	n, err := s.people.Recompute(ctx, s.db, workers, time.Now, progress.people("decided anew"))
	progress.clear()
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("stopped after %d people. To go on: loginunico registry policy recompute", n)
	}
	if err == nil {
		fmt.Fprintf(out, "%d people decided anew in %s\n", n, time.Since(start).Round(10*time.Millisecond))
	}
	return err
}
