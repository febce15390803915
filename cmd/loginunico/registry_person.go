package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

const registryPersonHelp = `loginunico registry person COMMAND (-cpf N | -cnpj N | -id ID) -reason TEXT [flags] …: look at one
person, or correct them by hand. Everything is audited with the reason, a look too; write none of the
person's data into it.

  person show                  Print every value the city has, where it came from, since when, how
                               surely, and the rule of the policy that let it in; what the person
                               declares, what waits for a human, what humans decided.
      -as-of T                 as the registry knew them then: 2026-11-21 or 2026-11-21T10:30:00Z
  person set FIELD VALUE       Set a value above the policy's, until it is released. The parts of a field
                               that has several are named: address street="Rua das Flores" number=12
  person remove FIELD          Take a value away, until it is released.
  person release FIELD         Let the policy decide the field again.

  -actor NAME  who does it, for the audit (default: your name on this machine)

Fields are those of docs/mappings.md. CPF and CNPJ are not set by hand.

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

// subject is whom a command is about, who runs it and why.
type subject struct {
	cpf, cnpj, id, reason, actor string
	asOf                         time.Time
}

func (w *subject) flags(fs *flag.FlagSet) {
	fs.StringVar(&w.cpf, "cpf", "", "CPF")
	fs.StringVar(&w.cnpj, "cnpj", "", "CNPJ")
	fs.StringVar(&w.id, "id", "", "id")
	w.why(fs)
}

func (w *subject) why(fs *flag.FlagSet) {
	fs.StringVar(&w.reason, "reason", "", "why")
	fs.StringVar(&w.actor, "actor", login(), "who")
}

func (w *subject) check() error {
	given := 0
	for _, text := range []string{w.cpf, w.cnpj, w.id} {
		if text != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return errUsage("one of -cpf N, -cnpj N and -id ID")
	case strings.TrimSpace(w.reason) == "":
		return errUsage("-reason TEXT is missing: the audit keeps why")
	}
	return nil
}

// find is the person as they stand now.
func (w *subject) find(ctx context.Context, s *stack, db pg.DB) (registry.Person, error) {
	switch {
	case w.cpf != "":
		cpf, err := brdoc.ParseCPF(w.cpf)
		if err != nil {
			return registry.Person{}, errors.New("-cpf: the number is false")
		}
		return s.people.ByCPF(ctx, db, cpf)
	case w.cnpj != "":
		cnpj, err := brdoc.ParseCNPJ(w.cnpj)
		if err != nil {
			return registry.Person{}, errors.New("-cnpj: the number is false")
		}
		return s.people.ByCNPJ(ctx, db, cnpj)
	}
	id, err := uuid.Parse(w.id)
	if err != nil {
		return registry.Person{}, errors.New("-id: no UUID")
	}
	return s.people.ByID(ctx, db, id)
}

func runRegistryPerson(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || !slices.Contains([]string{"show", "set", "remove", "release"}, args[0]) {
		return errUsage("registry person show|set|remove|release")
	}
	var w subject
	fs := flags("registry person " + args[0])
	w.flags(fs)
	least, most := 1, 1
	switch args[0] {
	case "show":
		fs.Func("as-of", "instant", instant(&w.asOf))
		least, most = 0, 0
	case "set":
		least, most = 2, -1
	}
	rest, err := parse(fs, args[1:], least, most)
	if err == nil {
		err = w.check()
	}
	if err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		if args[0] == "show" {
			return w.show(ctx, s, out)
		}
		return w.decide(ctx, s, out, pmcc.Action(args[0]), rest)
	})
}

// instant reads a day, whose end it means, or RFC 3339.
func instant(into *time.Time) func(string) error {
	return func(text string) (err error) {
		if *into, err = time.Parse(time.RFC3339, text); err == nil {
			return nil
		}
		if *into, err = time.Parse(time.DateOnly, text); err == nil {
			*into = into.AddDate(0, 0, 1).Add(-time.Microsecond)
		}
		return err
	}
}

func (w *subject) decide(ctx context.Context, s *stack, out io.Writer, action pmcc.Action, rest []string) error {
	text, err := valueOf(rest[0], rest[1:])
	if err != nil {
		return err
	}
	err = pg.InTx(ctx, s.db, func(tx pg.Tx) error {
		p, err := w.find(ctx, s, tx)
		if err != nil {
			return err
		}
		return s.people.Override(ctx, tx, registry.Decision{Person: p.ID, Action: action, Field: rest[0], Text: text,
			Actor: operator(w.actor), Reason: w.reason}, time.Now())
	})
	if err == nil {
		fmt.Fprintf(out, "%s: %s\n", rest[0], map[pmcc.Action]string{pmcc.Set: "set", pmcc.Remove: "removed", pmcc.Release: "released"}[action])
	}
	return err
}

// valueOf joins what follows a field: the words of a simple value, or the named parts of another.
func valueOf(name string, words []string) (string, error) {
	f, _, ok := record.Parse(name)
	names := record.PartsOf(f)
	if !ok || names == nil {
		return strings.Join(words, " "), nil
	}
	parts := make([]string, len(names))
	for _, word := range words {
		part, text, found := strings.Cut(word, "=")
		at := slices.Index(names, part)
		if !found || at < 0 {
			return "", errUsage(fmt.Sprintf("%s has the parts %s=…", name, strings.Join(names, "=… ")))
		}
		parts[at] = text
	}
	return record.Composite(parts...), nil
}

// reads notes that somebody reads a person's values.
func (w *subject) reads(ctx context.Context, tx pg.Tx, p registry.Person, fields []string) error {
	e := audit.Event{Actor: operator(w.actor), Action: "registry.read", Person: p.ID, Fields: fields, Purpose: w.reason}
	if !w.asOf.IsZero() {
		e.Detail = map[string]string{"as_of": w.asOf.UTC().Format(time.RFC3339Nano)}
	}
	return audit.RecordTx(ctx, tx, e)
}
