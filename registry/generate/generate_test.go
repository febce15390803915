package generate

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
)

// delivery is what a run wrote: each file's bytes by its name.
type delivery map[string][]byte

func deliver(t testing.TB, o Options) (delivery, Report) {
	t.Helper()
	p, err := o.plan()
	if err != nil {
		t.Fatal(err)
	}
	var buffers [outputs]bytes.Buffer
	var out [outputs]io.Writer
	for i := range out {
		if p.wanted[i] {
			out[i] = &buffers[i]
		}
	}
	rep, err := p.writeTo(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	d := delivery{}
	for i := range out {
		if out[i] != nil {
			d[p.fileName(i)] = buffers[i].Bytes()
		}
	}
	return d, rep
}

// told is one line of the truth.
type told struct{ person, source, key, number, given, line string }

func truths(t testing.TB, d delivery) (all []told) {
	t.Helper()
	for line := range strings.Lines(string(d["truth.csv"][len(truthHeader):])) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ";")
		if len(f) != 6 {
			t.Fatalf("%q", line)
		}
		all = append(all, told{f[0], f[1], f[2], f[3], f[4], f[5]})
	}
	return all
}

// text is a file in UTF-8.
func text(t testing.TB, s *source, b []byte) string {
	t.Helper()
	switch {
	case s.utf16:
		units := make([]uint16, 0, len(b)/2)
		for i := 0; i < len(b); i += 2 {
			units = append(units, uint16(b[i])|uint16(b[i+1])<<8)
		}
		return string(utf16.Decode(units))
	case s.form == inLatin1 || s.form == upperLatin1:
		decoded, err := charmap.Windows1252.NewDecoder().Bytes(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(decoded)
	}
	return strings.TrimPrefix(string(b), s.mark)
}

// rows reads a source's file as any CSV reader does.
func rows(t testing.TB, s *source, b []byte) [][]string {
	t.Helper()
	r := csv.NewReader(strings.NewReader(text(t, s, b)))
	r.Comma, r.FieldsPerRecord = rune(s.separator), -1
	all, err := r.ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	if s.header {
		all = all[1:]
	}
	return all
}

func columnOf(s *source, head string) int {
	for i, c := range s.columns {
		if c.head == head {
			return i
		}
	}
	return -1
}

func TestTheFilesDependOnTheSeedAlone(t *testing.T) {
	t.Parallel()

	for _, o := range []Options{{Records: 60_000, Seed: 7, Truth: true}, {Records: 25_000, Seed: 7, Truth: true, Gzip: true},
		{Records: 25_000, Seed: 7, Truth: true, Delta: 30}} {
		o.Workers = 1
		one, _ := deliver(t, o)
		o.Workers = 5
		five, _ := deliver(t, o)
		o.Seed = 8
		other, _ := deliver(t, o)
		for name, b := range one {
			if !bytes.Equal(b, five[name]) {
				t.Errorf("%s: one worker and five differ", name)
			}
			if bytes.Equal(b, other[name]) {
				t.Errorf("%s: seeds 7 and 8 give the same", name)
			}
		}
	}
}

func TestLeavingSourcesOutChangesNoOther(t *testing.T) {
	t.Parallel()

	all, whole := deliver(t, Options{Records: 20_000, Seed: 3})
	two, part := deliver(t, Options{Records: 20_000, Seed: 3, Sources: []string{"saude", "empresas"}})
	if len(two) != 2 || !bytes.Equal(two["saude.csv"], all["saude.csv"]) || !bytes.Equal(two["empresas.csv"], all["empresas.csv"]) {
		t.Errorf("%d files", len(two))
	}
	if whole.Records != 20_000 || part.Records != 20_000 || part.Bytes >= whole.Bytes {
		t.Errorf("%+v\n%+v", whole, part)
	}
}

func TestCompressedFilesHoldTheSame(t *testing.T) {
	t.Parallel()

	plain, _ := deliver(t, Options{Records: 12_000, Seed: 5, Truth: true})
	packed, _ := deliver(t, Options{Records: 12_000, Seed: 5, Truth: true, Gzip: true})
	for name, b := range plain {
		z, err := gzip.NewReader(bytes.NewReader(packed[name+".gz"]))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASecondDeliveryIsMostlyTheSamePeople(t *testing.T) {
	t.Parallel()

	first, _ := deliver(t, Options{Records: 60_000, Seed: 2, Truth: true})
	second, rep := deliver(t, Options{Records: 60_000, Seed: 2, Delta: 10, Truth: true})
	if rep.Records < 5_500 || rep.Records > 6_600 {
		t.Errorf("%d records in the second delivery", rep.Records)
	}
	known, before := map[string]bool{}, map[string]bool{}
	for _, r := range truths(t, first) {
		known[r.source+"/"+r.key] = true
	}
	var fresh, all float64
	for _, r := range truths(t, second) {
		all++
		fresh += share(!known[r.source+"/"+r.key])
	}
	saude := sources[index("saude")]
	same, seen := 0.0, 0.0
	for line := range strings.Lines(string(first["saude.csv"])) {
		before[line] = true
	}
	for line := range strings.Lines(string(second["saude.csv"])) {
		seen++
		same += share(before[line])
	}
	if f := fresh / all; f < 0.01 || f > 0.035 {
		t.Errorf("%.3f of the records are of new people", f)
	}
	if f := same / seen; f < 0.45 || f > 0.55 {
		t.Errorf("%.3f of %s's records are unchanged", f, saude.name)
	}
}

func TestAnyNumberOfRecordsIsReached(t *testing.T) {
	t.Parallel()

	for _, records := range []int64{1, 2, 7, 50, 333, 5_000} {
		for seed := range uint64(20) {
			if _, rep := deliver(t, Options{Records: records, Seed: seed, Sources: []string{"habitacao"}, Workers: 1}); rep.Records != records {
				t.Errorf("%d records of %d with seed %d", rep.Records, records, seed)
			}
		}
	}
}

func TestWrongOptionsAreNamed(t *testing.T) {
	t.Parallel()

	for _, o := range []Options{{}, {Records: -1}, {Records: 1, Delta: 101}, {Records: 1, Delta: math.NaN()}, {Records: 1, Sources: []string{"iptu"}}} {
		if _, err := Files(t.Context(), t.TempDir(), o); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestAFileThatIsThereStays(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	mine := filepath.Join(dir, "saude.csv")
	if err := os.WriteFile(mine, []byte("minha"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Files(t.Context(), dir, Options{Records: 100}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v", err)
	}
	left, err := os.ReadDir(dir)
	if text, _ := os.ReadFile(mine); err != nil || len(left) != 1 || string(text) != "minha" {
		t.Errorf("%v, %v", left, err)
	}
}

func TestAnInterruptedRunLeavesNothing(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := Files(ctx, dir, Options{Records: 1_000_000}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// Ten times the records take the same memory.
func TestMemoryIsFlat(t *testing.T) {
	peak := func(records int64) (most uint64) {
		p, err := Options{Records: records, Seed: 9, Truth: true, Workers: 2}.plan()
		if err != nil {
			t.Fatal(err)
		}
		var out [outputs]io.Writer
		out[0] = watcher(func() {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		})
		if _, err := p.writeTo(t.Context(), out); err != nil {
			t.Fatal(err)
		}
		return most
	}
	small, large := peak(40_000), peak(400_000)
	t.Logf("%d and %d MiB", small>>20, large>>20)
	if large > 2*small+32<<20 {
		t.Errorf("%d MiB for ten times the records, %d before", large>>20, small>>20)
	}
}

// watcher calls a function at every write.
type watcher func()

func (w watcher) Write(b []byte) (int, error) {
	w()
	return len(b), nil
}

func BenchmarkRecords(b *testing.B) {
	for _, c := range []struct {
		name string
		o    Options
	}{{"plain", Options{}}, {"truth", Options{Truth: true}}, {"gzip", Options{Gzip: true}}} {
		b.Run(c.name, func(b *testing.B) {
			var records, written int64
			for b.Loop() {
				c.o.Records, c.o.Seed = 500_000, 1
				p, err := c.o.plan()
				if err != nil {
					b.Fatal(err)
				}
				var out [outputs]io.Writer
				for i := range out {
					out[i] = io.Discard
				}
				rep, err := p.writeTo(b.Context(), out)
				if err != nil {
					b.Fatal(err)
				}
				records, written = records+rep.Records, written+rep.Bytes
			}
			b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(written)/float64(records), "B/record")
		})
	}
}
