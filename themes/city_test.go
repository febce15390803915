package themes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// overlay writes the files of one city into a fresh overlay directory.
func overlay(t *testing.T, city string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, city), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, city, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestHostileStylesheetIsRefusedByLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ css, want string }{
		"another rule":     {":root{--ink:#000000}\n.sum{display:none}", "theme.css:2: only :root"},
		"import":           {"@import url(https://evil.example/x.css);\n:root{}", "theme.css:1: only :root"},
		"plain property":   {":root{\n display:none;\n}", "theme.css:2: only --name:value"},
		"unknown property": {":root{\n\n --hide:#000000;\n}", "theme.css:3: --hide is not a property"},
		"address":          {":root{--brand:url(https://evil.example/)}", "theme.css:1: --brand must be a colour"},
		"expression":       {":root{--radius:calc(1px*999)}", "--radius must be a length"},
		"font address":     {":root{--font:x;src:url(y)}", "only --name:value"},
		"escape":           {":root{--font:\"\\66\"}", "--font must be font names"},
		"capital colour":   {":root{--brand:#ABCDEF}", "--brand must be a colour"},
		"nested":           {":root{--ink:#000000;a{color:red}}", "no nesting"},
		"after the end":    {":root{}}", "only :root"},
		"open":             {":root{--ink:#000000;", ":root is not closed"},
		"open comment":     {":root{--ink:#000000}/* x", "only :root"},
		"comment trick":    {":root/**/,*{--ink:#000000}", "only :root"},
		"lone text":        {"hello", "only :root"},
		"faint text":       {":root{--ink:#cccccc}", "--ink #cccccc on --paper #ffffff has contrast 1.61, needs 4.5"},
	} {
		_, err := Load(overlay(t, "vila-esperanca", map[string]string{"theme.css": c.css}), "vila-esperanca")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func TestEveryFaultOfAThemeIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	dir := overlay(t, "vila-esperanca", map[string]string{
		"theme.css":         ":root{\n--a:#000000;\n--b:#000000}",
		"theme.json":        `{"name":"X","time_zone":"America/Sao_Paulo"}`,
		"strings.en.json":   `{"skip":"Skip {{.Nobody}}","nothing.such":"x"}`,
		"logo.svg":          `<svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>`,
		"strings.es.json":   `{"code.minutes":"sin plural"}`,
		"strings.pt-BR.txt": "ignored",
	})
	_, err := Load(dir, "vila-esperanca")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"theme.css:2: --a", "theme.css:3: --b", "theme.json: address is empty", "theme.json: dpo.email is empty",
		"skip: unknown placeholder Nobody", "nothing.such: no such message", "logo.svg:1: <script>", "code.minutes: singular and plural",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
}

func TestPicturesThatActAreRefused(t *testing.T) {
	t.Parallel()
	for name, svg := range map[string]string{
		"handler":   `<svg onload="x()"></svg>`,
		"foreign":   `<svg><foreignObject/></svg>`,
		"link":      `<svg><a href="https://x"/></svg>`,
		"style":     `<svg><path style="fill:url(//x)"/></svg>`,
		"old link":  `<svg xmlns:xlink="http://www.w3.org/1999/xlink"><path xlink:href="x"/></svg>`,
		"not XML":   `<svg>`,
		"with name": `<svg xmlns:s="http://www.w3.org/2000/svg"><s:script/></svg>`,
	} {
		if checkSVG([]byte(svg)) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestOverlayAddsAndReplaces(t *testing.T) {
	t.Parallel()
	theme, err := base.ReadFile("city/serra-verde/theme.json")
	if err != nil {
		t.Fatal(err)
	}
	logo := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>`
	added := overlay(t, "porto-novo", map[string]string{
		"theme.json": strings.ReplaceAll(string(theme), "Serra Verde", "Porto Novo"), "logo.svg": logo,
		"strings.en.json": `{"identify.title":"Sign in to {{.CityShort}}"}`,
	})
	r, err := Load(added, "porto-novo")
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Render(Frame{Lang: "en"}, Identify{})
	if err != nil || !strings.Contains(string(out), ">Sign in to Porto Novo</h1>") {
		t.Errorf("new city: %v", err)
	}
	replaced := overlay(t, "vila-esperanca", map[string]string{"theme.css": ":root{--brand:#123456}"})
	if r, err = Load(replaced, ""); err != nil || r.City().Brand != "#123456" || r.City().Name != "Prefeitura de Vila Esperança" {
		t.Errorf("replaced stylesheet: %v, %+v", err, r)
	}
}

func TestCityNameStaysInsideTheDirectory(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"../x", "a/b", "A", "-a", ".", "nowhere"} {
		if _, err := Load("", name); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "gone"), ""); err == nil {
		t.Error("a missing overlay directory is no error")
	}
}

func TestPhonesBecomeLinks(t *testing.T) {
	t.Parallel()
	for phone, want := range map[string]string{"156": "156", "(49) 3555-0100": "+554935550100", "": ""} {
		if got := phoneLink(phone); got != want {
			t.Errorf("%q gives %q, want %q", phone, got, want)
		}
	}
}

func FuzzThemeStylesheetHoldsOnlyProperties(f *testing.F) {
	f.Add(":root{--ink:#000000;}")
	f.Add("/* x */:root{--font:a,\"b\"}")
	f.Fuzz(func(t *testing.T, css string) {
		got, err := parseTokens("theme.css", css, tokens{"--ink": "", "--font": ""})
		if err != nil {
			return
		}
		again, err := parseTokens("theme.css", got.css(), got)
		if err != nil || len(again) != len(got) {
			t.Errorf("%q was taken as %v, which is refused: %v", css, got, err)
		}
	})
}
