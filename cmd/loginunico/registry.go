package main

import (
	"context"
	"io"
	"slices"
	"strings"
)

// registryCommand is what follows "registry". help is all that -h says.
type registryCommand struct {
	name, help string
	run        func(ctx context.Context, args []string, out io.Writer) error
}

func registryCommands() []registryCommand {
	return []registryCommand{
		{"generate", registryGenerateHelp, runRegistryGenerate},
	}
}

// runRegistry has the registry's commands: what follows "registry" chooses.
func runRegistry(ctx context.Context, args []string, out io.Writer) error {
	for _, c := range registryCommands() {
		if len(args) == 0 || args[0] != c.name {
			continue
		}
		if slices.ContainsFunc(args, asksForHelp) {
			_, err := io.WriteString(out, c.help)
			return err
		}
		return c.run(ctx, args[1:], out)
	}
	var names []string
	for _, c := range registryCommands() {
		names = append(names, c.name)
	}
	if slices.ContainsFunc(args, asksForHelp) {
		for _, c := range registryCommands() {
			if _, err := io.WriteString(out, c.help+"\n"); err != nil {
				return err
			}
		}
		return nil
	}
	return errUsage("registry " + strings.Join(names, "|"))
}

func asksForHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }
