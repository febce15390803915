package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGeneratedDirectoryHasRecordsMappingsAndTruth(t *testing.T) {
	t.Parallel()

	dir := filepath.Join(t.TempDir(), "bases")
	var out bytes.Buffer
	if err := runRegistry(t.Context(), []string{"generate", "--records", "2000", "--seed", "4", "--out", dir, "--truth"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"receita", "saude", "educacao", "assistencia", "fazenda", "habitacao", "empresas"} {
		for _, file := range []string{name + ".csv", name + ".yaml"} {
			if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	truth, err := os.ReadFile(filepath.Join(dir, "truth.csv"))
	if err != nil || bytes.Count(truth, []byte("\n")) != 2001 {
		t.Errorf("truth: %v", err)
	}
	if !strings.Contains(out.String(), "2000 records of ") {
		t.Error(out.String())
	}
}

func TestGenerateNamesWrongUsage(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	for _, args := range [][]string{{}, {"generate"}, {"generate", "-records", "5"}, {"generate", "-out", dir}, {"generate", "-records", "x"},
		{"generate", "-records", "5", "-out", dir, "-sources", "iptu"}, {"generate", "-records", "5", "-out", dir, "-delta", "101"}} {
		var wrong errUsage
		if err := runRegistry(t.Context(), args, &bytes.Buffer{}); !errors.As(err, &wrong) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestGenerateExplainsItsFlags(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer
	if err := runRegistry(t.Context(), []string{"generate", "-h"}, &out); err != nil || !strings.Contains(out.String(), "-delta P") {
		t.Errorf("%v: %s", err, out.String())
	}
}
