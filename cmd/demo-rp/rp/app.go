package rp

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Config is what New needs.
type Config struct {
	Issuer   string    // the provider: http://localhost:8080
	BaseURL  string    // where browsers and the provider reach this program: http://localhost:8090
	Services []Service // at least one
	Lang     string    // of the pages unless the visitor chooses: pt-BR (default) or en

	HTTPClient *http.Client     // towards the provider; nil: one with a timeout of 10 s
	Now        func() time.Time // nil: time.Now
}

// app is the sample service.
type app struct {
	Config
	provider discovery
	sessions *sessions
}

// New returns the sample service. The provider may start later: it is looked up when first
// needed, and again until it answers.
//
// Errors name every wrong setting.
func New(c Config) (http.Handler, error) {
	if c.Lang == "" {
		c.Lang = "pt-BR"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{Timeout: 10 * time.Second}
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	c.Services = slices.Clone(c.Services)
	if err := c.complete(); err != nil {
		return nil, err
	}
	a := &app{Config: c, sessions: newSessions(c.Now)}
	a.provider = discovery{issuer: c.Issuer, client: c.HTTPClient}
	return a.routes(), nil
}

// complete fills in defaults and checks the rest.
func (c *Config) complete() error {
	var errs []error
	for name, raw := range map[string]string{"issuer": c.Issuer, "base URL": c.BaseURL} {
		if u, err := url.Parse(raw); err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http") {
			errs = append(errs, fmt.Errorf("%s %q: want an http or https URL", name, raw))
		}
	}
	if _, known := texts[c.Lang]; !known {
		errs = append(errs, fmt.Errorf("language %q: want pt-BR or en", c.Lang))
	}
	if len(c.Services) == 0 {
		errs = append(errs, errors.New("no services"))
	}
	for i := range c.Services {
		errs = append(errs, c.Services[i].complete())
	}
	return errors.Join(errs...)
}

func (s *Service) complete() error {
	s.MinLevel = max(s.MinLevel, 1)
	if s.SigningAlg == "" {
		s.SigningAlg = "ES256"
	}
	if s.AuthMethod == "" {
		s.AuthMethod = "client_secret_basic"
	}
	switch {
	case s.ID == "" || url.PathEscape(s.ID) != s.ID || s.ID == "style.css":
		return fmt.Errorf("service id %q", s.ID)
	case s.SigningAlg != "ES256" && s.SigningAlg != "RS256":
		return fmt.Errorf("service %s: signing algorithm %q", s.ID, s.SigningAlg)
	case s.AuthMethod != "client_secret_basic" && s.AuthMethod != "client_secret_post" && s.AuthMethod != "none":
		return fmt.Errorf("service %s: this sample does not do %s", s.ID, s.AuthMethod)
	case !slices.Contains(s.Scopes, "openid"):
		return fmt.Errorf("service %s: scopes lack openid", s.ID)
	}
	return nil
}

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /style.css", stylesheet)
	mux.HandleFunc("GET /{id}", a.of(a.account))
	mux.HandleFunc("GET /{id}/login", a.of(a.login))
	mux.HandleFunc("GET /{id}/callback", a.of(a.callback))
	mux.HandleFunc("POST /{id}/userinfo", a.of(a.refetch))
	mux.HandleFunc("POST /{id}/refresh", a.of(a.refresh))
	mux.HandleFunc("POST /{id}/logout", a.of(a.logout))
	mux.HandleFunc("POST /{id}/backchannel", a.of(a.backchannel))
	mux.HandleFunc("POST /{id}/events", a.of(a.events))
	// Refuses POSTs that another site's page makes; the provider's back channel is no browser
	// and passes.
	return a.headers(http.NewCrossOriginProtection().Handler(mux))
}

// of finds the service a path speaks of.
func (a *app) of(handle func(http.ResponseWriter, *http.Request, Service)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		i := slices.IndexFunc(a.Services, func(s Service) bool { return s.ID == r.PathValue("id") })
		if i < 0 {
			http.NotFound(w, r)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		handle(w, r, a.Services[i])
	}
}

func (a *app) headers(next http.Handler) http.Handler {
	// The sign-out form ends up at the provider, and Chromium applies form-action to redirects.
	policy := "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' " + originOf(a.Issuer)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store") // these pages show personal data
		next.ServeHTTP(w, r)
	})
}

func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
