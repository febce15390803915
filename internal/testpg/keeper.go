package testpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/loginunico/loginunico/internal/pgcluster"
)

// The keeper is this test binary once more, in a session of its own, so that the cluster outlives
// the first package that needed it. Two files agree on who may do what:
//
//	start   exclusive: who looks for the cluster, starts it, or takes it away
//	users   shared: held by every test process until it ends, however it ends
//
// The keeper takes both, without waiting, to know that nobody is left.
const (
	keeperVariable = "LOGINUNICO_TESTPG_KEEPER" // the directory to keep
	idle           = 4 * time.Second            // after the last test process
	readyFile      = "url"                      // the cluster's address, once it answers
)

func init() {
	if dir := os.Getenv(keeperVariable); dir != "" {
		os.Exit(keep(dir))
	}
}

// keptCluster returns the address of the shared cluster, starting it where there is none. The
// users file stays locked until this process ends.
func keptCluster() (string, error) {
	dir, err := sharedDir()
	if err != nil {
		return "", err
	}
	start, err := lockFile(filepath.Join(dir, "start"), syscall.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer func() { _ = start.Close() }()
	if err := join(filepath.Join(dir, "users")); err != nil {
		return "", err
	}
	if at, err := os.ReadFile(filepath.Join(dir, readyFile)); err == nil && alive(dir) {
		return string(at), nil
	}
	return spawnKeeper(dir)
}

// sharedDir makes the directory of this user's test cluster, which the server's user may enter.
func sharedDir() (string, error) {
	dir := filepath.Join(Room(), "loginunico-test-"+strconv.Itoa(os.Geteuid()))
	if err := os.Mkdir(dir, 0o711); err != nil && !os.IsExist(err) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if st := info.Sys().(*syscall.Stat_t); !info.IsDir() || int(st.Uid) != os.Geteuid() {
		return "", fmt.Errorf("%s is not ours; remove it", dir)
	}
	return dir, nil
}

// Room is where test clusters live: memory where at least 1 GiB of it is free, else the
// temporary directory.
func Room() string {
	var fs syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &fs); err == nil && fs.Bavail*uint64(fs.Bsize) >= 1<<30 {
		return "/dev/shm"
	}
	return os.TempDir()
}

// Settings make a cluster quick and forgetful.
func Settings() pgcluster.Settings {
	return pgcluster.Settings{
		"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
		"wal_level": "minimal", "max_wal_senders": "0", "max_connections": "400",
		"shared_buffers": "64MB", "autovacuum": "off", "dynamic_shared_memory_type": "mmap",
	}
}

// alive says whether a keeper holds the cluster.
func alive(dir string) bool {
	f, err := lockFile(filepath.Join(dir, "keeper"), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return true
	}
	_ = f.Close()
	return false
}

// spawnKeeper starts the keeper and waits for its first words: the address, or what went wrong.
func spawnKeeper(dir string) (string, error) {
	out, err := os.Create(filepath.Join(dir, "keeper.log"))
	if err != nil {
		return "", err
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), keeperVariable+"="+dir)
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, "/" // go test waits for nobody who holds its pipes
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	_ = os.Remove(filepath.Join(dir, readyFile))
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return awaitURL(dir, ended)
}

func awaitURL(dir string, ended <-chan error) (string, error) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if at, err := os.ReadFile(filepath.Join(dir, readyFile)); err == nil {
			return string(at), nil
		}
		select {
		case <-ended:
			words, _ := os.ReadFile(filepath.Join(dir, "keeper.log"))
			return "", errors.New(strings.TrimSpace(string(words)))
		case <-time.After(10 * time.Millisecond):
		}
	}
	return "", fmt.Errorf("the test cluster in %s does not start", dir)
}

// keep runs the cluster of dir until nobody needs it, and returns the exit code.
func keep(dir string) int {
	err := keepCluster(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func keepCluster(dir string) error {
	keeper, err := lockFile(filepath.Join(dir, "keeper"), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return fmt.Errorf("another keeper: %w", err)
	}
	defer func() { _ = keeper.Close() }()
	data := filepath.Join(dir, "cluster")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := pgcluster.StartWith(ctx, data, Settings())
	if err != nil {
		return err
	}
	if err := publish(dir, c.URL("loginunico")); err != nil {
		c.Stop()
		return err
	}
	release := awaitIdle(dir, c.Done())
	defer release()
	c.Stop()
	_ = os.Remove(filepath.Join(dir, readyFile))
	return os.RemoveAll(data)
}

// publish writes the address in one step, so that nobody reads half of it.
func publish(dir, at string) error {
	draft := filepath.Join(dir, readyFile+".new")
	if err := os.WriteFile(draft, []byte(at), 0o600); err != nil {
		return err
	}
	return os.Rename(draft, filepath.Join(dir, readyFile))
}

// awaitIdle returns when no test process has lived for a while, or the server has ended. It then
// holds the start file, until release, so that the next test waits and starts anew.
func awaitIdle(dir string, ended <-chan struct{}) (release func()) {
	for last := time.Now(); ; {
		select {
		case <-ended:
			return func() {}
		case <-time.After(200 * time.Millisecond):
		}
		start, free := nobody(dir)
		if !free {
			last = time.Now()
		}
		if free && time.Since(last) >= idle {
			return func() { _ = start.Close() }
		}
		if start != nil {
			_ = start.Close()
		}
	}
}

// nobody reports whether no test process holds the users file; start is then locked.
func nobody(dir string) (start *os.File, free bool) {
	start, err := lockFile(filepath.Join(dir, "start"), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return nil, false
	}
	users, err := lockFile(filepath.Join(dir, "users"), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return start, false
	}
	_ = users.Close()
	return start, true
}

// join locks the users file until this process ends: a bare descriptor, which no garbage collector
// closes as it would an os.File.
func join(users string) error {
	fd, err := syscall.Open(users, syscall.O_RDWR|syscall.O_CREAT|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", users, err)
	}
	return flock(fd, syscall.LOCK_SH)
}

// lockFile opens path and locks it as how says; the lock ends with the file or the process.
func lockFile(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(int(f.Fd()), how); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func flock(fd, how int) error {
	for {
		if err := syscall.Flock(fd, how); err != syscall.EINTR {
			return err
		}
	}
}
