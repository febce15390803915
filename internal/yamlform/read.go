package yamlform

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFaults is how many faults are told at once: a file with more is something else than this form.
const maxFaults = 100

var yamlLine = regexp.MustCompile(`line (\d+)`)

// Read decodes the one document of data, at most limit bytes long, and lets check look at what the
// fields say together. The only error is *Faults, with everything that is wrong.
//
//	name    file name, for messages
//	fields  the vocabulary; called with the decoder so that its readers can be named
func Read(name string, data []byte, limit int, fields func(*Decoder) map[string]Field, check func(*Decoder)) error {
	d := &Decoder{lines: map[string]int{}}
	if root := d.document(data, limit); root != nil {
		d.Object(root, "", fields(d))
		check(d)
	}
	if len(d.faults) == 0 {
		return nil
	}
	faults := &Faults{Name: name, List: d.faults}
	faults.sort()
	faults.List = faults.List[:min(len(faults.List), maxFaults)]
	return faults
}

// document is the root of the only document; nil, with a fault, when there is none.
func (d *Decoder) document(data []byte, limit int) *yaml.Node {
	if len(data) > limit {
		d.Fault(0, "", "too_large", "has %d bytes; at most %d", len(data), limit)
		return nil
	}
	var doc, second yaml.Node
	reader := yaml.NewDecoder(bytes.NewReader(data))
	if err := reader.Decode(&doc); err != nil {
		d.yamlFault(err)
		return nil
	}
	if err := reader.Decode(&second); !errors.Is(err, io.EOF) {
		d.Fault(max(1, second.Line), "", "documents", "one file holds one document; nothing may follow the first")
		return nil
	}
	return doc.Content[0]
}

func (d *Decoder) yamlFault(err error) {
	if errors.Is(err, io.EOF) {
		d.Fault(1, "", "required", "is empty")
		return
	}
	line := 1
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if at := yamlLine.FindStringSubmatch(text); at != nil {
		if n, err := strconv.Atoi(at[1]); err == nil {
			line = n
		}
		text = strings.TrimPrefix(text, at[0]+": ")
	}
	d.Fault(line, "", "yaml", "is not YAML: %s", text)
}
