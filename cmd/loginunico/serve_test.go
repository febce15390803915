package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/cmd/loginunico/config"
	"github.com/loginunico/loginunico/internal/mail"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/migrations"
	"github.com/loginunico/loginunico/registry/trust"
)

type noMail struct{}

func (noMail) Send(context.Context, mail.Message) error { return nil }

// running is a provider that serve runs.
type running struct {
	stack   *stack
	at      string
	stop    context.CancelFunc
	stopped chan error
}

func serveForTest(t *testing.T, texts openCarrier) running {
	t.Helper()
	caps, err := trust.ParseCaps(trust.DefaultCaps)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{Issuer: "http://localhost:8080", Listen: "127.0.0.1:0", MetricsListen: "127.0.0.1:0", DatabaseURL: testpg.URL(t),
		DatabaseConns: 4, KEKFile: filepath.Join(t.TempDir(), "kek"), City: "vila-esperanca", Caps: caps, ShutdownGrace: 20 * time.Second}
	s, err := open(t.Context(), cfg, slog.New(slog.DiscardHandler), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.db.Close)
	ctx, cancel := context.WithCancel(t.Context())
	r := running{stack: s, stop: cancel, stopped: make(chan error, 1)}
	ready := make(chan string, 1)
	go func() {
		r.stopped <- s.serve(ctx, carriers{noMail{}, texts}, func(at net.Addr) { ready <- at.String() })
	}()
	select {
	case r.at = <-ready:
	case err := <-r.stopped:
		t.Fatal(err)
	}
	return r
}

func TestShutdownFinishesTheRequestInFlight(t *testing.T) {
	t.Parallel()

	r := serveForTest(t, nil)
	conn, err := net.Dial("tcp", r.at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := "grant_type=client_credentials&client_id=nobody&client_secret=x"
	half := len(body) / 2
	fmt.Fprintf(conn, "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q %v", line, err) // the handler is reading: the request is in flight
	}
	if _, err := answers.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, body[:half])
	r.stop()
	awaitRefusal(t, r.at)
	io.WriteString(conn, body[half:])
	res, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the request in flight got %d", res.StatusCode)
	}
	if err := <-r.stopped; err != nil {
		t.Errorf("serve ended with %v", err)
	}
}

// awaitRefusal waits until the server takes no new connections.
func awaitRefusal(t *testing.T, at string) {
	t.Helper()
	for {
		conn, err := net.DialTimeout("tcp", at, time.Second)
		if err != nil {
			return
		}
		conn.Close()
		if t.Context().Err() != nil {
			t.Fatal("the server still listens")
		}
	}
}

func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()

	r := serveForTest(t, nil)
	defer r.stop()
	for _, path := range []string{"/healthz", "/readyz"} {
		res, err := http.Get("http://" + r.at + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d", path, res.StatusCode)
		}
	}
}

// Other tests leave the periodic jobs out and do by hand what they do.
func TestAProviderThatServesRunsItsPeriodicJobs(t *testing.T) {
	t.Parallel()

	r := serveForTest(t, nil)
	defer r.stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	waiting := []string{"audit_releases", "audit_seal", "evidence_look", "purge", "purge_events", "purge_factors", "rotate_keys"}
	for len(waiting) > 0 {
		var done []string
		err := r.stack.db.QueryRow(ctx, `SELECT coalesce(array_agg(DISTINCT kind), '{}') FROM river_job WHERE state = 'completed'`).Scan(&done)
		if err != nil {
			t.Fatalf("%v never ran: %v", waiting, err)
		}
		waiting = slices.DeleteFunc(waiting, func(kind string) bool { return slices.Contains(done, kind) })
		time.Sleep(50 * time.Millisecond)
	}
}

func TestServeRefusesASchemaThatIsNotItsOwn(t *testing.T) {
	t.Parallel()

	url := testpg.Empty(t)
	cfg := &config.Config{DatabaseURL: url, DatabaseConns: 2, KEKFile: filepath.Join(t.TempDir(), "kek")}
	if _, err := open(t.Context(), cfg, slog.New(slog.DiscardHandler), true); err == nil || !strings.Contains(err.Error(), "loginunico migrate") {
		t.Errorf("an empty database: %v", err)
	}
	if _, err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), cfg, slog.New(slog.DiscardHandler), true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.db.Close()
	if _, err := s.db.Exec(t.Context(), `INSERT INTO schema_migration (version, name, sha256, applied_at) VALUES (9999, '9999_future.sql', sha256('x'), now())`); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), cfg, slog.New(slog.DiscardHandler), true); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a newer database: %v", err)
	}
}

func TestServeRefusesDemoSecrets(t *testing.T) {
	t.Parallel()

	cfg := &config.Config{DatabaseURL: testpg.URL(t), DatabaseConns: 4, DemoRPListen: "127.0.0.1:8090", KEKFile: filepath.Join(t.TempDir(), "kek")}
	s, err := open(t.Context(), cfg, slog.New(slog.DiscardHandler), true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.db.Close()
	if err := s.seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.refuseDemoSecrets(); err == nil || !strings.Contains(err.Error(), "service secret portal") {
		t.Errorf("demo secrets: %v", err)
	}
	for _, c := range s.clients.All() {
		if _, err := s.clients.RotateSecret(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.refuseDemoSecrets(); err != nil {
		t.Errorf("after new secrets: %v", err)
	}
}
