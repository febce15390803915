package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/registry/load"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

func readme(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// matches returns what each match of a pattern's first group holds, sorted, each once.
func matches(pattern, text string) []string {
	var all []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, strings.TrimSpace(m[1]))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestReadmeTellsEveryCommandAndNoOther(t *testing.T) {
	t.Parallel()

	var real []string
	for _, c := range commands() {
		real = append(real, strings.TrimSpace(c.name+" "+c.args))
	}
	slices.Sort(real)
	if told := matches("(?m)^\\| `loginunico ([^`]+)` \\|", readme(t, "README.md")); !slices.Equal(told, real) {
		t.Errorf("told %q\nreal %q", told, real)
	}
}

func TestReadmeTellsEveryMakeTargetAndNoOther(t *testing.T) {
	t.Parallel()

	told := matches("(?m)^(?:\\| `)?make ([a-z]+)", readme(t, "README.md"))
	if real := matches(`(?m)^([a-z]+):.*## `, readme(t, "Makefile")); !slices.Equal(told, real) {
		t.Errorf("told %q\nreal %q", told, real)
	}
}

// Pages name commands in running text and examples too.
func TestPagesNameOnlyCommandsThatExist(t *testing.T) {
	t.Parallel()

	for _, page := range []string{"README.md", "CONTRIBUTING.md", ".env.example", "docs/quickstart.md", "docs/services.md", "docs/operate.md",
		"docs/registry.md", "docs/mappings.md", "docs/audit.md", "docs/registry-generate.md"} {
		for _, line := range matches("(?m)(?:^|`|\\.data/bin/)loginunico ([a-z][^`\n]*)", readme(t, page)) {
			if !slices.ContainsFunc(commands(), func(c command) bool { return strings.HasPrefix(line+" ", c.name+" ") }) {
				t.Errorf("%s names `loginunico %s`, which is no command", page, line)
			}
		}
		for _, name := range matches("LOGINUNICO_([A-Z_]+[A-Z])", readme(t, page)) {
			known := strings.Contains(readme(t, ".env.example"), "\n#LOGINUNICO_"+name+"=")
			group := name == "DEMO" || name == "TLS" // LOGINUNICO_DEMO_*, LOGINUNICO_TLS_*
			if !known && !group && name != "TEST_DATABASE_URL" {
				t.Errorf("%s names LOGINUNICO_%s, which is no setting", page, name)
			}
		}
	}
}

func TestReadmesManifestIsValid(t *testing.T) {
	t.Parallel()

	for _, page := range []string{"README.md", "docs/services.md"} {
		manifests := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme(t, page), -1)
		if len(manifests) == 0 {
			t.Errorf("%s shows no manifest", page)
		}
		for _, m := range manifests {
			if _, err := client.Parse(page, []byte(m[1])); err != nil {
				t.Error(err)
			}
		}
	}
}

// blocks are the YAML examples of a page.
func blocks(t *testing.T, page string) (all []string) {
	t.Helper()
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme(t, page), -1) {
		all = append(all, m[1])
	}
	if len(all) == 0 {
		t.Fatalf("%s shows no example", page)
	}
	return all
}

func TestPagesShowMappingsAndPoliciesThatAreValid(t *testing.T) {
	t.Parallel()

	for _, text := range blocks(t, "docs/mappings.md") {
		if _, err := load.ParseMapping("docs/mappings.md", []byte(text)); err != nil {
			t.Error(err)
		}
	}
	for _, text := range blocks(t, "docs/registry.md") {
		if _, err := pmcc.Parse("docs/registry.md", []byte(text)); err != nil {
			t.Error(err)
		}
	}
	page := readme(t, "docs/mappings.md")
	for _, f := range record.All() {
		if !strings.Contains(page, "`"+f.String()+"`") && !strings.Contains(page, "`"+f.String()+"/KEY`") {
			t.Errorf("docs/mappings.md does not tell the field %s", f)
		}
	}
	for _, c := range registryCommands() {
		if !strings.Contains(readme(t, "docs/registry.md")+readme(t, "docs/operate.md")+readme(t, "docs/registry-generate.md"), "registry "+c.name) {
			t.Errorf("no page tells `loginunico registry %s`", c.name)
		}
	}
}
