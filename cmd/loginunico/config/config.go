// Package config reads the environment into one struct and checks all of it at once: an operator
// who fixes one wrong setting must not meet the next at the next start.
package config

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/loginunico/loginunico/certauth/cloud"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/federation"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/idp/ida"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/mail"
	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/registry/trust"
)

// Config is every setting. .env.example lists them with their meaning.
type Config struct {
	Issuer        string        `env:"ISSUER" envDefault:"http://localhost:8080"`
	Listen        string        `env:"LISTEN" envDefault:"127.0.0.1:8080"`
	TLSCert       string        `env:"TLS_CERT"`
	TLSKey        string        `env:"TLS_KEY"`
	DatabaseURL   string        `env:"DATABASE_URL"`
	DatabaseFile  string        `env:"DATABASE_URL_FILE"`
	DatabaseConns int32         `env:"DATABASE_CONNS" envDefault:"16"`
	KEKFile       string        `env:"KEK_FILE"`
	DataDir       string        `env:"DATA_DIR" envDefault:".data"`
	ThemesDir     string        `env:"THEMES_DIR"`
	City          string        `env:"CITY" envDefault:"vila-esperanca"`
	MetricsListen string        `env:"METRICS_LISTEN" envDefault:"127.0.0.1:9090"`
	SMTPURL       string        `env:"SMTP_URL"`
	SMTPFile      string        `env:"SMTP_URL_FILE"`
	MailFrom      string        `env:"MAIL_FROM" envDefault:"nao-responda@localhost"`
	SMSURL        string        `env:"SMS_URL"`
	SMSFile       string        `env:"SMS_URL_FILE"`
	SMSProvider   string        `env:"SMS_PROVIDER"`
	SMSFrom       string        `env:"SMS_FROM"`
	SMSSecret     string        `env:"SMS_WEBHOOK_SECRET"`
	SMSSecretFile string        `env:"SMS_WEBHOOK_SECRET_FILE"`
	SMSCountries  string        `env:"SMS_COUNTRIES" envDefault:"BR"`
	SMSLimits     string        `env:"SMS_LIMITS"`
	GovIssuer     string        `env:"GOVBR_ISSUER"`
	GovAPI        string        `env:"GOVBR_API"`
	GovClientID   string        `env:"GOVBR_CLIENT_ID"`
	GovSecret     string        `env:"GOVBR_CLIENT_SECRET"`
	GovSecretFile string        `env:"GOVBR_CLIENT_SECRET_FILE"`
	GovRedirect   string        `env:"GOVBR_REDIRECT_URI"`
	GovScopes     []string      `env:"GOVBR_SCOPES"`
	TrustCity     string        `env:"TRUST_FRAMEWORK_CITY"`
	TrustGovBR    string        `env:"TRUST_FRAMEWORK_GOVBR" envDefault:"br_govbr"`
	TrustICP      string        `env:"TRUST_FRAMEWORK_ICP" envDefault:"br_icp_brasil"`
	RecordTypes   string        `env:"RECORD_TYPES"`
	SessionCaps   string        `env:"SESSION_CAPS"`
	EvidenceLives string        `env:"EVIDENCE_LIFETIMES"`
	LevelWarning  int           `env:"LEVEL_WARNING_DAYS" envDefault:"30"`
	Question      bool          `env:"SECRET_QUESTION" envDefault:"false"`
	Breached      string        `env:"BREACHED_PASSWORDS"`
	Proxies       []string      `env:"TRUSTED_PROXIES"`
	LogLevel      slog.Level    `env:"LOG_LEVEL" envDefault:"INFO"`
	ShutdownGrace time.Duration `env:"SHUTDOWN_GRACE" envDefault:"20s"`

	// The host that asks for certificates; see certificates.go.
	CertListen      string        `env:"CERT_LISTEN"`
	CertURL         string        `env:"CERT_URL"`
	CertTLSCert     string        `env:"CERT_TLS_CERT"`
	CertTLSKey      string        `env:"CERT_TLS_KEY"`
	CertOldListen   string        `env:"CERT_OLD_LISTEN"`
	CertOldURL      string        `env:"CERT_OLD_URL"`
	CertNames       string        `env:"CERT_NAMES" envDefault:"all"`
	CertProxyListen string        `env:"CERT_PROXY_LISTEN"`
	CertProxyPin    string        `env:"CERT_PROXY_PIN"`
	CertRoots       string        `env:"CERT_ROOTS"`
	CertBundleURL   string        `env:"CERT_BUNDLE_URL"`
	CertBundleHash  string        `env:"CERT_BUNDLE_HASH_URL"`
	CertBundleCA    string        `env:"CERT_BUNDLE_CA_FILE"`
	CertStale       time.Duration `env:"CERT_REVOCATION_STALE" envDefault:"0s"`
	CertCloud       string        `env:"CERT_CLOUD"`

	// Where the demo's other parts listen.
	DemoRPListen     string `env:"DEMO_RP_LISTEN" envDefault:"127.0.0.1:8090"`
	DemoOutboxListen string `env:"DEMO_OUTBOX_LISTEN" envDefault:"127.0.0.1:8025"`
	DemoGovBRListen  string `env:"DEMO_GOVBR_LISTEN" envDefault:"127.0.0.1:8081"`
	DemoICPListen    string `env:"DEMO_ICP_LISTEN" envDefault:"127.0.0.1:8083"`
	DemoPSCListen    string `env:"DEMO_PSC_LISTEN" envDefault:"127.0.0.1:8082"`

	Caps           trust.Caps          `env:"-"`
	Lifetimes      trust.Lifetimes     `env:"-"`
	TrustedProxies []netip.Prefix      `env:"-"`
	SMS            sms.Settings        `env:"-"` // its URL is empty where the city sends no texts
	TextCountries  phone.Countries     `env:"-"`
	TextLimits     sms.Limits          `env:"-"`
	GovBR          federation.Settings `env:"-"` // the zero value is a city without gov.br
	Certificates   Certificates        `env:"-"`
	Clouds         []cloud.Provider    `env:"-"` // none: the city is registered at no PSC
	Assurance      ida.Settings        `env:"-"` // names of trust frameworks and records
}

// Load reads LOGINUNICO_*. demo says that the settings are for the demo city: it may lack a
// database and a KEK, and it alone may use http on loopback and the outbox. Its issuer follows the
// port it listens at, so that one variable moves the demo.
//
// The error names every wrong setting.
func Load(demo bool) (*Config, error) {
	var c Config
	var faults []error
	fault := func(name, format string, args ...any) {
		faults = append(faults, fmt.Errorf("LOGINUNICO_%s: "+format, append([]any{name}, args...)...))
	}
	if err := env.ParseWithOptions(&c, env.Options{Prefix: "LOGINUNICO_"}); err != nil {
		unparsed(err, fault)
	}
	c.files(fault)
	if demo && os.Getenv("LOGINUNICO_ISSUER") == "" {
		c.followListen()
	}
	if demo {
		c.followCertListen()
	}
	c.checkIssuer(demo, fault)
	c.checkTLS(fault)
	c.checkListeners(fault)
	c.checkTables(fault)
	if demo && os.Getenv("LOGINUNICO_SMS_COUNTRIES") == "" {
		c.SMSCountries = "*" // its texts cost nothing and go nowhere
	}
	c.checkSMS(fault)
	c.checkGovBR(demo, fault)
	c.checkCertificates(demo, fault)
	c.checkRevocation(demo, fault)
	c.checkAssurance(fault)
	if !demo {
		c.checkProduction(fault)
	}
	return &c, errors.Join(faults...)
}

type faulter func(name, format string, args ...any)

// unparsed names each variable that is not of its type; the others have been read all the same.
func unparsed(err error, fault faulter) {
	var all env.AggregateError
	if !errors.As(err, &all) {
		fault("*", "%v", err)
		return
	}
	for _, one := range all.Errors {
		var wrong env.ParseError
		if field, ok := reflect.TypeFor[Config]().FieldByName(parseErrorField(one, &wrong)); ok {
			fault(field.Tag.Get("env"), "%v", wrong.Err)
		} else {
			fault("*", "%v", one)
		}
	}
}

func parseErrorField(err error, into *env.ParseError) string {
	if !errors.As(err, into) {
		return ""
	}
	return into.Name
}

// files reads secrets that are given as files, as secret managers mount them.
func (c *Config) files(fault faulter) {
	for _, f := range []struct {
		name, path string
		into       *string
	}{{"DATABASE_URL_FILE", c.DatabaseFile, &c.DatabaseURL}, {"SMTP_URL_FILE", c.SMTPFile, &c.SMTPURL},
		{"GOVBR_CLIENT_SECRET_FILE", c.GovSecretFile, &c.GovSecret}, {"SMS_URL_FILE", c.SMSFile, &c.SMSURL}, {"SMS_WEBHOOK_SECRET_FILE", c.SMSSecretFile, &c.SMSSecret}} {
		if f.path == "" {
			continue
		}
		body, err := os.ReadFile(f.path)
		if err != nil {
			fault(f.name, "%v", err)
			continue
		}
		*f.into = strings.TrimSpace(string(body))
	}
	if c.KEKFile == "" {
		c.KEKFile = filepath.Join(c.DataDir, "kek")
	}
}

// followListen makes the issuer the address at which a browser on this machine finds the demo.
func (c *Config) followListen() {
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	if _, port, err := net.SplitHostPort(c.Listen); err == nil { // else checkListeners says so
		c.Issuer = scheme + "://localhost:" + port
	}
}

func (c *Config) checkIssuer(demo bool, fault faulter) {
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		fault("ISSUER", "%q is not scheme://host[:port]", c.Issuer)
		return
	}
	c.Issuer = strings.TrimSuffix(c.Issuer, "/")
	loopback := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback || !demo) {
		fault("ISSUER", "must be https; plain http is for the demo on this machine alone")
	}
}

func (c *Config) checkTLS(fault faulter) {
	switch {
	case c.TLSCert == "" && c.TLSKey == "":
	case c.TLSCert == "" || c.TLSKey == "":
		fault("TLS_CERT", "goes with LOGINUNICO_TLS_KEY: set both or none")
	default:
		if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
			fault("TLS_CERT", "%v", err)
		}
	}
}

func (c *Config) checkListeners(fault faulter) {
	seen := map[string]string{}
	for _, l := range []struct{ name, addr string }{{"LISTEN", c.Listen}, {"METRICS_LISTEN", c.MetricsListen},
		{"DEMO_RP_LISTEN", c.DemoRPListen}, {"DEMO_OUTBOX_LISTEN", c.DemoOutboxListen},
		{"DEMO_GOVBR_LISTEN", c.DemoGovBRListen}, {"DEMO_ICP_LISTEN", c.DemoICPListen}, {"DEMO_PSC_LISTEN", c.DemoPSCListen},
		{"CERT_LISTEN", c.CertListen}, {"CERT_OLD_LISTEN", c.CertOldListen}} {
		if l.addr == "" && strings.HasPrefix(l.name, "CERT_") {
			continue // there is none
		}
		_, port, err := net.SplitHostPort(l.addr)
		if err != nil {
			fault(l.name, "%q is not host:port", l.addr)
			continue
		}
		if other, taken := seen[l.addr]; taken && port != "0" {
			fault(l.name, "%s is LOGINUNICO_%s's already", l.addr, other)
		}
		seen[l.addr] = l.name
	}
}

func (c *Config) checkTables(fault faulter) {
	if c.SessionCaps == "" {
		c.SessionCaps = trust.DefaultCaps
	}
	var err error
	if c.Caps, err = trust.ParseCaps(c.SessionCaps); err != nil {
		fault("SESSION_CAPS", "%v", err)
	}
	if c.Lifetimes, err = trust.ParseLifetimes(c.EvidenceLives); err != nil {
		fault("EVIDENCE_LIFETIMES", "%v", err)
	}
	if c.LevelWarning < 0 || c.LevelWarning > 365 {
		fault("LEVEL_WARNING_DAYS", "%d is not 0 (no warning) to 365 days", c.LevelWarning)
	}
	for _, p := range c.Proxies {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(p))
		if err != nil {
			fault("TRUSTED_PROXIES", "%q is not a network such as 10.0.0.0/8", p)
			continue
		}
		c.TrustedProxies = append(c.TrustedProxies, prefix)
	}
	if c.Breached != "" {
		if list, err := factor.OpenBreached(c.Breached); err != nil {
			fault("BREACHED_PASSWORDS", "%v", err)
		} else {
			_ = list.Close()
		}
	}
	if c.DatabaseConns < 4 {
		fault("DATABASE_CONNS", "%d is too few: at least 4: a load of the registry keeps two for its locks", c.DatabaseConns)
	}
}

// checkSMS makes the carrier once, to see that it can be. A city may have none; then it sends no texts.
func (c *Config) checkSMS(fault faulter) {
	var err error
	if c.TextCountries, err = phone.ParseCountries(c.SMSCountries); err != nil {
		fault("SMS_COUNTRIES", "%v", err)
	}
	if c.TextLimits, err = sms.ParseLimits(c.SMSLimits); err != nil {
		fault("SMS_LIMITS", "%v", err)
	}
	c.SMS = sms.Settings{URL: c.SMSURL, Provider: c.SMSProvider, From: c.SMSFrom, Issuer: c.Issuer, WebhookSecret: c.SMSSecret}
	if c.SMSURL == "" {
		if c.SMSProvider+c.SMSFrom+c.SMSSecret != "" {
			fault("SMS_URL", "is missing, and other settings of texts are there")
		}
		return
	}
	if _, err := c.SMS.Open(nil, nil); err != nil {
		fault("SMS_URL", "%v", err)
	}
}

// checkGovBR makes the connector once, to see that it can be. Only the demo may point at a stand-in.
func (c *Config) checkGovBR(demo bool, fault faulter) {
	if c.GovIssuer == "" {
		if c.GovAPI+c.GovClientID+c.GovSecret+c.GovRedirect != "" {
			fault("GOVBR_ISSUER", "is missing, and other settings of gov.br are there")
		}
		return
	}
	c.GovBR = federation.Settings{Issuer: c.GovIssuer, API: c.GovAPI, ClientID: c.GovClientID, Secret: c.GovSecret,
		RedirectURI: cmp.Or(c.GovRedirect, c.Issuer+flow.PathGovBRBack), LogoutURI: c.Issuer + session.PathGoodbye, Scopes: c.GovScopes}
	if _, err := federation.New(c.GovBR, nil, time.Now); err != nil {
		fault("GOVBR_ISSUER", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if !demo && c.GovBR.Local() {
		fault("GOVBR_ISSUER", "is a stand-in on this machine; only the demo may use one")
	}
}

// checkRevocation reads the PSCs. A list that is too old says nothing any more.
func (c *Config) checkRevocation(demo bool, fault faulter) {
	if c.CertStale < 0 || c.CertStale > 7*24*time.Hour {
		fault("CERT_REVOCATION_STALE", "%s is not 0s to 168h", c.CertStale)
	}
	if c.CertCloud == "" {
		return
	}
	if !c.CertificatesOn() {
		fault("CERT_LISTEN", "is missing, and LOGINUNICO_CERT_CLOUD is there")
	}
	var err error
	if c.Clouds, err = cloud.ReadProviders(c.CertCloud); err != nil {
		fault("CERT_CLOUD", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if !demo && slices.ContainsFunc(c.Clouds, cloud.Provider.Local) {
		fault("CERT_CLOUD", "names a stand-in on this machine; only the demo may use one")
	}
}

func (c *Config) checkProduction(fault faulter) {
	if c.DatabaseURL == "" {
		fault("DATABASE_URL", "is missing; only `loginunico demo` brings its own PostgreSQL")
	}
	if c.SMTPURL == "" {
		fault("SMTP_URL", "is missing; only `loginunico demo` has an outbox")
	} else if _, err := mail.NewSMTP(c.SMTPURL, c.MailFrom); err != nil {
		fault("SMTP_URL", "%v", err)
	}
	if _, err := os.Stat(c.KEKFile); err != nil {
		fault("KEK_FILE", "%v; `loginunico kek FILE` makes one", err)
	}
}

// Secure says whether citizens reach the provider by https.
func (c *Config) Secure() bool { return strings.HasPrefix(c.Issuer, "https://") }
