package rp

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

const (
	sessionLife = 8 * time.Hour
	loginLife   = 10 * time.Minute // how long somebody may take at the provider
	maxSessions = 10_000
	maxLogins   = 20 // started and unfinished, per session
)

// session is what one service remembers of one browser. The browser holds only its random key,
// in a cookie scripts cannot read.
type session struct {
	key, service string
	born         time.Time
	logins       map[string]login // by state; several tabs may be on their way at once

	// Set by a completed sign-in.
	signedIn        bool
	subject, sid    string // sid is the provider's session, named in back-channel logout
	token           *oauth2.Token
	rawIDToken      string // kept for id_token_hint at logout
	idToken         jwt
	userinfo        userinfo
	userinfoProblem string
	stepUp          int    // the level that userinfo asked for instead of answering; 0: it did not
	asked           string // the claims parameter of the request, indented; "": there was none

	change levelChange // the newest event about the person's level; To and From are 0 without one

	// Set when it ended.
	signedOutAt time.Time // the provider told us so, by back-channel logout

	refreshing *sync.Mutex // one refresh at a time: a rotated refresh token works once
}

// login is one trip to the provider.
type login struct {
	nonce, verifier string // the PKCE verifier stays here; only its hash travels
	level           int
	fresh           bool   // prompt=login: the person must have typed a secret just now
	asked           string // the claims parameter; "": none
	started         time.Time
}

// sessions keeps sessions in memory. A real service uses what it already has for this.
type sessions struct {
	mu    sync.Mutex
	byKey map[string]session
	seen  map[string]time.Time // jti of logout tokens, until they expire
	now   func() time.Time
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{byKey: map[string]session{}, seen: map[string]time.Time{}, now: now}
}

// get returns the browser's session at a service.
func (s *sessions) get(r *http.Request, service string) (session, bool) {
	cookie, err := r.Cookie(cookieName(service))
	if err != nil {
		return session{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.byKey[cookie.Value]
	if !ok || found.service != service || s.now().Sub(found.born) > sessionLife {
		return session{}, false
	}
	return found, true
}

// start makes an empty session, making room when there are many.
func (s *sessions) start(service string) session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.byKey) >= maxSessions {
		s.sweep()
	}
	fresh := session{key: rand.Text(), service: service, born: s.now(), logins: map[string]login{}, refreshing: new(sync.Mutex)}
	s.byKey[fresh.key] = fresh
	return fresh
}

// sweep drops what has expired and what nobody signed in to.
func (s *sessions) sweep() {
	for key, v := range s.byKey {
		if s.now().Sub(v.born) > sessionLife || !v.signedIn {
			delete(s.byKey, key)
		}
	}
}

// begin remembers a login under its state.
func (s *sessions) begin(key, state string, l login) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.byKey[key]
	if !ok {
		return
	}
	for other, old := range v.logins {
		if s.now().Sub(old.started) > loginLife || len(v.logins) >= maxLogins {
			delete(v.logins, other)
		}
	}
	v.logins[state] = l
}

// take returns the login of a state and forgets it: a state works once, in the browser that got it.
func (s *sessions) take(key, state string) (login, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.byKey[key].logins[state]
	delete(s.byKey[key].logins, state)
	return l, ok && s.now().Sub(l.started) <= loginLife
}

// signIn replaces the session by a signed-in one under a new key, so that a key somebody planted
// in the browser before is worth nothing (session fixation).
func (s *sessions) signIn(old session, in session) session {
	s.mu.Lock()
	defer s.mu.Unlock()
	in.key, in.service, in.born, in.signedIn = rand.Text(), old.service, s.now(), true
	in.logins, in.refreshing = old.logins, new(sync.Mutex)
	delete(s.byKey, old.key)
	s.byKey[in.key] = in
	return in
}

// update changes a session that is still signed in; false when it is not any more.
func (s *sessions) update(key string, change func(*session)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.byKey[key]
	if !ok || !v.signedIn {
		return false
	}
	change(&v)
	s.byKey[key] = v
	return true
}

// drop forgets a session.
func (s *sessions) drop(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byKey, key)
}

// endByProvider ends the sessions a logout token speaks of: one session of the provider when it
// has sid, else all of the person. It returns how many; a token seen before ends none.
//
// Tokens and claims are forgotten at once; that it happened stays, to be shown.
func (s *sessions) endByProvider(service string, t logoutToken) (ended int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for jti, until := range s.seen {
		if s.now().After(until) {
			delete(s.seen, jti)
		}
	}
	if _, again := s.seen[service+" "+t.jti]; again {
		return 0
	}
	s.seen[service+" "+t.jti] = t.expires
	for key, v := range s.byKey {
		if v.service != service || !v.signedIn || (t.sid != "" && v.sid != t.sid) || (t.subject != "" && v.subject != t.subject) {
			continue
		}
		s.byKey[key] = session{key: key, service: service, born: v.born, logins: v.logins, refreshing: v.refreshing, signedOutAt: s.now()}
		ended++
	}
	return ended
}

func cookieName(service string) string { return "demo_" + service }

// setCookie gives the browser its session. Lax lets it come along when the provider redirects
// back, and keeps it away from other sites' POSTs.
func (a *app) setCookie(w http.ResponseWriter, v session) {
	http.SetCookie(w, &http.Cookie{Name: cookieName(v.service), Value: v.key, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(a.BaseURL, "https:"), MaxAge: int(sessionLife.Seconds())})
}
