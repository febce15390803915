package pmcc_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// everything has every way to win, every right and every condition.
var everything = []string{
	"name: {rank: [base, other, weak, self], include: [base, other, weak, self], change: [base, other, weak, {source: self, min_level: 3, human: true}], refuse: [nobody, one_letter]}",
	"email: {wins: newest, rank: [self, base], include: [base, other, self], change: [base, other, weak, {source: self, min_level: 3}], exclude: [{source: self, min_level: 2}, base]}",
	"mother_name: {wins: confidence, include: [base, other, weak], change: [base, other, weak], exclude: [weak]}",
	"death: {rank: [base, other], include: [base, {source: other, human: true}], change: [base, {source: other, human: true}], exclude: [base], refuse: [{before: \"2000-01-01\"}]}",
	"benefit: {wins: newest, include: [base, other], change: [base, other], exclude: [base, other]}",
	"complement: {wins: confidence, rank: [other], include: [base, {source: other, human: true}, weak], change: [base, other, weak], exclude: [base, other, weak]}",
}

// scene is a person: records in the order of one arrival and what humans decided.
type scene struct {
	records   []pmcc.Record
	overrides []pmcc.Override
}

func randomScene(t *testing.T, r *rand.Rand) (s scene) {
	for n := range 2 + r.IntN(9) {
		s.records = append(s.records, said(t, randomLine(r), n))
	}
	for n := range r.IntN(4) {
		lines := []string{"approve name #", "refuse name #", "approve death #", "refuse complement/a #", "set name=Rita", "remove email", "release name", "set benefit/a=9"}
		line := strings.Replace(lines[r.IntN(len(lines))], "#", fmt.Sprint(r.IntN(len(s.records))), 1)
		o := decided(t, s.records, line)[0]
		o.ID = record.Floor(arrival.Add(time.Hour + time.Duration(n)*time.Minute))
		s.overrides = append(s.overrides, o)
	}
	return s
}

// randomLine has few sources, keys, days and texts, so that everything meets everything.
func randomLine(r *rand.Rand) string {
	line := fmt.Sprintf("%s/%d", []string{"base", "other", "weak", "stranger"}[min(r.IntN(13)/4, 3)], r.IntN(3))
	if r.IntN(4) == 0 {
		line = fmt.Sprintf("self/%d:%d", r.IntN(1<<20), 1+r.IntN(5))
	} else if r.IntN(12) == 0 {
		return line + " void"
	}
	line += fmt.Sprintf(" 20%02d-0%d-01", 20+r.IntN(3), 1+r.IntN(2))
	for _, v := range [][]string{
		{"name=Ana", "name=ANA", "name=Eva", "name=Iva", "name=TESTE", "name=XX"},
		{"email=a@b", "email=a@b+", "email=c@d", "email=e@f+", "-email"},
		{"mother_name=Eva", "mother_name=Iva", "-mother_name"},
		{"death=2020-05-05", "death=2021-05-05", "death=1999-05-05"},
		{"benefit/a=1", "benefit/a=2", "-benefit/a"},
		{"benefit/b=1", "benefit/b=2"},
		{"complement/a=1", "complement/a=2", "complement/a=3", "-complement/a"},
	} {
		if r.IntN(2) == 0 {
			line += " " + v[r.IntN(len(v))]
		}
	}
	return line
}

// arriving gives the same records in another order of arrival. Only what has no other order keeps
// its own: deliveries of one record with one date, the end of a record beside its versions, and what
// a citizen says in one second.
func (s scene) arriving(r *rand.Rand) (other scene, was []int) {
	left := make([]int, len(s.records))
	for i := range left {
		left[i] = i
	}
	ids := map[[16]byte][16]byte{}
	for n := range s.records {
		free := slices.DeleteFunc(slices.Clone(left), func(i int) bool {
			return slices.ContainsFunc(left, func(j int) bool { return j < i && ordered(&s.records[j], &s.records[i]) })
		})
		i := free[r.IntN(len(free))]
		left = slices.DeleteFunc(left, func(j int) bool { return j == i })
		moved := s.records[i]
		moved.ID = s.records[n].ID
		ids[s.records[i].ID] = moved.ID
		other.records, was = append(other.records, moved), append(was, i)
	}
	for _, o := range s.overrides {
		if o.Action == pmcc.Approve || o.Action == pmcc.Refuse {
			o.Record = ids[o.Record]
		}
		other.overrides = append(other.overrides, o)
	}
	// Records of several people who are one stand person by person, not by arrival.
	r.Shuffle(len(was), func(i, j int) {
		other.records[i], other.records[j] = other.records[j], other.records[i]
		was[i], was[j] = was[j], was[i]
	})
	return other, was
}

func ordered(a, b *pmcc.Record) bool {
	if a.Source != b.Source {
		return false
	}
	ha, _, _ := a.Content.Open()
	hb, _, _ := b.Content.Open()
	void := a.Content.IsVoid() || b.Content.IsVoid()
	if a.Source == pmcc.SourceSelf {
		return ha.Effective == hb.Effective
	}
	return a.Key == b.Key && (void || ha.Effective == hb.Effective)
}

func TestTheOrderOfArrivalNeverCounts(t *testing.T) {
	t.Parallel()

	p := policy(t, everything...)
	r := rand.New(rand.NewPCG(1, 156))
	told := 0
	computer, another := pmcc.NewComputer(p), pmcc.NewComputer(p) // both used again and again
	for n := range 1000 {
		s := randomScene(t, r)
		want := computed(t, computer, p, s, nil)
		told += len(want)
		for range 3 {
			o, was := s.arriving(r)
			if got := computed(t, another, p, o, was); !slices.Equal(got, want) {
				t.Fatalf("case %d\nfirst %q\nthen  %q", n, want, got)
			}
		}
	}
	if told < 1000*5 {
		t.Errorf("the cases say little: %d lines", told)
	}
}

// computed renders with the places that records had first.
func computed(t *testing.T, c *pmcc.Computer, p *pmcc.Policy, s scene, was []int) []string {
	t.Helper()
	g, err := c.Compute(s.records, s.overrides)
	if err != nil {
		t.Fatal(err)
	}
	place := func(n int) string {
		if was != nil && n != pmcc.Manual {
			n = was[n]
		}
		return fmt.Sprint(n)
	}
	lines := rendered(p, g, place)
	for _, v := range g.Declared {
		lines = append(lines, fmt.Sprintf("says %s=%s #%s %d %d", record.Join(v.Field, string(v.Key)), v.Text, place(v.Record), v.Confirmed, v.Effective))
	}
	for _, v := range g.Values {
		lines = append(lines, fmt.Sprintf("%s since %d, answered %d", record.Join(v.Field, string(v.Key)), v.Effective, v.Confirmed))
	}
	return lines
}

func TestADuplicateChangesNothing(t *testing.T) {
	t.Parallel()

	p := policy(t, everything...)
	r := rand.New(rand.NewPCG(2, 156))
	c := pmcc.NewComputer(p)
	values := func(records []pmcc.Record) (lines []string) {
		g, err := c.Compute(records, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range g.Values {
			lines = append(lines, fmt.Sprintf("%s=%s %d %d %d", record.Join(v.Field, string(v.Key)), v.Text, v.Rule, v.Confidence, v.Effective))
		}
		for _, v := range g.Pending {
			lines = append(lines, fmt.Sprintf("?%s=%s", record.Join(v.Field, string(v.Key)), v.Text))
		}
		return lines
	}
	for n := range 1000 {
		s := randomScene(t, r)
		want := values(s.records)
		again := s.records[r.IntN(len(s.records))]
		if i := slices.IndexFunc(s.records, func(o pmcc.Record) bool { return ordered(&again, &o) && o.ID != again.ID }); i >= 0 {
			continue // then one of the two is the later, and delivering the earlier again says it anew
		}
		again.ID = record.Floor(arrival.Add(30 * time.Minute))
		if got := values(append(slices.Clone(s.records), again)); !slices.Equal(got, want) {
			t.Fatalf("case %d: a second delivery\nfirst %q\nthen  %q", n, want, got)
		}
	}
}
