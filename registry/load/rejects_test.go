package load_test

import (
	"encoding/csv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/loginunico/loginunico/registry/load"
	"github.com/loginunico/loginunico/registry/record"
)

func TestRejectsStandInTheOrderOfTheirBlocks(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "rejects.csv")
	r, err := load.CreateRejects(path, load.Mark{})
	if err != nil {
		t.Fatal(err)
	}
	var workers sync.WaitGroup
	for _, seq := range rand.Perm(50) {
		workers.Go(func() {
			var batch load.RejectBatch
			for i := range seq % 3 {
				batch.Add(reject(int64(100*seq + i)))
			}
			if err := r.Write(int64(seq), &batch); err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	last, rows := int64(-1), readRejects(t, path)
	if len(rows) != 1+49 {
		t.Errorf("%d rows", len(rows))
	}
	for _, row := range rows[1:] {
		line, _ := strconv.ParseInt(row[1], 10, 64)
		if line <= last || row[0] != "a.csv" || row[2] != "invalid_cpf" || row[3] != "cpf" || row[4] != "cpf_check_digit" || row[5] != `x;"y`+"\nz" {
			t.Errorf("%v after line %d", row, last)
		}
		last = line
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func reject(line int64) *load.Reject {
	return &load.Reject{File: &load.File{Name: "a.csv"}, Line: line, Outcome: load.InvalidCPF, Code: "cpf_check_digit", Field: record.CPF, Raw: []byte("x;\"y\nz")}
}

func readRejects(t *testing.T, path string) [][]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := csv.NewReader(strings.NewReader(string(data)))
	c.Comma = ';'
	rows, err := c.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestRejectsGoOnAtAMark(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "rejects.csv")
	if err := os.WriteFile(path, []byte("left over from another load"), 0o644); err != nil {
		t.Fatal(err)
	}
	write := func(r *load.Rejects, seq, line int64) {
		t.Helper()
		var batch load.RejectBatch
		batch.Add(reject(line))
		if err := r.Write(seq, &batch); err != nil {
			t.Fatal(err)
		}
	}
	first, err := load.CreateRejects(path, load.Mark{})
	if err != nil {
		t.Fatal(err)
	}
	write(first, 0, 1)
	write(first, 2, 3) // waits: a mark never counts it
	mark, err := first.Sync()
	if err != nil || mark.Seq != 1 {
		t.Fatalf("%+v, %v", mark, err)
	}
	write(first, 1, 2)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := load.CreateRejects(path, mark)
	if err != nil {
		t.Fatal(err)
	}
	write(second, 1, 20)
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	rows := readRejects(t, path)
	if len(rows) != 3 || rows[1][1] != "1" || rows[2][1] != "20" {
		t.Errorf("%v", rows)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestAMissingBlockIsAnError(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "rejects.csv")
	r, err := load.CreateRejects(path, load.Mark{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(1, &load.RejectBatch{}); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err == nil {
		t.Error("block 0 is not missed")
	}
	if _, err := load.CreateRejects(path, load.Mark{Seq: 9, Bytes: 1 << 30}); err == nil {
		t.Error("a file shorter than its mark is gone on with")
	}
}
