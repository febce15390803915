package yamlform

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing wrong with a form.
type Fault struct {
	Line    int    // 1-based; 0 when the file as a whole is meant
	Path    string // "claims[1].basis"; "" for the file as a whole
	Code    string // stable: required, unknown_key, duplicate, type, value, uri, …
	Message string // English, ends without a period
}

// Faults is everything wrong with one form, by line.
type Faults struct {
	Name string // file name, as given to Parse
	List []Fault
}

// Error is one line per fault, as compilers write them: name:line: path: message.
func (f *Faults) Error() string {
	lines := make([]string, len(f.List))
	for i, fault := range f.List {
		lines[i] = f.Name + fault.String()
	}
	return strings.Join(lines, "\n")
}

// String is ":line: path: message".
func (f Fault) String() string {
	var b strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	if f.Path != "" {
		b.WriteString(": " + f.Path)
	}
	b.WriteString(": " + f.Message)
	return b.String()
}

func (f *Faults) sort() {
	slices.SortStableFunc(f.List, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
}
