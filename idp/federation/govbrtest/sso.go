package govbrtest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// request is an authorization request, later its code and its access token.
type request struct {
	clientID, redirectURI, state, nonce, challenge string
	scope                                          []string
	cpf                                            string
	authTime                                       time.Time
}

func (r request) has(scope string) bool { return slices.Contains(r.scope, scope) }

type session struct {
	cpf string
	at  time.Time
}

const cookieName = "Session_Gov_Br"

func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"issuer": s.Base + "/", "authorization_endpoint": s.Base + "/authorize",
		"token_endpoint": s.Base + "/token", "userinfo_endpoint": s.Base + "/userinfo", "jwks_uri": s.Base + "/jwk",
		"grant_types_supported":                 []string{"authorization_code", "client_credentials"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic"},
		"subject_types_supported":               []string{"public", "pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256", "RS512"},
		"claims_supported": []string{"sub", "name", "preferred_username", "profile", "picture", "email", "email_verified",
			"phone_number", "phone_number_verified"}})
}

// authorize checks the request and shows who may sign in, or, to who has, the consent page.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	one := request{clientID: q.Get("client_id"), redirectURI: q.Get("redirect_uri"), state: q.Get("state"), nonce: q.Get("nonce"),
		challenge: q.Get("code_challenge"), scope: strings.Fields(q.Get("scope"))}
	switch {
	case one.clientID != s.client.ID:
		refusal(w, http.StatusUnauthorized, "invalid_client")
		return
	case !slices.Contains(s.client.RedirectURIs, one.redirectURI):
		refusal(w, http.StatusBadRequest, "invalid_grant")
		return
	case q.Get("response_type") != "code", one.state == "", one.nonce == "", one.challenge == "", q.Get("code_challenge_method") != "S256",
		!one.has("openid"):
		refusal(w, http.StatusBadRequest, "invalid_request")
		return
	}
	id := random()
	if live, ok := s.session(r); ok {
		one.cpf, one.authTime = live.cpf, live.at
		s.requests[id] = one
		if s.allowed[one.cpf] {
			s.back(w, r, one, id)
			return
		}
		page(w, http.StatusOK, consentPage, map[string]any{"ID": id, "Person": s.person(one.cpf), "Scopes": one.scope})
		return
	}
	s.requests[id] = one
	page(w, http.StatusOK, loginPage, map[string]any{"ID": id, "People": s.people})
}

// session is who the browser is signed in as here; under the lock.
func (s *Server) session(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return session{}, false
	}
	live, ok := s.sessions[cookie.Value]
	return live, ok && s.person(live.cpf) != nil
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.FormValue("id")
	one, ok := s.requests[id]
	digits := strings.NewReplacer(".", "", "-", "", " ", "").Replace(r.FormValue("cpf"))
	p := s.person(digits)
	if !ok || p == nil {
		page(w, http.StatusUnprocessableEntity, loginPage, map[string]any{"ID": id, "People": s.people, "Wrong": true})
		return
	}
	one.cpf, one.authTime = p.CPF, s.Now()
	if !p.SignedInAt.IsZero() {
		one.authTime = p.SignedInAt
	}
	s.requests[id] = one
	value := random()
	s.sessions[value] = session{p.CPF, one.authTime}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	if s.allowed[one.cpf] {
		s.back(w, r, one, id)
		return
	}
	page(w, http.StatusOK, consentPage, map[string]any{"ID": id, "Person": p, "Scopes": one.scope})
}

func (s *Server) consent(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.FormValue("id")
	one, ok := s.requests[id]
	switch {
	case !ok || one.cpf == "":
		refusal(w, http.StatusBadRequest, "invalid_request")
	case r.FormValue("decision") == "other":
		s.forget(w, r)
		one.cpf = ""
		s.requests[id] = one
		page(w, http.StatusOK, loginPage, map[string]any{"ID": id, "People": s.people})
	case r.FormValue("decision") != "allow":
		delete(s.requests, id)
		http.Redirect(w, r, one.redirectURI+"?"+url.Values{"error": {"access_denied"}, "error_description": {"User denied access"},
			"state": {one.state}}.Encode(), http.StatusFound)
	default:
		s.allowed[one.cpf] = true
		s.back(w, r, one, id)
	}
}

// back returns with a code, or lands on a static page as after a sign-up; under the lock.
func (s *Server) back(w http.ResponseWriter, r *http.Request, one request, id string) {
	delete(s.requests, id)
	if s.modes.Static != "" {
		http.Redirect(w, r, s.modes.Static, http.StatusFound)
		return
	}
	code := s.code()
	s.codes[code] = one
	http.Redirect(w, r, one.redirectURI+"?"+url.Values{"code": {code}, "state": {one.state}}.Encode(), http.StatusFound)
}

// token redeems a code, once.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != s.client.ID || secret != s.client.Secret {
		if s.modes.EmptyRefusal {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer(w, http.StatusUnauthorized, map[string]string{"error": "unauthorized", "error_description": "Bad credentials"})
		return
	}
	code := r.PostFormValue("code")
	one, ok := s.codes[code]
	delete(s.codes, code)
	verifier := r.PostFormValue("code_verifier")
	sum := sha256.Sum256([]byte(verifier))
	if !ok || r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("redirect_uri") != one.redirectURI ||
		len(verifier) < 43 || len(verifier) > 128 || base64.RawURLEncoding.EncodeToString(sum[:]) != one.challenge {
		problem(w, http.StatusBadRequest, "invalid_grant", "Código inválido")
		return
	}
	answer(w, http.StatusOK, s.redeemed(one))
}

// redeemed is the token response of a redeemed code; under the lock.
func (s *Server) redeemed(one request) any {
	p, alg := s.person(one.cpf), jose.RS256
	if s.modes.RS512 {
		alg = jose.RS512
	}
	k := key(s.keys)
	access := sign(alg, k, asJSON(s.accessClaims(one, p)))
	id := sign(alg, k, asJSON(s.idClaims(one, p)))
	if s.modes.Forge != nil {
		id = s.modes.Forge(id)
	}
	s.tokens[access], s.issued = one, append(s.issued, id)
	return map[string]any{"access_token": access, "id_token": id, "token_type": "Bearer", "expires_in": 3599, "scope": strings.Join(one.scope, " ")}
}

func (s *Server) jwk(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer(w, http.StatusOK, s.keySet())
}

func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, p, ok := s.bearer(w, r, "openid")
	if !ok {
		return
	}
	claims := map[string]any{"sub": p.CPF, "preferred_username": p.CPF, "name": p.Name, "profile": s.Profile, "picture": s.Base + "/userinfo/picture"}
	p.contact(claims, true)
	answer(w, http.StatusOK, claims)
}

// logout ends the session here. The manual knows one parameter, and follows it only where it was
// registered.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(w, r)
	to := r.FormValue("post_logout_redirect_uri")
	if !slices.Contains(s.client.LogoutURIs, to) {
		refusal(w, http.StatusBadRequest, "invalid_request")
		return
	}
	http.Redirect(w, r, to, http.StatusFound)
}

func (s *Server) forget(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(cookieName); err == nil {
		delete(s.sessions, cookie.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1})
}

// Sessions is how many browsers are signed in here.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

func random() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(asJSON(v))
}

// problem is the generic error of the APIs, with its misspelt member.
func problem(w http.ResponseWriter, status int, code, text string) {
	answer(w, status, map[string]string{"error": code, "erro_description": text})
}

func refusal(w http.ResponseWriter, status int, code string) {
	page(w, status, refusalPage, map[string]any{"Code": code})
}

func page(w http.ResponseWriter, status int, t *template.Template, data map[string]any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = t.Execute(w, data)
}
