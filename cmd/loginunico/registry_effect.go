package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/record"
)

// printEffect says what another policy than the version in force would do.
func printEffect(out io.Writer, e *registry.Effect, version int) error {
	if e.Changed == 0 {
		_, err := fmt.Fprintf(out, "Nothing would change for the %d people compared with version %d.\n", e.People, version)
		return err
	}
	fmt.Fprintf(out, "Of %d people compared with version %d, something would change for %d:\n\n", e.People, version, e.Changed)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "FIELD\tNEW\tGONE\tOTHER VALUE\tOTHER SOURCE\tWOULD WAIT\tWAIT NO MORE")
	fields := slices.Sorted(maps.Keys(e.Fields))
	for _, f := range fields {
		x := e.Fields[f]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", f, x.Come, x.Go, x.Change, x.Moved, x.Wait, x.Settled)
	}
	fmt.Fprintln(w, "\nFIELD\tFROM → TO\tVALUES")
	for _, f := range fields {
		printSources(w, f, e.Fields[f].Sources)
	}
	return w.Flush()
}

func printSources(w io.Writer, f record.Field, sources map[string]int64) {
	moves := slices.SortedFunc(maps.Keys(sources), func(a, b string) int {
		return cmp.Or(cmp.Compare(sources[b], sources[a]), cmp.Compare(a, b))
	})
	for _, move := range moves {
		fmt.Fprintf(w, "%s\t%s\t%d\n", f, move, sources[move])
	}
}
