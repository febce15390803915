// Command loginunico is the whole provider in one binary: it serves, shows a demo city, migrates
// the database, and manages services and keys.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage is wrong usage: its text says what is right.
type errUsage string

func (e errUsage) Error() string { return string(e) }

// command is one subcommand. run gets what follows its name.
type command struct {
	name, args, help string
	run              func(ctx context.Context, args []string, out io.Writer) error
}

func commands() []command {
	return slices.Concat([]command{
		{"serve", "", "Serve the provider with the settings of the environment (see .env.example).", runServe},
		{"demo", "", "Run the demo city on this machine: provider, sample service, outbox and a PostgreSQL of its own.", runDemo},
		{"migrate", "", "Bring the database's schema up to this program's.", runMigrate},
		{"service apply", "FILE…", "Register services, or change them, by their manifests. Prints a new service's secret once.", runServiceApply},
		{"service list", "", "List the registered services.", runServiceList},
		{"service show", "ID", "Print a service's manifest as applied.", runServiceShow},
		{"service secret", "ID", "Give a service a new secret and print it once. The old one ends at once.", runServiceSecret},
		{"keys list", "", "List the signing keys and what each does.", runKeysList},
		{"keys rotate", "[-now] ALG", "Make a new signing key (ES256 or RS256): published first, signing after ten minutes, or at once with -now.", runKeysRotate},
		{"keys data list", "", "List the data keys by purpose and what each does.", runDataKeysList},
		{"keys data rotate", "PURPOSE", "Make a new data key: it seals at once, the old ones still open. A new version of the index is used after ten minutes.", runDataKeysRotate},
		{"keys data rewrap", "", "Wrap the data keys under the first key of LOGINUNICO_KEK_FILE, whose second is the one before it.", runDataKeysRewrap},
		{"registry", "COMMAND", registrySummary, runRegistry},
		{"audit", "COMMAND", auditSummary, runAudit},
		{"kek", "FILE", "Write a new key-encryption key to FILE. Keep a copy apart from the database: without it nothing sealed can be read.", runKEK},
	}, deskCommands(), staffCommands(), evidenceCommands(), certsCommands())
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run finds the subcommand, which may be two words, and turns its error into an exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) < len(words) || strings.Join(args[:len(words)], " ") != c.name {
			continue
		}
		return report(c, c.run(ctx, args[len(words):], out), out, errOut)
	}
	if len(args) == 1 && (args[0] == "-h" || args[0] == "--help" || args[0] == "help") {
		usage(out)
		return exitDone
	}
	usage(errOut)
	return exitUsage
}

func report(c command, err error, out, errOut io.Writer) int {
	var wrong errUsage
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(out, "loginunico %s %s\n\n%s\nExit codes: 0 done, 1 failed, 2 wrong usage.\n", c.name, c.args, c.help)
		return exitDone
	case errors.As(err, &wrong):
		fmt.Fprintf(errOut, "loginunico %s: %s\nUsage: loginunico %s %s\n", c.name, wrong, c.name, c.args)
		return exitUsage
	}
	fmt.Fprintf(errOut, "loginunico %s: %v\n", c.name, err)
	return exitFailed
}

func usage(w io.Writer) {
	fmt.Fprint(w, "loginunico: OpenID Connect for a city.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-28s %s\n", strings.TrimSpace(c.name+" "+c.args), c.help)
	}
	fmt.Fprint(w, "\n-h after a command tells more. Exit codes: 0 done, 1 failed, 2 wrong usage.\n")
}

// parse reads a command's flags and checks how many arguments are left; most < 0 is any number.
func parse(fs *flag.FlagSet, args []string, least, most int) ([]string, error) {
	fs.SetOutput(io.Discard)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, errUsage(err.Error())
	}
	if n := fs.NArg(); n < least || (most >= 0 && n > most) {
		return nil, errUsage(fmt.Sprintf("%d arguments", n))
	}
	return fs.Args(), nil
}

func flags(name string) *flag.FlagSet { return flag.NewFlagSet(name, flag.ContinueOnError) }
