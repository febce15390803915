package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report collects the results of a run.
type report struct {
	Started time.Time
	Machine string
	Options options
	results []result
}

const judged = 8 // workers at which the targets hold

// keep stores the result of a round, the first of which is 1.
func (r *report) keep(one result, rows, round int) {
	one.Rows, one.Round = rows, round
	r.results = append(r.results, one)
}

// find is the cheapest of all rounds.
func (r *report) find(name string, rows, workers int) (result, bool) {
	return r.findIn(0, name, rows, workers)
}

// findIn is what was measured in one round; 0: the cheapest of all.
func (r *report) findIn(round int, name string, rows, workers int) (best result, found bool) {
	for _, one := range r.results {
		if one.Name == name && one.Rows == rows && one.Workers == workers && (round == 0 || one.Round == round) &&
			(!found || one.cpu() < best.cpu()) {
			best, found = one, true
		}
	}
	return best, found
}

// floorCPU is a composition at the same rows and workers, of one round or of the cheapest.
func (r *report) floorCPU(round int, c composition, rows, workers int) float64 {
	var of [floors]float64
	for i, name := range floorNames {
		one, _ := r.findIn(round, name, rows, workers)
		of[i] = one.cpu()
	}
	return c.cpu(of)
}

// ratio is how many times its floor a scenario costs: the median of the rounds, in each of which both
// were measured within a minute or so.
func (r *report) ratio(s scenario, rows, workers int) float64 {
	var all []float64
	for round := 1; round <= r.Options.rounds; round++ {
		one, ok := r.findIn(round, s.name, rows, workers)
		if floor := r.floorCPU(round, s.floor, rows, workers); ok && floor > 0 { // else floors were not measured
			all = append(all, (one.cpu()-r.floorCPU(round, s.hash, rows, workers))/floor)
		}
	}
	return median(all)
}

// median is 0 of nothing, and the higher of the two in the middle.
func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// line is one scenario beside its floor.
type line struct {
	result
	Hash    float64 `json:"hash"`  // CPU of the password hash in it, measured alone under the same load
	Floor   float64 `json:"floor"` // CPU per 1,000 operations
	Ratio   float64 `json:"ratio"`
	Flat    float64 `json:"flat,omitempty"` // CPU on this database ÷ on the empty one
	Target  float64 `json:"target,omitempty"`
	Reached bool    `json:"reached"`
}

// net is the CPU without the password hash.
func (l line) net() float64 { return l.cpu() - l.Hash }

func (r *report) lines(rows, workers int) (all []line) {
	for _, s := range scenarios {
		one, ok := r.find(s.name, rows, workers)
		if !ok {
			continue
		}
		l := line{result: one, Hash: r.floorCPU(0, s.hash, rows, workers), Floor: r.floorCPU(0, s.floor, rows, workers),
			Ratio: r.ratio(s, rows, workers)}
		if empty, ok := r.find(s.name, 0, workers); ok && rows > 0 {
			l.Flat = one.cpu() / empty.cpu()
		}
		if workers == judged && l.Floor > 0 {
			l.Target = s.target
		}
		l.Reached = l.Target == 0 || l.Ratio <= l.Target
		all = append(all, l)
	}
	return all
}

func (r *report) sizes() []int {
	if r.Options.rows > 0 {
		return []int{0, r.Options.rows}
	}
	return []int{0}
}

// reached says whether every target is.
func (r *report) reached() bool {
	for _, rows := range r.sizes() {
		for _, l := range r.lines(rows, judged) {
			if !l.Reached {
				return false
			}
		}
	}
	return true
}

func (r *report) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s, %s, %d cores, %s; %d rounds of %s, the cheapest counts; × is the median of theirs\n", r.Started.Format("2006-01-02"), r.Machine,
		runtime.NumCPU(), runtime.Version(), r.Options.rounds, r.Options.time)
	fmt.Fprint(out, "CPU is milliseconds per operation, which is seconds per 1,000; × is times the floor and means the same on any machine.\n\n")
	r.printFloors(out)
	for _, rows := range r.sizes() {
		for _, workers := range r.Options.workers {
			r.printLines(out, rows, workers)
		}
	}
	r.printComparison(out)
	fmt.Fprint(out, "Floors are made of (− takes away handlers that the others bring in excess):\n")
	for _, s := range scenarios {
		fmt.Fprintf(out, "  %-20s %s\n", s.name, s.floor)
	}
	fmt.Fprint(out, "Every code and refresh answer of ours has two signatures, access token and ID token, where its floor counts one.\n")
}

func (r *report) printFloors(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "floor, CPU\t")
	for _, rows := range r.sizes() {
		for _, n := range r.Options.workers {
			fmt.Fprintf(w, "%s, %dw\t", rowsName(rows), n)
		}
	}
	fmt.Fprintln(w)
	for _, name := range floorNames {
		fmt.Fprintf(w, "%s\t", name)
		for _, rows := range r.sizes() {
			for _, n := range r.Options.workers {
				one, _ := r.find(name, rows, n)
				fmt.Fprintf(w, "%.3f\t", one.cpu())
			}
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
	fmt.Fprintln(out)
}

func rowsName(rows int) string {
	if rows == 0 {
		return "empty"
	}
	return fmt.Sprintf("%d rows", rows)
}

func (r *report) printLines(out io.Writer, rows, workers int) {
	fmt.Fprintf(out, "%s, %d workers\n", rowsName(rows), workers)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "scenario\tops/s\tserver\tpostgres\tCPU\tnet of hash\tfloor\t×\ttarget\tstatements\tcommits\tsyncs\tsignatures\tp50 ms\tp99 ms\t")
	for _, l := range r.lines(rows, workers) {
		fmt.Fprintf(w, "%s\t%.0f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.2f\t%s\t%.1f\t%.1f\t%.2f\t%d\t%.2f\t%.2f\t\n", l.Name, l.PerSecond, l.CPUServer, l.CPUPostgres,
			l.cpu(), l.net(), l.Floor, l.Ratio, l.verdict(), l.Statements, l.Commits, l.Syncs, l.Signatures, l.P50, l.P99)
	}
	_ = w.Flush()
	fmt.Fprintln(out)
}

func (l line) verdict() string {
	switch {
	case l.Target == 0:
		return ""
	case l.Reached:
		return fmt.Sprintf("≤%.1f reached", l.Target)
	}
	return fmt.Sprintf("≤%.1f NOT reached", l.Target)
}

// printComparison puts the two databases side by side.
func (r *report) printComparison(out io.Writer) {
	if r.Options.rows == 0 {
		return
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "flat? CPU full ÷ empty\t")
	for _, n := range r.Options.workers {
		fmt.Fprintf(w, "%dw empty\t%dw full\t÷\tfloor ÷\t", n, n)
	}
	fmt.Fprintln(w)
	for _, s := range scenarios {
		if !strings.Contains(s.name, r.Options.only) {
			continue
		}
		fmt.Fprintf(w, "%s\t", s.name)
		for _, n := range r.Options.workers {
			empty, _ := r.find(s.name, 0, n)
			full, _ := r.find(s.name, r.Options.rows, n)
			fmt.Fprintf(w, "%.3f\t%.3f\t%.2f\t%.2f\t", empty.cpu(), full.cpu(), full.cpu()/empty.cpu(),
				r.floorCPU(0, s.floor, r.Options.rows, n)/r.floorCPU(0, s.floor, 0, n))
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
	fmt.Fprintln(out)
}

// writeJSON writes every figure, floors included.
func (r *report) writeJSON(path string) error {
	doc := struct {
		Started   time.Time         `json:"started"`
		Machine   string            `json:"machine"`
		Cores     int               `json:"cores"`
		Go        string            `json:"go"`
		Floors    []result          `json:"floors"`
		Scenarios []line            `json:"scenarios"`
		MadeOf    map[string]string `json:"floors_made_of"`
	}{Started: r.Started, Machine: r.Machine, Cores: runtime.NumCPU(), Go: runtime.Version(), MadeOf: map[string]string{}}
	for _, rows := range r.sizes() {
		for _, workers := range r.Options.workers {
			for _, name := range floorNames {
				if one, ok := r.find(name, rows, workers); ok {
					doc.Floors = append(doc.Floors, one)
				}
			}
			doc.Scenarios = append(doc.Scenarios, r.lines(rows, workers)...)
		}
	}
	for _, s := range scenarios {
		doc.MadeOf[s.name] = s.floor.String()
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// slug makes a file name of a scenario's.
func slug(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == ',' || r == '+' {
			return '-'
		}
		return r
	}, name)
}
