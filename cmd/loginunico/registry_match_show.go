package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/match"
	"github.com/loginunico/loginunico/registry/review"
)

func runMatchShow(ctx context.Context, args []string, out io.Writer) error {
	by, ids, err := judged("show", args, 2)
	if err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		c, err := s.matcher().Compare(ctx, s.db, ids[0], ids[1], by, time.Now())
		if err != nil {
			return matchWords(err)
		}
		return printComparison(out, c)
	})
}

// printComparison prints the values of both, then what each field says.
func printComparison(out io.Writer, c review.Comparison) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "\tA %s\tB %s\n", c.A.ID, c.B.ID)
	both := maps.Clone(c.A.Fields)
	maps.Copy(both, c.B.Fields)
	for _, name := range slices.Sorted(maps.Keys(both)) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, side(name, c.A), side(name, c.B))
	}
	fmt.Fprintln(w)
	for _, p := range c.Result.Parts {
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.Field, agreementWords[p.Agreement.String()], weightWords(p))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nthat they are one person: %s\nthat they are of one family: %s\n", odds(c.Result.Weight), odds(c.Result.Kin))
	if len(c.Result.Barred) > 0 {
		fmt.Fprintf(out, "no machine may join them: %s\n", bars(c.Result.Barred))
	}
	if c.KeptApart {
		fmt.Fprintln(out, "a human has said that they are two")
	}
	return nil
}

func side(name string, p registry.Person) string {
	v, ok := p.Fields[name]
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%s [%s %s]", readable(name, v.Text), v.Source, v.At.Format(time.DateOnly))
}

// odds says a weight, log2 of odds, as people say chances.
func odds(weight float64) string {
	switch {
	case weight > 30:
		return "over a thousand million to 1"
	case weight >= 0:
		return fmt.Sprintf("%.3g to 1", math.Exp2(weight))
	case weight < -30:
		return "1 to over a thousand million"
	}
	return fmt.Sprintf("1 to %.3g", math.Exp2(-weight))
}

func weightWords(p match.Part) string {
	words := "says nothing"
	switch factor := math.Exp2(math.Abs(p.Weight)); {
	case p.Weight >= 0.1:
		words = fmt.Sprintf("%.3g times likelier of one person", factor)
	case p.Weight <= -0.1:
		words = fmt.Sprintf("%.3g times likelier of two", factor)
	}
	switch {
	case p.Rarity >= 1:
		words += ", the name being rare"
	case p.Rarity <= -1:
		words += ", the name being common"
	}
	return words
}

// agreementWords say how two values agree.
var agreementWords = map[string]string{
	"different": "have nothing in common", "partial": "share a part", "similar": "are similar", "close": "are nearly the same",
	"swapped": "are exchanged", "abridged": "one is a short form of the other", "contained": "one has a name more at the end",
	"phonetic": "sound the same", "exact": "are the same",
}

var barWords = map[match.Bar]string{
	match.CPFsDiffer: "each has a valid CPF of their own", match.GivenNamesDiffer: "the first names differ, as twins' do",
	match.NamesConflict: "each has a name that the other lacks", match.SuffixesDiffer: "one is Júnior, Filho or Neto and the other is not",
	match.GendersDiffer: "the sexes differ",
}

func bars(all []match.Bar) string {
	words := make([]string, len(all))
	for i, b := range all {
		words[i] = barWords[b]
	}
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(words, "; ")
}

// matchWords says in a sentence why a judgement is not taken.
func matchWords(err error) error {
	for known, words := range map[error]string{
		review.ErrKeptApart:     "somebody has said that they are two; look again, then use -overrule",
		review.ErrUnsigned:      "-actor takes up to 100 bytes and -reason up to 500; the machine's own name is not yours",
		registry.ErrNotFound:    "the registry knows nobody by that id",
		registry.ErrSamePerson:  "they are one already, or one of them was merged into somebody else",
		registry.ErrTwoAccounts: "both sign in; one account must be closed first",
		registry.ErrKinds:       "one is a person and the other an organization",
		registry.ErrNotMerged:   "there is no merge to take back",
	} {
		if errors.Is(err, known) {
			return errors.New(words)
		}
	}
	return err
}
