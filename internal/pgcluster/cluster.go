package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser = "loginunico"
	database  = "loginunico" // there from the first start

	stopPatience = 20 * time.Second // for a fast shutdown, before an immediate one
)

// ErrInUse: another live process runs the cluster of this directory.
var ErrInUse = errors.New("the database directory is in use")

// Cluster is a running server. Stop it, or it stops when this process dies.
type Cluster struct {
	place  *place
	server *os.Process
	done   chan struct{} // closed when the server has ended
}

// Settings are server settings by name, on top of ours: no TCP, one socket.
type Settings map[string]string

// Start runs the cluster of dir, made first where there is none, with durable settings, and
// returns when it answers: about 2 s the first time, 0.2 s later. A crash before is recovered.
//
// Errors: ErrNoBinaries, ErrInUse, what keeps the directory from being made, or the server's last
// words.
func Start(ctx context.Context, dir string) (*Cluster, error) {
	return StartWith(ctx, dir, nil)
}

// StartWith is Start with settings of the caller's.
func StartWith(ctx context.Context, dir string, settings Settings) (*Cluster, error) {
	p, err := prepare(dir)
	if err != nil {
		return nil, err
	}
	c, err := p.launch(ctx, settings)
	if err != nil {
		p.close()
		return nil, err
	}
	return c, nil
}

// launch brings the data into being, clears what a crash left, and starts the server.
func (p *place) launch(ctx context.Context, settings Settings) (*Cluster, error) {
	if err := p.stopOrphan(ctx); err != nil {
		return nil, err
	}
	if err := p.initialize(ctx, settings["fsync"] == "off"); err != nil {
		return nil, err
	}
	c := &Cluster{place: p, done: make(chan struct{})}
	if err := c.spawn(p, settings); err != nil {
		return nil, err
	}
	if err := c.ready(ctx); err != nil {
		c.end()
		return nil, fmt.Errorf("%w\n%s", err, p.lastWords())
	}
	return c, nil
}

// arguments of the server program.
func (p *place) arguments(settings Settings) []string {
	all := Settings{
		"listen_addresses":        "",
		"unix_socket_directories": p.socket,
		"unix_socket_permissions": "0700",
		"max_connections":         "200",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
	}
	maps.Copy(all, settings)
	args := []string{"-D", p.seen(p.data)}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", name+"="+all[name])
	}
	return args
}

// spawn starts the server and watches it. Pdeathsig follows the thread that forked, so both stay
// on one thread until the server ends.
func (c *Cluster) spawn(p *place, settings Settings) error {
	cmd := p.command(context.Background(), "postgres", p.arguments(settings)...) // it outlives Start's context
	log, err := p.openLog()
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	started := make(chan error)
	go onOneThread(func() {
		err := cmd.Start()
		_ = log.Close() // the server has its own
		c.server = cmd.Process
		started <- err
		if err == nil {
			_ = cmd.Wait() // its log says why it ended
			close(c.done)
		}
	})
	return <-started
}

// ready waits until the server answers, has ended, or ctx ends.
func (c *Cluster) ready(ctx context.Context) error {
	for {
		err := c.EnsureDatabase(ctx, database)
		if err == nil {
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("PostgreSQL ended while starting")
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w", errors.Join(ctx.Err(), err))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// EnsureDatabase creates the database where it does not exist yet.
func (c *Cluster) EnsureDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists); err != nil || exists {
		return err
	}
	_, err = conn.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize())
	return err
}

// URL is the address of a database of the cluster; "loginunico" is there from the start.
func (c *Cluster) URL(db string) string {
	q := url.Values{"host": {c.place.socket}, "user": {superuser}}
	return (&url.URL{Scheme: "postgres", Path: "/" + db, RawQuery: q.Encode()}).String()
}

// Done is closed when the server has ended, asked or not.
func (c *Cluster) Done() <-chan struct{} { return c.done }

// Stop ends the server, rolling open transactions back, and waits until it has gone; a second
// Stop does nothing. The data is left clean.
func (c *Cluster) Stop() {
	_ = c.server.Signal(syscall.SIGINT) // fast shutdown; fails only when it has ended
	select {
	case <-c.done:
	case <-time.After(stopPatience):
	}
	c.end()
}

// end is an immediate shutdown, where needed, and gives the directory free.
func (c *Cluster) end() {
	_ = c.server.Signal(syscall.SIGQUIT)
	<-c.done
	c.place.close()
}
