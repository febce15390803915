package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestDataKeysRotateByPurposeAndAreListed(t *testing.T) {
	operate(t)
	before := done(t, "keys", "data", "list")
	if strings.Count(before, "\n") != 9 || strings.Count(before, "  current  ") != 8 {
		t.Fatalf("a new database has one key of each purpose:\n%s", before)
	}
	out := done(t, "keys", "data", "rotate", "contact")
	made := regexp.MustCompile(`^contact: new key ([0-9a-f]{8}), used from \S+Z\n$`).FindStringSubmatch(out)
	if made == nil {
		t.Fatalf("rotate: %s", out)
	}
	after := done(t, "keys", "data", "list")
	if !regexp.MustCompile(`contact +`+made[1]+` +current +20\S+Z\ncontact +[0-9a-f]{8} +old +-\n`).MatchString(after) || strings.Contains(before, made[1]) {
		t.Errorf("the new key leads, the old one stays:\n%s", after)
	}
	if out := done(t, "keys", "data", "rotate", "index"); !strings.HasPrefix(out, "index: new key 2, used from ") {
		t.Errorf("rotate the index: %s", out)
	}
	if out := done(t, "keys", "data", "list"); !regexp.MustCompile(`index +2 +pending +20\S+Z\nindex +1 +current +20\S+Z\n`).MatchString(out) {
		t.Errorf("the index:\n%s", out)
	}
	for _, purpose := range []string{"passwords", "legacy", ""} {
		if s := invoke(t, "keys", "data", "rotate", purpose); s.code != exitUsage || !strings.Contains(s.err, "seal identity documents contact family complement record index") {
			t.Errorf("%q: %+v", purpose, s)
		}
	}
}

func TestTheKEKChangesByItsFileAndRewrap(t *testing.T) {
	operate(t)
	path, fresh := os.Getenv("LOGINUNICO_KEK_FILE"), filepath.Join(t.TempDir(), "fresh")
	keys := done(t, "keys", "data", "list")
	if out := done(t, "keys", "data", "rewrap"); out != "nothing to rewrap\n" {
		t.Errorf("with one key: %s", out)
	}
	done(t, "kek", fresh)
	one, two := read(t, path), read(t, fresh)
	write(t, path, append(bytes.Clone(two), one...))
	if out := done(t, "keys", "data", "list"); out != keys {
		t.Errorf("with both keys, before:\n%s", out)
	}
	if out := done(t, "keys", "data", "rewrap"); out != "rewrapped 8\n" {
		t.Errorf("rewrap: %s", out)
	}
	if out := done(t, "keys", "data", "rewrap"); out != "nothing to rewrap\n" {
		t.Errorf("again: %s", out)
	}
	write(t, path, two)
	if out := done(t, "keys", "data", "list"); out != keys {
		t.Errorf("with the new key alone:\n%s", out)
	}
	write(t, path, one)
	if s := invoke(t, "keys", "data", "list"); s.code != exitFailed || s.out != "" || !strings.Contains(s.err, "key-encryption key") {
		t.Errorf("with the old key alone: %+v", s)
	}
	write(t, path, append(bytes.Clone(one), two...))
	if out := done(t, "keys", "data", "rewrap"); out != "rewrapped 8\n" {
		t.Errorf("back again: %s", out)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
