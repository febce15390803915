package generate

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/registry/load"
)

// triaged is what the loader makes of one record.
type triaged struct {
	outcome load.Outcome
	cpf     string
	code    string
}

// triage reads a generated file as a load does, by the demo's mapping.
func triage(t *testing.T, path string, s *source, dropped map[string]int) (all []triaged) {
	t.Helper()
	m, err := load.ParseMapping(s.name+".yaml", demo.Mapping(s.name))
	if err != nil {
		t.Fatal(err)
	}
	in, err := load.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := in.Reader(m)
	defer r.Close()
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	p := load.NewParser(now, now)
	var b load.Block
	for {
		if err := r.Next(&b); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		err := p.Parse(&b, func(rec *load.Parsed) error {
			all = append(all, triaged{rec.Outcome, string(rec.CPF), ""})
			for _, d := range rec.Dropped {
				dropped[s.name+" "+d.Code]++
			}
			return nil
		}, func(rej *load.Reject) error {
			all = append(all, triaged{rej.Outcome, "", rej.Code})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The loader must come to the outcome that the truth implies, for every record of every source.
func TestTheLoaderSortsOutWhatTheTruthSays(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	if _, err := Files(t.Context(), dir, Options{Records: 30_000, Seed: 21, Truth: true}); err != nil {
		t.Fatal(err)
	}
	truth, err := os.ReadFile(filepath.Join(dir, "truth.csv"))
	if err != nil {
		t.Fatal(err)
	}
	expected := map[string][]told{}
	for _, r := range truths(t, delivery{"truth.csv": truth}) {
		expected[r.source] = append(expected[r.source], r)
	}
	dropped := map[string]int{}
	for _, s := range sources {
		got, want := triage(t, filepath.Join(dir, s.name+".csv"), s, dropped), expected[s.name]
		if len(got) != len(want) {
			t.Errorf("%s: %d records of %d", s.name, len(got), len(want))
			continue
		}
		for i, g := range got {
			if outcome := outcomeOf(s, want[i]); g.outcome != outcome || outcome == load.Valid && want[i].given == givenRight && g.cpf != want[i].number {
				t.Errorf("%+v: %+v, want %s", want[i], g, outcome)
			}
		}
	}
	for what, n := range dropped {
		if !strings.HasSuffix(what, " cpf_check_digit") && !strings.HasSuffix(what, " cpf_invalid") {
			t.Errorf("%d values left out: %s", n, what)
		}
	}
}

func outcomeOf(s *source, r told) load.Outcome {
	keepsFalse := s.name == "saude" || s.name == "educacao"
	switch {
	case r.line == lineNameless && r.given == givenFalse && !keepsFalse:
		return load.InvalidCPF // the number is looked at first
	case r.line != lineWhole:
		return load.Inconsistent
	case r.given == givenNone, r.given == givenFalse && keepsFalse:
		return load.WithoutCPF
	case r.given == givenFalse:
		return load.InvalidCPF
	}
	return load.Valid
}
