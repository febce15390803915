package pgcluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopOrphan ends a server that outlived the process which started it, and the children of a
// killed one. We hold the directory's lock, so nobody alive wants them. A postmaster.pid that
// names no server of this data (the number may belong to another program by now) is removed.
func (p *place) stopOrphan(ctx context.Context) error {
	for start := time.Now(); ; {
		left := p.processes()
		if len(left) == 0 {
			return p.removeStalePID()
		}
		p.tellToEnd(left, time.Since(start) > stopPatience)
		select {
		case <-ctx.Done():
			return fmt.Errorf("an earlier PostgreSQL (process %d) does not end: %w", left[0], ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// tellToEnd asks the postmaster for a fast shutdown where it lives: it ends its children in
// order. Without it, each child is terminated. Those that do not hear are made to quit.
func (p *place) tellToEnd(left []int, late bool) {
	sig := syscall.SIGTERM
	if pid := p.postmaster(); slices.Contains(left, pid) {
		left, sig = []int{pid}, syscall.SIGINT
	}
	if late {
		sig = syscall.SIGQUIT
	}
	for _, pid := range left {
		_ = syscall.Kill(pid, sig) // gone meanwhile is as good
	}
}

// postmaster reads the process id in postmaster.pid; 0 where there is none.
func (p *place) postmaster() int {
	text, err := os.ReadFile(filepath.Join(p.data, "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(first)
	return pid
}

// processes are those that work in the data directory, as every PostgreSQL process does.
func (p *place) processes() []int {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd") // the pattern is well-formed
	var found []int
	for _, link := range links {
		if cwd, err := os.Readlink(link); err != nil || cwd != p.data {
			continue
		}
		exe, err := os.Readlink(filepath.Join(filepath.Dir(link), "exe"))
		if err != nil || !strings.HasPrefix(filepath.Base(exe), "postgres") {
			continue // somebody's shell
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			found = append(found, pid)
		}
	}
	return found
}

func (p *place) removeStalePID() error {
	err := os.Remove(filepath.Join(p.data, "postmaster.pid"))
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("stale postmaster.pid: %w", err)
	}
	return nil
}
