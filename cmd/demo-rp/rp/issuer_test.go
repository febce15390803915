package rp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuer is a minimal provider: it answers as the standard says, and as a test wants it to err.
type issuer struct {
	*httptest.Server
	key *ecdsa.PrivateKey

	// What the next token response is made of.
	challenge, nonce string
	idToken          func(claims map[string]any) // changes the ID token's claims
	userinfo         map[string]any
	signUserinfo     bool
	challenge9470    string // WWW-Authenticate of userinfo, in place of an answer
	tokenError       string // the token endpoint answers with this error
	down             atomic.Bool
	refreshes        atomic.Int32
	authorization    atomic.Value // how the client authenticated: "basic", "post"
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key, userinfo: map[string]any{"sub": "s-1", "name": "Maria Aparecida da Silva"}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", i.token)
	mux.HandleFunc("GET /userinfo", i.info)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.down.Load() {
			http.Error(w, "starting", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token",
		"userinfo_endpoint": i.URL + "/userinfo", "jwks_uri": i.URL + "/jwks", "end_session_endpoint": i.URL + "/logout",
		"id_token_signing_alg_values_supported":          []string{"ES256", "RS256"},
		"authorization_response_iss_parameter_supported": true,
	})
}

func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	hash := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	i.authorization.Store("post")
	if id, secret, ok := r.BasicAuth(); ok && id == "portal" && secret == "demo-portal" && !r.PostForm.Has("client_secret") {
		i.authorization.Store("basic")
	}
	refresh := r.PostFormValue("grant_type") == "refresh_token"
	switch {
	case i.tokenError != "":
		refuse(w, i.tokenError)
		return
	case refresh:
		i.refreshes.Add(1)
	case base64.RawURLEncoding.EncodeToString(hash[:]) != i.challenge:
		refuse(w, "invalid_grant")
		return
	}
	claims := map[string]any{
		"iss": i.URL, "sub": "s-1", "aud": "portal", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
		"nonce": i.nonce, "sid": "sid-1", "acr": acrPrefix + "3", "amr": []string{"pwd"}, "trust_level": 3, "auth_time": time.Now().Unix(),
	}
	if i.idToken != nil {
		i.idToken(claims)
	}
	answer(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "expires_in": 300,
		"refresh_token": "r", "id_token": i.sign("JWT", claims), "scope": "openid profile"})
}

func (i *issuer) info(w http.ResponseWriter, r *http.Request) {
	if i.challenge9470 != "" {
		w.Header().Set("WWW-Authenticate", i.challenge9470)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Header.Get("Authorization") != "Bearer opaque" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if i.signUserinfo {
		w.Header().Set("Content-Type", "application/jwt")
		_, _ = io.WriteString(w, i.sign("JWT", i.userinfo))
		return
	}
	answer(w, i.userinfo)
}

// sign makes a compact JWS with the issuer's key.
func (i *issuer) sign(typ string, claims map[string]any) string {
	return signWith(i.key, typ, claims)
}

func signWith(key crypto.Signer, typ string, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		panic(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return compact
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	body := json.NewEncoder(w)
	body.SetEscapeHTML(false)
	_ = body.Encode(v)
}

func refuse(w http.ResponseWriter, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "as the test wants"})
}

// browser drives the sample service, stopping at each redirect.
type browser struct {
	t      *testing.T
	issuer *issuer
	base   string
	http   *http.Client
}

func newBrowser(t *testing.T, i *issuer, change ...func(*Service)) *browser {
	t.Helper()
	s := Service{ID: "portal", Name: map[string]string{"pt-BR": "Portal do Cidadão", "en": "Citizen Portal"},
		Secret: "demo-portal", Scopes: []string{"openid", "profile"}, MinLevel: 2}
	for _, c := range change {
		c(&s)
	}
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	var err error
	if handler, err = New(Config{Issuer: i.URL, BaseURL: srv.URL, Services: []Service{s}}); err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, issuer: i, base: srv.URL}
	b.forgetEverything()
	return b
}

// forgetEverything makes it another browser.
func (b *browser) forgetEverything() {
	jar, _ := cookiejar.New(nil)
	b.http = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (b *browser) do(method, path string, form url.Values) (status int, location *url.URL, body string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	location, _ = resp.Location()
	return resp.StatusCode, location, string(text)
}

func (b *browser) get(path string) (status int, body string) {
	b.t.Helper()
	status, _, body = b.do(http.MethodGet, path, nil)
	return status, body
}

// login starts a login and returns the authorization request; the issuer takes note of it.
func (b *browser) login(query string) url.Values {
	b.t.Helper()
	status, location, body := b.do(http.MethodGet, "/portal/login"+query, nil)
	if status != http.StatusSeeOther || location == nil {
		b.t.Fatalf("login: %d %s", status, body)
	}
	q := location.Query()
	b.issuer.challenge, b.issuer.nonce = q.Get("code_challenge"), q.Get("nonce")
	return q
}

// callback returns to the service as the provider would send the browser back.
func (b *browser) callback(request url.Values, change url.Values) (status int, body string) {
	b.t.Helper()
	q := url.Values{"code": {"c"}, "state": {request.Get("state")}, "iss": {b.issuer.URL}}
	maps.Copy(q, change)
	for name, values := range q {
		if len(values) == 0 {
			q.Del(name)
		}
	}
	status, _, body = b.do(http.MethodGet, "/portal/callback?"+q.Encode(), nil)
	return status, body
}

// signIn goes the whole way and returns the service's page.
func (b *browser) signIn() string {
	b.t.Helper()
	if status, body := b.callback(b.login(""), nil); status != http.StatusSeeOther {
		b.t.Fatalf("callback: %d %s", status, body)
	}
	status, body := b.get("/portal")
	if status != http.StatusOK {
		b.t.Fatalf("signed in, yet the page answers %d", status)
	}
	return body
}

func (b *browser) signedIn() bool {
	b.t.Helper()
	status, _ := b.get("/portal")
	return status == http.StatusOK
}
