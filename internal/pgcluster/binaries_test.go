package pgcluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNewestInstalledVersionIsChosen(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	root := t.TempDir()
	pattern := filepath.Join(root, "*", "bin")
	if _, err := binaries(pattern); !errors.Is(err, ErrNoBinaries) || !strings.Contains(err.Error(), "apt-get install") {
		t.Fatalf("nothing installed: %v", err)
	}
	install(t, filepath.Join(root, "9"), "initdb", "postgres")
	install(t, filepath.Join(root, "15"), "initdb", "postgres")
	install(t, filepath.Join(root, "17"), "initdb") // a client's remains
	if dir, err := binaries(pattern); err != nil || dir != filepath.Join(root, "15", "bin") {
		t.Fatal(dir, err)
	}
	onPath := filepath.Join(root, "own")
	install(t, onPath, "initdb", "postgres")
	t.Setenv("PATH", filepath.Join(onPath, "bin"))
	if dir, err := binaries(pattern); err != nil || dir != filepath.Join(onPath, "bin") {
		t.Fatal(dir, err)
	}
}

func install(t *testing.T, dir string, names ...string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, "bin", name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
