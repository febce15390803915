package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/cputime"
	"github.com/loginunico/loginunico/internal/pgcluster"
)

const poolSize = 16 // connections of the provider by default, and of the floor's server

// settings of the database: durable, with memory as a small city's server has.
var settings = pgcluster.Settings{
	"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on",
	"shared_buffers": "1GB", "max_wal_size": "4GB", "min_wal_size": "2GB", "shared_preload_libraries": "pg_stat_statements",
}

// machine is what all measurements share: the database server and the built provider.
type machine struct {
	options
	scratch    string // removed at the end
	cluster    *pgcluster.Cluster
	postmaster int
	reader     *pgx.Conn
	provider   string // the built program
}

func newMachine(ctx context.Context, o options) (m *machine, err error) {
	m = &machine{options: o}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return nil, err
	}
	if m.scratch, err = os.MkdirTemp(o.dir, "run-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	if m.scratch, err = filepath.Abs(m.scratch); err != nil {
		return m, err
	}
	if err = os.Chmod(m.scratch, 0o755); err != nil { // the database's user walks through it
		return m, err
	}
	progress("building the provider")
	if err = m.build(ctx); err != nil {
		return m, err
	}
	progress("starting PostgreSQL")
	return m, m.startDatabase(ctx)
}

func (m *machine) startDatabase(ctx context.Context) (err error) {
	dir := filepath.Join(m.scratch, "postgres")
	if m.cluster, err = pgcluster.StartWith(ctx, dir, settings); err != nil {
		return err
	}
	if m.postmaster, err = cputime.Postmaster(filepath.Join(dir, "data")); err != nil {
		return err
	}
	if m.reader, err = pgx.Connect(ctx, m.cluster.URL("postgres")); err != nil {
		return err
	}
	if _, err = m.reader.Exec(ctx, `CREATE EXTENSION IF NOT EXISTS pg_stat_statements`); err != nil {
		return err
	}
	return m.runIn(ctx)
}

// runIn leaves WAL segments behind that can be written over, as a server that has run for a while has:
// a new one is filled with zeros first, which the first phase alone would pay for.
func (m *machine) runIn(ctx context.Context) error {
	for _, statement := range []string{
		`SELECT count(pg_logical_emit_message(false, 'bench', repeat('x', 4 << 20))) FROM generate_series(1, 400)`,
		`CHECKPOINT`, `SELECT pg_switch_wal()`, `CHECKPOINT`,
	} {
		if _, err := m.reader.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) close() {
	if m.reader != nil {
		_ = m.reader.Close(context.Background())
	}
	if m.cluster != nil {
		m.cluster.Stop()
	}
	_ = os.RemoveAll(m.scratch)
}

// build compiles the provider as it is shipped; with -profile, one more file listens for profiles.
func (m *machine) build(ctx context.Context) error {
	m.provider = filepath.Join(m.scratch, "loginunico")
	args := []string{"build", "-o", m.provider}
	if m.profile != "" {
		overlay, err := profiling(m.scratch)
		if err != nil {
			return err
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "github.com/loginunico/loginunico/cmd/loginunico")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// server is a process under load.
type server struct {
	cmd     *exec.Cmd
	url     string
	profile string // host:port of its profiles; "" without
	log     *os.File
}

// start runs a program until it answers at /healthz of url.
func (m *machine) start(ctx context.Context, name, url string, cmd *exec.Cmd) (*server, error) {
	log, err := os.Create(filepath.Join(m.scratch, name+".log"))
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, url: url, log: log}
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		res, err := http.Get(url + "/healthz")
		if err == nil {
			_ = res.Body.Close()
			return s, nil
		}
	}
	words, _ := os.ReadFile(log.Name())
	s.stop()
	return nil, fmt.Errorf("%s does not answer: %s", name, words)
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	_ = s.log.Close()
}

// startProvider runs the real provider on a database: the demo's command, because it alone may
// serve plain HTTP.
func (m *machine) startProvider(ctx context.Context, database string) (*server, error) {
	ports, err := freePorts(6)
	if err != nil {
		return nil, err
	}
	local := func(i int) string { return "127.0.0.1:" + strconv.Itoa(ports[i]) }
	url := "http://localhost:" + strconv.Itoa(ports[0])
	cmd := exec.Command(m.provider, "demo")
	cmd.Env = append(os.Environ(), "LOGINUNICO_ISSUER="+url, "LOGINUNICO_LISTEN="+local(0), "LOGINUNICO_METRICS_LISTEN="+local(1),
		"LOGINUNICO_DEMO_RP_LISTEN="+local(2), "LOGINUNICO_DEMO_OUTBOX_LISTEN="+local(3), "LOGINUNICO_DEMO_GOVBR_LISTEN="+local(5), "LOGINUNICO_CERT_LISTEN=",
		"LOGINUNICO_DATA_DIR="+m.dataDir(database),
		"LOGINUNICO_DATABASE_URL="+m.cluster.URL(database), "LOGINUNICO_DATABASE_CONNS="+strconv.Itoa(poolSize), profileEnv+"="+local(4))
	s, err := m.start(ctx, "provider-"+database, url, cmd)
	if err == nil && m.profile != "" {
		s.profile = local(4)
	}
	return s, err
}

// dataDir keeps the provider's key-encryption key and log.
func (m *machine) dataDir(database string) string { return filepath.Join(m.scratch, "data-"+database) }

// startFloor runs the floor's server, whose static answer and page have this many bytes.
func (m *machine) startFloor(ctx context.Context, database string, body, page int) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	port := strconv.Itoa(ports[0])
	cmd := exec.Command(self, floorCommand, "-listen", "127.0.0.1:"+port, "-database", m.cluster.URL(database), "-body", strconv.Itoa(body),
		"-page", strconv.Itoa(page))
	cmd.Env = append(os.Environ(), "GOGC=400") // as the provider sets for itself
	return m.start(ctx, "floor-"+database, "http://localhost:"+port, cmd)
}

// freePorts finds ports that nobody listens on just now.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

var errNoProfile = errors.New("the provider gave no profile")
