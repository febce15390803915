// Package demo holds what the demo city needs beside the program: the manifests of its services, and
// the mappings and first deliveries of its source bases.
// They are ordinary manifests; a city writes its own the same way.
package demo

import (
	"embed"
	"maps"
	"path"
	"slices"
	"strings"
)

//go:embed services/*.yaml
var services embed.FS

// Services returns each demo service's manifest (YAML) by service id.
func Services() map[string][]byte {
	entries, err := services.ReadDir("services")
	if err != nil {
		panic(err) // the files are part of this binary
	}
	manifests := make(map[string][]byte, len(entries))
	for _, e := range entries {
		text, err := services.ReadFile(path.Join("services", e.Name()))
		if err != nil {
			panic(err)
		}
		manifests[strings.TrimSuffix(e.Name(), ".yaml")] = text
	}
	return manifests
}

// IDs returns the ids of the demo services in alphabetical order.
func IDs() []string {
	return slices.Sorted(maps.Keys(Services()))
}
