package generate

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/registry/load"
	"github.com/loginunico/loginunico/registry/record"
)

var update = flag.Bool("update", false, "write the demo's files anew")

func TestTheDemoFilesAreThoseGenerated(t *testing.T) {
	t.Parallel()

	for name, want := range Demo() {
		path := filepath.Join("..", "..", "deploy", "demo", "registry", name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from what the program generates (go test -update): %v", name, err)
		}
	}
	if !slices.Equal(demo.Sources(), Names()) {
		t.Errorf("deploy/demo has %v", demo.Sources())
	}
}

func TestTheDemoHasItsLogins(t *testing.T) {
	t.Parallel()

	total := 0
	found := map[string][]string{}
	for _, s := range sources[:companies] {
		all := triage(t, filepath.Join("..", "..", "deploy", "demo", "registry", s.name+".csv"), s, map[string]int{})
		total += len(all)
		for _, r := range all {
			if r.outcome == load.Valid && reserved[number([]byte(r.cpf))] {
				found[r.cpf] = append(found[r.cpf], s.name)
			}
		}
	}
	if total < 300 || total > 400 {
		t.Errorf("%d records", total)
	}
	for cpf, bases := range map[string]string{"52998224725": "receita saude assistencia fazenda habitacao", "11144477735": "fazenda",
		"39053344705": "receita saude educacao assistencia", "16899535009": "receita saude fazenda", "93541134780": "receita fazenda"} {
		if got := strings.Join(found[cpf], " "); got != bases {
			t.Errorf("%s in %q, want %q", cpf, got, bases)
		}
	}
}

// mapping is what this test needs of a mapping; registry/load reads all of it.
type mapping struct {
	Source, Kind, Encoding, Separator, Quote string
	Header                                   bool
	Key                                      []string
	Effective                                struct{ Column string }
	Values                                   map[string]map[string]string
	Fields                                   map[string]yaml.Node
}

func TestMappingsNameTheColumnsThatAreThere(t *testing.T) {
	t.Parallel()

	separators := map[string]byte{"tab": '\t', ";": ';', ",": ',', "|": '|'}
	for _, s := range sources {
		var m mapping
		if err := yaml.Unmarshal(demo.Mapping(s.name), &m); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if m.Source != s.name || separators[m.Separator] != s.separator || m.Header != s.header || (m.Kind == "organization") != (s.index == companies) {
			t.Errorf("%s: %+v", s.name, m)
		}
		used := map[string]bool{m.Effective.Column: true}
		for _, k := range m.Key {
			used[k] = true
		}
		for field, node := range m.Fields {
			if _, _, ok := record.Parse(field); !ok {
				t.Errorf("%s: field %s", s.name, field)
			}
			for _, c := range columnsIn(&node) {
				used[c] = true
			}
		}
		for _, c := range s.columns {
			if !used[c.head] {
				t.Errorf("%s: no field takes the column %s", s.name, c.head)
			}
			delete(used, c.head)
		}
		for c := range used {
			t.Errorf("%s: there is no column %q", s.name, c)
		}
	}
}

// columnsIn are the columns a field is made of; a date's layout is none.
func columnsIn(n *yaml.Node) (all []string) {
	switch n.Kind {
	case yaml.ScalarNode:
		return []string{n.Value}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value != "layout" {
				all = append(all, columnsIn(n.Content[i+1])...)
			}
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			all = append(all, columnsIn(item)...)
		}
	}
	return all
}
