package govbrtest

import (
	"crypto/rand"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Client is the service registered at gov.br.
type Client struct {
	ID, Secret   string
	RedirectURIs []string // exact
	LogoutURIs   []string // post_logout_redirect_uri, exact
}

// Server is gov.br.
type Server struct {
	Base    string           // its address without a final slash; the issuer is Base and a slash
	Profile string           // claim profile: gov.br's page of services
	Now     func() time.Time // before the first request

	client Client
	mux    *http.ServeMux
	codeTo []byte // key of the codes, which are JWEs

	mu       sync.Mutex
	people   []*Person
	modes    Modes
	keys     int // how often the key was changed
	requests map[string]request
	codes    map[string]request
	tokens   map[string]request // by access token
	issued   []string           // ID tokens
	sessions map[string]session
	allowed  map[string]bool // CPF that has agreed once
	calls    map[string]int
}

// Modes are what gov.br does at times. The zero value is what the manual shows.
type Modes struct {
	RS512         bool                     // instead of RS256
	HyphenSub     bool                     // sub as the manual's example prints it: 123456789-00
	NoSlash       bool                     // iss without its final slash
	NoReliability bool                     // no reliability_info in the ID token: levels by API alone
	EmptyRefusal  bool                     // a wrong secret gets 401 without a body
	Static        string                   // after consent the browser lands here, as after a sign-up
	Slow          map[string]time.Duration // by path
	Fail          map[string]int           // status by path
	Huge          map[string]bool          // by path: a body without end
	Redirect      map[string]string        // by path: answered by a redirect
	IDToken       func(claims map[string]any)
	AccessToken   func(claims map[string]any)
	Forge         func(idToken string) string // the last word on the ID token
}

// New is gov.br at an address, with people who have accounts.
func New(base string, c Client, people ...Person) *Server {
	s := &Server{Base: base, Profile: base + "/", Now: time.Now, client: c, codeTo: make([]byte, 32), requests: map[string]request{},
		codes: map[string]request{}, tokens: map[string]request{}, sessions: map[string]session{}, allowed: map[string]bool{}, calls: map[string]int{}}
	_, _ = rand.Read(s.codeTo) // never fails
	for _, p := range people {
		s.people = append(s.people, &p)
	}
	s.routes()
	return s
}

// Listen serves on a free port of this machine until close is called.
func (s *Server) Listen() (close func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.Base = "http://localhost:" + strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	s.Profile = s.Base + "/"
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // it ends with close
	return func() { _ = server.Close() }, nil
}

// Register changes the client, for who knows its own address only later.
func (s *Server) Register(c Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client = c
}

// Set changes what gov.br does from now on.
func (s *Server) Set(m Modes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.modes = m
}

// Change alters the account of a CPF.
func (s *Server) Change(cpf string, by func(p *Person)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.person(cpf); p != nil {
		by(p)
	}
}

// Rotate replaces the signing key and keeps its kid.
func (s *Server) Rotate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys++
}

// Calls is how often a path was asked for.
func (s *Server) Calls(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[path]
}

// Tokens are all access and ID tokens that were given out.
func (s *Server) Tokens() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(slices.Collect(maps.Keys(s.tokens)), s.issued...)
}

// ServeHTTP answers as gov.br, or as the modes want it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.calls[r.URL.Path]++
	m := s.modes
	s.mu.Unlock()
	if d := m.Slow[r.URL.Path]; d > 0 {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(d):
		}
	}
	switch {
	case m.Fail[r.URL.Path] > 0:
		problem(w, m.Fail[r.URL.Path], "internal_error", "Erro interno")
	case m.Redirect[r.URL.Path] != "":
		http.Redirect(w, r, m.Redirect[r.URL.Path], http.StatusFound)
	case m.Huge[r.URL.Path]:
		endless(w, r)
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// endless writes until nobody reads.
func endless(w http.ResponseWriter, r *http.Request) {
	line := []byte(strings.Repeat(" ", 1<<16))
	for r.Context().Err() == nil {
		if _, err := w.Write(line); err != nil {
			return
		}
	}
}

func (s *Server) routes() {
	s.mux = http.NewServeMux()
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /.well-known/openid-configuration": s.discovery,
		"GET /authorize":                        s.authorize,
		"POST /login":                           s.login,
		"POST /consent":                         s.consent,
		"POST /token":                           s.token,
		"/jwk":                                  s.jwk,
		"GET /userinfo":                         s.userinfo,
		"GET /userinfo/{$}":                     s.userinfo,
		"/logout":                               s.logout,
		"GET /api/x509/info":                    s.x509info,
		"GET /confiabilidades/v3/contas/{cpf}/niveis":          s.levels,
		"GET /confiabilidades/v3/contas/{cpf}/confiabilidades": s.seals,
		"GET /empresas/v2/empresas":                            s.companies,
		"GET /empresas/v2/empresas/{cnpj}/participantes/{cpf}": s.participant,
		"GET /{$}":    s.raise,
		"POST /raise": s.raised,
	} {
		s.mux.HandleFunc(pattern, h)
	}
}

// person is the account of a CPF, nil without one; under the lock.
func (s *Server) person(cpf string) *Person {
	for _, p := range s.people {
		if p.CPF == cpf {
			return p
		}
	}
	return nil
}

func origin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
