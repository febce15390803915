package testnode

import (
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed smsc sink
var programs embed.FS

// installed is the folder of a program with its libraries beside it. Programs that differ by a byte
// have folders of their own, and a folder is there whole or not at all.
func installed(name string) (string, error) {
	source, err := fs.Sub(programs, name)
	if err != nil {
		return "", err
	}
	home, err := os.UserCacheDir()
	if err != nil {
		home = os.TempDir()
	}
	dir := filepath.Join(home, "loginunico-testnode", name+"-"+digest(source))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	return dir, install(source, dir)
}

// digest names the content of a folder.
func digest(source fs.FS) string {
	sum := sha256.New()
	_ = fs.WalkDir(source, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := fs.ReadFile(source, path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(body), body)
		return err
	})
	return fmt.Sprintf("%x", sum.Sum(nil)[:8])
}

func install(source fs.FS, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	draft, err := os.MkdirTemp(filepath.Dir(dir), "draft-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(draft)
	if err := os.CopyFS(draft, source); err != nil {
		return err
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	npm.Dir = draft
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm cannot install what the server needs: %w\n%s", err, out)
	}
	err = os.Rename(draft, dir)
	if errors.Is(err, fs.ErrExist) { // another process was first
		return nil
	}
	return err
}
