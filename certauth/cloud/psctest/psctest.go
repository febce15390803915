package psctest

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/loginunico/loginunico/certauth/icptest"
)

// Client is the city, as it is registered.
type Client struct {
	ID, Secret  string
	RedirectURI string // exact
}

// Holder is somebody whose certificate lies here.
type Holder struct {
	CPF, Name string
	Leaf      *icptest.Leaf
}

// Modes are what a PSC does at times. The zero value is what the protocol says.
type Modes struct {
	Hash  string                   // "hex": takes hashes in hexadecimal alone; else base64 alone
	Slow  map[string]time.Duration // by path
	Fail  map[string]int           // status by path
	Huge  map[string]bool          // by path: a body without end
	Other *icptest.Leaf            // signs in the holder's stead
	Show  *icptest.Leaf            // is shown in the holder's stead
	Wrong bool                     // signs another text
}

// Server is a PSC.
type Server struct {
	Base string // its address

	client  Client
	mux     *http.ServeMux
	mu      sync.Mutex
	holders []Holder
	modes   Modes
	asked   map[string]*request // by the page's id, by the push's code
	codes   map[string]*request
	tokens  map[string]*request
	calls   map[string]int
	rung    int
}

// request is one authorisation.
type request struct {
	id, state, challenge, redirect, hint string
	push                                 bool
	n                                    int     // how many were asked before
	holder                               *Holder // who has agreed
	denied                               bool
	code                                 string
}

// New is a PSC at an address, with people whose certificates it keeps.
func New(base string, c Client, holders ...Holder) *Server {
	s := &Server{Base: base, client: c, holders: holders, asked: map[string]*request{}, codes: map[string]*request{}, tokens: map[string]*request{}, calls: map[string]int{}}
	s.mux = http.NewServeMux()
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /v0/oauth/authorize":                            s.authorize,
		"POST /decide":                                       s.decide,
		"POST /v0/oauth/token":                               s.token,
		"GET /v0/oauth/certificate-discovery":                s.certificates,
		"POST /v0/oauth/signature":                           s.signature,
		"GET /valid/api/v1/trusted-services/authentications": s.authentications,
		"GET /{$}": s.telephones,
	} {
		s.mux.HandleFunc(pattern, h)
	}
	return s
}

// Listen serves on a free port of this machine until close is called.
func (s *Server) Listen() (close func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.Base = "http://localhost:" + strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
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

// Keep takes in another certificate.
func (s *Server) Keep(h Holder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holders = append(s.holders, h)
}

// Set changes what the PSC does from now on.
func (s *Server) Set(m Modes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.modes = m
}

// Calls is how often a path was asked for.
func (s *Server) Calls(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[path]
}

// ServeHTTP answers as a PSC, or as the modes want it.
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
		fault(w, m.Fail[r.URL.Path], "server_error")
	case m.Huge[r.URL.Path]:
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// fault is RFC 6749 §5.2.
func fault(w http.ResponseWriter, status int, code string) {
	answer(w, status, map[string]string{"error": code})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

// holder is who has a CPF, nil for nobody; under the lock.
func (s *Server) holder(cpf string) *Holder {
	for i := range s.holders {
		if s.holders[i].CPF == cpf {
			return &s.holders[i]
		}
	}
	return nil
}
