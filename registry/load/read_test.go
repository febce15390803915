package load_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/loginunico/loginunico/registry/load"
)

func utf16Bytes(order binary.AppendByteOrder, text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

func TestEveryEncodingGivesTheSameRecords(t *testing.T) {
	t.Parallel()

	const text = "ID;CPF;NOME\n1;52998224725;JOÃO D'ÁVILA\n"
	want := []string{"2 valid [1] cpf=52998224725 name=João D'Ávila"}
	for name, c := range map[string]struct{ encoding, file string }{
		"UTF-8":               {"utf-8", text},
		"UTF-8 with mark":     {"UTF-8", "\uFEFF" + text},
		"ISO 8859-1":          {"iso-8859-1", string(latin1(text))},
		"windows-1252":        {"windows-1252", string(latin1(text))},
		"UTF-16LE":            {"utf-16le", utf16Bytes(binary.LittleEndian, text)},
		"UTF-16LE with mark":  {"utf-16le", utf16Bytes(binary.LittleEndian, "\uFEFF"+text)},
		"UTF-16BE with mark":  {"utf-16be", utf16Bytes(binary.BigEndian, "\uFEFF"+text)},
		"CR LF":               {"utf-8", strings.ReplaceAll(text, "\n", "\r\n")},
		"CR":                  {"utf-8", strings.ReplaceAll(text, "\n", "\r")},
		"no line end":         {"utf-8", strings.TrimSpace(text)},
		"UTF-16, no line end": {"utf-16be", utf16Bytes(binary.BigEndian, strings.TrimSpace(text))},
	} {
		if got := lines(t, with("encoding: "+c.encoding), c.file); !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestBytesThatAreNothingCostOneRecord(t *testing.T) {
	t.Parallel()

	const head, good = "ID;CPF;NOME\n", "3;;ANA\n"
	lone := utf16Bytes(binary.LittleEndian, head+"2;;") + "\x00\xd8" + utf16Bytes(binary.LittleEndian, "A\n"+good)
	odd := utf16Bytes(binary.LittleEndian, head+good+"2;;A") + "\x41"
	for name, c := range map[string]struct {
		encoding, file string
		want           []string
	}{
		"UTF-8":               {"utf-8", head + "2;;A\xe3o\n" + good, []string{"2 inconsistent undecodable 2;;A\uFFFDo", "3 without_cpf [3] name=Ana"}},
		"windows-1252":        {"windows-1252", head + "2;;A\x81\n" + good, []string{"2 inconsistent undecodable 2;;A\uFFFD", "3 without_cpf [3] name=Ana"}},
		"UTF-16, half a pair": {"utf-16le", lone, []string{"2 inconsistent undecodable 2;;\uFFFDA", "3 without_cpf [3] name=Ana"}},
		"UTF-16, half a unit": {"utf-16le", odd, []string{"2 without_cpf [3] name=Ana", "3 inconsistent undecodable 2;;A\uFFFD"}},
		"windows-1252, €":     {"windows-1252", head + "2;;\x80UA\n", []string{"2 without_cpf [2] name=€Ua"}},
	} {
		if got := lines(t, with("encoding: "+c.encoding), c.file); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestQuotesFollowRFC4180AndForgive(t *testing.T) {
	t.Parallel()

	const head = "ID;CPF;NOME\n"
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"separator and line end inside": {head + "1;;\"ANA;\nLUCIA\"\n2;;B\n", []string{"2 without_cpf [1] name=Ana; Lucia", "4 without_cpf [2] name=B"}},
		"doubled":                       {head + "1;;\"ANA \"\"NINA\"\" SÁ\"\n", []string{`2 without_cpf [1] name=Ana "Nina" Sá`}},
		"bare":                          {head + "1;;ANA \"NINA SÁ\n2;;B\n", []string{`2 without_cpf [1] name=Ana "Nina Sá`, "3 without_cpf [2] name=B"}},
		"never closed":                  {head + "1;;\"ANA\n2;;B\n3;;C\n", []string{`2 inconsistent quote_unusable 1;;"ANA`, "3 without_cpf [2] name=B", "4 without_cpf [3] name=C"}},
		"never closed among quoted": {head + "\"1\";\"\";\"ANA\n\"2\";\"\";\"B\"\n\"3\";\"\";\"C\"\n",
			[]string{`2 inconsistent quote_unusable "1";"";"ANA`, "3 without_cpf [2] name=B", "4 without_cpf [3] name=C"}},
		"closed by the next record's": {head + "\"1\";\"\";\"ANA\n\";\"\";\"B\"\n", []string{`2 inconsistent quote_unusable "1";"";"ANA`, `3 inconsistent quote_unusable ";"";"B"`}},
		"followed by a letter":        {head + "1;;\"ANA\"x\n2;;B\n", []string{`2 inconsistent quote_unusable 1;;"ANA"x`, "3 without_cpf [2] name=B"}},
		"CR LF inside and behind":     {head + "1;;\"ANA\r\nSÁ\"\r\n2;;B\r\n", []string{"2 without_cpf [1] name=Ana Sá", "4 without_cpf [2] name=B"}},
		"open at the end":             {head + "1;;A\n2;;\"B", []string{"2 without_cpf [1] name=A", `3 inconsistent quote_unusable 2;;"B`}},
		"two lines at the end":        {head + "1;;\"A\nB\"", []string{"2 without_cpf [1] name=A B"}},
		"empty":                       {head + "\"1\";\"\";\"\"\n", []string{`2 inconsistent name_empty "1";"";""`}},
	} {
		if got := lines(t, minimal, c.file); !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, c.want)
		}
	}
	if got := lines(t, with(`quote: ""`), head+"1;;\"ANA\n"); !slices.Equal(got, []string{`2 without_cpf [1] name="Ana`}) {
		t.Errorf("no quote: %q", got)
	}
}

func TestALineThatIsTooLongIsOneRecord(t *testing.T) {
	t.Parallel()

	text := "ID;CPF;NOME\n1;;A\n2;;" + strings.Repeat("B", 5000) + "\n3;;C\n" + strings.Repeat("x", 300)
	for _, size := range []int{1, 7, 100, 1 << 20} {
		got, err := parsed(t, load.NewReader(strings.NewReader(text), mapping(t, minimal), size, 200))
		if err != nil || len(got) != 4 || got[0] != "2 without_cpf [1] name=A" || !strings.HasPrefix(got[1], "3 inconsistent line_long 2;;BBB") ||
			got[2] != "4 without_cpf [3] name=C" || !strings.HasPrefix(got[3], "5 inconsistent line_long xxx") {
			t.Errorf("blocks of %d: %.300q, %v", size, got, err)
		}
	}
	open := "ID;CPF;NOME\n1;;\"A\n" + strings.Repeat("2;;B\n", 100) + "3;;\"C\"\n"
	got, err := parsed(t, load.NewReader(strings.NewReader(open), mapping(t, minimal), 50, 200))
	if err != nil || len(got) != 102 || got[0] != `2 inconsistent quote_unusable 1;;"A` || got[101] != "103 without_cpf [3] name=C" {
		t.Errorf("open quote: %d records, %.100q, %v", len(got), got, err)
	}
}

func TestAFileThatCannotBeMeantEndsTheLoad(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct{ yaml, file, want string }{
		"missing columns":  {minimal, "ID;NAME\n", "CPF (0 times), NOME (0 times)"},
		"column twice":     {minimal, "ID;CPF;NOME;nome\n", "NOME (2 times)"},
		"empty":            {minimal, "", "is empty"},
		"blank":            {minimal, "\n \n", "is empty"},
		"another mark":     {minimal, "\xFF\xFEI\x00", "utf-16le"},
		"header of quotes": {minimal, "ID;\"CPF;NOME", "quote"},
		"header of bytes":  {minimal, "ID;CPF;NOME\xff\n", "utf-8"},
		"endless header":   {minimal, strings.Repeat("x", 2000), "more than 1000 bytes"},
		"broken gzip":      {minimal, "\x1F\x8Bxxxxxxxxxx", "gzip"},
	} {
		_, err := parsed(t, load.NewReader(strings.NewReader(c.file), mapping(t, c.yaml), 1<<20, 1000))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestColumnsHaveNumbersWithoutHeader(t *testing.T) {
	t.Parallel()

	text := strings.NewReplacer("[ID]", "[1]", "cpf: CPF", "cpf: 2", "NOME", "3").Replace(with("header: false"))
	got := lines(t, text, "1;;ANA\n2;;B;x;y\n3;;\n4;\n")
	equal(t, got, []string{"1 without_cpf [1] name=Ana", "2 without_cpf [2] name=B", "3 inconsistent name_empty 3;;", "4 inconsistent columns 4;"})
	got = lines(t, "columns: 3\n"+text, "1;;ANA;\n2;;B;x\n")
	equal(t, got, []string{"1 without_cpf [1] name=Ana", "2 inconsistent columns 2;;B;x"})
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestADirectoryIsReadInTheOrderOfItsNames(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("c.txt", []byte("NOME;ID;CPF\nCLARA;3;\n"))
	write("a.CSV", []byte("ID;CPF;NOME\n1;;ANA"))
	write("b.csv.gz", packed(t, "ID;CPF;NOME\n2;;BIA\n"))
	write("d.md", []byte("no data"))
	if err := os.Mkdir(filepath.Join(dir, "e.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	in, err := load.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parsed(t, in.Reader(mapping(t, minimal)))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, []string{"2 without_cpf [1] name=Ana", "2 without_cpf [2] name=Bia", "2 without_cpf [3] name=Clara"})
	if in.Size() == 0 || in.Done() != in.Size() {
		t.Errorf("%d of %d bytes", in.Done(), in.Size())
	}
	if _, err := load.Open(filepath.Join(dir, "e.csv"), nil); err == nil {
		t.Error("an empty directory is an input")
	}
	if _, err := load.Open(filepath.Join(dir, "none"), nil); err == nil {
		t.Error("nothing is an input")
	}
}

func TestStandardInputMayBePacked(t *testing.T) {
	t.Parallel()

	for _, file := range [][]byte{[]byte("ID;CPF;NOME\n1;;ANA\n"), packed(t, "ID;CPF;NOME\n1;;ANA\n")} {
		in, err := load.Open("-", bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsed(t, in.Reader(mapping(t, minimal)))
		if err != nil || !slices.Equal(got, []string{"2 without_cpf [1] name=Ana"}) || in.Size() != -1 || in.Done() != int64(len(file)) {
			t.Errorf("%q, %v; %d of %d bytes", got, err, in.Done(), in.Size())
		}
	}
	half := packed(t, "ID;CPF;NOME\n"+strings.Repeat("1;;ANA\n", 1000))
	in, err := load.Open("-", bytes.NewReader(half[:len(half)-4]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsed(t, in.Reader(mapping(t, minimal))); err == nil {
		t.Error("half a file is a whole one")
	}
}

func TestBlocksAreTheSameInEveryRun(t *testing.T) {
	t.Parallel()

	text := layouts[1].file(500)
	m := mapping(t, layouts[1].mapping)
	cuts := func(in io.Reader) (out []string) {
		r, b := load.NewReader(in, m, 4<<10, load.MaxRecord), &load.Block{}
		for r.Next(b) == nil {
			out = append(out, fmt.Sprint(b.Seq, b.First, len(b.Data)))
		}
		return out
	}
	whole := cuts(bytes.NewReader(text))
	if drips := cuts(&drip{text}); len(whole) < 20 || !slices.Equal(whole, drips) {
		t.Errorf("%v\n%v", whole, drips)
	}
}

// drip delivers a few bytes at a time, as a pipe may.
type drip struct{ rest []byte }

func (d *drip) Read(p []byte) (int, error) {
	if len(d.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 1+len(d.rest)%13)], d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

// TestParsingDoesNotAllocate runs alone: it counts what the process allocates.
func TestParsingDoesNotAllocate(t *testing.T) {
	for _, l := range layouts {
		b := &load.Block{}
		if err := load.NewReader(bytes.NewReader(l.file(2000)), mapping(t, l.mapping), 1<<20, load.MaxRecord).Next(b); err != nil {
			t.Fatal(err)
		}
		p, records := load.NewParser(effective, now), 0
		allocations := testing.AllocsPerRun(5, func() {
			_ = p.Parse(b, func(*load.Parsed) error { records++; return nil }, func(*load.Reject) error { records++; return nil })
		})
		if allocations > 5 || records != 6*2000 {
			t.Errorf("%s: %v allocations, %d records", l.name, allocations, records)
		}
	}
}

// TestMemoryIsFlat runs alone: it counts what the process allocates.
func TestMemoryIsFlat(t *testing.T) {
	piece := layouts[0].file(2000)
	header, body, _ := bytes.Cut(piece, []byte("\n"))
	long := bytes.Repeat([]byte("x"), 20<<20)
	m := mapping(t, layouts[0].mapping)
	used := func(times int) uint64 {
		readers := []io.Reader{bytes.NewReader(header), strings.NewReader("\n")}
		for range times {
			readers = append(readers, bytes.NewReader(body))
		}
		readers = append(readers, bytes.NewReader(long))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if n := parseAll(t, load.NewReader(io.MultiReader(readers...), m, 1<<20, load.MaxRecord), 1); n != 2000*times+1 {
			t.Errorf("%d records", n)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	small, large := used(10), used(100)
	t.Logf("%d KiB for %d KiB, %d KiB for ten times that", small>>10, 10*len(body)>>10, large>>10)
	if large > small+2<<20 {
		t.Errorf("%d bytes for a file, %d for one ten times as long", small, large)
	}
}
