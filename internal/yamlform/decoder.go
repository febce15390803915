package yamlform

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxList = 50  // entries of any list
	maxKey  = 120 // characters of a key shown in a message
)

// Decoder reads YAML nodes into what its caller names and collects what is wrong. It works on nodes, because
// only they know their line, and an alias in them is a reference, never an expansion.
type Decoder struct {
	faults []Fault        // in the order met
	lines  map[string]int // path → line, for checks after reading
}

// Field reads one value; path names it in faults.
type Field func(n *yaml.Node, path string)

// Rule says what is wrong with a text, after its path; "" when nothing is.
type Rule func(text string) string

// Fault notes what is wrong at a line.
func (d *Decoder) Fault(line int, path, code, format string, args ...any) {
	d.faults = append(d.faults, Fault{Line: line, Path: path, Code: code, Message: fmt.Sprintf(format, args...)})
}

// FaultAt places a fault at the line of path or of the nearest part of it that was in the file.
func (d *Decoder) FaultAt(path, code, format string, args ...any) {
	at := path
	for d.lines[at] == 0 && at != "" {
		at = at[:max(0, strings.LastIndexAny(at, ".["))]
	}
	d.Fault(max(1, d.lines[at]), path, code, format, args...)
}

// Object reads a mapping: known keys only, each once.
func (d *Decoder) Object(n *yaml.Node, path string, fields map[string]Field) {
	if !d.Want(n, path, yaml.MappingNode, "a mapping of keys to values") {
		return
	}
	d.Pairs(n, path, func(key string, value *yaml.Node, at string) {
		if read := fields[key]; read != nil {
			read(value, at)
			return
		}
		d.Fault(d.lines[at], at, "unknown_key", "unknown key; known here: %s", strings.Join(sortedKeys(fields), ", "))
	})
}

// Pairs calls read with each key of a mapping node, each once, and the path of its value.
func (d *Decoder) Pairs(n *yaml.Node, path string, read func(key string, value *yaml.Node, at string)) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := Join(path, printable(key.Value))
		switch {
		case key.Kind != yaml.ScalarNode || key.Anchor != "":
			d.Fault(key.Line, path, "type", "a key must be a text")
		case d.lines[at] != 0:
			d.Fault(key.Line, at, "duplicate", "given twice; first on line %d", d.lines[at])
		default:
			d.lines[at] = key.Line
			read(key.Value, value, at)
		}
	}
}

// Line is where a path stood; 0 where it did not.
func (d *Decoder) Line(path string) int { return d.lines[path] }

// Note remembers where something stood that has no path of its own.
func (d *Decoder) Note(path string, line int) { d.lines[path] = line }

// printable is a key as it may stand in a message: a file may hold anything.
func printable(key string) string {
	if plain(key) == "" && len(key) <= maxKey {
		return key
	}
	return strconv.QuoteToASCII(key[:min(len(key), maxKey)])
}

// Want checks a node's kind; anchors and aliases are refused wherever a value is read.
func (d *Decoder) Want(n *yaml.Node, path string, kind yaml.Kind, name string) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.Fault(n.Line, path, "alias", "anchors and aliases are not allowed; write the value out")
	case n.Kind != kind:
		d.Fault(n.Line, path, "type", "must be %s", name)
	default:
		return true
	}
	return false
}

// List reads a sequence of at most maxList entries.
func (d *Decoder) List(entry Field) Field {
	return func(n *yaml.Node, path string) {
		if !d.Want(n, path, yaml.SequenceNode, "a list") {
			return
		}
		if len(n.Content) > maxList {
			d.Fault(n.Line, path, "too_many", "has %d entries; at most %d", len(n.Content), maxList)
			return
		}
		for i, item := range n.Content {
			at := path + "[" + strconv.Itoa(i) + "]"
			d.lines[at] = item.Line
			entry(item, at)
		}
	}
}

// Text reads a string that obeys every rule.
func (d *Decoder) Text(into *string, rules ...Rule) Field {
	return func(n *yaml.Node, path string) {
		if text, ok := d.Scalar(n, path, rules); ok {
			*into = text
		}
	}
}

// Texts reads a list of different strings that obey every rule.
func (d *Decoder) Texts(into *[]string, rules ...Rule) Field {
	return d.List(func(n *yaml.Node, path string) {
		text, ok := d.Scalar(n, path, rules)
		if ok && slices.Contains(*into, text) {
			d.Fault(n.Line, path, "duplicate", "%q is in the list already", text)
		} else if ok {
			*into = append(*into, text)
		}
	})
}

// Scalar is a text that obeys every rule; ok is false, with a fault, for anything else.
func (d *Decoder) Scalar(n *yaml.Node, path string, rules []Rule) (string, bool) {
	if !d.Want(n, path, yaml.ScalarNode, "a text") {
		return "", false
	}
	if n.ShortTag() != "!!str" {
		d.Fault(n.Line, path, "type", "must be a text; put it in quotes")
		return "", false
	}
	for _, check := range append([]Rule{plain}, rules...) {
		if wrong := check(n.Value); wrong != "" {
			d.Fault(n.Line, path, "value", "%s", wrong)
			return "", false
		}
	}
	return n.Value, true
}

// Boolean reads true or false.
func (d *Decoder) Boolean(into *bool) Field {
	return func(n *yaml.Node, path string) {
		if d.Want(n, path, yaml.ScalarNode, "true or false") && (n.ShortTag() != "!!bool" || n.Decode(into) != nil) {
			d.Fault(n.Line, path, "type", "must be true or false")
		}
	}
}

// Join is the path of a key.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func sortedKeys(fields map[string]Field) []string {
	keys := make([]string, 0, len(fields))
	for k := range fields {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// plain refuses what no text of a form holds: nothing at all, control characters, and the
// invisible ones that let a name look like another.
func plain(text string) string {
	switch {
	case strings.TrimSpace(text) == "":
		return "must not be empty"
	case strings.TrimSpace(text) != text:
		return "must not begin or end with white space"
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		return "holds a control or invisible character"
	}
	return ""
}

// AtMost limits the number of characters.
func AtMost(n int) Rule {
	return func(text string) string {
		if count := utf8.RuneCountInString(text); count > n {
			return fmt.Sprintf("has %d characters; at most %d", count, n)
		}
		return ""
	}
}

// OneOf admits these words.
func OneOf(words ...string) Rule {
	return func(text string) string {
		if slices.Contains(words, text) {
			return ""
		}
		return "must be one of " + strings.Join(words, ", ")
	}
}

// Int reads a whole number from low to high.
func (d *Decoder) Int(into *int, low, high int, what string) Field {
	return func(n *yaml.Node, path string) {
		value := 0
		if !d.Want(n, path, yaml.ScalarNode, what) {
			return
		}
		if n.ShortTag() != "!!int" || n.Decode(&value) != nil || value < low || value > high {
			d.Fault(n.Line, path, "value", "must be %s", what)
			return
		}
		*into = value
	}
}

// Given says whether a path stood in the file.
func (d *Decoder) Given(path string) bool { return d.lines[path] != 0 }

// Require notes a fault for every path that was not in the file.
func (d *Decoder) Require(paths ...string) {
	for _, path := range paths {
		if !d.Given(path) {
			d.FaultAt(path, "required", "is missing")
		}
	}
}

// Faulty says whether something is wrong at a path or below.
func (d *Decoder) Faulty(path string) bool {
	return slices.ContainsFunc(d.faults, func(f Fault) bool { return strings.HasPrefix(f.Path, path) })
}

// Count is the number of faults so far.
func (d *Decoder) Count() int { return len(d.faults) }

// Matches admits what a pattern does; wrong is the message for anything else.
func Matches(pattern *regexp.Regexp, wrong string) Rule {
	return func(text string) string {
		if pattern.MatchString(text) {
			return ""
		}
		return wrong
	}
}

// Each reads a mapping whose keys the file chooses.
func (d *Decoder) Each(entry func(key string, n *yaml.Node, path string)) Field {
	return func(n *yaml.Node, path string) {
		if d.Want(n, path, yaml.MappingNode, "a mapping of names to values") {
			d.Pairs(n, path, entry)
		}
	}
}
