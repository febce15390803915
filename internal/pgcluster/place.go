package pgcluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

const (
	socketLimit = 107 // bytes of a unix socket's path, unix(7)
	socketName  = "/.s.PGSQL.5432"
	logLimit    = 10 << 20 // bytes after which a start begins the log anew
)

// place is a cluster's directory, locked, and what runs in it.
type place struct {
	dir, data, socket string // absolute
	bin               string
	as                account
	lock              *os.File
}

// prepare finds the programs, locks dir and hands it to the server's user.
func prepare(dir string) (*place, error) {
	bin, err := binaries(distributions)
	if err != nil {
		return nil, err
	}
	if dir, err = makeDir(dir); err != nil {
		return nil, fmt.Errorf("database directory: %w", err)
	}
	p := &place{dir: dir, data: filepath.Join(dir, "data"), bin: bin}
	if p.lock, err = lockFile(filepath.Join(dir, "lock")); err != nil {
		return nil, err
	}
	if err := p.handOver(); err != nil {
		_ = p.lock.Close()
		return nil, err
	}
	return p, nil
}

// makeDir makes dir, closed to others but below parents that they may pass, and returns its
// absolute path without symbolic links, as the kernel names it.
func makeDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// handOver settles who runs the server and gives that user the directories it needs.
func (p *place) handOver() (err error) {
	if p.as, err = accountFor(p.data); err != nil {
		return err
	}
	if err := p.as.mustReach(p.dir); err != nil {
		return err
	}
	if err := p.as.own(p.dir); err != nil {
		return fmt.Errorf("database directory: %w", err)
	}
	p.socket = p.dir
	if len(p.dir+socketName) <= socketLimit {
		return nil
	}
	p.socket = shortSocket(p.dir)
	return p.makeSocketDir()
}

// shortSocket is a directory under /tmp that belongs to dir alone.
func shortSocket(dir string) string {
	return fmt.Sprintf("/tmp/loginunico-%x", sha256.Sum256([]byte(dir)))[:len("/tmp/loginunico-")+16]
}

// makeSocketDir refuses a directory that somebody else put in its place.
func (p *place) makeSocketDir() error {
	if err := os.Mkdir(p.socket, 0o700); err == nil {
		return p.as.own(p.socket)
	}
	info, err := os.Lstat(p.socket)
	if err != nil {
		return fmt.Errorf("socket directory: %w", err)
	}
	if st := info.Sys().(*syscall.Stat_t); !info.IsDir() || int(st.Uid) != p.as.UID || info.Mode().Perm() != 0o700 {
		return fmt.Errorf("socket directory %s is not ours (%v, uid %d); remove it", p.socket, info.Mode(), st.Uid)
	}
	return nil
}

// lockFile locks path for this process. Error: ErrInUse with the holder's process id.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("database directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path)
		_ = f.Close()
		return nil, fmt.Errorf("%w: %s, by process %s", ErrInUse, filepath.Dir(path), bytes.TrimSpace(holder))
	}
	if err := f.Truncate(0); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("database directory: %w", err)
	}
	_, _ = fmt.Fprintln(f, os.Getpid()) // only for the other's message
	return f, nil
}

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
	args := []string{"-D", fresh, "-U", superuser, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"}
	if hasty {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "initdb"), args...)
	cmd.SysProcAttr, cmd.Dir, cmd.Env = p.as.attributes(), "/", environment()
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

// environment keeps PG* variables and the caller's locale away from the server.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "HOME=/"}
}

// onOneThread runs f on a thread that starts no other work and ends with it.
func onOneThread(f func()) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	f()
}
