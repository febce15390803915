package themes

import (
	"maps"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
)

// highContrast gives the properties of one block of contrast.css.
func highContrast(t *testing.T, selector string) tokens {
	t.Helper()
	raw, err := os.ReadFile("static/contrast.css")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(regexp.QuoteMeta(selector) + `{([^}]*)}`).FindStringSubmatch(string(raw))
	if m == nil {
		t.Fatalf("no block %s", selector)
	}
	found, err := parseTokens("contrast.css", ":root{"+m[1]+"}", nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestColoursCanBeReadInEveryThemeAndContrast(t *testing.T) {
	t.Parallel()
	for _, city := range cities {
		r := load(t, city)
		for _, selector := range []string{"", "html.alto", "html:not(.alto)"} {
			all := maps.Clone(r.tokens)
			if selector != "" {
				maps.Copy(all, highContrast(t, selector))
			}
			if err := all.contrast(city + " " + selector); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestHighContrastNamesEveryColour(t *testing.T) {
	t.Parallel()
	alto := highContrast(t, "html.alto")
	for name, value := range load(t, DefaultCity).tokens {
		if colour.MatchString(value) && alto[name] == "" {
			t.Errorf("html.alto leaves %s as the city set it", name)
		}
	}
}

func TestHighContrastTextIsSevenToOne(t *testing.T) {
	t.Parallel()
	alto := highContrast(t, "html.alto")
	for _, front := range []string{"--ink", "--ink-soft", "--link", "--accent", "--err"} {
		if got := ratio(alto[front], alto["--paper"]); got < 7 {
			t.Errorf("%s has contrast %.2f", front, got)
		}
	}
}

func TestRulesUseOnlyKnownProperties(t *testing.T) {
	t.Parallel()
	known := load(t, DefaultCity).tokens
	for _, file := range []string{"static/app.css", "static/contrast.css"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`var\((--[a-z-]+)|(--[a-z-]+):`).FindAllStringSubmatch(string(raw), -1) {
			if name := m[1] + m[2]; known[name] == "" {
				t.Errorf("%s uses %s, which tokens.css does not declare", file, name)
			}
		}
		if strings.Contains(string(raw), "url(") || strings.Contains(string(raw), "@import") {
			t.Errorf("%s fetches something", file)
		}
	}
}

// The examples are those of the definition: black on white is 21, equal colours are 1.
func TestContrastRatio(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want float64
	}{{"#000000", "#ffffff", 21}, {"#ffffff", "#ffffff", 1}, {"#767676", "#ffffff", 4.54}, {"red", "#ffffff", 0}} {
		if got := ratio(c.a, c.b); math.Abs(got-c.want) > 0.005 {
			t.Errorf("ratio(%s, %s) = %.3f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}
