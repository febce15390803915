package pgcluster_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pgcluster"
)

// parentVariable makes this test binary a program that starts the cluster of a directory, says
// so, and waits to be killed.
const parentVariable = "PGCLUSTER_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentVariable); dir != "" {
		if _, err := pgcluster.Start(context.Background(), dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("started")
		select {}
	}
	os.Exit(m.Run())
}

func TestRestartKeepsDataAndIsFast(t *testing.T) {
	t.Parallel()

	dir := directory(t)
	c := start(t, dir)
	write(t, c, "kept")
	c.Stop()
	c.Stop() // twice does nothing
	begun := time.Now()
	c = start(t, dir)
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("the second start took %v", took)
	}
	mustRead(t, c, "kept")
	if got := setting(t, c, "fsync") + setting(t, c, "listen_addresses") + setting(t, c, "synchronous_commit"); got != "onon" {
		t.Errorf("fsync, listen_addresses, synchronous_commit = %q", got)
	}
}

func TestSecondStartAtTheSameTimeIsRefused(t *testing.T) {
	t.Parallel()

	dir := directory(t)
	start(t, dir)
	_, err := pgcluster.Start(t.Context(), dir)
	if !errors.Is(err, pgcluster.ErrInUse) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Fatalf("%v; want ErrInUse with the directory and our process id", err)
	}
}

func TestServerEndsWithItsParentAndRecovers(t *testing.T) {
	t.Parallel()

	dir := directory(t)
	c := start(t, dir)
	write(t, c, "before")
	c.Stop()

	parent := exec.Command("/proc/self/exe")
	parent.Env = append(os.Environ(), parentVariable+"="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "started\n" {
		t.Fatal(line, err)
	}
	server := postmaster(t, dir)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed

	mustRead(t, start(t, dir), "before")                                          // at once, while the old server may still be ending
	if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", server)); err == nil { // nor a zombie
		t.Errorf("the first server, process %d, still runs %s", server, exe)
	}
}

func TestKilledServerRecovers(t *testing.T) {
	t.Parallel()

	dir := directory(t)
	c := start(t, dir)
	write(t, c, "durable")
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-c.Done() // the watcher tells
	c.Stop()
	mustRead(t, start(t, dir), "durable")
}

func TestServerLeftBehindIsStoppedByTheNextStart(t *testing.T) {
	t.Parallel()

	dir := directory(t)
	c := start(t, dir)
	write(t, c, "kept")
	orphan := postmaster(t, dir)
	pgcluster.Forget(c)

	mustRead(t, start(t, dir), "kept")
	<-c.Done()
	if now := postmaster(t, dir); now == orphan {
		t.Error("the old server still runs")
	}
}

func TestStaleProcessIDOfAnotherProgramIsIgnored(t *testing.T) {
	t.Parallel()

	dir := directory(t)
	c := start(t, dir)
	path := filepath.Join(dir, "data", "postmaster.pid")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Stop()
	_, rest, _ := strings.Cut(string(text), "\n")
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getppid())+"\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, dir)
}

func TestInterruptedInitdbIsBegunAnew(t *testing.T) {
	t.Parallel()

	dir := directory(t)
	if err := os.MkdirAll(filepath.Join(dir, "data.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, dir)
}

func TestLongPathGetsAShortSocket(t *testing.T) {
	t.Parallel()

	start(t, filepath.Join(directory(t), strings.Repeat("long/", 25)))
}

func TestServerRunsBelowADirectoryItMayNotEnter(t *testing.T) {
	t.Parallel()

	dir := directory(t)
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil { // as root's home
		t.Fatal(err)
	}
	c := start(t, dir)
	write(t, c, "kept")
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	c.Stop()
	mustRead(t, start(t, dir), "kept")
}

func TestWrongSettingGivesTheServersWords(t *testing.T) {
	t.Parallel()

	_, err := pgcluster.StartWith(t.Context(), directory(t), pgcluster.Settings{"no_such_setting": "1"})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Fatal(err)
	}
}

// directory is one that the server's user may reach, in a path as short as a user's would be.
func directory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgcluster")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "cluster")
}

func start(t *testing.T, dir string) *pgcluster.Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := pgcluster.Start(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func write(t *testing.T, c *pgcluster.Cluster, text string) {
	t.Helper()
	conn := connect(t, c)
	if _, err := conn.Exec(t.Context(), `CREATE TABLE note (text text)`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `INSERT INTO note VALUES ($1)`, text); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, c *pgcluster.Cluster, want string) {
	t.Helper()
	var got string
	if err := connect(t, c).QueryRow(t.Context(), `SELECT text FROM note`).Scan(&got); err != nil || got != want {
		t.Fatalf("read %q, %v; want %q", got, err, want)
	}
}

func setting(t *testing.T, c *pgcluster.Cluster, name string) (value string) {
	t.Helper()
	if err := connect(t, c).QueryRow(t.Context(), `SELECT current_setting($1)`, name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func connect(t *testing.T, c *pgcluster.Cluster) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.URL("loginunico"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the server may have ended first
	return conn
}
