package themes

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"strings"
)

// tokens are custom properties by name: "--brand" → "#17404f".
type tokens map[string]string

// readTokens gives the base properties with the city's own over them, contrast checked.
func readTokens(files fs.FS) (tokens, error) {
	raw, err := base.ReadFile("static/tokens.css")
	if err != nil {
		return nil, err
	}
	all, err := parseTokens("tokens.css", string(raw), nil)
	if err != nil {
		return nil, err
	}
	raw, err = fs.ReadFile(files, "theme.css")
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return all, err
	}
	own, err := parseTokens("theme.css", string(raw), all)
	if err != nil {
		return all, err
	}
	maps.Copy(all, own)
	return all, all.contrast("theme.css")
}

var (
	comment     = regexp.MustCompile(`(?s)/\*.*?\*/`)
	declaration = regexp.MustCompile(`^(--[a-z][a-z0-9-]*)\s*:\s*(.+)$`)
	colour      = regexp.MustCompile(`^#[0-9a-f]{6}$`)
	length      = regexp.MustCompile(`^[0-9]{1,2}(\.[0-9]{1,3})?(px|rem)$`)
	fonts       = regexp.MustCompile(`^[A-Za-z0-9 ,"-]{1,200}$`)
)

// parseTokens reads a stylesheet that may hold nothing but :root{--name:value} and comments.
// Each name must be in allowed (nil: any) and each value must be of the kind its name asks for, so
// that a city can neither hide a part of the page nor fetch from elsewhere. Every fault is reported
// as file:line.
func parseTokens(file, css string, allowed tokens) (tokens, error) {
	css = comment.ReplaceAllStringFunc(css, func(c string) string {
		return strings.Repeat("\n", strings.Count(c, "\n"))
	})
	found, errs := tokens{}, []error{}
	at, inside := 1, false
	for css != "" {
		end := strings.IndexAny(css, "{};")
		text, mark := css, byte(0)
		if end >= 0 {
			text, mark = css[:end], css[end]
		}
		lead := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
		line := at + strings.Count(text[:lead], "\n")
		if err := step(found, allowed, strings.TrimSpace(text), mark, &inside); err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", file, line, err))
		}
		at += strings.Count(text, "\n")
		if mark == 0 {
			break
		}
		css = css[end+1:]
	}
	if inside {
		errs = append(errs, fmt.Errorf("%s:%d: :root is not closed", file, at))
	}
	return found, errors.Join(errs...)
}

// step takes the text before one mark: '{', '}', ';' or 0 at the end of the file.
func step(found, allowed tokens, text string, mark byte, inside *bool) error {
	if !*inside {
		if mark == '{' {
			*inside = true
			if text == ":root" {
				return nil
			}
		} else if text == "" && mark == 0 {
			return nil
		}
		return fmt.Errorf("only :root{--name:value} is allowed, not %q", clip(text+string(mark)))
	}
	if mark == '}' {
		*inside = false
	}
	if mark == '{' {
		return fmt.Errorf("no nesting inside :root, found %q", clip(text))
	}
	if text == "" {
		return nil
	}
	return declare(found, allowed, text)
}

func declare(found, allowed tokens, text string) error {
	m := declaration.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("only --name:value is allowed, not %q", clip(text))
	}
	name, value := m[1], strings.TrimSpace(m[2])
	if _, ok := allowed[name]; allowed != nil && !ok {
		return fmt.Errorf("%s is not a property a theme may set", name)
	}
	if kind, want := kindOf(name); !kind.MatchString(value) {
		return fmt.Errorf("%s must be %s, not %q", name, want, clip(value))
	}
	found[name] = value
	return nil
}

func kindOf(name string) (*regexp.Regexp, string) {
	switch name {
	case "--font":
		return fonts, "font names"
	case "--radius":
		return length, "a length in px or rem"
	default:
		return colour, "a colour as #rrggbb in small letters"
	}
}

// css writes the properties back, sorted, so that equal themes give equal bytes.
func (t tokens) css() string {
	var b strings.Builder
	b.WriteString(":root{")
	for _, name := range sortedKeys(t) {
		b.WriteString(name + ":" + t[name] + ";")
	}
	b.WriteString("}\n")
	return b.String()
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
