package load

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// shown is how many reasons a report names; JSON has all.
const shown = 15

// table is a piece of a report as people read it, in text and on a page.
type table struct {
	Title string
	Head  []string // of the columns; the first is of words, the others of numbers
	Rows  [][]string
}

var outcomes = []struct {
	Outcome
	words string
}{{Valid, "valid"}, {WithoutCPF, "without CPF"}, {InvalidCPF, "false CPF"}, {Inconsistent, "inconsistent"}}

// Line is the report in one line.
func (r *Report) Line() string {
	s := fmt.Sprintf("%s: %s records in %s", r.Name, grouped(r.Read()), r.took())
	if r.Seconds > 0 {
		s += fmt.Sprintf(", %s records/s", grouped(int64(float64(r.Read())/r.Seconds)))
	}
	if r.Again {
		s += "; all of it had been loaded before, and nothing changed"
	}
	return s
}

func (r *Report) took() time.Duration {
	return time.Duration(r.Seconds * float64(time.Second)).Round(10 * time.Millisecond)
}

// tables is everything a report says beside its first lines.
func (r *Report) tables() []table {
	rejected, dropped := map[string]int64{}, map[string]int64{}
	for _, t := range r.Sources {
		addInto(rejected, t.Rejected)
		addInto(dropped, t.Dropped)
	}
	all := []table{r.triaged(), r.filed(),
		ranked("Rejected records", "reason", "records", rejected),
		ranked("Values left out of records that were taken", "reason", "values", dropped),
		ranked("Values that the policy did not let in", "field and reason", "values", r.Tally.Refused),
		ranked("Fields in which sources disagree", "field", "people", r.Tally.Conflicts)}
	return slices.DeleteFunc(all, func(t table) bool { return len(t.Rows) == 0 })
}

func (r *Report) triaged() table {
	t := table{Title: "Records by source", Head: []string{"source", "read"}}
	for _, o := range outcomes {
		t.Head = append(t.Head, o.words)
	}
	total := make([]int64, len(outcomes))
	for _, name := range r.names() {
		counts := make([]int64, len(outcomes))
		for i, o := range outcomes {
			counts[i] = r.Sources[name].Outcomes[o.Outcome]
			total[i] += counts[i]
		}
		t.Rows = append(t.Rows, countRow(name, counts))
	}
	if len(t.Rows) > 1 {
		t.Rows = append(t.Rows, countRow("together", total))
	}
	return t
}

func countRow(name string, counts []int64) []string {
	sum, cells := int64(0), []string{}
	for _, n := range counts {
		sum += n
		cells = append(cells, grouped(n))
	}
	return append([]string{name, grouped(sum)}, cells...)
}

func (r *Report) filed() table {
	t := table{Title: "What the registry made of them", Head: []string{"", "number"}}
	for _, row := range []struct {
		words string
		n     int64
	}{
		{"records filed or known", r.Tally.Records},
		{"different documents (CPF or CNPJ)", r.Tally.Documents},
		{"records filed for the first time", r.Tally.New},
		{"newer versions of filed records", r.Tally.Updated},
		{"records delivered before, word for word", r.Tally.Unchanged},
		{"records now about somebody else", r.Tally.Moved},
		{"people new to the city", r.Tally.People},
		{"people whose values were decided anew", r.Tally.Changed},
		{"accounts that reached level 3", r.Tally.Matched},
		{"values that wait for a human", r.Tally.Pending},
	} {
		t.Rows = append(t.Rows, []string{row.words, grouped(row.n)})
	}
	return t
}

// ranked lists the most frequent first.
func ranked(title, what, of string, counts map[string]int64) table {
	t := table{Title: title, Head: []string{what, of}}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	rest := int64(0)
	for i, name := range names {
		if i < shown {
			t.Rows = append(t.Rows, []string{name, grouped(counts[name])})
		} else {
			rest += counts[name]
		}
	}
	if rest > 0 {
		t.Rows = append(t.Rows, []string{fmt.Sprintf("%d other reasons", len(names)-shown), grouped(rest)})
	}
	return t
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// about is the lines above the tables.
func (r *Report) about() [][2]string {
	lines := [][2]string{{"load", r.ID.String()}, {"began", r.Started.UTC().Format("2006-01-02 15:04:05 UTC")}, {"records are of", r.AsOf},
		{"policy", "version " + strconv.Itoa(r.Policy)}}
	if r.Rejected != "" {
		lines = append(lines, [2]string{"rejected records", r.Rejected})
	}
	return lines
}

// WriteText writes the report for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	if _, err := fmt.Fprintln(w, r.Line()); err != nil {
		return err
	}
	for _, l := range r.about() {
		if _, err := fmt.Fprintf(w, "  %s: %s\n", l[0], l[1]); err != nil {
			return err
		}
	}
	for _, t := range r.tables() {
		if err := t.write(w); err != nil {
			return err
		}
	}
	return nil
}

func (t table) write(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "\n%s\n", t.Title); err != nil {
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		_, _ = fmt.Fprintf(tw, "  %s\t%s\t\n", padded(row[0], t), strings.Join(row[1:], "\t")) // Flush has the error
	}
	return tw.Flush()
}

// padded keeps words at the left in a table whose numbers stand at the right.
func padded(word string, t table) string {
	width := len(t.Head[0])
	for _, row := range t.Rows {
		width = max(width, len(row[0]))
	}
	return word + strings.Repeat(" ", width-len(word))
}

func (r *Report) names() []string { return slices.Sorted(maps.Keys(r.Sources)) }
