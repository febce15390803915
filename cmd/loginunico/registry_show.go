package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// shownPerson is everything that `person show` prints, read in one transaction with its audit.
type shownPerson struct {
	registry.Person
	policy    *pmcc.Policy
	waiting   []registry.Waiting
	texts     []string
	decisions []registry.Taken
}

// shownWaiting is how many waiting values of one person are printed.
const shownWaiting = 200

func (w *subject) show(ctx context.Context, s *stack, out io.Writer) error {
	var p shownPerson
	err := pg.InTx(ctx, s.db, func(tx pg.Tx) (err error) {
		if p.Person, err = w.find(ctx, s, tx); err != nil {
			return err
		}
		if err = w.gather(ctx, s, tx, &p); err != nil {
			return err
		}
		return w.reads(ctx, tx, p.Person, p.fields())
	})
	if err != nil {
		return err
	}
	return p.print(out, w.asOf) // after the commit: what cannot be audited is not shown
}

func (w *subject) gather(ctx context.Context, s *stack, tx pg.Tx, p *shownPerson) (err error) {
	if !w.asOf.IsZero() {
		if p.Person, err = s.people.AsOf(ctx, tx, p.ID, w.asOf); err != nil {
			return err
		}
	}
	if p.policy, err = s.people.PolicyVersion(ctx, tx, p.Policy); err != nil {
		return err
	}
	if p.decisions, err = s.people.Decisions(ctx, tx, p.ID); err != nil || !w.asOf.IsZero() {
		return err
	}
	if p.waiting, err = s.people.Waiting(ctx, tx, p.ID, shownWaiting); err != nil {
		return err
	}
	p.texts, err = s.people.Texts(ctx, tx, p.waiting)
	return err
}

func (p *shownPerson) fields() []string {
	all := map[string]bool{}
	for _, fields := range []registry.Fields{p.Fields, p.Declared} {
		for name := range fields {
			all[name] = true
		}
	}
	for _, w := range p.waiting {
		all[w.Field] = true
	}
	return slices.Collect(maps.Keys(all))
}

func (p *shownPerson) print(out io.Writer, asOf time.Time) error {
	fmt.Fprintf(out, "person %s, policy version %d", p.ID, p.Policy)
	if !asOf.IsZero() {
		fmt.Fprintf(out, ", as of %s", asOf.UTC().Format(time.RFC3339))
	}
	fmt.Fprint(out, "\n\n")
	for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
		p.value(out, name, p.Fields[name])
	}
	if len(p.Declared) > 0 {
		fmt.Fprintln(out, "\nThe person declares:")
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		for _, name := range slices.Sorted(maps.Keys(p.Declared)) {
			v := p.Declared[name]
			fmt.Fprintf(w, "  %s\t%s\tsince %s%s\n", name, readable(name, v.Text), v.At.Format(time.DateOnly), confirmed(v))
		}
		_ = w.Flush() // the next line has the error
	}
	return p.history(out, asOf)
}

// value prints one value over two or three lines: what, from where, and why it stands.
func (p *shownPerson) value(out io.Writer, name string, v registry.Value) {
	fmt.Fprintf(out, "%s: %s\n", name, readable(name, v.Text))
	if v.Source == registry.SourceOperator {
		fmt.Fprintf(out, "    set by hand on %s: see the decisions below\n", v.At.Format(time.DateOnly))
		return
	}
	source, _ := p.policy.Source(v.Source)
	fmt.Fprintf(out, "    %s (%s), true since %s, received %s, confidence %d %%%s\n", v.Source, source.Name, v.At.Format(time.DateOnly),
		record.TimeOf(v.Record).Format("2006-01-02 15:04:05"), v.Confidence, confirmed(v))
	if rule, ok := p.policy.Rule(v.Rule); ok {
		fmt.Fprintf(out, "    rule %d: %s. %s\n", v.Rule, rule, rule.Why)
	}
}

func confirmed(v registry.Value) string {
	if v.Confirmed == nil {
		return ""
	}
	return ", confirmed " + v.Confirmed.Format(time.DateOnly)
}

func (p *shownPerson) history(out io.Writer, asOf time.Time) error {
	if len(p.waiting) > 0 {
		fmt.Fprintln(out, "\nWaiting for a human (registry pending approve|refuse PERSON RECORD FIELD):")
	}
	for i, w := range p.waiting {
		fmt.Fprintf(out, "  %s: %s, from %s, received %s\n    %s %s %s\n", w.Field, readable(w.Field, p.texts[i]), w.Source,
			w.Since().Format("2006-01-02 15:04:05"), w.Person, w.Record, w.Field)
	}
	taken := slices.DeleteFunc(p.decisions, func(d registry.Taken) bool { return !asOf.IsZero() && d.At().After(asOf) })
	if len(taken) > 0 {
		fmt.Fprintln(out, "\nDecided by hand:")
	}
	for _, d := range taken {
		fmt.Fprintf(out, "  %s %s %s by %s: %s\n", d.At().Format("2006-01-02 15:04:05"), d.Action, d.Field, d.Actor, d.Reason)
	}
	_, err := fmt.Fprintln(out)
	return err
}

// readable is a text without the separators of its parts.
func readable(name, text string) string {
	f, _, _ := record.Parse(name)
	parts := record.PartsOf(f)
	if parts == nil {
		return text
	}
	var named []string
	for i, part := range record.Parts(text, len(parts)) {
		if part != "" {
			named = append(named, parts[i]+" "+part)
		}
	}
	return strings.Join(named, ", ")
}
