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
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/loginunico/loginunico/cmd/demo-rp/rp"
	"github.com/loginunico/loginunico/cmd/loginunico/config"
	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/idp/federation"
	"github.com/loginunico/loginunico/idp/federation/govbrtest"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/mail"
	"github.com/loginunico/loginunico/internal/outbox"
	"github.com/loginunico/loginunico/internal/pgcluster"
	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/migrations"
)

// runDemo is the whole city on one machine, until Ctrl-C. Everything it opens it closes, and its
// data stays in LOGINUNICO_DATA_DIR.
func runDemo(ctx context.Context, args []string, out io.Writer) (err error) {
	if _, err := parse(flags("demo"), args, 0, 0); err != nil {
		return err
	}
	cfg, err := config.Load(true)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.DataDir, 0o755); err != nil {
		return err
	}
	logFile, err := os.OpenFile(filepath.Join(cfg.DataDir, "loginunico.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer logFile.Close()
	log := newLog(cfg, logFile)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop, err := demoPostgres(ctx, cancel, cfg)
	if err != nil {
		return err
	}
	defer stop()
	if _, err := migrations.Up(ctx, cfg.DatabaseURL); err != nil {
		return err
	}
	s, err := open(ctx, cfg, log, true)
	if err != nil {
		return err
	}
	defer s.db.Close()
	if err := s.seed(ctx); err != nil {
		return err
	}
	return s.city(ctx, out)
}

// demoPostgres starts the private cluster, unless a database was named. Its death ends the demo.
func demoPostgres(ctx context.Context, cancel context.CancelFunc, cfg *config.Config) (stop func(), err error) {
	if cfg.DatabaseURL != "" {
		return func() {}, nil
	}
	cluster, err := pgcluster.Start(ctx, filepath.Join(cfg.DataDir, "postgres"))
	if err != nil {
		return nil, err
	}
	cfg.DatabaseURL = cluster.URL("loginunico")
	note := databaseNote(cfg.DataDir)
	go func() {
		<-cluster.Done()
		cancel()
	}()
	return func() { _ = os.Remove(note); cluster.Stop() }, os.WriteFile(note, []byte(cfg.DatabaseURL), 0o600)
}

// databaseNote is where a running demo says how its database is reached, for the other commands.
func databaseNote(dataDir string) string { return filepath.Join(dataDir, "database-url") }

func demoDatabase(dataDir string) (string, error) {
	url, err := os.ReadFile(databaseNote(dataDir))
	if errors.Is(err, os.ErrNotExist) {
		return "", errors.New("LOGINUNICO_DATABASE_URL is missing, and no demo runs here (make run)")
	}
	return strings.TrimSpace(string(url)), err
}

// city serves the provider, the sample service and the outbox together.
func (s *stack) city(ctx context.Context, out io.Writer) error {
	box := outbox.New()
	defer box.Close()
	smtp, err := box.ListenSMTP()
	if err != nil {
		return err
	}
	letters, err := mail.NewSMTP("smtp://"+smtp+"?tls=none", s.cfg.MailFrom)
	if err != nil {
		return err
	}
	services, err := rp.DemoServices()
	if err != nil {
		return err
	}
	sample, err := rp.New(rp.Config{Issuer: s.cfg.Issuer, BaseURL: local(s.cfg.DemoRPListen), Services: services})
	if err != nil {
		return err
	}
	beside := []neighbour{{"LOGINUNICO_DEMO_RP_LISTEN", s.cfg.DemoRPListen, sample},
		{"LOGINUNICO_DEMO_OUTBOX_LISTEN", s.cfg.DemoOutboxListen, box.Handler()}}
	if !s.cfg.GovBR.On() {
		beside = append(beside, neighbour{"LOGINUNICO_DEMO_GOVBR_LISTEN", s.cfg.DemoGovBRListen, s.govbrStandIn()})
	}
	if s.cfg.CertificatesOn() {
		icp, err := s.demoCertificates(ctx)
		if err != nil {
			return err
		}
		beside = append(beside, neighbour{"LOGINUNICO_DEMO_ICP_LISTEN", s.cfg.DemoICPListen, icp.handler()})
		if s.cfg.CertCloud == "" {
			beside = append(beside, neighbour{"LOGINUNICO_DEMO_PSC_LISTEN", s.cfg.DemoPSCListen, s.pscStandIn(icp)})
		}
	}
	for _, b := range beside {
		closeServer, err := background(b.addr, b.handler, s.log)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		defer closeServer()
	}
	by := carriers{letters, func(*sms.Metrics) (sms.Carrier, error) { return box, nil }}
	return s.serve(ctx, by, func(net.Addr) { s.announce(out) })
}

// neighbour is what listens beside the provider.
type neighbour struct {
	name, addr string // the setting, and where
	handler    http.Handler
}

// govbrStandIn is a gov.br for the demo, with accounts for its people, and registers the city there.
func (s *stack) govbrStandIn() http.Handler {
	const id, secret = "vila-esperanca.example", "demo-govbr"
	base := local(s.cfg.DemoGovBRListen)
	s.cfg.GovBR = federation.Settings{Issuer: base, ClientID: id, Secret: secret,
		Scopes: append(slices.Clone(federation.DefaultScopes), federation.ScopeCompanies)}
	return govbrtest.New(base, govbrtest.Client{ID: id, Secret: secret, RedirectURIs: []string{s.cfg.Issuer + flow.PathGovBRBack},
		LogoutURIs: []string{s.cfg.Issuer + session.PathGoodbye}}, govbrtest.Demo()...)
}

func background(addr string, h http.Handler, log *slog.Logger) (closeServer func(), err error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	srv := newServer(h)
	go func() {
		if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("beside the provider", "error", err.Error())
		}
	}()
	return func() { _ = srv.Close() }, nil
}

// local is the URL of a loopback listener as a browser writes it.
func local(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return "http://localhost:" + port
}

// announce prints what a newcomer needs, in one screen.
func (s *stack) announce(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 4, 3, ' ', 0)
	fmt.Fprintf(w, "\nPrefeitura de Vila Esperança is open. Ctrl-C closes it; data stays in %s.\n\n", s.cfg.DataDir)
	fmt.Fprintf(w, "Start here: sample services\t%s\n", local(s.cfg.DemoRPListen))
	fmt.Fprintf(w, "Citizen's account\t%s/conta\n", s.cfg.Issuer)
	fmt.Fprintf(w, "Mail and text messages sent\t%s\n", local(s.cfg.DemoOutboxListen))
	if s.cfg.GovBR.Local() {
		fmt.Fprintf(w, "Stand-in for gov.br\t%s\n", s.cfg.GovBR.Issuer)
	}
	if s.cfg.CertificatesOn() {
		fmt.Fprintf(w, "Demo certificates to import\t%s\n", local(s.cfg.DemoICPListen))
		if len(s.cfg.Clouds) > 0 && s.cfg.CertCloud == "" {
			fmt.Fprintf(w, "Stand-in for a PSC (cloud)\t%s\n", local(s.cfg.DemoPSCListen))
		}
	}
	fmt.Fprintf(w, "Discovery\t%s/.well-known/openid-configuration\n", s.cfg.Issuer)
	fmt.Fprintf(w, "Metrics\thttp://%s/metrics\n", s.cfg.MetricsListen)
	fmt.Fprintf(w, "Loads of the registry\thttp://%s/loads\n", s.cfg.MetricsListen)
	fmt.Fprintf(w, "Log\t%s\n\n", filepath.Join(s.cfg.DataDir, "loginunico.log"))
	fmt.Fprintf(w, "CPF\tWho (all invented; password %s)\tLevel\n", demoPassword)
	for _, p := range demoPeople() {
		fmt.Fprintf(w, "%s\t%s\t%d\n", p.cpf.Formatted(), p.label, p.level)
	}
	fmt.Fprintf(w, "\nService (client_id)\tSecret\n")
	for _, id := range demo.IDs() {
		fmt.Fprintf(w, "%s\tdemo-%s\n", id, id)
	}
	fmt.Fprintln(w)
	_ = w.Flush()
}
