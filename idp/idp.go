package idp

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/idp/account"
	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/events"
	"github.com/loginunico/loginunico/idp/evidence"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/federation"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/idp/ida"
	"github.com/loginunico/loginunico/idp/keys"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/idp/page"
	"github.com/loginunico/loginunico/idp/recovery"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/idp/token"
	"github.com/loginunico/loginunico/idp/visitor"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/mail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
	"github.com/loginunico/loginunico/themes"
)

// Dependencies of the provider.
type Dependencies struct {
	DB      *pg.Pool
	Box     registry.Sealer
	Keys    *keys.Ring
	Clients *client.Registry
	Queue   *jobs.Queue // its workers are added by New
	Themes  *themes.Renderer
	Mail    mail.Sender
	SMS     *sms.Service // on Queue too; nil: the city sends no texts, and pages offer none
	Caps    trust.Caps
	// Lifetimes are how long evidence counts; the zero value is the default table.
	Lifetimes trust.Lifetimes
	// LevelWarning is how long before a level falls by itself its holder is warned; 0: never.
	LevelWarning time.Duration
	GovBR        federation.Settings // the zero value is a city without gov.br
	// Certificates are the trips to the host that asks for them; nil is a city without.
	Certificates *certauth.Trips
	// Signatures are the ways of certificates that no handshake shows; they need Certificates. nil: none.
	Signatures *flow.Signatures
	Limits     factor.Limits
	Breached   *factor.Breached // leaked passwords that nobody may choose; nil: the city has no list
	// SecretQuestion lets people get back in by one, after a code. The city has to want it.
	SecretQuestion bool
	Issuer         string // no trailing slash
	Log            *slog.Logger
	Now            func() time.Time

	// Assurance names what the city attests verified claims by; "" are the defaults. Without gov.br or
	// certificates theirs counts nothing.
	Assurance ida.Settings
	// CertificatesCount says that verified claims may rest on ICP-Brasil certificates, even where this
	// process takes none itself.
	CertificatesCount bool
}

// Provider is the whole of it, ready to mount.
type Provider struct {
	Dependencies
	pages    *page.Pages
	tokens   *token.Service
	sessions *session.Service
	flows    *flow.Dependencies
	endpoint *endpoint
	events   *events.Service
	metadata []byte
	resource []byte
}

// New puts the provider together.
func New(d Dependencies) (*Provider, error) {
	d.Assurance = assurance(d)
	p := &Provider{Dependencies: d}
	shared := pg.Share(d.DB)
	secure := strings.HasPrefix(d.Issuer, "https://")
	passkeys, err := factor.NewPasskeys(relyingParty(d.Issuer, d.Themes.City().Name), d.Now)
	if err != nil {
		return nil, err
	}
	p.pages = &page.Pages{Themes: d.Themes, Secure: secure}
	p.tokens = token.New(d.DB, shared, d.Box, d.Keys, d.Issuer, d.Now)
	p.tokens.Assure(d.Assurance)
	p.sessions = session.New(d.DB, shared, d.Box, p.tokens, d.Queue, d.Caps, secure, d.Now)
	throttle := factor.NewThrottle(d.DB, shared.Tries, d.Box, d.Limits, d.Now)
	people := registry.NewStore(d.Box)
	people.Lifetimes = d.Lifetimes
	p.flows = &flow.Dependencies{DB: d.DB, Shared: shared, Box: d.Box, People: people, Clients: d.Clients, Sessions: p.sessions,
		Tokens: p.tokens, Hints: d.Keys, Hasher: factor.NewHasher(0), Breached: d.Breached, Throttle: throttle,
		Codes: factor.NewCodes(d.Box, d.Queue, d.Now), Apps: factor.NewAuthenticators(d.Box, throttle, d.Themes.City().Name, d.Now),
		Passkeys: passkeys, Caps: d.Caps, Assurance: d.Assurance, Issuer: d.Issuer, Secure: secure, Now: d.Now}
	notices, noticesErr := notice.New(d.Themes, p.flows.Codes, d.SMS, d.Issuer, d.Now)
	p.flows.Notices, p.flows.Visitors = notices, visitor.New(d.Box, p.flows.People, d.Now)
	p.flows.Recoveries = factor.NewRecoveries(d.Box, p.flows.Hasher, d.SecretQuestion, d.Now)
	p.flows.Channels = factor.NewChannels(d.Box, d.Now)
	p.flows.Displacer = p.Displacer()
	p.flows.Certificates, p.flows.Signatures = d.Certificates, d.Signatures
	govbrErr := p.openGovBR()
	p.endpoint = &endpoint{auth: client.NewAuthenticator(d.Clients, d.DB, d.Issuer, d.Issuer+PathToken, d.Now),
		cors: &cors{clients: d.Clients, methods: "POST"}, log: d.Log}
	p.events = &events.Service{DB: d.DB, Issuer: d.Issuer, Signer: d.Keys, Clients: d.Clients, Queue: d.Queue, HTTP: client.NewHTTPClient(), Now: d.Now}
	p.addJobs()
	var resourceErr error
	p.metadata, err = metadata(d.Issuer, d.Assurance)
	p.resource, resourceErr = resourceMetadata(d.Issuer)
	return p, errors.Join(err, resourceErr, noticesErr, govbrErr)
}

// assurance fills in the names by which this city attests, and takes out those of what it has not.
func assurance(d Dependencies) ida.Settings {
	s := d.Assurance
	s.City = cmp.Or(s.City, ida.DefaultCity)
	s.GovBR, s.ICPBrasil = cmp.Or(s.GovBR, ida.DefaultGovBR), cmp.Or(s.ICPBrasil, ida.DefaultICPBrasil)
	if !d.GovBR.On() {
		s.GovBR = ""
	}
	if d.Certificates == nil && !d.CertificatesCount {
		s.ICPBrasil = ""
	}
	s.Organization = cmp.Or(s.Organization, d.Themes.City().Name)
	return s
}

// openGovBR connects the city to gov.br, where it is registered there.
func (p *Provider) openGovBR() (err error) {
	if !p.GovBR.On() {
		return nil
	}
	s := p.GovBR
	s.RedirectURI = cmp.Or(s.RedirectURI, p.Issuer+flow.PathGovBRBack)
	s.LogoutURI = cmp.Or(s.LogoutURI, p.Issuer+session.PathGoodbye)
	if p.flows.GovBR, err = federation.New(s, p.Box, p.Now); err == nil {
		p.sessions.UseUpstream(p.flows.GovBR.LogoutURL())
	}
	return err
}

// relyingParty is the provider as passkeys know it: the issuer's host and nothing above it.
func relyingParty(issuer, city string) factor.RelyingParty {
	u, err := url.Parse(issuer)
	if err != nil {
		return factor.RelyingParty{} // refused
	}
	return factor.RelyingParty{ID: u.Hostname(), Name: city, Origins: []string{u.Scheme + "://" + u.Host}}
}

// CrossSite lists the paths that take POSTs from other origins by their nature.
func CrossSite() []string {
	return []string{flow.PathAuthorize, session.PathEnd, PathToken, PathRevoke, PathIntrospect, PathUserinfo, sms.StatusPath}
}

// Pages shows pages, for the error handler.
func (p *Provider) Pages() *page.Pages { return p.pages }

// Displacer brings proofs of a CPF to accounts.
func (p *Provider) Displacer() *factor.Displacer {
	return factor.NewDisplacer(p.Box, p.Lifetimes, ender{p.flows}, p.flows.Notices.Displaced(notice.Asker{Lang: themes.Languages[0]}), p.Now)
}

// NewRevoker takes evidence away without a provider, for a command: of d it needs the database, Box,
// Keys, Queue, Caps, Issuer and Now.
func NewRevoker(d Dependencies) *evidence.Revoker {
	shared := pg.Share(d.DB)
	tokens := token.New(d.DB, shared, d.Box, d.Keys, d.Issuer, d.Now)
	return &evidence.Revoker{Sessions: session.New(d.DB, shared, d.Box, tokens, d.Queue, d.Caps, false, d.Now), Tokens: tokens, Queue: d.Queue, Now: d.Now}
}

// Revoker takes evidence away.
func (p *Provider) Revoker() *evidence.Revoker {
	return &evidence.Revoker{Sessions: p.sessions, Tokens: p.tokens, Queue: p.Queue, Now: p.Now}
}

// Keeper tells those concerned of levels that have changed.
func (p *Provider) Keeper() *evidence.Keeper {
	return &evidence.Keeper{DB: p.DB, Box: p.Box, People: p.flows.People, Notices: p.flows.Notices, Events: p.events, Warning: p.LevelWarning,
		Log: p.Log, Now: p.Now}
}

// Mount adds every route of the provider.
func (p *Provider) Mount(e *echo.Echo) {
	p.pages.Mount(e)
	flows := &flow.Handler{Dependencies: p.flows, Pages: p.pages}
	flows.Mount(e)
	(&account.Handler{Dependencies: p.flows, Flow: flows, Pages: p.pages}).Mount(e)
	(&recovery.Handler{Dependencies: p.flows, Flow: flows, Pages: p.pages, Desk: factor.NewDesk("", p.Now), Requests: p.Queue,
		Questions: p.SecretQuestion}).Mount(e)
	(&session.Handler{Sessions: p.sessions, Clients: p.Clients, Hints: p.Keys, Pages: p.pages, Issuer: p.Issuer}).Mount(e)

	e.GET(pathDiscovery, public(func() []byte { return p.metadata }, "300"))
	e.GET(pathMetadata, public(func() []byte { return p.metadata }, "300"))
	e.GET(pathResource, public(func() []byte { return p.resource }, "300"))
	e.GET(PathJWKS, public(p.Keys.JWKS, "300"))

	library := p.endpoint.harden(newOP(p.tokens, p.Log))
	e.Any(PathToken, echo.WrapHandler(library))
	e.Any(PathRevoke, echo.WrapHandler(library))
	p.mountResources(e)
	p.mountStatuses(e)
}

// mountStatuses adds the webhook by which a carrier tells what became of texts, where it has one.
func (p *Provider) mountStatuses(e *echo.Echo) {
	if p.SMS == nil {
		return
	}
	if webhook := p.SMS.Webhook(); webhook != nil {
		e.Any(sms.StatusPath, echo.WrapHandler(webhook))
	}
}

// mountResources adds userinfo and introspection.
func (p *Provider) mountResources(e *echo.Echo) {
	h := &token.Handler{Tokens: p.tokens, Clients: p.Clients, Log: p.Log}
	browsers := &cors{clients: p.Clients, methods: "GET, POST"}
	userinfo := func(c echo.Context) error {
		if browsers.handled(c.Response(), c.Request()) {
			return nil
		}
		return h.GetUserinfo(c)
	}
	e.GET(PathUserinfo, userinfo)
	e.POST(PathUserinfo, userinfo)
	e.OPTIONS(PathUserinfo, userinfo)
	closed := &endpoint{auth: p.endpoint.auth, log: p.Log} // public clients cannot introspect: no CORS
	e.Any(PathIntrospect, func(c echo.Context) (err error) {
		closed.harden(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			c.SetRequest(r)
			err = h.PostIntrospect(c, r.Context().Value(clientKey{}).(*client.Client))
		})).ServeHTTP(c.Response(), c.Request())
		return err
	})
}

// Purge is the job that removes what is over.
type Purge struct{}

// Kind names the job.
func (Purge) Kind() string { return "purge" }

// PurgeFactors is the job that forgets ways in and back that are over.
type PurgeFactors struct{}

// Kind names the job.
func (PurgeFactors) Kind() string { return "purge_factors" }

// PurgeEvents is the job that forgets sign-ins and changes that are not shown any more.
type PurgeEvents struct{}

// Kind names the job.
func (PurgeEvents) Kind() string { return "purge_events" }

// AuditReleases is the job that tells the audit which tokens were issued.
type AuditReleases struct{}

// Kind names the job.
func (AuditReleases) Kind() string { return "audit_releases" }

// Rotate is the job that replaces signing keys in time.
type Rotate struct{}

// Kind names the job.
func (Rotate) Kind() string { return "rotate_keys" }

const (
	purgeBatch   = 5000
	releaseBatch = 1000
	keyMaxAge    = 90 * 24 * time.Hour
	eventWorkers = 4 // of each process; services that hang hold up no letters
)

func (p *Provider) addJobs() {
	notifier := &session.Notifier{Issuer: p.Issuer, Signer: p.Keys, Clients: p.Clients, HTTP: client.NewHTTPClient(), Now: p.Now}
	jobs.Add(p.Queue, 30*time.Second, notifier.Deliver)
	jobs.Add(p.Queue, 30*time.Second, factor.Deliver(p.Box, p.Mail))
	jobs.Add(p.Queue, 30*time.Second, recovery.Deliver(p.flows))
	jobs.Add(p.Queue, 5*time.Minute, p.purge)
	jobs.Add(p.Queue, time.Minute, func(ctx context.Context, _ Rotate, _ int) error {
		_, err := p.Keys.RotateDue(ctx, keyMaxAge)
		return err
	})
	jobs.Add(p.Queue, 5*time.Minute, func(ctx context.Context, _ PurgeFactors, _ int) error {
		return factor.Purge(ctx, p.DB, p.Now())
	})
	jobs.Add(p.Queue, 5*time.Minute, func(ctx context.Context, _ PurgeEvents, _ int) error {
		return factor.PurgeEvents(ctx, p.DB, p.Now())
	})
	jobs.Add(p.Queue, time.Minute, p.auditReleases)
	jobs.AddApart(p.Queue, eventWorkers, 30*time.Second, p.events.Deliver)
	jobs.AddApart(p.Queue, 1, 5*time.Minute, p.Keeper().Look) // after a mass revocation it goes on for minutes
	p.Queue.Every(10*time.Minute, Purge{})
	p.Queue.Every(5*time.Second, AuditReleases{})
	p.Queue.Every(time.Hour, PurgeFactors{})
	p.Queue.Every(24*time.Hour, PurgeEvents{})
	p.Queue.Every(evidence.Period, evidence.Look{})
	p.Queue.Every(time.Hour, Rotate{})
}

// auditReleases goes on until nothing is left.
func (p *Provider) auditReleases(ctx context.Context, _ AuditReleases, _ int) error {
	for {
		if n, err := p.tokens.AuditReleases(ctx, releaseBatch); err != nil || n < releaseBatch {
			return err
		}
	}
}

// purge works in batches, so that no statement holds locks for long.
func (p *Provider) purge(ctx context.Context, _ Purge, _ int) error {
	if _, err := p.endpoint.auth.Sweep(ctx); err != nil {
		return err
	}
	for _, clean := range []func(context.Context, int) (int64, error){p.flows.Purge, p.tokens.Purge, p.sessions.Purge} {
		for {
			n, err := clean(ctx, purgeBatch)
			if err != nil {
				return err
			}
			if n < purgeBatch {
				break
			}
		}
	}
	return nil
}
