package registry_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// FuzzUnpack: an opened part is read whole or is malformed, whatever its bytes; a person whose
// column was written by a newer release, or by nobody, is an error and no panic.
func FuzzUnpack(f *testing.F) {
	records := []pmcc.Record{
		{ID: record.Floor(now), Source: "saude", Key: 1, Content: contentOf(f, 0, "name=Ana benefit/bpc=2020 cns=1 mother_name=Eva death=2020-01-01")},
		{ID: record.Floor(now.AddDate(1, 0, 0)), Source: "self", Key: 2, Content: contentOf(f, 3, "phone_number=1 email=a@b")}}
	golden, err := pmcc.NewComputer(pmcc.Default()).Compute(records, []pmcc.Override{{ID: record.Floor(now), Action: pmcc.Set, Field: record.RG, Text: "1"}})
	if err != nil {
		f.Fatal(err)
	}
	for part, plain := range registry.Pack(golden, records, 1) {
		f.Add(plain, part)
		if plain == nil {
			f.Fatalf("part %d is not among the seeds", part)
		}
		if fields, _, err := registry.Unpack(plain, part); err != nil || len(fields) == 0 {
			f.Fatalf("part %d: %v, %v", part, fields, err)
		}
	}
	f.Add([]byte{1, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, 0)
	f.Add([]byte{1, 3, 4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, 1)
	f.Fuzz(func(t *testing.T, plain []byte, part int) {
		fields, policy, err := registry.Unpack(plain, int(uint(part)%6))
		if err != nil && !errors.Is(err, registry.ErrUnpack) {
			t.Fatal(err)
		}
		if policy < 0 || len(fields) > len(plain) {
			t.Fatalf("policy %d, %d values of %d bytes", policy, len(fields), len(plain))
		}
	})
}

func contentOf(t testing.TB, level int, text string) record.Content {
	t.Helper()
	c := record.Begin(nil, level, now)
	for _, v := range valuesOf(t, strings.Fields(text)) {
		c = c.Append(v)
	}
	return c
}

// Packing and unpacking give back every value, with its rule, dates and confidence, to the record
// it came from.
func TestWhatIsPackedComesBack(t *testing.T) {
	t.Parallel()

	records := []pmcc.Record{
		{ID: record.Floor(now), Source: "fazenda", Key: 1, Content: contentOf(t, 0, "phone_number=1")}, // gives nothing in the end
		{ID: record.Floor(now.AddDate(0, 0, 1)), Source: "saude", Key: 2, Content: contentOf(t, 0, "name=Ana phone_number=2 cns=3")}}
	golden, err := pmcc.NewComputer(pmcc.Default()).Compute(records, nil)
	if err != nil {
		t.Fatal(err)
	}
	parts := registry.Pack(golden, records, 70_000)
	got, policy, err := registry.Unpack(parts[record.Identity], 0)
	name := got["name"]
	if err != nil || policy != 70_000 || len(got) != 1 || name.Text != "Ana" || name.Source != "saude" || name.Record != records[1].ID ||
		name.Confidence != 80 || !name.At.Equal(now) {
		t.Errorf("%+v, policy %d, %v", got, policy, err)
	}
	if r, ok := pmcc.Default().Rule(name.Rule); !ok || r.Field != record.Name || r.Source != "saude" {
		t.Errorf("let in by %v", r)
	}
	for part, plain := range parts {
		whole, _, err := registry.Unpack(plain, part)
		if plain != nil && err != nil {
			t.Errorf("part %d: %v", part, err)
		}
		for cut := range plain {
			if fields, _, err := registry.Unpack(plain[:cut], part); err == nil && len(fields) >= len(whole) {
				t.Errorf("part %d cut at %d of %d gives %d values", part, cut, len(plain), len(fields))
			}
		}
	}
}

// FuzzRecordsIn: an opened row is read whole or is malformed, whatever its bytes.
func FuzzRecordsIn(f *testing.F) {
	row, people := record.Floor(now), []registry.PersonID{{1}, {2}}
	records := [][]pmcc.Record{
		{{Source: "saude", Key: 1, Content: contentOf(f, 0, "name=Ana")}, {Source: "fazenda", Key: -2, Content: contentOf(f, 0, "name=Ana")}},
		{{Source: "saude", Key: 3, Content: contentOf(f, 0, "name=Eva")}}}
	plain := registry.SharedRow(row, people, records)
	n := 0
	err := registry.RecordsIn(uuid.Nil, row, plain, func(person registry.PersonID, r pmcc.Record) {
		want := records[n/2][n%2]
		if person != people[n/2] || r.ID != want.ID || int(r.ID[15]) != n || r.Source != want.Source || r.Key != want.Key || !bytes.Equal(r.Content, want.Content) {
			f.Errorf("record %d: %v of %v, want %v", n, r, person, want)
		}
		n++
	})
	if err != nil || n != 3 {
		f.Fatalf("%d records, %v", n, err)
	}
	for cut := range plain {
		f.Add(plain[:cut])
	}
	f.Add(append(plain, plain[1:]...))
	f.Fuzz(func(t *testing.T, plain []byte) {
		n := 0
		err := registry.RecordsIn(uuid.Nil, row, plain, func(_ registry.PersonID, r pmcc.Record) {
			if n++; n > 256 || len(r.Content) > len(plain) {
				t.Fatalf("record %d of %d bytes from %d", n, len(r.Content), len(plain))
			}
		})
		if err != nil && !errors.Is(err, registry.ErrUnpack) {
			t.Fatal(err)
		}
	})
}
