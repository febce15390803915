package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/secret"
)

func runKeysList(ctx context.Context, args []string, out io.Writer) error {
	if _, err := parse(flags("keys list"), args, 0, 0); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		all, err := s.keys.List(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "KID\tALG\tSTATE\tSIGNS FROM\tSIGNS UNTIL")
		for _, k := range all {
			until := "-"
			if k.SignsUntil != nil {
				until = k.SignsUntil.UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.KID, k.Alg, k.State, k.SignsFrom.UTC().Format(time.RFC3339), until)
		}
		return w.Flush()
	})
}

func runKeysRotate(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("keys rotate")
	now := fs.Bool("now", false, "sign with it at once")
	rest, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	if rest[0] != client.ES256 && rest[0] != client.RS256 {
		return errUsage("ALG is ES256 or RS256")
	}
	return manage(ctx, func(s *stack) error {
		kid, err := s.keys.Rotate(ctx, rest[0], *now)
		if err == nil {
			fmt.Fprintln(out, "new key", kid)
		}
		return err
	})
}

// manageData is manage for a command that needs the KEK itself.
func manageData(ctx context.Context, do func(s *stack, kek secret.KEK) error) error {
	return manage(ctx, func(s *stack) error {
		kek, err := secret.LoadKEK(s.cfg.KEKFile, false)
		if err != nil {
			return err
		}
		return do(s, kek)
	})
}

func runDataKeysList(ctx context.Context, args []string, out io.Writer) error {
	if _, err := parse(flags("keys data list"), args, 0, 0); err != nil {
		return err
	}
	return manageData(ctx, func(s *stack, kek secret.KEK) error {
		all, err := secret.List(ctx, s.db, kek)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "PURPOSE\tKEY\tSTATE\tFROM")
		for _, k := range all {
			from := "-"
			if !k.From.IsZero() {
				from = k.From.UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.Purpose, k.Name(), k.State, from)
		}
		return w.Flush()
	})
}

func runDataKeysRotate(ctx context.Context, args []string, out io.Writer) error {
	rest, err := parse(flags("keys data rotate"), args, 1, 1)
	if err != nil {
		return err
	}
	purpose := secret.Purpose(rest[0])
	if !slices.Contains(secret.Purposes(), purpose) {
		return errUsage(fmt.Sprintf("PURPOSE is one of %v", secret.Purposes()))
	}
	return manageData(ctx, func(s *stack, kek secret.KEK) error {
		k, err := secret.Rotate(ctx, s.db, kek, purpose)
		if err == nil {
			fmt.Fprintf(out, "%s: new key %s, used from %s\n", k.Purpose, k.Name(), k.From.UTC().Format(time.RFC3339))
		}
		return err
	})
}

// runDataKeysRewrap takes the old key from the same file: processes that were started with both
// keys run on before, during and after it.
func runDataKeysRewrap(ctx context.Context, args []string, out io.Writer) error {
	if _, err := parse(flags("keys data rewrap"), args, 0, 0); err != nil {
		return err
	}
	return manageData(ctx, func(s *stack, kek secret.KEK) error {
		n, err := secret.Rewrap(ctx, s.db, kek, kek)
		switch {
		case err != nil:
			return err
		case n == 0:
			fmt.Fprintln(out, "nothing to rewrap")
		default:
			fmt.Fprintln(out, "rewrapped", n)
		}
		return nil
	})
}
