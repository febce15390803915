package demo

import (
	"embed"
	"path"
)

//go:embed registry/*.yaml registry/*.csv
var registry embed.FS

// Sources lists the demo city's source bases in the order in which they are loaded: the national
// base of CPFs first.
func Sources() []string {
	return []string{"receita", "saude", "educacao", "assistencia", "fazenda", "habitacao", "empresas"}
}

// Mapping is the file (YAML) that says how a source's deliveries are read; nil for a name that is
// none of [Sources].
func Mapping(source string) []byte { return registryFile(source + ".yaml") }

// Records is a source's small delivery for the demo, as the source writes it: see
// registry/generate, which made it. Among its people are the demo's logins.
func Records(source string) []byte { return registryFile(source + ".csv") }

func registryFile(name string) []byte {
	data, err := registry.ReadFile(path.Join("registry", name))
	if err != nil {
		return nil
	}
	return data
}
