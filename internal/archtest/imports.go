package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// layers of the project, from those that may import to those that are imported; packages of one
// line are neighbours and import none of each other. The longest name that fits a package counts.
var layers = [][]string{
	{"cmd", "internal/bench", "internal/loadbench", "internal/deps"}, // they wire everything together
	{"idp", "ticketing"},
	{"consent", "certauth", "themes"},
	{"registry"},
	{"internal", "migrations", "deploy"}, // of one another too: see oneHouse
}

// within is the same inside idp, whose own files wire its subpackages.
var within = [][]string{
	{"idp/account", "idp/recovery"},
	{"idp/flow"},
	{"idp/evidence"},
	{"idp/notice"},
	{"idp/session", "idp/token", "idp/factor", "idp/visitor", "idp/federation", "idp/events"},
	{"idp/client", "idp/company", "idp/keys", "idp/page", "idp/ida"},
}

// confined packages are imported by few files only. Tests may, except for op, which they would
// then test instead of us.
var confined = []struct {
	what   string // import path, or its beginning
	may    func(source) bool
	tests  bool
	reason string
}{
	{"github.com/zitadel/oidc/v3/pkg/op", adaptsOP, false, "only idp/provider.go and idp/opclient.go"},
	{"github.com/labstack/echo", handles, true, "only handle*, dispatch*, render*, serve*, mount.go, idp.go, provider.go and internal/httpx"},
	{"github.com/jackc/pgx", stores, true, "only store*.go, internal, migrations and cmd"},
}

func adaptsOP(s source) bool {
	return s.path == "idp/provider.go" || s.path == "idp/opclient.go" || s.dir() == "internal/deps"
}

func handles(s source) bool {
	for _, pattern := range []string{"handle*.go", "dispatch*.go", "render*.go", "serve*.go", "mount.go", "idp.go", "provider.go"} {
		if ok, _ := path.Match(pattern, s.name()); ok { // the patterns are well-formed
			return true
		}
	}
	return s.dir() == "internal/httpx" || s.dir() == "internal/deps"
}

func stores(s source) bool {
	top, _, _ := strings.Cut(s.path, "/")
	return strings.HasPrefix(s.name(), "store") || top == "internal" || top == "migrations" || top == "cmd"
}

// misplaced returns what is wrong with a file's imports of other packages of the project.
func misplaced(s source) (faults []string) {
	if s.test() {
		return nil // a test may look from anywhere
	}
	s.imports(func(imported, at string) {
		to, ours := strings.CutPrefix(imported, module)
		if !ours {
			return
		}
		if fault := direction(s.dir(), to); fault != "" {
			faults = append(faults, fmt.Sprintf("%s: %s imports %s: %s", at, s.dir(), to, fault))
		}
	})
	return faults
}

// direction says what is wrong with an import between two packages; "" when nothing is.
func direction(from, to string) string {
	a, b := house(layers, from), house(layers, to)
	switch {
	case strings.HasSuffix(to, "test") && a.level > 0 && !strings.HasSuffix(from, "test"): // the top may: the demo runs stand-ins
		return "a package for tests"
	case a.level < 0 || b.level < 0:
		return "a package without a layer; give it one in internal/archtest"
	case a.level > b.level:
		return "against the direction " + arrows(layers)
	case a.level == b.level && a.name != b.name && !oneHouse(a.name, b.name):
		return a.name + " and " + b.name + " are neighbours"
	}
	if strings.HasPrefix(from, "idp/") && strings.HasPrefix(to, "idp/") {
		return inside(from, to)
	}
	if a.name == "idp" && b.name == "idp" && to == "idp" {
		return "idp's own files wire its subpackages, not the reverse"
	}
	return ""
}

func inside(from, to string) string {
	a, b := house(within, from), house(within, to)
	switch {
	case a.level < 0 || b.level < 0:
		return "a package of idp without a layer; give it one in internal/archtest"
	case a.level > b.level:
		return "against the direction " + arrows(within)
	case a.level == b.level && a.name != b.name:
		return a.name + " and " + b.name + " are neighbours"
	}
	return ""
}

// oneHouse: what lies at the bottom, or at the very top, is one layer without inner walls.
func oneHouse(a, b string) bool {
	return slices.Contains(layers[len(layers)-1], a) && slices.Contains(layers[len(layers)-1], b) ||
		slices.Contains(layers[0], a) && slices.Contains(layers[0], b)
}

type place struct {
	level int // -1: none
	name  string
}

// house finds the layer of a package: the longest name that it is, or lies under.
func house(all [][]string, pkg string) place {
	found := place{level: -1}
	for level, names := range all {
		for _, name := range names {
			if (pkg == name || strings.HasPrefix(pkg, name+"/")) && len(name) > len(found.name) {
				found = place{level, name}
			}
		}
	}
	return found
}

func arrows(all [][]string) string {
	lines := make([]string, len(all))
	for i, names := range all {
		lines[i] = "{" + strings.Join(names, ", ") + "}"
	}
	return strings.Join(lines, " → ")
}

// leaked returns the imports of confined packages in a file that may not have them.
func leaked(s source) (faults []string) {
	s.imports(func(imported, at string) {
		for _, c := range confined {
			if imported != c.what && !strings.HasPrefix(imported, c.what+"/") || c.may(s) || c.tests && s.test() {
				continue
			}
			faults = append(faults, fmt.Sprintf("%s: imports %s: %s may", at, imported, c.reason))
		}
	})
	return faults
}
