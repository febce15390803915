package match_test

import (
	"cmp"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/loginunico/loginunico/registry/match"
)

// BenchmarkWeight compares pairs of a generated town's records: half of them from one block, which
// agree on much and cost most, half at random.
func BenchmarkWeight(b *testing.B) {
	p := preparedTown(4000)
	md := match.Default()
	b.ReportAllocs()
	before := cpuTime()
	for i := 0; b.Loop(); i++ {
		near := p[(i+1)%len(p)] // the file is in the order of people: a neighbour is the same one, or of the family
		if i%2 == 0 {
			near = p[(i*7919)%len(p)]
		}
		md.Weight(p[i%len(p)], near)
	}
	b.ReportMetric(float64(b.N)/(cpuTime()-before).Seconds()/1e6, "Mpairs/CPU-s")
}

// cpuTime is what the process has used; on a shared machine the clock on the wall says little.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it fails for other arguments only
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkScore(b *testing.B) {
	p := preparedTown(4000)
	md := match.Default()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		md.Score(p[i%len(p)], p[(i+1)%len(p)])
	}
}

func BenchmarkPrepare(b *testing.B) {
	records, _ := newTown(3, 4000).file()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		match.Prepare(records[i%len(records)])
	}
}

func BenchmarkKeys(b *testing.B) {
	p := preparedTown(4000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p[i%len(p)].Keys()
	}
}

func BenchmarkLinkFEBRL3(b *testing.B) {
	records, _ := febrl(b)
	for b.Loop() {
		match.Link(records)
	}
}

func preparedTown(people int) []*match.Prepared {
	t := newTown(3, people)
	records, truth := t.file()
	byPerson := func(a, b match.Subject) int { return cmp.Compare(truth[a.ID], truth[b.ID]) }
	slices.SortStableFunc(records, byPerson)
	out := make([]*match.Prepared, len(records))
	for i := range records {
		out[i] = match.Prepare(records[i])
	}
	return out
}
