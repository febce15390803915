package pmcc_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// arrival is when the first record of a story comes in; the others follow a minute apart.
var arrival = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// head is the sources of the policies that tests write.
const head = `version: 7
title: Test
sources:
  base:  {name: Base, confidence: 80}
  other: {name: Other, confidence: 60}
  weak:  {name: Weak, confidence: 40}
  self:  {name: Self, confidence: 50}
lists:
  nobody: [NÃO CONSTA, TESTE]
fields:
`

// policy gives one field, or several, their rules: "name: {include: [base], …}".
func policy(t testing.TB, fields ...string) *pmcc.Policy {
	t.Helper()
	text := head
	for _, f := range fields {
		name, rules, _ := strings.Cut(f, ": {")
		text += "  " + name + ": {why: because, " + rules + "\n"
	}
	p, err := pmcc.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// said reads a record: source, what may follow it of "/key" and ":level", the day since when it is
// so, and values:
//
//	name=Ana_Lima     a value, with _ for a space
//	email=a@b+        confirmed that day
//	-benefit/bpc      the source has none any more
//
// "void" instead of a day makes the record void.
func said(t testing.TB, line string, n int) pmcc.Record {
	t.Helper()
	words := strings.Fields(line)
	source, level, _ := strings.Cut(words[0], ":")
	source, key, _ := strings.Cut(source, "/")
	r := pmcc.Record{ID: record.Floor(arrival.Add(time.Duration(n) * time.Minute)), Source: source, Key: int64(1000 + n)}
	if key != "" {
		number, err := strconv.Atoi(key)
		if err != nil {
			t.Fatal(err)
		}
		r.Key = int64(number)
	}
	if words[1] == "void" {
		r.Content = record.Void(arrival)
		return r
	}
	day, err := time.Parse(time.DateOnly, words[1])
	if err != nil {
		t.Fatal(err)
	}
	number, _ := strconv.Atoi(level) // "" is a source's 0
	r.Content = contentOf(t, number, day, words[2:])
	return r
}

func contentOf(t testing.TB, level int, day time.Time, words []string) record.Content {
	t.Helper()
	var values []record.Value
	for _, w := range words {
		name, text, _ := strings.Cut(strings.TrimPrefix(w, "-"), "=")
		f, key, ok := record.Parse(name)
		if !ok {
			t.Fatalf("no field: %s", w)
		}
		v := record.Value{Field: f, Key: []byte(key), Excluded: w[0] == '-'}
		text, confirmed := strings.CutSuffix(text, "+")
		if confirmed {
			v.Confirmed = day.Unix()
		}
		v.Text = []byte(strings.ReplaceAll(text, "_", " "))
		values = append(values, v)
	}
	record.Sort(values)
	c := record.Begin(nil, level, day)
	for _, v := range values {
		c = c.Append(v)
	}
	return c
}

func story(t testing.TB, lines ...string) (records []pmcc.Record) {
	t.Helper()
	for n, line := range lines {
		records = append(records, said(t, line, n))
	}
	return records
}

// decided reads an override: "set name=Ana", "remove name", "release name", "approve name 2",
// "refuse name 2" with the place of the record among records.
func decided(t testing.TB, records []pmcc.Record, lines ...string) (overrides []pmcc.Override) {
	t.Helper()
	for n, line := range lines {
		words := strings.Fields(line)
		name, text, _ := strings.Cut(words[1], "=")
		f, key, ok := record.Parse(name)
		if !ok {
			t.Fatalf("no field: %s", line)
		}
		o := pmcc.Override{ID: record.Floor(arrival.Add(time.Hour + time.Duration(n)*time.Minute)), Action: pmcc.Action(words[0]), Field: f, Key: key,
			Text: strings.ReplaceAll(text, "_", " ")}
		if len(words) > 2 {
			at, err := strconv.Atoi(words[2])
			if err != nil {
				t.Fatal(err)
			}
			o.Record = records[at].ID
		}
		overrides = append(overrides, o)
	}
	return overrides
}

// compute decides and renders, a line for each thing decided, in one order.
func compute(t testing.TB, p *pmcc.Policy, records []pmcc.Record, overrides []pmcc.Override) []string {
	t.Helper()
	g, err := pmcc.NewComputer(p).Compute(records, overrides)
	if err != nil {
		t.Fatal(err)
	}
	return rendered(p, g, func(n int) string { return strconv.Itoa(n) })
}

// rendered is
//
//	name=Ana #0 80 by change other      value, its record, confidence, the rule that let it in
//	email=a@b #0 50 by include self +   confirmed
//	?name=Eva #1 by change self         waits
//	!name #1 lost                       refused
//	~name                               sources disagree
//
// with the citizen's own words left to [declared].
func rendered(p *pmcc.Policy, g *pmcc.Golden, name func(int) string) (lines []string) {
	by := func(n int) string {
		r, ok := p.Rule(n)
		if !ok {
			return "no rule"
		}
		return fmt.Sprintf("%s %s", r.Op, r.Source)
	}
	for _, v := range g.Values {
		line := fmt.Sprintf("%s=%s #%s %d by %s", record.Join(v.Field, string(v.Key)), v.Text, name(v.Record), v.Confidence, by(v.Rule))
		if v.Record == pmcc.Manual {
			line = fmt.Sprintf("%s=%s %d by a human", record.Join(v.Field, string(v.Key)), v.Text, v.Confidence)
		}
		if v.Confirmed != 0 {
			line += " +"
		}
		lines = append(lines, line)
	}
	for _, w := range g.Pending {
		lines = append(lines, fmt.Sprintf("?%s=%s #%s by %s", record.Join(w.Field, string(w.Key)), w.Text, name(w.Record), by(w.Rule)))
	}
	for _, r := range g.Refused {
		lines = append(lines, fmt.Sprintf("!%s #%s %s", r.Field, name(r.Record), r.Code))
	}
	for _, f := range g.Conflicts {
		lines = append(lines, "~"+f.String())
	}
	slices.Sort(lines)
	return lines
}

// declared renders what the citizen says.
func declared(t testing.TB, p *pmcc.Policy, records []pmcc.Record) (lines []string) {
	t.Helper()
	g, err := pmcc.NewComputer(p).Compute(records, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range g.Declared {
		lines = append(lines, fmt.Sprintf("%s=%s #%d", record.Join(v.Field, string(v.Key)), v.Text, v.Record))
	}
	slices.Sort(lines)
	return lines
}
