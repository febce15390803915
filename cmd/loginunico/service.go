package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/yamlform"
)

// runServiceApply applies every file it can and names what is wrong with the others.
func runServiceApply(ctx context.Context, args []string, out io.Writer) error {
	files, err := parse(flags("service apply"), args, 1, -1)
	if err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		var faults []error
		for _, name := range files {
			if err := applyFile(ctx, s.clients, name, out); err != nil {
				faults = append(faults, inFile(name, err))
			}
		}
		return errors.Join(faults...)
	})
}

// inFile names the file, as compilers do where the fault has a line: file:line: path: message.
func inFile(name string, err error) error {
	var faults *yamlform.Faults
	if errors.As(err, &faults) {
		return &yamlform.Faults{Name: name, List: faults.List}
	}
	return fmt.Errorf("%s: %w", name, err)
}

func applyFile(ctx context.Context, services *client.Registry, name string, out io.Writer) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	r, err := services.Apply(ctx, data, "")
	if err != nil {
		return err
	}
	if !r.Changed {
		fmt.Fprintf(out, "%s: unchanged, version %d\n", r.ID, r.Version)
		return nil
	}
	fmt.Fprintf(out, "%s: applied, version %d\n", r.ID, r.Version)
	printSecret(out, r.Secret)
	return nil
}

// printSecret is the only time a secret is seen: the database has its hash.
func printSecret(out io.Writer, secret string) {
	if secret != "" {
		fmt.Fprintf(out, "client_secret (shown this once): %s\n", secret)
	}
}

func runServiceList(ctx context.Context, args []string, out io.Writer) error {
	if _, err := parse(flags("service list"), args, 0, 0); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "SERVICE\tVERSION\tLEVEL\tAUTH\tDEPARTMENT")
		for _, c := range s.clients.All() {
			fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\n", c.ID, c.Version, c.MinLevel, c.Auth, c.Department)
		}
		return w.Flush()
	})
}

func runServiceShow(ctx context.Context, args []string, out io.Writer) error {
	rest, err := parse(flags("service show"), args, 1, 1)
	if err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		text, err := s.clients.Source(ctx, rest[0])
		if err == nil {
			_, err = io.WriteString(out, text)
		}
		return err
	})
}

func runServiceSecret(ctx context.Context, args []string, out io.Writer) error {
	rest, err := parse(flags("service secret"), args, 1, 1)
	if err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		secret, err := s.clients.RotateSecret(ctx, rest[0])
		printSecret(out, secret)
		return err
	})
}
