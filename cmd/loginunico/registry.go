package main

import (
	"context"
	"io"
	"slices"
	"strings"
)

const registrySummary = "Keep the registry of people: load source bases, change the policy, correct values, join duplicates."

// registryCommand is what follows "registry". help is all that -h says.
type registryCommand struct {
	name, help string
	run        func(ctx context.Context, args []string, out io.Writer) error
}

func registryCommands() []registryCommand {
	return []registryCommand{
		{"load", registryLoadHelp, runRegistryLoad},
		{"report", registryReportHelp, runRegistryReport},
		{"policy", registryPolicyHelp, runRegistryPolicy},
		{"person", registryPersonHelp, runRegistryPerson},
		{"pending", registryPendingHelp, runRegistryPending},
		{"match", registryMatchHelp, runRegistryMatch},
		{"generate", registryGenerateHelp, runRegistryGenerate},
		{"reseal", registryResealHelp, runRegistryReseal},
		{"rekey", registryRekeyHelp, runRegistryRekey},
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
		return inWords(c.run(ctx, args[1:], out))
	}
	var names []string
	for _, c := range registryCommands() {
		names = append(names, c.name)
	}
	if slices.ContainsFunc(args, asksForHelp) {
		return registryHelp(out)
	}
	return errUsage("registry " + strings.Join(names, "|"))
}

func registryHelp(out io.Writer) error {
	text := "loginunico registry COMMAND\n\n" + registrySummary + "\n"
	for _, c := range registryCommands() {
		text += "\n" + c.help
	}
	_, err := io.WriteString(out, text)
	return err
}

func asksForHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }
