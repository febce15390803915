package secret_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/loginunico/loginunico/internal/secret"
)

func TestKEKIsCreatedOnceAndReadAgain(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "sub", "kek")
	keys := make([]secret.KEK, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = secret.LoadKEK(path, true); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] || k == (secret.KEK{}) {
			t.Fatal("two starts, two keys")
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".kek-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestMissingKEKIsAnErrorWhereItMustExist(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "kek")
	if _, err := secret.LoadKEK(path, false); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error("a key was made")
	}
}

func TestKEKOpenToOthersIsRefused(t *testing.T) {
	t.Parallel()

	good := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)) + "\n"
	for mode, ok := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o620: false, 0o666: false} {
		path := filepath.Join(t.TempDir(), "kek")
		if err := os.WriteFile(path, []byte(good), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.LoadKEK(path, true); (err == nil) != ok {
			t.Errorf("%04o: %v", mode, err)
		}
	}
}

func TestKEKFileWithoutA32ByteKeyIsRefused(t *testing.T) {
	t.Parallel()

	for _, text := range []string{
		"", "\n", "not base64!", base64.StdEncoding.EncodeToString(make([]byte, 31)),
		base64.StdEncoding.EncodeToString(make([]byte, 33)), strings.Repeat("A", 4096),
	} {
		path := filepath.Join(t.TempDir(), "kek")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.LoadKEK(path, true); err == nil {
			t.Errorf("%.20q accepted", text)
		}
	}
	if _, err := secret.LoadKEK(t.TempDir(), true); err == nil {
		t.Error("a directory accepted")
	}
}

func TestKEKFileHoldsOneKeyOrTwo(t *testing.T) {
	t.Parallel()

	line := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)) + "\n"
	for text, ok := range map[string]bool{
		line: true, line + line: true, line + "\n" + line: true, line + line + line: false,
		line + "AAAA\n": false, "AAAA\n" + line: false, line + "# the old one\n": false,
	} {
		path := filepath.Join(t.TempDir(), "kek")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.LoadKEK(path, false); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestKEKDoesNotPrint(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "kek")
	raw := bytes.Repeat([]byte{77}, 32)
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(raw)), 0o600); err != nil {
		t.Fatal(err)
	}
	kek, err := secret.LoadKEK(path, false)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "kek", kek)
	_, _ = fmt.Fprintf(&out, "%v %+v %#v %x %s %d", kek, kek, kek, kek, kek, kek)
	for _, s := range []string{"77 77", "77, 77", "4d4d", "0x4d", "MMM", "TU1N"} {
		if strings.Contains(out.String(), s) {
			t.Errorf("%s in %s", s, out.String())
		}
	}
}
