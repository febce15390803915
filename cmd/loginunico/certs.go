package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/loginunico/loginunico/certauth"
)

// certsCommands keep the authorities of ICP-Brasil.
func certsCommands() []command {
	return []command{
		{"certs update", "[-force] SOURCE", "Publish the authorities of ICP-Brasil from SOURCE: ITI's ACcompactado.zip, a p7b, a file of certificates or a directory of such files. What does not chain to the pinned roots (LOGINUNICO_CERT_ROOTS) is named and left out. Refused where an authority that is valid now is missing from SOURCE; -force publishes all the same.", runCertsUpdate},
		{"certs list", "", "List the published authorities, with when each ends.", runCertsList},
	}
}

func (s *stack) authorities() *certauth.Store {
	return certauth.NewStore(s.db, s.cfg.Certificates.Pins, nil, time.Now)
}

func runCertsUpdate(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("certs update")
	force := fs.Bool("force", false, "even where valid authorities are missing")
	rest, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		c, err := s.authorities().UpdateFrom(ctx, rest[0], *force)
		for _, one := range c.Skipped {
			fmt.Fprintf(out, "skipped %s: %s\n", one.Name, one.Reason)
		}
		for _, name := range c.Added {
			fmt.Fprintf(out, "new %s\n", name)
		}
		for _, name := range c.Removed {
			fmt.Fprintf(out, "missing %s\n", name)
		}
		switch {
		case errors.Is(err, certauth.ErrShrinks):
			return fmt.Errorf("%d authorities that are valid now are missing from %s; -force publishes all the same", len(c.Removed), rest[0])
		case errors.Is(err, certauth.ErrNoRoot):
			return fmt.Errorf("%s holds none of the pinned roots, or nothing below them", rest[0])
		case err != nil:
			return err
		}
		fmt.Fprintf(out, "%d authorities published\n", c.Authorities)
		return nil
	})
}

func runCertsList(ctx context.Context, args []string, out io.Writer) error {
	if _, err := parse(flags("certs list"), args, 0, 0); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		store := s.authorities()
		p, ok, err := store.Published(ctx)
		if err != nil {
			return err
		}
		if !ok {
			return errors.New("no authorities are published: loginunico certs update SOURCE")
		}
		if err := store.Reload(ctx); err != nil {
			return err
		}
		fmt.Fprintf(out, "from %s, published %s, last seen unchanged %s\n\n", p.Source, p.PublishedAt.UTC().Format(time.RFC3339), p.CheckedAt.UTC().Format(time.RFC3339))
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "AUTHORITY\tISSUER\tUNTIL")
		for _, ca := range store.Authorities().All() {
			fmt.Fprintf(w, "%s\t%s\t%s\n", ca.Subject.CommonName, ca.Issuer.CommonName, ca.NotAfter.UTC().Format(time.DateOnly))
		}
		return w.Flush()
	})
}
