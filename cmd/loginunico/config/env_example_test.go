package config

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// setting is one variable of .env.example: commented out, so that a copy of the file changes nothing.
var setting = regexp.MustCompile(`^#(LOGINUNICO_[A-Z_]+)=(.*)$`)

func TestEnvExampleListsEverySettingWithItsDefault(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile("../../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	told, above := map[string]string{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if m := setting.FindStringSubmatch(line); m != nil {
			if _, twice := told[m[1]]; twice {
				t.Errorf("%s is told twice", m[1])
			}
			if !strings.HasPrefix(above, "# ") && !setting.MatchString(above) {
				t.Errorf("%s has no line above it that says what it means", m[1])
			}
			told[m[1]] = m[2]
		} else if line != "" && !strings.HasPrefix(line, "#") {
			t.Errorf("%q is not commented out: a copy of the file must change nothing", line)
		}
		above = line
	}
	if want := defaults(); !maps.Equal(told, want) {
		t.Errorf("told   %v\nin use %v", lines(told), lines(want))
	}
}

// defaults are the variables of Config, by name.
func defaults() map[string]string {
	found := map[string]string{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		if name := f.Tag.Get("env"); name != "-" {
			found["LOGINUNICO_"+name] = f.Tag.Get("envDefault")
		}
	}
	return found
}

func lines(m map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, name+"="+m[name])
	}
	return all
}

func TestTheDemosIssuerFollowsThePortItListensAt(t *testing.T) {
	t.Setenv("LOGINUNICO_LISTEN", "127.0.0.1:18080")
	t.Setenv("LOGINUNICO_DATA_DIR", t.TempDir())
	c, err := Load(true)
	if err != nil || c.Issuer != "http://localhost:18080" {
		t.Errorf("issuer %q, %v", c.Issuer, err)
	}
	t.Setenv("LOGINUNICO_ISSUER", "http://localhost:9999")
	if c, err = Load(true); err != nil || c.Issuer != "http://localhost:9999" {
		t.Errorf("issuer %q, %v; one that is set must stay", c.Issuer, err)
	}
}
