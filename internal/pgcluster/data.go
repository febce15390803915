package pgcluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const logLimit = 10 << 20 // bytes after which a start begins the log anew

// initialize makes the data directory where there is none; what an interrupted initdb left is
// thrown away.
func (p *place) initialize(ctx context.Context, hasty bool) error {
	if _, err := os.Stat(filepath.Join(p.data, "PG_VERSION")); err == nil {
		return nil
	}
	fresh := p.data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("initdb: %w", err)
	}
	args := []string{"-D", p.seen(fresh), "-U", superuser, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"}
	if hasty {
		args = append(args, "--no-sync")
	}
	cmd := p.command(ctx, "initdb", args...)
	var out []byte
	var err error
	done := make(chan struct{})
	go onOneThread(func() {
		out, err = cmd.CombinedOutput()
		close(done)
	})
	<-done
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, bytes.TrimSpace(out))
	}
	return os.Rename(fresh, p.data)
}

// openLog opens the server's log for appending.
func (p *place) openLog() (*os.File, error) {
	path, mode := filepath.Join(p.dir, "postgres.log"), os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		mode = os.O_TRUNC
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|mode, 0o600)
	if err != nil {
		return nil, fmt.Errorf("database log: %w", err)
	}
	return f, nil
}

// lastWords returns the last lines of the server's log.
func (p *place) lastWords() string {
	text, err := os.ReadFile(filepath.Join(p.dir, "postgres.log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}
