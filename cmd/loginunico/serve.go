package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/loginunico/loginunico/cmd/loginunico/config"
	"github.com/loginunico/loginunico/idp"
	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/keys"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/mail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/migrations"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/themes"
)

const (
	maxBody   = 256 << 10 // bytes of any request to the provider
	gcPercent = 400
)

// stack is everything that stands on a database: opened once, in one place.
type stack struct {
	cfg     *config.Config
	log     *slog.Logger
	db      *pg.Pool
	box     *secret.Box
	keys    *keys.Ring
	clients *client.Registry
	people  *registry.Store
	texts   *sms.Service     // nil: the city sends none
	leaked  *factor.Breached // nil: the city has no such list
	certs   *certificates    // nil: citizens cannot sign in by one
	demo    bool             // it may reach what is on this machine
}

// open connects and loads what every command needs. Close the stack's db after use.
func open(ctx context.Context, cfg *config.Config, log *slog.Logger, demo bool) (*stack, error) {
	kek, err := secret.LoadKEK(cfg.KEKFile, demo)
	if err != nil {
		return nil, err
	}
	db, err := pg.Open(ctx, cfg.DatabaseURL, cfg.DatabaseConns)
	if err != nil {
		return nil, err
	}
	s := &stack{cfg: cfg, log: log, db: db, clients: client.NewRegistry(db, time.Now), demo: demo}
	if err := s.load(ctx, kek); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func (s *stack) load(ctx context.Context, kek secret.KEK) (err error) {
	if err := migrations.Check(ctx, s.db); err != nil {
		return err
	}
	if s.box, err = secret.Open(ctx, s.db, kek); err != nil {
		return err
	}
	s.people = registry.NewStore(s.box)
	s.people.Lifetimes = s.cfg.Lifetimes
	if err := s.people.KeepPolicy(ctx, s.db); err != nil {
		return err
	}
	if err := s.people.Adopt(ctx, s.db, time.Now()); err != nil { // people of the release before
		return err
	}
	if s.keys, err = keys.New(ctx, s.db, s.box, time.Now); err != nil {
		return err
	}
	return s.clients.Load(ctx)
}

func runServe(ctx context.Context, args []string, _ io.Writer) error {
	if _, err := parse(flags("serve"), args, 0, 0); err != nil {
		return err
	}
	cfg, err := config.Load(false)
	if err != nil {
		return err
	}
	log := newLog(cfg, os.Stderr)
	s, err := open(ctx, cfg, log, false)
	if err != nil {
		return err
	}
	defer s.db.Close()
	if err := s.refuseDemoSecrets(); err != nil {
		return err
	}
	letters, err := mail.NewSMTP(cfg.SMTPURL, cfg.MailFrom)
	if err != nil {
		return err
	}
	return s.serve(ctx, carriers{letters, s.ownCarrier()}, nil)
}

// refuseDemoSecrets keeps a database that was once a demo from serving a city: its secrets are
// printed in the documentation.
func (s *stack) refuseDemoSecrets() error {
	var faults []error
	for _, c := range s.clients.All() {
		if secret.Equal(c.SecretHash, secret.Hash("demo-"+c.ID)) {
			faults = append(faults, fmt.Errorf("service %s has its demo secret; run: loginunico service secret %s", c.ID, c.ID))
		}
	}
	return errors.Join(faults...)
}

// newLog writes JSON. Types hide personal data themselves; nothing here may log a URL or a form.
func newLog(cfg *config.Config, w io.Writer) *slog.Logger {
	log := slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: cfg.LogLevel}))
	slog.SetDefault(log) // libraries log there
	return log
}

// serve runs the provider until ctx ends, then finishes what is in flight. ready, if given, is
// called when it listens.
func (s *stack) serve(ctx context.Context, by carriers, ready func(at net.Addr)) error {
	tuneMemory()
	if err := s.openLeaked(); err != nil {
		return err
	}
	defer s.leaked.Close()
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	e, queue, err := s.handler(by, reg)
	if err != nil {
		return err
	}
	if err := s.certs.load(ctx); err != nil {
		return err
	}
	trail, err := audit.NewWriter(ctx, s.db, s.log, time.Now)
	if err != nil {
		return err
	}
	defer trail.Close() // after the last request and job, before the database
	listener, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("LOGINUNICO_LISTEN: %w", err)
	}
	private, err := net.Listen("tcp", s.cfg.MetricsListen)
	if err != nil {
		listener.Close()
		return fmt.Errorf("LOGINUNICO_METRICS_LISTEN: %w", err)
	}
	ours, err := s.certificateServers()
	if err != nil {
		return errors.Join(err, listener.Close(), private.Close())
	}
	if err := queue.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	defer s.keepLink(ctx)() // jobs under way at the end still need it
	go pg.Listen(ctx, s.db, "loginunico", func(table string) { s.refresh(ctx, table) })
	if ready != nil {
		ready(listener.Addr())
	}
	return s.run(ctx, queue, append(ours,
		server{newServer(e), listener, s.cfg.TLSCert, s.cfg.TLSKey},
		server{newServer(s.privateHandler(reg)), private, "", ""}))
}

// openLeaked opens the list of leaked passwords, where the city has one.
func (s *stack) openLeaked() (err error) {
	if s.cfg.Breached != "" {
		s.leaked, err = factor.OpenBreached(s.cfg.Breached)
	}
	return err
}

// tuneMemory lets the heap grow to five times what is in use before it is collected, unless GOGC
// says otherwise. A provider keeps few MiB between requests, and Go's default of twice that would
// collect many times a second; its workers had 10 to 14 % of the profiles. GOMEMLIMIT holds all the same.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// handler is the provider's HTTP face and its queue, not yet started.
func (s *stack) handler(by carriers, reg *prometheus.Registry) (*echo.Echo, *jobs.Queue, error) {
	look, err := themes.Load(s.cfg.ThemesDir, s.cfg.City)
	if err != nil {
		return nil, nil, err
	}
	queue := jobs.New(s.db, s.log)
	if err := s.openTexts(queue, look, by.texts, reg); err != nil {
		return nil, nil, err
	}
	if err := s.openCertificates(queue, reg); err != nil {
		return nil, nil, err
	}
	provider, err := idp.New(idp.Dependencies{DB: s.db, Box: s.box, Keys: s.keys, Clients: s.clients, Queue: queue, Themes: look,
		Mail: by.mail, SMS: s.texts, Breached: s.leaked, SecretQuestion: s.cfg.Question, Caps: s.cfg.Caps, Lifetimes: s.cfg.Lifetimes,
		LevelWarning: time.Duration(s.cfg.LevelWarning) * 24 * time.Hour, GovBR: s.cfg.GovBR,
		Certificates: s.certs.tripsOf(), Signatures: s.certs.signaturesOf(), CertificatesCount: s.cfg.CertificatesOn(), Assurance: s.cfg.Assurance, Limits: factor.DefaultLimits, Issuer: s.cfg.Issuer, Log: s.log, Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	s.certs.follow(provider)
	audit.Schedule(queue, s.db, s.box, s.log, time.Now)
	if err := queue.Open(); err != nil {
		return nil, nil, err
	}
	e := httpx.New(httpx.Options{Log: s.log, Secure: s.cfg.Secure(), TrustedProxies: s.cfg.TrustedProxies, MaxBody: maxBody,
		CrossSite: idp.CrossSite(), Failure: provider.Pages().Failure, Metrics: httpx.NewMetrics(reg)})
	provider.Mount(e)
	probes := []string{http.MethodGet, http.MethodHead}
	e.Match(probes, "/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.Match(probes, "/readyz", s.ready)
	return e, queue, nil
}

// ready says whether this process can answer citizens now: it reaches its database, and the
// schema is the one it knows.
func (s *stack) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 2*time.Second)
	defer cancel()
	if err := migrations.Check(ctx, s.db); err != nil {
		s.log.WarnContext(ctx, "not ready", "error", err.Error())
		return c.String(http.StatusServiceUnavailable, "not ready\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// refresh reloads a cache that another process changed; "" is after a lost connection: all.
func (s *stack) refresh(ctx context.Context, table string) {
	reloads := map[string]func(context.Context) error{"service": s.clients.Load, "signing_key": s.keys.Reload, "data_key": s.box.Reload}
	s.certs.reloads(reloads)
	for name, reload := range reloads {
		if table != "" && table != name {
			continue
		}
		if err := reload(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "refresh", "table", name, "error", err.Error())
		}
	}
}

// server is one listener and what answers on it.
type server struct {
	*http.Server
	listener  net.Listener
	cert, key string // "" is plain HTTP
}

func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
}

func (s server) serve() error {
	if s.cert != "" {
		return s.ServeTLS(s.listener, s.cert, s.key)
	}
	return s.Serve(s.listener)
}

// run serves until ctx ends or a server fails; then requests in flight are finished first and
// jobs after them, within the grace.
func (s *stack) run(ctx context.Context, queue *jobs.Queue, servers []server) error {
	failed := make(chan error, len(servers))
	for _, one := range servers {
		go func() { failed <- one.serve() }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ShutdownGrace)
	defer cancel()
	for _, one := range servers {
		err = errors.Join(err, one.Shutdown(grace))
	}
	return errors.Join(err, queue.Stop(grace))
}
