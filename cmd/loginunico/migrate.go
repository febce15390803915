package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/loginunico/loginunico/cmd/loginunico/config"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/migrations"
)

// settings are those of a command that manages a database: the demo's are found where no database
// is named, so that a newcomer can try every command on a running demo.
func settings() (*config.Config, bool, error) {
	demo := os.Getenv("LOGINUNICO_DATABASE_URL") == "" && os.Getenv("LOGINUNICO_DATABASE_URL_FILE") == ""
	cfg, err := config.Load(true)
	if err == nil && demo {
		cfg.DatabaseURL, err = demoDatabase(cfg.DataDir)
	}
	return cfg, demo, err
}

// manage opens the stack for one short command.
func manage(ctx context.Context, do func(s *stack) error) error { return manageWith(ctx, 2, do) }

// manageWith is manage for a command that needs more connections.
func manageWith(ctx context.Context, conns int32, do func(s *stack) error) error {
	cfg, _, err := settings()
	if err != nil {
		return err
	}
	cfg.DatabaseConns = conns
	s, err := open(ctx, cfg, newLog(cfg, os.Stderr), false)
	if err != nil {
		return err
	}
	defer s.db.Close()
	return do(s)
}

func runMigrate(ctx context.Context, args []string, out io.Writer) error {
	if _, err := parse(flags("migrate"), args, 0, 0); err != nil {
		return err
	}
	cfg, _, err := settings()
	if err != nil {
		return err
	}
	applied, err := migrations.Up(ctx, cfg.DatabaseURL)
	for _, name := range applied {
		fmt.Fprintln(out, "applied", name)
	}
	if err == nil && len(applied) == 0 {
		fmt.Fprintln(out, "nothing to apply")
	}
	if _, noKey := os.Stat(cfg.KEKFile); err != nil || noKey != nil {
		return err // a process that has the key brings the people over when it starts
	}
	return manage(ctx, func(*stack) error { return nil })
}

func runKEK(_ context.Context, args []string, out io.Writer) error {
	rest, err := parse(flags("kek"), args, 1, 1)
	if err != nil {
		return err
	}
	if _, err := os.Stat(rest[0]); err == nil {
		return fmt.Errorf("%s exists; a key in use is never overwritten", rest[0])
	}
	if _, err := secret.LoadKEK(rest[0], true); err != nil {
		return err
	}
	fmt.Fprintln(out, "wrote", rest[0])
	return nil
}
