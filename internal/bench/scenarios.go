package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/loginunico/loginunico/internal/secret"
)

// scenario is one operation of the provider.
type scenario struct {
	name       string
	signatures int     // by design
	target     float64 // times the floor, at 8 workers; 0: none was set
	floor      composition
	hash       composition // what its password hash costs, which is not ours to judge
	prepare    func(ctx context.Context, p *phase, w *worker) (operation, error)
}

// The scenarios, in the order they run. The login is driven twice: as citizens do it, and by
// people whose stored hash costs next to nothing, because the difference of two figures near
// 20 ms says little about the 1 ms that is ours. That little is taken off too. The first comes last:
// every hash leaves 19 MiB to be cleared away, which whatever follows would pay for.
var scenarios = []scenario{
	{name: "discovery+jwks", target: 1.5, floor: composition{static: 2}, prepare: discovery},
	{name: "client_credentials", signatures: 1, target: 1.5, floor: composition{sign: 1}, prepare: clientCredentials},
	{name: "login, net of hash", signatures: 2, target: 1.7, floor: loginFloor, hash: composition{cheapHash: 1, static: -1}, prepare: login(light)},
	{name: "code with session", signatures: 2, target: 1.7, floor: composition{lookUp: 1, insert: 1, rotate: 1, sign: 1, static: -2}, prepare: sso},
	{name: "refresh rotation", signatures: 2, target: 1.5, floor: composition{rotate: 1, sign: 1, static: -1}, prepare: refresh},
	{name: "userinfo", target: 1.3, floor: composition{lookUp: 1}, prepare: userinfo},
	{name: "introspection", target: 1.3, floor: composition{ask: 1}, prepare: introspection},
	{name: "revocation", floor: composition{insert: 1}, prepare: revocation},
	{name: "login, with hash", signatures: 2, floor: loginFloor, hash: composition{hash: 1, static: -1}, prepare: login(ordinary)},
}

// loginFloor has the six requests of a sign-in that asks for CPF and password on two pages.
var loginFloor = composition{page: 2, lookUp: 1, insert: 2, rotate: 1, sign: 1, static: -1}

// worker is one client with its citizens, kept for all scenarios of a phase.
type worker struct {
	n        int
	agent    *agent
	citizens [2]*citizen // by kind
}

// tokens is what the token endpoint answers.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
}

// citizen is one person in one browser.
type citizen struct {
	*agent
	cpf     string
	refresh string // the end of this citizen's refresh chain; "" before the first
}

func discovery(_ context.Context, _ *phase, w *worker) (operation, error) {
	return func() error {
		for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/jwks.json"} {
			if _, err := w.agent.get(path, ""); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func clientCredentials(_ context.Context, _ *phase, w *worker) (operation, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {apiScope}}
	return func() error {
		var t tokens
		if err := w.agent.call("/oauth/token", form, &t); err != nil || t.Access != "" {
			return err
		}
		return errors.New("no access token")
	}, nil
}

func login(of kind) func(context.Context, *phase, *worker) (operation, error) {
	return func(_ context.Context, _ *phase, w *worker) (operation, error) {
		c := w.citizens[of]
		return func() error {
			_, err := c.login()
			return err
		}, nil
	}
}

// login signs in anew, in a browser that this citizen has used before, to a service that was
// allowed before: six requests.
func (c *citizen) login() (tokens, error) {
	delete(c.cookies, "loginunico")
	verifier := secret.Token()
	where, err := c.page(http.MethodGet, authorizeURL(verifier), nil, http.StatusSeeOther)
	if err != nil {
		return tokens{}, err
	}
	for _, step := range []url.Values{{"cpf": {c.cpf}}, {"password": {password}}} {
		if _, err := c.page(http.MethodGet, where, nil, http.StatusOK); err != nil {
			return tokens{}, err
		}
		if where, err = c.page(http.MethodPost, where, step, http.StatusSeeOther); err != nil {
			return tokens{}, err
		}
	}
	return c.redeem(where, verifier)
}

// again gets a code with the session of the last login: two requests.
func (c *citizen) again() (tokens, error) {
	verifier := secret.Token()
	where, err := c.page(http.MethodGet, authorizeURL(verifier), nil, http.StatusSeeOther)
	if err != nil {
		return tokens{}, err
	}
	return c.redeem(where, verifier)
}

func (c *citizen) redeem(where, verifier string) (t tokens, err error) {
	u, err := url.Parse(where)
	if err != nil {
		return t, err
	}
	code := u.Query().Get("code")
	if code == "" || !strings.HasPrefix(where, redirectURI) {
		return t, fmt.Errorf("no code at %s", u.Path)
	}
	err = c.call("/oauth/token", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI},
		"code_verifier": {verifier}}, &t)
	if err == nil && (t.Access == "" || t.Refresh == "" || t.ID == "") {
		err = errors.New("a token is missing")
	}
	return t, err
}

func authorizeURL(verifier string) string {
	challenge := sha256.Sum256([]byte(verifier))
	return "/oauth/authorize?" + url.Values{"client_id": {serviceID}, "redirect_uri": {redirectURI}, "response_type": {"code"},
		"scope": {"openid profile email offline_access"}, "state": {verifier[:16]}, "nonce": {verifier[16:32]}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}}.Encode()
}

func sso(_ context.Context, _ *phase, w *worker) (operation, error) {
	c := w.citizens[light]
	if _, err := c.login(); err != nil {
		return nil, err
	}
	return func() error {
		_, err := c.again()
		return err
	}, nil
}

// refresh rotates one chain per worker, which a full database has made 3,000 long before.
func refresh(ctx context.Context, p *phase, w *worker) (operation, error) {
	c := w.citizens[light]
	if c.refresh == "" {
		t, err := c.login()
		if err != nil {
			return nil, err
		}
		c.refresh = t.Refresh
		if err := p.lengthen(ctx, c.refresh); err != nil {
			return nil, err
		}
	}
	return func() error {
		var t tokens
		err := c.call("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {c.refresh}}, &t)
		c.refresh = t.Refresh
		return err
	}, nil
}

func userinfo(_ context.Context, _ *phase, w *worker) (operation, error) {
	t, err := w.citizens[light].login()
	return func() error {
		body, err := w.agent.get("/userinfo", t.Access)
		if err == nil && !strings.Contains(string(body), `"email"`) {
			err = fmt.Errorf("userinfo: %s", body)
		}
		return err
	}, err
}

func introspection(_ context.Context, _ *phase, w *worker) (operation, error) {
	t, err := w.citizens[light].login()
	form := url.Values{"token": {t.Access}}
	return func() error {
		var answer struct{ Active bool }
		if err := w.agent.call("/oauth/introspect", form, &answer); err != nil || answer.Active {
			return err
		}
		return errors.New("introspection: inactive")
	}, err
}

// revocation ends refresh tokens that were written beforehand, each of a grant of its own.
func revocation(ctx context.Context, p *phase, w *worker) (operation, error) {
	if err := p.stockUp(ctx, w.n); err != nil {
		return nil, err
	}
	return func() error {
		token, ok := <-p.stock
		if !ok {
			return errors.New("no token is left to revoke")
		}
		return w.agent.call("/oauth/revoke", url.Values{"token": {token}}, nil)
	}, nil
}
