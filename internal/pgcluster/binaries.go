package pgcluster

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// ErrNoBinaries says what to run where PostgreSQL is not installed.
var ErrNoBinaries = errors.New("PostgreSQL is not installed; run: apt-get install -y --no-install-recommends postgresql")

// distributions are where Debian and its relatives keep each major version's server programs.
const distributions = "/usr/lib/postgresql/*/bin"

// binaries returns the directory that holds initdb and postgres: the one on PATH, else the newest
// of pattern's. Error: ErrNoBinaries.
func binaries(pattern string) (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil && complete(filepath.Dir(real)) {
			return filepath.Dir(real), nil
		}
	}
	found, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	found = slices.DeleteFunc(found, func(dir string) bool { return !complete(dir) })
	if len(found) == 0 {
		return "", ErrNoBinaries
	}
	return slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) }), nil
}

func complete(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

// major reads the version out of …/postgresql/15/bin; 0 where there is none.
func major(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	return n
}
