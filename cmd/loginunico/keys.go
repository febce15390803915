package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/loginunico/loginunico/idp/client"
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
