package client

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxList  = 50   // entries of any list
	maxShort = 120  // characters of a name
	maxLong  = 300  // characters of a purpose
	maxURI   = 2000 // characters of a URI
)

// decoder reads yaml nodes into a Manifest and collects what is wrong. It works on nodes, because
// only they know their line, and an alias in them is a reference, never an expansion.
type decoder struct {
	faults []Fault
	lines  map[string]int // path → line, for checks after reading
}

// field reads one value; path names it in faults.
type field func(n *yaml.Node, path string)

// rule says what is wrong with a text, after its path; "" when nothing is.
type rule func(text string) string

func (d *decoder) fault(line int, path, code, format string, args ...any) {
	d.faults = append(d.faults, Fault{Line: line, Path: path, Code: code, Message: fmt.Sprintf(format, args...)})
}

// faultAt places a fault at the line of path or of the nearest part of it that was in the file.
func (d *decoder) faultAt(path, code, format string, args ...any) {
	at := path
	for d.lines[at] == 0 && at != "" {
		at = at[:max(0, strings.LastIndexAny(at, ".["))]
	}
	d.fault(max(1, d.lines[at]), path, code, format, args...)
}

// object reads a mapping: known keys only, each once.
func (d *decoder) object(n *yaml.Node, path string, fields map[string]field) {
	if !d.want(n, path, yaml.MappingNode, "a mapping of keys to values") {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := join(path, printable(key.Value))
		read, known := fields[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			d.fault(key.Line, path, "type", "a key must be a text")
		case !known:
			d.fault(key.Line, at, "unknown_key", "unknown key; known here: %s", strings.Join(sortedKeys(fields), ", "))
		case d.lines[at] != 0:
			d.fault(key.Line, at, "duplicate", "given twice; first on line %d", d.lines[at])
		default:
			d.lines[at] = key.Line
			read(value, at)
		}
	}
}

// printable is a key as it may stand in a message: a file may hold anything.
func printable(key string) string {
	if plain(key) == "" && len(key) <= maxShort {
		return key
	}
	return strconv.QuoteToASCII(key[:min(len(key), maxShort)])
}

// want checks a node's kind; anchors and aliases are refused wherever a value is read.
func (d *decoder) want(n *yaml.Node, path string, kind yaml.Kind, name string) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.fault(n.Line, path, "alias", "anchors and aliases are not allowed; write the value out")
	case n.Kind != kind:
		d.fault(n.Line, path, "type", "must be %s", name)
	default:
		return true
	}
	return false
}

// list reads a sequence of at most maxList entries.
func (d *decoder) list(entry field) field {
	return func(n *yaml.Node, path string) {
		if !d.want(n, path, yaml.SequenceNode, "a list") {
			return
		}
		if len(n.Content) > maxList {
			d.fault(n.Line, path, "too_many", "has %d entries; at most %d", len(n.Content), maxList)
			return
		}
		for i, item := range n.Content {
			at := path + "[" + strconv.Itoa(i) + "]"
			d.lines[at] = item.Line
			entry(item, at)
		}
	}
}

// text reads a string that obeys every rule.
func (d *decoder) text(into *string, rules ...rule) field {
	return func(n *yaml.Node, path string) {
		if text, ok := d.scalar(n, path, rules); ok {
			*into = text
		}
	}
}

// texts reads a list of different strings that obey every rule.
func (d *decoder) texts(into *[]string, rules ...rule) field {
	return d.list(func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path, rules)
		if ok && slices.Contains(*into, text) {
			d.fault(n.Line, path, "duplicate", "%q is in the list already", text)
		} else if ok {
			*into = append(*into, text)
		}
	})
}

func (d *decoder) scalar(n *yaml.Node, path string, rules []rule) (string, bool) {
	if !d.want(n, path, yaml.ScalarNode, "a text") {
		return "", false
	}
	if n.ShortTag() != "!!str" {
		d.fault(n.Line, path, "type", "must be a text; put it in quotes")
		return "", false
	}
	for _, check := range append([]rule{plain}, rules...) {
		if wrong := check(n.Value); wrong != "" {
			d.fault(n.Line, path, "value", "%s", wrong)
			return "", false
		}
	}
	return n.Value, true
}

// localized reads a mapping of language to text.
func (d *decoder) localized(into *Text, rules ...rule) field {
	return func(n *yaml.Node, path string) {
		texts, fields := Text{}, map[string]field{}
		for _, lang := range languages {
			fields[lang] = func(n *yaml.Node, path string) {
				if text, ok := d.scalar(n, path, rules); ok {
					texts[lang] = text
				}
			}
		}
		d.object(n, path, fields)
		if d.lines[join(path, languages[0])] == 0 && n.Kind == yaml.MappingNode {
			d.fault(n.Line, path, "required", "needs the language %s", languages[0])
		}
		*into = texts
	}
}

func (d *decoder) boolean(into *bool) field {
	return func(n *yaml.Node, path string) {
		if d.want(n, path, yaml.ScalarNode, "true or false") && (n.ShortTag() != "!!bool" || n.Decode(into) != nil) {
			d.fault(n.Line, path, "type", "must be true or false")
		}
	}
}

// level reads a trust level, 1 to 5.
func (d *decoder) level(into *int) field {
	return func(n *yaml.Node, path string) {
		level := 0
		if !d.want(n, path, yaml.ScalarNode, "a trust level, 1 to 5") {
			return
		}
		if n.ShortTag() != "!!int" || n.Decode(&level) != nil || level < 1 || level > 5 {
			d.fault(n.Line, path, "value", "must be a trust level, 1 to 5")
			return
		}
		*into = level
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func sortedKeys(fields map[string]field) []string {
	keys := make([]string, 0, len(fields))
	for k := range fields {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// plain refuses what no text of a manifest holds: nothing at all, control characters, and the
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

func atMost(n int) rule {
	return func(text string) string {
		if count := utf8.RuneCountInString(text); count > n {
			return fmt.Sprintf("has %d characters; at most %d", count, n)
		}
		return ""
	}
}

func oneOf(words ...string) rule {
	return func(text string) string {
		if slices.Contains(words, text) {
			return ""
		}
		return "must be one of " + strings.Join(words, ", ")
	}
}
