// Package idptest runs a whole provider for a test: on a real listener, a PostgreSQL database of
// its own and a real outbox. What it logs is kept, and [Main] makes sure at the end that no CPF,
// mail address, code, password or token used by any test is in it.
package idptest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/cloud/psctest"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/certauth/revocation"
	"github.com/loginunico/loginunico/idp"
	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/federation"
	"github.com/loginunico/loginunico/idp/federation/govbrtest"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/idp/keys"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/mail"
	"github.com/loginunico/loginunico/internal/outbox"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
	"github.com/loginunico/loginunico/themes"
)

// Password of every person made by [City.Person].
const Password = "Vila-Esperanca-2026"

// City is a running provider.
type City struct {
	Issuer  string // http://localhost:port
	DB      *pg.Pool
	Box     *secret.Box
	Keys    *keys.Ring
	Clients *client.Registry
	Outbox  *outbox.Outbox
	SMS     *sms.Service      // on Outbox; nil WithoutTexts
	GovBR   *govbrtest.Server // nil but WithGovBR
	ICP     *ICP              // nil but WithCertificates
	// Of WithSignatures: what authorities publish, what the city has of it, a PSC.
	Repository *icptest.Repository
	Lists      *revocation.Service
	PSC        *psctest.Server
	Echo       *echo.Echo
	IDP        *idp.Provider

	t       testing.TB
	people  *registry.Store
	offset  *atomic.Int64 // nanoseconds ahead of the real clock; a twin shares it
	metrics *prometheus.Registry
	read    sync.Map // number to the id of the newest text that Text has returned

	statements *statements
	realHashes bool
}

// Option changes how a city is set up.
type Option func(*options)

type options struct {
	govbr        bool
	certificates bool
	signatures   bool
	limits       factor.Limits
	caps         string
	texts        bool
	carrier      sms.Carrier // nil: the city's outbox
	numbers      sms.Limits
	leaked       *factor.Breached
	mailURL      string // "": the city's outbox

	question   bool
	realHashes bool
}

var defaults = options{limits: factor.DefaultLimits, caps: trust.DefaultCaps, texts: true}

// WithSecretQuestion lets people get back in by one.
func WithSecretQuestion() Option { return func(o *options) { o.question = true } }

// WithRealHashes has people whose password costs what a citizen's does, for who compares times.
func WithRealHashes() Option { return func(o *options) { o.realHashes = true } }

// WithLimits replaces the throttling limits.
func WithLimits(l factor.Limits) Option { return func(o *options) { o.limits = l } }

// WithoutTexts makes a city that sends none.
func WithoutTexts() Option { return func(o *options) { o.texts = false } }

// WithMail has letters sent to another server than the outbox.
func WithMail(smtpURL string) Option { return func(o *options) { o.mailURL = smtpURL } }

// WithCarrier has texts sent by another carrier than the outbox.
func WithCarrier(s sms.Carrier) Option { return func(o *options) { o.carrier = s } }

// WithCaps replaces the session caps table.
func WithCaps(table string) Option { return func(o *options) { o.caps = table } }

// WithTextLimits replaces the caps on texts.
func WithTextLimits(l sms.Limits) Option { return func(o *options) { o.numbers = l } }

// WithBreached gives the city a list of leaked passwords.
func WithBreached(b *factor.Breached) Option { return func(o *options) { o.leaked = b } }

// Start runs a city with these services, each a manifest's YAML, until the test ends. A service
// with a shared secret has the secret "secret-" and its id.
func Start(t testing.TB, manifests []string, opts ...Option) *City {
	t.Helper()
	o := defaults
	for _, opt := range opts {
		opt(&o)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &City{t: t, offset: new(atomic.Int64), statements: &statements{}, realHashes: o.realHashes, Outbox: outbox.New(),
		Issuer: fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)}
	c.DB = database(t, c.statements)
	ctx := t.Context()
	var kek secret.KEK
	c.Box = must(secret.Open(ctx, c.DB, kek))(t)
	c.people = registry.NewStore(c.Box)
	c.plantKey()
	c.Keys = must(keys.New(ctx, c.DB, c.Box, c.Now))(t)
	c.Clients = client.NewRegistry(c.DB, c.Now)
	for _, m := range manifests {
		c.Apply(m)
	}
	c.serve(listener, o)
	return c
}

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// look is every city's: to read its templates takes a large part of what a city costs.
var look = sync.OnceValues(func() (*themes.Renderer, error) { return themes.Load("", "") })

func (c *City) serve(listener net.Listener, o options) {
	log := logger()
	c.metrics = prometheus.NewRegistry()
	if o.mailURL == "" {
		o.mailURL = "smtp://" + must(c.Outbox.ListenSMTP())(c.t) + "?tls=none"
	}
	queue := jobs.New(c.DB, log)
	queue.ByHand() // what they would do at any moment, a test asks for at its own
	if o.texts {
		c.SMS = c.texts(queue, o)
	}
	var settings federation.Settings
	if o.govbr {
		settings = c.openGovBR()
	}
	var trips *certauth.Trips
	if o.certificates {
		trips = c.openCertificates(log, o)
	}
	var signatures *flow.Signatures
	if o.signatures {
		signatures = c.openSignatures()
	}
	p := must(idp.New(idp.Dependencies{DB: c.DB, Box: c.Box, Keys: c.Keys, Clients: c.Clients, Queue: queue,
		Themes: must(look())(c.t), Mail: must(mail.NewSMTP(o.mailURL, "nao-responda@example.org"))(c.t),
		LevelWarning: 30 * 24 * time.Hour, SMS: c.SMS, SecretQuestion: o.question, Caps: must(trust.ParseCaps(o.caps))(c.t),
		Limits: o.limits, Breached: o.leaked, GovBR: settings, Certificates: trips, Signatures: signatures, CertificatesCount: true, Issuer: c.Issuer, Log: log, Now: c.Now}))(c.t)
	c.IDP = p
	if c.Lists != nil {
		p.Recall(c.Lists, c.ICP)
	}
	if err := queue.Open(); err != nil {
		c.t.Fatal(err)
	}
	if err := queue.Start(context.WithoutCancel(c.t.Context())); err != nil {
		c.t.Fatal(err)
	}
	c.Echo = httpx.New(httpx.Options{Log: log, MaxBody: 256 << 10, CrossSite: idp.CrossSite(), Failure: p.Pages().Failure})
	p.Mount(c.Echo)
	server := &http.Server{Handler: c.Echo, BaseContext: func(net.Listener) context.Context {
		return context.WithValue(context.Background(), ofRequest{}, true)
	}}
	go server.Serve(listener) //nolint:errcheck // it ends with Close
	c.t.Cleanup(func() {
		_ = server.Close()
		stop, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = queue.Stop(stop)
		_ = c.Outbox.Close()
		c.keepShape()
	})
}

// Now is the city's clock: the real one and what [City.Advance] added.
func (c *City) Now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

// Advance moves the city's clock forward.
func (c *City) Advance(d time.Duration) { c.offset.Add(int64(d)) }

// Apply registers a service, or changes it.
func (c *City) Apply(manifest string) client.Result {
	c.t.Helper()
	m, err := client.Parse("test", []byte(manifest))
	if err != nil {
		c.t.Fatal(err)
	}
	given := ""
	if _, known := c.Clients.Get(m.ID); m.HasSecret() && !known {
		given = Secret(m.ID)
	}
	return must(c.Clients.Apply(c.t.Context(), []byte(manifest), given))(c.t)
}

// Secret is the shared secret of a service of [Start].
func Secret(id string) string { return "secret-" + id }

// Person settles somebody with [Password], this level's evidence and these fields; mail is
// confirmed. It returns the person's id.
func (c *City) Person(cpf string, level int, fields map[string]string) registry.PersonID {
	c.t.Helper()
	used.add(cpf)
	now := c.Now()
	values := registry.Fields{}
	for name, text := range fields {
		v := registry.Value{Text: text, Source: registry.SourceSelf, At: now}
		if name == "email" {
			v.Confirmed = &now
			used.add(text)
		}
		values[name] = v
	}
	ctx := c.t.Context()
	digits := must(brdoc.ParseCPF(cpf))(c.t)
	person := must(c.people.Create(ctx, c.DB, registry.Person{CPF: digits, Fields: values}, now))(c.t)
	if err := factor.SetPassword(ctx, c.DB, person.ID, c.passwordHash(), now); err != nil {
		c.t.Fatal(err)
	}
	for _, kind := range []trust.Kind{trust.SelfDeclared, trust.GovBR, trust.RegistryMatch, trust.BiometricEnrollment, trust.ICPCertificate} {
		if kind.Level() <= level {
			c.Evidence(person.ID, trust.Evidence{Kind: kind, Source: "test", Method: "test", Verifier: "test", VerifiedAt: now})
		}
	}
	return person.ID
}

// Known files a record of one of the city's bases, a year old, of somebody without an account.
func (c *City) Known(cpf, source string, fields map[string]string) registry.PersonID {
	c.t.Helper()
	used.add(cpf)
	values := registry.Fields{}
	for name, text := range fields {
		values[name] = registry.Value{Text: text, Source: source}
	}
	person := registry.Person{CPF: must(brdoc.ParseCPF(cpf))(c.t), Fields: values}
	return must(c.people.Create(c.t.Context(), c.DB, person, c.Now().AddDate(-1, 0, 0)))(c.t).ID
}

// Settle opens the account of somebody whom the city's bases know: with [Password], what they declare,
// and some evidence.
func (c *City) Settle(id registry.PersonID, fields map[string]string, proofs ...trust.Evidence) {
	c.t.Helper()
	now := c.Now()
	declared := registry.Fields{}
	for name, text := range fields {
		declared[name] = registry.Value{Text: text, Source: registry.SourceSelf, At: now}
	}
	proofs = append([]trust.Evidence{{Kind: trust.SelfDeclared, Source: registry.SourceSelf, Method: "mail_code", VerifiedAt: now}}, proofs...)
	err := pg.InTx(c.t.Context(), c.DB, func(tx pg.Tx) error {
		for _, e := range proofs {
			if err := c.people.Lifetimes.Record(c.t.Context(), tx, id, e); err != nil {
				return err
			}
		}
		if err := factor.SetPassword(c.t.Context(), tx, id, c.passwordHash(), now); err != nil {
			return err
		}
		return c.people.Update(c.t.Context(), tx, id, declared, trust.SelfDeclared.Level(), now)
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// Evidence records one piece of evidence, with the end that its kind has.
func (c *City) Evidence(person registry.PersonID, e trust.Evidence) {
	c.t.Helper()
	if e.Kind == trust.ICPCertificate && e.ExpiresAt.IsZero() {
		e.ExpiresAt = e.VerifiedAt.AddDate(1, 0, 0) // no certificate is without an end
	}
	if err := c.people.Lifetimes.Record(c.t.Context(), c.DB, person, e); err != nil {
		c.t.Fatal(err)
	}
}

// Letter waits for the newest letter to an address and returns its text.
func (c *City) Letter(to string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	m, err := c.Outbox.Wait(ctx, to, 0)
	if err != nil {
		c.t.Fatalf("no letter to %s: %v", to, err)
	}
	if newer, ok := c.Outbox.Last(to); ok {
		m = newer
	}
	return m.Subject + "\n" + m.Text
}

// Code waits for a letter and returns the six digits in it.
func (c *City) Code(to string) string {
	c.t.Helper()
	text := c.Letter(to)
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		if len(word) == 6 {
			used.add(word)
			return word
		}
	}
	c.t.Fatalf("no code in %q", text)
	return ""
}
