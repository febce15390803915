package load_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/registry/load"
	"github.com/loginunico/loginunico/registry/record"
)

var (
	now       = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	effective = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

// minimal is a mapping of columns ID, CPF, NOME.
const minimal = `source: base
name: Uma base
encoding: utf-8
key: [ID]
fields:
  cpf: CPF
  name: NOME
`

func mapping(t testing.TB, text string) *load.Mapping {
	t.Helper()
	m, err := load.ParseMapping("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// with is minimal with a key replaced or added.
func with(lines ...string) string {
	text := minimal
	for _, line := range lines {
		key, _, _ := strings.Cut(line, ":")
		var kept []string
		for old := range strings.SplitSeq(text, "\n") {
			if !strings.HasPrefix(old, key+":") {
				kept = append(kept, old)
			}
		}
		text = line + "\n" + strings.Join(kept, "\n")
	}
	return text
}

// parsed renders each record of a file as one line of text.
func parsed(t testing.TB, r *load.Reader) ([]string, error) {
	t.Helper()
	var out []string
	p, b := load.NewParser(effective, now), &load.Block{}
	for {
		err := r.Next(b)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		err = p.Parse(b, func(rec *load.Parsed) error {
			out = append(out, render(t, rec))
			return nil
		}, func(rej *load.Reject) error {
			out = append(out, fmt.Sprintf("%d %s %s %s", rej.Line, rej.Outcome, rej.Code, rej.Raw))
			return nil
		})
		if err != nil {
			return out, err
		}
	}
}

func render(t testing.TB, rec *load.Parsed) string {
	t.Helper()
	header, values, err := rec.Content.Open()
	if err != nil || header.Level != 0 {
		t.Fatalf("line %d: level %d, %v", rec.Line, header.Level, err)
	}
	line := fmt.Sprintf("%d %s [%s]", rec.Line, rec.Outcome, strings.Join(keyParts(t, rec.Key), "|"))
	if header.Effective != effective.Unix() {
		line += " " + time.Unix(header.Effective, 0).UTC().Format("2006-01-02")
	}
	for v, ok := values.Next(); ok; v, ok = values.Next() {
		line += " " + record.Join(v.Field, string(v.Key)) + "=" + strings.ReplaceAll(string(v.Text), "\x1f", "|")
	}
	if values.Err() != nil {
		t.Fatalf("line %d: %v", rec.Line, values.Err())
	}
	for _, d := range rec.Dropped {
		line += " -" + d.Code
	}
	return line
}

func keyParts(t testing.TB, key []byte) (parts []string) {
	t.Helper()
	for len(key) > 0 {
		n, size := binary.Uvarint(key)
		if size <= 0 || int(n) > len(key)-size {
			t.Fatalf("key %q", key)
		}
		parts = append(parts, string(key[size:size+int(n)]))
		key = key[size+int(n):]
	}
	return parts
}

// lines parses a text with a mapping.
func lines(t testing.TB, yaml, text string) []string {
	t.Helper()
	out, err := parsed(t, load.NewReader(strings.NewReader(text), mapping(t, yaml), 1<<20, load.MaxRecord))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
