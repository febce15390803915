package client_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
)

const (
	issuer        = "https://login.example.org"
	tokenEndpoint = issuer + "/oauth/token"
)

// house is a registry with a service of each method, and the keys of "signed".
type house struct {
	auth    *client.Authenticator
	clock   *testclock.Clock
	private map[string]any // by kid
}

func newHouse(t testing.TB) *house {
	t.Helper()
	db, clock := testpg.New(t), testclock.At(noon)
	r := client.NewRegistry(db, clock.Now)
	h := &house{clock: clock, auth: client.NewAuthenticator(r, db, issuer, tokenEndpoint, clock.Now), private: map[string]any{}}
	for id, method := range map[string]string{"basic": client.AuthBasic, "post": client.AuthPost, "public": client.AuthNone} {
		given := "s3cr3t:" + id + "%+ ü"
		if method == client.AuthNone {
			given = ""
		}
		apply(t, r, strings.Replace(minimal, "id: portal", "id: "+id+"\nauth: "+method, 1), given)
	}
	apply(t, r, strings.Replace(minimal, "id: portal", "id: signed\nauth: private_key_jwt\njwks: "+h.keys(t), 1), "")
	apply(t, r, strings.Replace(minimal, "id: portal", "id: stranger\nauth: private_key_jwt\njwks: {keys: ["+publicEC+"]}", 1), "")
	return h
}

func secretOf(id string) string { return "s3cr3t:" + id + "%+ ü" }

// keys makes a key of each kind and returns the public set.
func (h *house) keys(t testing.TB) string {
	t.Helper()
	ec, errEC := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rs, errRSA := rsa.GenerateKey(rand.Reader, 2048)
	_, ed, errEd := ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(errEC, errRSA, errEd); err != nil {
		t.Fatal(err)
	}
	h.private["ec"], h.private["rsa"], h.private["ed"] = ec, rs, ed
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: ec.Public(), KeyID: "ec"}, {Key: rs.Public(), KeyID: "rsa"}, {Key: ed.Public(), KeyID: "ed", Algorithm: "EdDSA"},
	}}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// request is a parsed POST; header is the value of Authorization, "" for none.
func request(t testing.TB, header string, form url.Values) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, tokenEndpoint, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if header != "" {
		r.Header.Set("Authorization", header)
	}
	if err := r.ParseForm(); err != nil {
		t.Fatal(err)
	}
	return r
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

func post(pairs ...string) url.Values {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return form
}

// refused checks for an *AuthError of this code and returns it.
func refused(t *testing.T, name string, c *client.Client, err error, code string) *client.AuthError {
	t.Helper()
	var refusal *client.AuthError
	if !errors.As(err, &refusal) || refusal.Code != code || c != nil {
		t.Errorf("%s: %v, %v; want %s", name, c, err, code)
		return &client.AuthError{}
	}
	return refusal
}

func TestRegisteredMethodAuthenticates(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	for id, r := range map[string]*http.Request{
		"basic":  request(t, basic("basic", secretOf("basic")), post("client_id", "basic")),
		"post":   request(t, "", post("client_id", "post", "client_secret", secretOf("post"))),
		"public": request(t, "", post("client_id", "public")),
	} {
		if c, err := h.auth.Authenticate(t.Context(), r); err != nil || c.ID != id {
			t.Errorf("%s: %v", id, err)
		}
	}
	lower := strings.Replace(basic("basic", secretOf("basic")), "Basic", "bASIC", 1) // RFC 9110 §11.1
	if _, err := h.auth.Authenticate(t.Context(), request(t, lower, nil)); err != nil {
		t.Error(err)
	}
}

func TestOtherThanTheRegisteredMethodIsRefused(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	for name, r := range map[string]*http.Request{
		"basic by post":  request(t, "", post("client_id", "basic", "client_secret", secretOf("basic"))),
		"post by basic":  request(t, basic("post", secretOf("post")), nil),
		"basic by none":  request(t, "", post("client_id", "basic")),
		"post by none":   request(t, "", post("client_id", "post")),
		"signed by none": request(t, "", post("client_id", "signed")),
		"public by post": request(t, "", post("client_id", "public", "client_secret", "")),
		"public, basic":  request(t, basic("public", ""), nil),
		"signed, basic":  request(t, basic("signed", ""), nil),
		"basic by assertion": request(t, "", post("client_assertion_type", assertionType, "client_assertion",
			h.sign(t, "ES256", "ec", with(h.claims(), "iss", "basic", "sub", "basic")))),
	} {
		c, err := h.auth.Authenticate(t.Context(), r)
		refused(t, name, c, err, client.CodeInvalidClient)
	}
}

func TestUnknownClientAndWrongSecretGetOneAnswer(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	for _, pair := range [][2]*http.Request{
		{request(t, basic("nobody", "x"), nil), request(t, basic("basic", "x"), nil)},
		{request(t, "", post("client_id", "nobody", "client_secret", "x")), request(t, "", post("client_id", "post", "client_secret", "x"))},
		{request(t, "", post("client_id", "nobody")), request(t, "", post("client_id", "basic"))},
	} {
		c1, err1 := h.auth.Authenticate(t.Context(), pair[0])
		c2, err2 := h.auth.Authenticate(t.Context(), pair[1])
		unknown, wrong := refused(t, "unknown", c1, err1, client.CodeInvalidClient), refused(t, "wrong", c2, err2, client.CodeInvalidClient)
		if *unknown != *wrong {
			t.Errorf("%+v, %+v", unknown, wrong)
		}
	}
}

func TestTwoMethodsAtOnceAreInvalid(t *testing.T) { // RFC 6749 §2.3
	t.Parallel()

	h := newHouse(t)
	header := basic("basic", secretOf("basic"))
	twice := request(t, header, nil)
	twice.Header.Add("Authorization", header)
	for name, r := range map[string]*http.Request{
		"basic and post":       request(t, header, post("client_id", "basic", "client_secret", secretOf("basic"))),
		"basic and empty post": request(t, header, post("client_secret", "")),
		"basic and assertion":  request(t, header, post("client_assertion", "x", "client_assertion_type", assertionType)),
		"post and assertion":   request(t, "", post("client_id", "post", "client_secret", "x", "client_assertion", "x")),
		"two headers":          twice,
		"two client_id":        request(t, "", post("client_id", "public", "client_id", "public")),
		"another client_id":    request(t, header, post("client_id", "post")),
		"assertion type alone": request(t, "", post("client_assertion_type", assertionType)),
		"no assertion type":    request(t, "", post("client_assertion", "x")),
	} {
		c, err := h.auth.Authenticate(t.Context(), r)
		refused(t, name, c, err, client.CodeInvalidRequest)
	}
}

func TestMalformedCredentialsAreRefused(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	plain := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, header := range map[string]string{
		"bearer": "Bearer abc", "no base64": "Basic ???", "no colon": plain("basic"), "bad escape": plain("basic:%zz"), "empty": "Basic", "id": plain(":x"),
		"not form-encoded": plain("basic:" + secretOf("basic")),
	} {
		c, err := h.auth.Authenticate(t.Context(), request(t, header, nil))
		if refusal := refused(t, name, c, err, client.CodeInvalidClient); !refusal.Basic {
			t.Errorf("%s: 401 needs WWW-Authenticate", name)
		}
	}
	c, err := h.auth.Authenticate(t.Context(), request(t, "", nil))
	if refusal := refused(t, "nothing", c, err, client.CodeInvalidClient); refusal.Basic {
		t.Error("nothing: the client did not use Basic")
	}
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

var jti atomic.Int64

// claims is a valid assertion's payload, with a jti of its own.
func (h *house) claims() map[string]any {
	now := h.clock.Now().Unix()
	return map[string]any{"iss": "signed", "sub": "signed", "aud": issuer, "exp": now + 300, "iat": now, "jti": fmt.Sprint("j", jti.Add(1))}
}

// with changes a payload; a nil value removes the member.
func with(claims map[string]any, pairs ...any) map[string]any {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == nil {
			delete(claims, pairs[i].(string))
		} else {
			claims[pairs[i].(string)] = pairs[i+1]
		}
	}
	return claims
}

func (h *house) sign(t testing.TB, alg, kid string, claims map[string]any) string {
	t.Helper()
	return signJWS(t, jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: h.private[kid]}, kid, "JWT", claims)
}

func signJWS(t testing.TB, key jose.SigningKey, kid, typ string, claims map[string]any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ))
	if kid != "" {
		options = options.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (h *house) assert(t testing.TB, assertion string, more ...string) (*client.Client, error) {
	t.Helper()
	return h.auth.Authenticate(t.Context(), request(t, "", post(append(more, "client_assertion_type", assertionType, "client_assertion", assertion)...)))
}

func TestAssertionsOfEveryAlgorithmAuthenticate(t *testing.T) { // RFC 7523 §3
	t.Parallel()

	h := newHouse(t)
	for name, assertion := range map[string]string{
		"ES256":            h.sign(t, "ES256", "ec", h.claims()),
		"RS256":            h.sign(t, "RS256", "rsa", h.claims()),
		"PS256":            h.sign(t, "PS256", "rsa", h.claims()),
		"EdDSA":            h.sign(t, "EdDSA", "ed", h.claims()),
		"token endpoint":   h.sign(t, "ES256", "ec", with(h.claims(), "aud", tokenEndpoint)),
		"array of one":     h.sign(t, "ES256", "ec", with(h.claims(), "aud", []string{issuer})),
		"clocks disagree":  h.sign(t, "ES256", "ec", with(h.claims(), "nbf", h.clock.Now().Unix()+59, "iat", h.clock.Now().Unix()+59)),
		"just expired":     h.sign(t, "ES256", "ec", with(h.claims(), "exp", h.clock.Now().Unix()-59)),
		"fractions":        h.sign(t, "ES256", "ec", with(h.claims(), "exp", float64(h.clock.Now().Unix())+60.5)),
		"neither iat, nbf": h.sign(t, "ES256", "ec", with(h.claims(), "iat", nil)),
		"no kid":           signJWS(t, jose.SigningKey{Algorithm: jose.ES256, Key: h.private["ec"]}, "", "JWT", h.claims()),
		"explicit typ":     signJWS(t, jose.SigningKey{Algorithm: jose.ES256, Key: h.private["ec"]}, "ec", "client-authentication+jwt", h.claims()),
	} {
		if c, err := h.assert(t, assertion, "client_id", "signed"); err != nil || c.ID != "signed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrongAssertionsAreRefused(t *testing.T) { // RFC 7523 §3
	t.Parallel()

	h := newHouse(t)
	now := h.clock.Now().Unix()
	es := func(pairs ...any) string { return h.sign(t, "ES256", "ec", with(h.claims(), pairs...)) }
	good := es()
	for name, assertion := range map[string]string{
		"other audience":      es("aud", "https://other.example.org"),
		"two audiences":       es("aud", []string{issuer, "https://other.example.org"}),
		"same audience twice": es("aud", []string{issuer, issuer}),
		"no audience":         es("aud", nil),
		"audience slash":      es("aud", issuer+"/"),
		"audience number":     es("aud", 1),
		"no exp":              es("exp", nil),
		"expired":             es("exp", now-60),
		"far ahead":           es("exp", now+661),
		"exp as text":         es("exp", "2026"),
		"exp beyond time":     es("exp", 1e300),
		"nbf ahead":           es("nbf", now+61),
		"iat ahead":           es("iat", now+61),
		"no jti":              es("jti", nil),
		"long jti":            es("jti", strings.Repeat("j", 257)),
		"other subject":       es("sub", "basic"),
		"no subject":          es("sub", nil),
		"other issuer":        es("iss", "stranger", "sub", "stranger"),
		"unknown issuer":      es("iss", "nobody", "sub", "nobody"),
		"other key's kid":     signJWS(t, jose.SigningKey{Algorithm: jose.ES256, Key: h.private["ec"]}, "rsa", "JWT", h.claims()),
		"unknown kid":         signJWS(t, jose.SigningKey{Algorithm: jose.ES256, Key: h.private["ec"]}, "x", "JWT", h.claims()),
		"HMAC":                signJWS(t, jose.SigningKey{Algorithm: jose.HS256, Key: make([]byte, 32)}, "ec", "JWT", h.claims()),
		"RS512":               signJWS(t, jose.SigningKey{Algorithm: jose.RS512, Key: h.private["rsa"]}, "rsa", "JWT", h.claims()),
		"DPoP proof":          signJWS(t, jose.SigningKey{Algorithm: jose.ES256, Key: h.private["ec"]}, "ec", "dpop+jwt", h.claims()),
		"unsigned":            base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + strings.Split(good, ".")[1] + ".",
		"signature changed":   good[:len(good)-4] + "AAAA",
		"too long":            es("pad", strings.Repeat("p", 8<<10)),
		"garbage":             "a.b.c",
		"JSON serialisation":  `{"payload":"e30","protected":"e30","signature":"AA"}`,
	} {
		c, err := h.assert(t, assertion)
		refused(t, name, c, err, client.CodeInvalidClient)
	}
	c, err := h.assert(t, es(), "client_id", "basic")
	refused(t, "another client_id", c, err, client.CodeInvalidClient)
	if _, err := h.assert(t, good); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

func TestAssertionIsUsedOnceUnderConcurrency(t *testing.T) { // RFC 7523 §3 item 7
	t.Parallel()

	h := newHouse(t)
	assertion := h.sign(t, "ES256", "ec", h.claims())
	const n = 100
	requests := make([]*http.Request, n)
	for i := range requests {
		requests[i] = request(t, "", post("client_assertion_type", assertionType, "client_assertion", assertion))
	}
	var won, lost atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for _, r := range requests {
		wg.Go(func() {
			<-start
			_, err := h.auth.Authenticate(context.Background(), r)
			var refusal *client.AuthError
			switch {
			case err == nil:
				won.Add(1)
			case errors.As(err, &refusal) && refusal.Code == client.CodeInvalidClient:
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
	if won.Load() != 1 || lost.Load() != n-1 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
}

func TestSweepForgetsNoAssertionThatStillHolds(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	assertion := h.sign(t, "ES256", "ec", h.claims()) // exp in 5 minutes, accepted until 6
	if _, err := h.assert(t, assertion); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(6*time.Minute - time.Second)
	if n, err := h.auth.Sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("%d swept early, %v", n, err)
	}
	c, err := h.assert(t, assertion)
	if r := refused(t, "replay", c, err, client.CodeInvalidClient); !strings.Contains(r.Description, "jti") {
		t.Errorf("description %q", r.Description)
	}
	h.clock.Advance(time.Minute)
	if n, err := h.auth.Sweep(t.Context()); err != nil || n != 1 {
		t.Errorf("%d swept, %v", n, err)
	}
}
