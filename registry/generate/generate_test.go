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

	"github.com/loginunico/loginunico/internal/brdoc"
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

	for _, o := range []Options{{Records: 60_000, Seed: 7, Truth: true}, {Records: 40_000, Seed: 7, Truth: true, Gzip: true},
		{Records: 40_000, Seed: 7, Truth: true, Delta: 30}} {
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

// The published figures: 88.7 million records, 44.6 million distinct CPFs of which 1.15 million are
// false; 3.6 % without CPF and a third of the people in one base only are the reference's.
func TestProportions(t *testing.T) {
	t.Parallel()

	d, rep := deliver(t, Options{Records: 250_000, Seed: 1, Truth: true})
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

	d, _ := deliver(t, Options{Records: 60_000, Seed: 11, Truth: true})
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

func TestNobodyHasTheCPFOfADemoPerson(t *testing.T) {
	t.Parallel()

	for cpf := range reserved {
		offset := uint64(0)
		body := cpf / 100
		n := body * inverseOf(387420489) % bodies
		if n*387420489%bodies != body {
			t.Fatal("the inverse is wrong")
		}
		if got := cpfOf(offset, n); got != noCPF {
			t.Errorf("person %d has %d", n, got)
		}
		if got := cpfOf(offset, n+1); !validCPF(got) {
			t.Errorf("person %d has %d", n+1, got)
		}
	}
}

// inverseOf is the inverse modulo 10⁹ (φ(10⁹) = 4·10⁸).
func inverseOf(n uint64) uint64 {
	result, power := uint64(1), n%bodies
	for e := uint64(400_000_000 - 1); e > 0; e >>= 1 {
		if e&1 == 1 {
			result = result * power % bodies
		}
		power = power * power % bodies
	}
	return result
}

func TestDocumentsHaveTheirCheckDigits(t *testing.T) {
	t.Parallel()

	r := mixed(1)
	for range 5000 {
		if n := nisOf(&r); weighed(n, 11, []int{3, 2, 9, 8, 7, 6, 5, 4, 3, 2, 1})%11 > 1 {
			t.Fatalf("NIS %d", n) // a sum of 1 is a check digit of 10, written 0
		}
		if n := cnsOf(&r); weighed(n, 15, []int{15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1})%11 != 0 {
			t.Fatalf("CNS %d", n)
		}
		n := voterOf(&r)
		d1 := weighed(n/10000, 8, []int{2, 3, 4, 5, 6, 7, 8, 9}) % 11 % 10
		d2 := (6*8 + d1*9) % 11 % 10
		if n/100%100 != 6 || int(n%100) != d1*10+d2 {
			t.Fatalf("título %d", n)
		}
	}
	letters := 0
	for n := range uint64(700) {
		cnpj := cnpjOf(12345, n)
		if _, err := brdoc.ParseCNPJ(string(cnpj[:])); err != nil {
			t.Fatalf("CNPJ %s", cnpj)
		}
		letters += at(cnpj[0] >= 'A')
	}
	if letters != 100 {
		t.Errorf("%d of 700 CNPJs have letters", letters)
	}
	for _, code := range append(birthplaces, cityCode) {
		if sum := ibgeSum(code); sum%10 != 0 {
			t.Errorf("IBGE code %s", code)
		}
	}
}

// ibgeSum adds the digits of each digit × 1, 2, 1, 2, 1, 2 and the check digit.
func ibgeSum(code string) (sum int) {
	for i, c := range []byte(code) {
		d := int(c-'0') * (1 + i%2)
		sum += d/10 + d%10
	}
	return sum
}

func weighed(n uint64, width int, weights []int) (sum int) {
	for i := width - 1; i >= 0; i-- {
		sum += int(n%10) * weights[i]
		n /= 10
	}
	return sum
}

func TestCompressedFilesHoldTheSame(t *testing.T) {
	t.Parallel()

	plain, _ := deliver(t, Options{Records: 30_000, Seed: 5, Truth: true})
	packed, _ := deliver(t, Options{Records: 30_000, Seed: 5, Truth: true, Gzip: true})
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

	first, _ := deliver(t, Options{Records: 120_000, Seed: 2, Truth: true})
	second, rep := deliver(t, Options{Records: 120_000, Seed: 2, Delta: 10, Truth: true})
	if rep.Records < 11_300 || rep.Records > 12_900 {
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
	small, large := peak(80_000), peak(800_000)
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
