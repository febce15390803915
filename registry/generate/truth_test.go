package generate

import (
	"math"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/brdoc"
)

// The published figures: 88.7 million records, 44.6 million distinct CPFs of which 1.15 million are
// false; 3.6 % without CPF and a third of the people in one base only are the reference's.
func TestProportions(t *testing.T) {
	t.Parallel()

	d, rep := deliver(t, Options{Records: 120_000, Seed: 1, Truth: true})
	var people, none, lines float64
	bases := map[string]map[string]bool{}
	for _, r := range truths(t, d) {
		if r.source == "empresas" {
			continue
		}
		people++
		none += share(r.given == givenNone)
		lines += share(r.line != lineWhole)
		if bases[r.person] == nil {
			bases[r.person] = map[string]bool{}
		}
		bases[r.person][r.source] = true
	}
	single := 0.0
	for _, b := range bases {
		single += share(len(b) == 1)
	}
	distinct, wrong := givenCPFs(t, d)
	for _, c := range []struct {
		what           string
		got, want, off float64
	}{
		{"records per CPF", people / distinct, 88.7 / 44.6, 0.05},
		{"false CPFs", wrong / distinct, 0.0258, 0.0015},
		{"records without CPF", none / people, 0.036, 0.002},
		{"people in one base", single / float64(len(bases)), 0.333, 0.02},
		{"broken lines", lines / people, 0.001, 0.0003},
		{"records per household", float64(rep.Records) / recordsPerHousehold / (float64(rep.People) / 2.57), 1, 0.02},
		{"organizations", float64(rep.Source["empresas"]) / float64(rep.Records), 0.017, 0.002},
	} {
		if math.Abs(c.got-c.want) > c.off {
			t.Errorf("%s: %.4f, want %.4f ± %.4f", c.what, c.got, c.want, c.off)
		} else {
			t.Logf("%s: %.4f", c.what, c.got)
		}
	}
}

func share(yes bool) float64 { return float64(at(yes)) }

// givenCPFs counts the distinct CPFs in the files of people, and the false among them.
func givenCPFs(t *testing.T, d delivery) (distinct, wrong float64) {
	t.Helper()
	valid := map[string]bool{}
	for i, s := range sources[:companies] {
		at := columnOf(s, map[int]string{1: "cpf", 5: "2"}[i])
		if at < 0 {
			at = columnOf(s, "CPF")
		}
		for _, row := range rows(t, s, d[s.name+".csv"]) {
			if len(row) != len(s.columns) || row[at] == "" {
				continue
			}
			cpf := strings.NewReplacer(".", "", "-", "").Replace(row[at])
			if len(cpf) == 9 || len(cpf) == 10 {
				cpf = strings.Repeat("0", 11-len(cpf)) + cpf
			}
			_, err := brdoc.ParseCPF(cpf)
			valid[cpf] = err == nil
		}
	}
	for _, ok := range valid {
		wrong += share(!ok)
	}
	return float64(len(valid)), wrong
}

// What the truth says of a number and of a line is so in the file; the keys are the files' own.
func TestTruthIsTrue(t *testing.T) {
	t.Parallel()

	d, _ := deliver(t, Options{Records: 30_000, Seed: 11, Truth: true})
	at := map[string]int{}
	files := map[string][][]string{}
	for _, s := range sources {
		files[s.name] = rows(t, s, d[s.name+".csv"])
	}
	keys := map[string]bool{}
	for _, r := range truths(t, d) {
		s := sources[index(r.source)]
		row := files[s.name][at[s.name]]
		at[s.name]++
		if r.line == lineColumns {
			if len(row) == len(s.columns) {
				t.Fatalf("%v: not broken", r)
			}
			continue
		}
		if len(row) != len(s.columns) {
			t.Fatalf("%v: %d columns of %d", r, len(row), len(s.columns))
		}
		if keys[r.source+r.key] {
			t.Errorf("%v: the key has been there", r)
		}
		keys[r.source+r.key] = true
		checkRow(t, s, row, r)
	}
}

func index(name string) int {
	for i, s := range sources {
		if s.name == name {
			return i
		}
	}
	return -1
}

func checkRow(t *testing.T, s *source, row []string, r told) {
	t.Helper()
	if name := row[s.nameColumn]; (name == "") != (r.line == lineNameless) {
		t.Errorf("%v: name %q", r, name)
	}
	if s.index == companies {
		c, err := brdoc.ParseCNPJ(row[1])
		if (err == nil) != (r.given == givenRight) || err == nil && c.Text() != r.number {
			t.Errorf("%v: %q", r, row[1])
		}
		return
	}
	typed := row[max(columnOf(s, "CPF"), columnOf(s, "cpf"), columnOf(s, "2"))]
	bare := strings.NewReplacer(".", "", "-", "").Replace(typed)
	if len(bare) == 9 || len(bare) == 10 {
		bare = strings.Repeat("0", 11-len(bare)) + bare
	}
	_, err := brdoc.ParseCPF(bare)
	ok := map[string]bool{
		givenNone:  typed == "",
		givenFalse: typed != "" && err != nil,
		givenRight: err == nil && bare == r.number,
		givenOther: err == nil && bare != r.number,
	}[r.given]
	if !ok {
		t.Errorf("%v: %q, %v", r, typed, err)
	}
}
