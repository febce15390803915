package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFaults is how many faults are told at once.
const maxFaults = 100

// Fault is one thing wrong with a mapping.
type Fault struct {
	Line    int    // 1-based; 0 when the file as a whole is meant
	Path    string // "fields.rg"; "" for the file as a whole
	Code    string // stable: required, unknown_key, duplicate, type, value, alias, yaml
	Message string // English, ends without a period
}

// Faults is everything wrong with one mapping, by line.
type Faults struct {
	Name string // file name, as given to ParseMapping
	List []Fault
}

// Error is one line per fault, as compilers write them: name:line: path: message.
func (f *Faults) Error() string {
	var b strings.Builder
	for i, fault := range f.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d: ", f.Name, fault.Line)
		if fault.Path != "" {
			b.WriteString(fault.Path + ": ")
		}
		b.WriteString(fault.Message)
	}
	return b.String()
}

// decoder reads YAML nodes, since only they know their line, and collects what is wrong.
type decoder struct {
	faults []Fault
	lines  map[string]int // path → line
}

func (d *decoder) fault(line int, path, code, format string, args ...any) {
	d.faults = append(d.faults, Fault{Line: max(line, 1), Path: path, Code: code, Message: fmt.Sprintf(format, args...)})
}

// document is the root of the only document; nil, with a fault, when there is none.
func (d *decoder) document(data []byte) *yaml.Node {
	if len(data) > MaxMapping {
		d.fault(1, "", "too_large", "has %d bytes; at most %d", len(data), MaxMapping)
		return nil
	}
	var doc, second yaml.Node
	reader := yaml.NewDecoder(bytes.NewReader(data))
	if err := reader.Decode(&doc); err != nil {
		line, text := yamlError(err)
		d.fault(line, "", "yaml", "is not YAML: %s", text)
		return nil
	}
	if err := reader.Decode(&second); !errors.Is(err, io.EOF) {
		d.fault(second.Line, "", "documents", "one file holds one source; nothing may follow the first document")
		return nil
	}
	return doc.Content[0]
}

// yamlError takes the line out of an error's text.
func yamlError(err error) (line int, text string) {
	text = strings.TrimPrefix(err.Error(), "yaml: ")
	if n, scanErr := fmt.Sscanf(text, "line %d:", &line); n == 1 && scanErr == nil {
		_, text, _ = strings.Cut(text, ": ")
	}
	return line, text
}

// object reads a mapping of known keys; ok is false when n is none.
func (d *decoder) object(n *yaml.Node, path string, known map[string]func(*yaml.Node, string)) (ok bool) {
	if !d.want(n, path, yaml.MappingNode, "a mapping of keys to values") {
		return false
	}
	d.pairs(n, path, func(key string, value *yaml.Node, at string) {
		if read := known[key]; read != nil {
			read(value, at)
			return
		}
		d.fault(d.lines[at], at, "unknown_key", "unknown key; known here: %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	})
	return true
}

// pairs calls read with each key of a mapping, each once.
func (d *decoder) pairs(n *yaml.Node, path string, read func(key string, value *yaml.Node, at string)) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := strings.TrimPrefix(path+"."+printable(key.Value), ".")
		switch {
		case key.Kind != yaml.ScalarNode || key.Anchor != "":
			d.fault(key.Line, path, "type", "a key must be a text")
		case d.lines[at] != 0:
			d.fault(key.Line, at, "duplicate", "given twice; first on line %d", d.lines[at])
		default:
			d.lines[at] = key.Line
			read(key.Value, value, at)
		}
	}
}

// printable is a key as it may stand in a message: a file may hold anything.
func printable(key string) string {
	if quoted := strconv.QuoteToGraphic(key); quoted != `"`+key+`"` || len(key) > 100 {
		return strconv.QuoteToASCII(key[:min(len(key), 100)])
	}
	return key
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

// scalar reads a text or number as it is written.
func (d *decoder) scalar(n *yaml.Node, path string) (string, bool) {
	if !d.want(n, path, yaml.ScalarNode, "a text") {
		return "", false
	}
	if tag := n.ShortTag(); tag == "!!null" || tag == "!!binary" {
		d.fault(n.Line, path, "type", "must be a text; put it in quotes")
		return "", false
	}
	return n.Value, true
}

func (d *decoder) text(into *string, good func(string) bool, form string) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if ok && !good(text) {
			d.fault(n.Line, path, "value", "must be %s", form)
		}
		*into = text
	}
}

// word reads one of several words as its index.
func (d *decoder) word(into *int, words []string) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if !ok {
			return
		}
		if *into = slices.Index(words, strings.ToLower(text)); *into < 0 {
			*into = 0
			d.fault(n.Line, path, "value", "must be one of %s", strings.Join(words, ", "))
		}
	}
}

func (d *decoder) boolean(into *bool) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		if d.want(n, path, yaml.ScalarNode, "true or false") && (n.ShortTag() != "!!bool" || n.Decode(into) != nil) {
			d.fault(n.Line, path, "type", "must be true or false")
		}
	}
}

func (d *decoder) number(into *int, most int) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if !ok {
			return
		}
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || number > most {
			d.fault(n.Line, path, "value", "must be a number from 1 to %d", most)
			return
		}
		*into = number
	}
}
