package main

import (
	"os"
	"strings"
)

// describeMachine names the machine's class: processor and cores, nothing that identifies it.
func describeMachine() string {
	model := "unknown processor"
	raw, _ := os.ReadFile("/proc/cpuinfo") // without it the name is unknown
	for line := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return model
}
