package client

import (
	"go.yaml.in/yaml/v3"

	"github.com/loginunico/loginunico/internal/yamlform"
)

const (
	maxShort = 120  // characters of a name
	maxLong  = 300  // characters of a purpose
	maxURI   = 2000 // characters of a URI
)

type (
	field = yamlform.Field
	rule  = yamlform.Rule
)

// decoder adds to the general one what only manifests hold.
type decoder struct{ *yamlform.Decoder }

// localized reads a mapping of language to text.
func (d *decoder) localized(into *Text, rules ...rule) field {
	return func(n *yaml.Node, path string) {
		texts, fields := Text{}, map[string]field{}
		for _, lang := range languages {
			fields[lang] = func(n *yaml.Node, path string) {
				if text, ok := d.Scalar(n, path, rules); ok {
					texts[lang] = text
				}
			}
		}
		d.Object(n, path, fields)
		if !d.Given(yamlform.Join(path, languages[0])) && n.Kind == yaml.MappingNode {
			d.Fault(n.Line, path, "required", "needs the language %s", languages[0])
		}
		*into = texts
	}
}

// level reads a trust level, 1 to 5.
func (d *decoder) level(into *int) field { return d.Int(into, 1, 5, "a trust level, 1 to 5") }

// required faults a key that was not in the file.
func (d *decoder) required(path, key string) { d.Require(yamlform.Join(path, key)) }
