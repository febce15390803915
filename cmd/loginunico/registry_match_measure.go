package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/loginunico/loginunico/registry/match"
)

func runMatchMeasure(_ context.Context, args []string, out io.Writer) error {
	given := flags("registry match measure")
	columns := given.String("columns", "", "COLUMN=FIELD,…")
	pattern := given.String("truth", `^[^0-9]*([0-9]+)`, "pattern")
	pairsTo := given.String("pairs", "", "file")
	files, err := parse(given, args, 1, 2)
	if err != nil {
		return err
	}
	person, err := regexp.Compile(*pattern)
	if err != nil || person.NumSubexp() < 1 {
		return errUsage("-truth needs a regular expression with a group")
	}
	m := measurement{person: person, columns: match.Columns{}}
	for _, pair := range strings.Split(*columns, ",") {
		column, field, ok := strings.Cut(pair, "=")
		if !ok {
			return errUsage("-columns is COLUMN=FIELD, with commas")
		}
		m.columns[strings.TrimSpace(column)] = strings.TrimSpace(field)
	}
	start := time.Now()
	if err := m.link(files); err != nil {
		return err
	}
	q := m.quality
	fmt.Fprintf(out, "%d records, %d pairs in %s\nright %d, wrong %d, missed %d\nprecision %.4f, recall %.4f, F1 %.4f\n",
		m.records, len(m.pairs), time.Since(start).Round(time.Millisecond), q.Found, q.Wrong, q.Missed, q.Precision, q.Recall, q.F1)
	if *pairsTo == "" {
		return nil
	}
	return m.write(*pairsTo)
}

// measurement is one linking of labelled records.
type measurement struct {
	person  *regexp.Regexp
	columns match.Columns
	records int
	pairs   []match.Pair
	quality match.Quality
}

func (m *measurement) link(files []string) error {
	first, truth, err := m.read(files[0])
	if err != nil {
		return err
	}
	if len(files) == 1 {
		m.pairs, _ = match.Link(first)
		m.quality = match.Evaluate(truth, m.pairs)
		return nil
	}
	second, truthOfSecond, err := m.read(files[1])
	if err != nil {
		return err
	}
	m.pairs, _ = match.LinkTwo(first, second)
	m.quality = match.EvaluateTwo(truth, truthOfSecond, m.pairs)
	return nil
}

func (m *measurement) read(path string) ([]match.Subject, map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()
	records, err := match.ReadCSV(f, m.columns)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	truth := make(map[string]string, len(records))
	for _, r := range records {
		label := m.person.FindStringSubmatch(r.ID)
		if label == nil {
			return nil, nil, fmt.Errorf("%s: the id %q does not fit -truth", path, r.ID)
		}
		truth[r.ID] = label[1]
	}
	m.records += len(records)
	return records, truth, nil
}

// write keeps the pairs, which tell who is whom, for their owner alone.
func (m *measurement) write(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for _, p := range m.pairs {
		if _, err := fmt.Fprintf(f, "%q,%q,%.2f\n", p.A, p.B, p.Weight); err != nil {
			_ = f.Close()
			return err
		}
	}
	return f.Close()
}
