package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/load"
)

// bases is a directory of invented bases, where the test works.
func bases(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	done(t, "registry", "generate", "-records", "600", "-out", dir, "-truth")
	t.Chdir(t.TempDir())
	return dir
}

func TestADirectoryIsLoadedWholeAndAgainChangesNothing(t *testing.T) {
	operate(t)
	dir := bases(t)
	out := done(t, "registry", "load", "-all", dir, "-json", "r.json", "-html", "r.html", "-rejects", "rejected.csv")
	if !strings.Contains(out, ": 600 records in ") || !regexp.MustCompile(`together +600`).MatchString(out) {
		t.Errorf("the report:\n%s", out)
	}
	text, err := os.ReadFile("r.json")
	if err != nil {
		t.Fatal(err)
	}
	var r load.Report
	if err := json.Unmarshal(text, &r); err != nil || r.Read() != 600 || len(r.Sources) != 7 || r.Rejected != "rejected.csv" {
		t.Errorf("%v %s", err, text)
	}
	if page, err := os.ReadFile("r.html"); err != nil || !strings.Contains(string(page), "<h2>Records by source</h2>") {
		t.Errorf("%v", err)
	}
	if again := done(t, "registry", "load", "-all", dir, "-rejects", "rejected.csv"); !strings.Contains(again, "nothing changed") {
		t.Errorf("again:\n%s", again)
	}
	list := done(t, "registry", "report")
	if strings.Count(list, "\n") != 2 || !strings.Contains(list, r.ID.String()) {
		t.Errorf("the list:\n%s", list)
	}
	if shown := done(t, "registry", "report", r.ID.String()); !strings.Contains(shown, "different documents") {
		t.Errorf("shown:\n%s", shown)
	}
	if shown := done(t, "registry", "report", "-json", r.ID.String()); shown != string(text) {
		t.Errorf("shown:\n%s\nwritten:\n%s", shown, text)
	}
}

func TestASourceIsLoadedFromAFileAndFromStandardInput(t *testing.T) {
	operate(t)
	dir := bases(t)
	path := filepath.Join(dir, "fazenda.csv")
	first := done(t, "registry", "load", "-source", "fazenda", "-date", "2026-11-20", path)
	if info, err := os.Stat("fazenda.csv.rejected.csv"); err != nil || info.Mode().Perm() != 0o600 || !strings.Contains(first, "fazenda.csv.rejected.csv") {
		t.Errorf("rejects: %v\n%s", err, first)
	}
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	before := os.Stdin
	os.Stdin = in
	defer func() { os.Stdin = before }()
	again := done(t, "registry", "load", "-source", "fazenda", "-date", "2026-11-20", "-mapping", filepath.Join(dir, "fazenda.yaml"), "-")
	if !strings.Contains(again, "nothing changed") { // the same records are the same load, however they come
		t.Errorf("from standard input:\n%s", again)
	}
}

func TestALoadThatCannotBeginSaysWhy(t *testing.T) {
	operate(t)
	dir := bases(t)
	broken := file(t, "broken.yaml", "source: fazenda\nkind: house\n")
	empty := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "saude.csv.gz"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		code int
		err  string
		args []string
	}{
		{exitUsage, "-source NAME PATH, or -all DIR", nil},
		{exitUsage, "-all DIR takes no", []string{"-all", dir, "-source", "fazenda"}},
		{exitUsage, "-workers", []string{"-workers", "0", "-all", dir}},
		{exitUsage, "-date", []string{"-date", "ontem", "-all", dir}},
		{exitFailed, "has no mapping", []string{"-source", "cinema", filepath.Join(dir, "fazenda.csv")}},
		{exitFailed, "is of the source fazenda, not saude", []string{"-source", "saude", "-mapping", filepath.Join(dir, "fazenda.yaml"), filepath.Join(dir, "saude.csv")}},
		{exitFailed, "broken.yaml:2: kind: ", []string{"-source", "fazenda", "-mapping", broken, filepath.Join(dir, "fazenda.csv")}},
		{exitFailed, "no such file", []string{"-source", "fazenda", filepath.Join(dir, "absent.csv")}},
		{exitFailed, "no SOURCE.csv", []string{"-all", empty}},
		{exitFailed, "one of them is the older", []string{"-all", dir}},
	} {
		s := invoke(t, append([]string{"registry", "load"}, tc.args...)...)
		if s.code != tc.code || !strings.Contains(s.err, tc.err) {
			t.Errorf("%v: %+v", tc.args, s)
		}
	}
	if s := invoke(t, "registry", "report", "nothing"); s.code != exitFailed || !strings.Contains(s.err, "no load that has ended has this ID") {
		t.Errorf("%+v", s)
	}
}

// whole is a loader that is interrupted while it files.
type whole struct {
	interrupt context.CancelFunc
	filed     bool
}

func (l *whole) File(ctx context.Context, _ registry.Chunk) (registry.Tally, error) {
	l.interrupt()
	l.filed = ctx.Err() == nil
	return registry.Tally{}, ctx.Err()
}

func TestAnInterruptedLoadFinishesItsChunkAndBeginsNoOther(t *testing.T) {
	t.Parallel()

	ctx, interrupt := context.WithCancel(t.Context())
	l := &whole{interrupt: interrupt}
	if _, err := (unhurried{l}).File(ctx, registry.Chunk{}); err != nil || !l.filed {
		t.Errorf("the chunk under way: %v", err)
	}
	l.filed = false
	if _, err := (unhurried{l}).File(ctx, registry.Chunk{}); err == nil || l.filed {
		t.Error("another chunk was begun")
	}
}

func TestAStoppedLoadSaysHowToGoOn(t *testing.T) {
	operate(t)
	dir := bases(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var out, errOut strings.Builder
	code := run(ctx, []string{"registry", "load", "-all", dir}, &out, &errOut)
	if code != exitFailed {
		t.Fatalf("exit %d\n%s%s", code, &out, &errOut)
	}
	o, err := readLoadOrder([]string{"-all", dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(o.again(), " "); got != "-date "+time.Now().UTC().Format(time.DateOnly)+" -all "+dir {
		t.Errorf("go on with %q", got)
	}
	o.given = []string{"--date=2026-11-20", "-all", dir}
	if got := strings.Join(o.again(), " "); got != "--date=2026-11-20 -all "+dir {
		t.Errorf("go on with %q", got)
	}
}

func TestProgressSaysRateAndTimeLeft(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct {
		p    load.Progress
		want string
	}{
		{load.Progress{Read: 5e6, Size: 20e6, Records: 40000, Rate: 20000, Left: 6 * time.Second}, "reading: 40000 records, 25 % of 20 MB, 20000 records/s, 6s left to read"},
		{load.Progress{Size: -1, Records: 40000, Rate: 20000}, "reading: 40000 records, 20000 records/s"},
		{load.Progress{Filing: true, Filed: 10, Records: 40, Rate: 5, Left: 6 * time.Second}, "filing: 10 of 40 records, 5 records/s, 6s left"},
	} {
		if got := progressLine(tc.p); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
	var out strings.Builder
	slow := &meter{out: &out, every: time.Hour, last: time.Now()}
	slow.show(load.Progress{})
	terminal := &meter{out: &out, terminal: true}
	terminal.show(load.Progress{Size: -1})
	if !strings.HasPrefix(out.String(), "\r\x1b[Kreading: 0 records") || strings.Contains(out.String(), "\n") {
		t.Errorf("%q", out.String())
	}
}
