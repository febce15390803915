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
)

// place is a cluster's directory, locked, and what runs in it.
type place struct {
	dir, data, socket string // absolute
	bin               string
	as                account
	lock              *os.File
	door              *os.File // dir, opened for a server that may not walk there; else nil
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
		p.close()
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
	if err := p.as.own(p.dir); err != nil {
		return fmt.Errorf("database directory: %w", err)
	}
	reached, err := p.as.reaches(p.dir)
	if err != nil {
		return fmt.Errorf("database directory: %w", err)
	}
	if !reached {
		if p.door, err = os.Open(p.dir); err != nil {
			return fmt.Errorf("database directory: %w", err)
		}
	}
	p.socket = p.dir
	if reached && len(p.dir+socketName) <= socketLimit {
		return nil
	}
	p.socket = shortSocket(p.dir)
	return p.makeSocketDir()
}

// command is a program of PostgreSQL as the server's user. Root's home is closed to that user, and
// a project cloned there with it, so the program inherits the open directory: see seen.
func (p *place) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, name), args...)
	cmd.SysProcAttr, cmd.Dir, cmd.Env = p.as.attributes(), "/", environment()
	if p.door != nil {
		cmd.ExtraFiles = []*os.File{p.door} // descriptor 3
	}
	return cmd
}

// seen is how a program names path, which lies in dir: /proc/self/fd/3 leads into the inherited
// directory without passing its parents.
func (p *place) seen(path string) string {
	if p.door == nil {
		return path
	}
	return "/proc/self/fd/3" + strings.TrimPrefix(path, p.dir)
}

// close gives the directory free.
func (p *place) close() {
	if p.socket != p.dir {
		_ = os.Remove(p.socket) // a directory of our own under /tmp, or nothing yet
	}
	_ = p.lock.Close()
	if p.door != nil {
		_ = p.door.Close()
	}
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

// environment keeps PG* variables and the caller's locale away from the server.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "HOME=/"}
}

// onOneThread runs f on a thread that starts no other work and ends with it.
func onOneThread(f func()) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	f()
}
