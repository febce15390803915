package load

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/loginunico/loginunico/internal/yamlform"
)

// decoder reads what mappings hold and other files do not: columns may be numbers, and a text may
// be empty.
type decoder struct{ *yamlform.Decoder }

// scalar reads a text or number as it is written.
func (d decoder) scalar(n *yaml.Node, path string) (string, bool) {
	if !d.Want(n, path, yaml.ScalarNode, "a text") {
		return "", false
	}
	if tag := n.ShortTag(); tag == "!!null" || tag == "!!binary" {
		d.Fault(n.Line, path, "type", "must be a text; put it in quotes")
		return "", false
	}
	return n.Value, true
}

func (d decoder) text(into *string, good func(string) bool, form string) yamlform.Field {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if ok && !good(text) {
			d.Fault(n.Line, path, "value", "must be %s", form)
		}
		*into = text
	}
}

// word reads one of several words as its index.
func (d decoder) word(into *int, words []string) yamlform.Field {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if !ok {
			return
		}
		if *into = slices.Index(words, strings.ToLower(text)); *into < 0 {
			*into = 0
			d.Fault(n.Line, path, "value", "must be one of %s", strings.Join(words, ", "))
		}
	}
}

func (d decoder) number(into *int, most int) yamlform.Field {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if !ok {
			return
		}
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || number > most {
			d.Fault(n.Line, path, "value", "must be a number from 1 to %d", most)
			return
		}
		*into = number
	}
}
