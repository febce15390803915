package pmcc

import (
	_ "embed"
	"sync"
)

//go:embed default.yaml
var defaultYAML []byte

// Default is the policy a city starts with, complete and with its reasons.
var Default = sync.OnceValue(func() *Policy {
	p, err := Parse("default.yaml", defaultYAML)
	if err != nil {
		panic(err) // the file is part of the program, and a test reads it
	}
	return p
})

// DefaultYAML is the text of [Default], to start one's own from.
func DefaultYAML() []byte { return defaultYAML }
