package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/pmcc"
)

const registryPendingHelp = `loginunico registry pending COMMAND: values that the policy lets in only when a human approves them.

  pending list [-n N]                          List them, the eldest first, without the values (default
                                               N: 50). To see them: registry person show -id PERSON
  pending approve -reason TEXT PERSON RECORD FIELD
  pending refuse  -reason TEXT PERSON RECORD FIELD
                                               Answer one. A later answer replaces an earlier one.

  -actor NAME  who does it, for the audit (default: your name on this machine)

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

func runRegistryPending(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || !slices.Contains([]string{"list", "approve", "refuse"}, args[0]) {
		return errUsage("registry pending list|approve|refuse")
	}
	if args[0] == "list" {
		return runPendingList(ctx, args[1:], out)
	}
	return runPendingAnswer(ctx, pmcc.Action(args[0]), args[1:], out)
}

func runPendingList(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("registry pending list")
	n := fs.Int("n", 50, "values")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		all, err := s.people.Waiting(ctx, s.db, uuid.Nil, *n)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "PERSON\tRECORD\tFIELD\tSOURCE\tSINCE\tRULE")
		for _, p := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Person, p.Record, p.Field, p.Source, p.Since().Format(time.RFC3339), s.ruleOf(ctx, p))
		}
		return w.Flush()
	})
}

// ruleOf is the rule that wants a human, in words.
func (s *stack) ruleOf(ctx context.Context, w registry.Waiting) string {
	if policy, err := s.people.PolicyVersion(ctx, s.db, w.Policy); err == nil {
		if rule, ok := policy.Rule(w.Rule); ok {
			return rule.String()
		}
	}
	return fmt.Sprintf("rule %d of version %d", w.Rule, w.Policy)
}

func runPendingAnswer(ctx context.Context, action pmcc.Action, args []string, out io.Writer) error {
	var w subject
	fs := flags("registry pending " + string(action))
	w.why(fs)
	rest, err := parse(fs, args, 3, 3)
	if err != nil {
		return err
	}
	if strings.TrimSpace(w.reason) == "" {
		return errUsage("-reason TEXT is missing: the audit keeps why")
	}
	person, errPerson := uuid.Parse(rest[0])
	rec, errRecord := uuid.Parse(rest[1])
	if err := errors.Join(errPerson, errRecord); err != nil {
		return errUsage("PERSON and RECORD are UUIDs, as `registry pending list` has them")
	}
	return manage(ctx, func(s *stack) error {
		err := pg.InTx(ctx, s.db, func(tx pg.Tx) error {
			return s.people.Override(ctx, tx, registry.Decision{Person: person, Action: action, Field: rest[2], Record: rec,
				Actor: operator(w.actor), Reason: w.reason}, time.Now())
		})
		if err == nil {
			fmt.Fprintf(out, "%s: %s\n", rest[2], map[pmcc.Action]string{pmcc.Approve: "approved", pmcc.Refuse: "refused"}[action])
		}
		return err
	})
}
