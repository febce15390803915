// Command with runs another command beside a PostgreSQL cluster for tests:
//
//	go run ./internal/testpg/with go test ./...
//
// The command finds the cluster's address in LOGINUNICO_TEST_DATABASE_URL. Where that is set
// already, nothing is started. The cluster and its files are gone when with returns, with the
// command's exit code; 1 when the cluster does not start, 2 without a command. Ctrl-C reaches the
// command, and the cluster is stopped after it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/loginunico/loginunico/internal/pgcluster"
	"github.com/loginunico/loginunico/internal/testpg"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: with COMMAND [ARGUMENT…]")
		os.Exit(2)
	}
	code, err := with(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func with(command []string) (int, error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if os.Getenv(testpg.URLVariable) != "" {
		return run(command, signals)
	}
	dir, err := os.MkdirTemp(testpg.Room(), "loginunico-run-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o711); err != nil { // the server's user passes
		return 1, err
	}
	c, err := pgcluster.StartWith(context.Background(), filepath.Join(dir, "cluster"), testpg.Settings())
	if err != nil {
		return 1, err
	}
	defer c.Stop()
	if err := os.Setenv(testpg.URLVariable, c.URL("loginunico")); err != nil {
		return 1, err
	}
	return run(command, signals)
}

// run runs command to its end; SIGTERM is passed on, Ctrl-C has reached it by the terminal.
func run(command []string, signals <-chan os.Signal) (int, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	go func() {
		for s := range signals {
			if s == syscall.SIGTERM {
				_ = cmd.Process.Signal(s) // it may have ended
			}
		}
	}()
	err := cmd.Wait()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return max(failed.ExitCode(), 1), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
