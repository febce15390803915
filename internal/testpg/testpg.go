package testpg

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/migrations"
)

// URLVariable names an existing server for the tests.
const URLVariable = "LOGINUNICO_TEST_DATABASE_URL"

const (
	maxConns = 16 // per test's pool, opened as they are needed
	patience = 2 * time.Minute
)

// New returns a pool on a migrated database of the test's own. Both end with the test.
func New(t testing.TB) *pg.Pool {
	t.Helper()
	cfg, err := pg.Config(URL(t), maxConns)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pg.OpenConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// URL returns the address of a migrated database of the test's own, dropped when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	s := serverFor(t)
	template, err := s.template()
	if err != nil {
		t.Fatal(err)
	}
	return s.create(t, template)
}

// Empty is URL without migrations: for tests of the migrations themselves.
func Empty(t testing.TB) string {
	t.Helper()
	return serverFor(t).create(t, "template0")
}

// server is where this process' test databases live.
type server struct {
	url      string                 // its maintenance database
	admin    *pg.Pool               // on that database
	template func() (string, error) // made once
	strategy string                 // of CREATE DATABASE
}

var shared = sync.OnceValues(connect)

func serverFor(t testing.TB) *server {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func connect() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	at := os.Getenv(URLVariable)
	if at == "" {
		var err error
		if at, err = keptCluster(); err != nil {
			return nil, fmt.Errorf("test database: %w", err)
		}
	}
	cfg, err := pg.Config(at, 4)
	if err != nil {
		return nil, err
	}
	admin, err := pg.OpenConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s := &server{url: at, admin: admin}
	s.template = sync.OnceValues(s.makeTemplate)
	var version int
	if err := admin.QueryRow(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return nil, err
	}
	if version >= 150000 {
		s.strategy = " STRATEGY file_copy" // quicker than the log where nothing is synced
	}
	return s, nil
}

// makeTemplate migrates a database once for all who have the same migrations. A crash half-way
// leaves it under its first name, which nobody clones.
func (s *server) makeTemplate() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	hash, err := migrations.Hash()
	if err != nil {
		return "", err
	}
	name := "template_" + hash
	conn, err := s.admin.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtext('testpg'))`); err != nil {
		return "", err
	}
	defer func() { _, _ = conn.Exec(ctx, `SELECT pg_advisory_unlock(hashtext('testpg'))`) }()
	var exists bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists)
	if err != nil || exists {
		return name, err
	}
	return name, s.migrateTemplate(ctx, conn, name)
}

func (s *server) migrateTemplate(ctx context.Context, db pg.DB, name string) error {
	draft := name + "_draft"
	if _, err := db.Exec(ctx, `DROP DATABASE IF EXISTS `+draft+` WITH (FORCE)`); err != nil {
		return err
	}
	if _, err := db.Exec(ctx, `CREATE DATABASE `+draft+` TEMPLATE template0`); err != nil {
		return err
	}
	if _, err := migrations.Up(ctx, s.at(draft)); err != nil {
		return err
	}
	_, err := db.Exec(ctx, `ALTER DATABASE `+draft+` RENAME TO `+name)
	return err
}

// create clones template and drops the clone when the test ends.
func (s *server) create(t testing.TB, template string) string {
	t.Helper()
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails
	name := pgx.Identifier{"test_" + hex.EncodeToString(random)}.Sanitize()
	if _, err := s.admin.Exec(t.Context(), `CREATE DATABASE `+name+` TEMPLATE `+template+s.strategy); err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := s.admin.Exec(ctx, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Errorf("test database: %v", err)
		}
	})
	return s.at("test_" + hex.EncodeToString(random))
}

// at is the server's address with another database.
func (s *server) at(database string) string {
	u, err := url.Parse(s.url)
	if err != nil || u.Scheme == "" {
		return s.url + " dbname=" + database // libpq keywords: the last one counts
	}
	u.Path = "/" + database
	return u.String()
}
