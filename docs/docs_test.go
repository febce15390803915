// Package docs tests the project's pages: that what they point at is there.
package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are README, CONTRIBUTING and everything under docs, by path from the project's root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, name := range []string{"README.md", "CONTRIBUTING.md"} {
		found[name] = read(t, name)
	}
	err := filepath.WalkDir(".", func(p string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(p) == ".md" {
			found[filepath.ToSlash(filepath.Join("docs", p))] = read(t, filepath.Join("docs", p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// read returns a file by its path from the project's root.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	code    = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	proof   = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")
)

func TestEveryRelativeLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()

	all := pages(t)
	for page, text := range all {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(fence.ReplaceAllString(text, ""), ""), -1) {
			if !strings.Contains(m[1], "://") {
				follow(t, all, page, m[1])
			}
		}
	}
}

// follow checks one link of a page: the file is there, and so is the heading after #.
func follow(t *testing.T, all map[string]string, page, target string) {
	t.Helper()
	name, anchor, _ := strings.Cut(target, "#")
	to := page
	if name != "" {
		to = filepath.ToSlash(filepath.Join(filepath.Dir(page), name))
	}
	if _, err := os.Stat(filepath.Join("..", to)); err != nil {
		t.Errorf("%s: %s leads nowhere", page, target)
		return
	}
	if anchor != "" && !slices.Contains(anchors(all[to]), anchor) {
		t.Errorf("%s: %s has no such heading", page, target)
	}
}

// anchors are a page's headings as links name them.
func anchors(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		all = append(all, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r > 127 || 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
				return r
			}
			return -1
		}, strings.ToLower(m[1])))
	}
	return all
}

func TestEveryTestThatAPageNamesExists(t *testing.T) {
	t.Parallel()

	declared := map[string]bool{}
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != "..":
			return fs.SkipDir
		case !strings.HasSuffix(p, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(p)
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "func "); ok {
				name, _, _ := strings.Cut(rest, "(")
				declared[name] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for page, text := range pages(t) {
		for _, m := range proof.FindAllStringSubmatch(text, -1) {
			if m[1] != "TestRevokedGrantStopsRefresh" && !declared[m[1]] { // an example of a name, in CONTRIBUTING
				t.Errorf("%s names %s, which is no test", page, m[1])
			}
		}
	}
}
