package pmcc_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/yamlform"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

func FuzzParse(f *testing.F) {
	f.Add(pmcc.DefaultYAML())
	for _, s := range []string{"", "version: 1", head + "  name: {why: x, include: [base]}\n", head + "  name: {why: x, include: [{source: self, min_level: 3, human: true}]}\n",
		head + "  name: {why: x, include: [base, base, nobody], rank: [base, base], refuse: [nobody, {matches: \"(\"}, {before: x}, {}]}\n",
		head + "  name/x: {}\n  benefit/a: []\n", "fields: {name: &a {why: *a}}", "version: 1\n---\nversion: 2", "sources: {self: {name: x, confidence: 101}}"} {
		f.Add([]byte(s))
	}
	records := story(f, "base 2020-01-01 name=Ana email=a@b benefit/a=1", "self:3 2021-01-01 name=Eva -email", "receita 2022-01-01 name=Iva")
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := pmcc.Parse("fuzz.yaml", data)
		if err != nil {
			var faults *yamlform.Faults
			if p != nil || !errors.As(err, &faults) || !strings.HasPrefix(err.Error(), "fuzz.yaml") {
				t.Fatalf("%v beside %v", err, p)
			}
			return
		}
		if p.Version < 1 || len(p.Sources) == 0 || len(p.Fields()) == 0 && len(p.Rules) > 0 {
			t.Fatalf("%+v", p)
		}
		if _, err := pmcc.NewComputer(p).Compute(records, nil); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzCompute takes any bytes for the contents of a person's records, the lengths before them.
func FuzzCompute(f *testing.F) {
	whole := story(f, "saude/1 2020-01-01 name=Ana email=a@b+ benefit/a=1", "self:3 2021-01-01 name=Eva -email", "saude/1 2022-01-01 name=Iva", "saude/1 void")
	var seed []byte
	for _, r := range whole {
		seed = append(append(seed, byte(len(r.Content))), r.Content...)
	}
	f.Add(seed)
	f.Add([]byte{3, 1, 9, 0, 3, 1, 0, 0})
	f.Add([]byte{8, 1, 0, 0, 3, 0, 1, 'A', 3, 6, 1, 0, 0, 3, 2, 0, 3, 1, 9, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var records []pmcc.Record
		malformed := false
		for n := 0; len(data) > 0; n++ {
			size := min(int(data[0]), len(data)-1)
			c := record.Content(data[1 : 1+size])
			data = data[1+size:]
			records = append(records, pmcc.Record{ID: record.Floor(arrival.Add(time.Duration(n) * time.Second)),
				Source: []string{"saude", "self", "receita", "nobody"}[n%4], Key: int64(n % 3), Content: c})
			malformed = malformed || !wellFormed(c)
		}
		g, err := pmcc.NewComputer(pmcc.Default()).Compute(records, nil)
		if err != nil {
			if !malformed || !errors.Is(err, record.ErrContent) {
				t.Fatal(err)
			}
			return
		}
		for i, v := range g.Values {
			if v.Record < 0 || v.Record >= len(records) || v.Confidence > 100 {
				t.Fatalf("%+v", v)
			}
			if i > 0 && (g.Values[i-1].Field > v.Field || g.Values[i-1].Field == v.Field && bytes.Compare(g.Values[i-1].Key, v.Key) >= 0) {
				t.Fatalf("%v after %v", v, g.Values[i-1])
			}
			if r, ok := pmcc.Default().Rule(v.Rule); !ok || r.Source != records[v.Record].Source || r.Field != v.Field {
				t.Fatalf("%+v by %v", v, r)
			}
		}
	})
}

func wellFormed(c record.Content) bool {
	_, values, err := c.Open()
	if err != nil {
		return false
	}
	for _, ok := values.Next(); ok; _, ok = values.Next() {
	}
	return values.Err() == nil
}
