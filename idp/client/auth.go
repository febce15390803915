package client

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// OAuth error codes of client authentication (RFC 6749 §5.2).
const (
	CodeInvalidClient  = "invalid_client"
	CodeInvalidRequest = "invalid_request"
)

// AuthError is a refused client authentication.
type AuthError struct {
	Code        string // CodeInvalidClient or CodeInvalidRequest
	Description string // for the developer of the service; never says whether the client exists
	Basic       bool   // the client used HTTP Basic: answer 401 with WWW-Authenticate: Basic
}

func (e *AuthError) Error() string { return e.Code + ": " + e.Description }

const failed = "client authentication failed"

// Authenticator proves that a request comes from a registered service, by that service's registered
// method and no other.
type Authenticator struct {
	registry  *Registry
	db        pg.DB
	audiences []string // what an assertion may be addressed to: issuer, token endpoint
	now       func() time.Time
}

// NewAuthenticator needs the issuer and the token endpoint for the audience of assertions.
func NewAuthenticator(registry *Registry, db pg.DB, issuer, tokenEndpoint string, now func() time.Time) *Authenticator {
	return &Authenticator{registry: registry, db: db, audiences: []string{issuer, tokenEndpoint}, now: now}
}

// credentials is what a request carried.
type credentials struct {
	method    string // the one method used
	clientID  string // "" is possible for an assertion alone
	secret    string
	assertion string
}

// Authenticate checks the client of a POST whose form is parsed. An unknown client, a wrong secret
// and another than the registered method get one answer, in the same time.
//
// Errors: *AuthError; anything else is the database's.
//
// RFC 6749 §2.3, RFC 7523 §3, OIDC Core §9.
func (a *Authenticator) Authenticate(ctx context.Context, r *http.Request) (*Client, error) {
	basic := r.Header.Get("Authorization") != ""
	cred, problem := readCredentials(r)
	if problem != nil {
		problem.Basic = basic
		return nil, problem
	}
	switch cred.method {
	case AuthPrivateKeyJWT:
		return a.byAssertion(ctx, cred)
	case AuthNone:
		if c, ok := a.registry.Get(cred.clientID); ok && c.Auth == AuthNone {
			return c, nil
		}
	default:
		if c, ok := a.registry.Get(cred.clientID); a.secretMatches(c, cred.secret) && ok && c.Auth == cred.method {
			return c, nil
		}
	}
	return nil, &AuthError{Code: CodeInvalidClient, Description: failed, Basic: basic}
}

var noSecret = make([]byte, 32)

// secretMatches does the same work for a client that does not exist.
func (a *Authenticator) secretMatches(c *Client, given string) bool {
	want := noSecret
	if c != nil && c.SecretHash != nil {
		want = c.SecretHash
	}
	return secret.Equal(secret.Hash(given), want)
}

// readCredentials finds the one method that the request uses.
func readCredentials(r *http.Request) (credentials, *AuthError) {
	form := r.PostForm
	for _, name := range []string{"client_id", "client_secret", "client_assertion", "client_assertion_type"} {
		if len(form[name]) > 1 {
			return credentials{}, invalidRequest(name + " is given twice")
		}
	}
	headers := r.Header.Values("Authorization")
	assertion := form.Has("client_assertion") || form.Has("client_assertion_type")
	if len(headers) > 1 || many(len(headers) == 1, form.Has("client_secret"), assertion) {
		return credentials{}, invalidRequest("more than one way of client authentication")
	}
	switch {
	case len(headers) == 1:
		return basicCredentials(headers[0], form)
	case assertion:
		return assertionCredentials(form)
	case form.Get("client_id") == "":
		return credentials{}, &AuthError{Code: CodeInvalidClient, Description: "the request names no client"}
	case form.Has("client_secret"):
		return credentials{method: AuthPost, clientID: form.Get("client_id"), secret: form.Get("client_secret")}, nil
	}
	return credentials{method: AuthNone, clientID: form.Get("client_id")}, nil
}

// many tells whether more than one is true.
func many(used ...bool) bool {
	n := 0
	for _, u := range used {
		if u {
			n++
		}
	}
	return n > 1
}

func invalidRequest(description string) *AuthError {
	return &AuthError{Code: CodeInvalidRequest, Description: description}
}

// basicCredentials reads HTTP Basic with both parts form-encoded: RFC 6749 §2.3.1.
func basicCredentials(header string, form url.Values) (credentials, *AuthError) {
	refused := &AuthError{Code: CodeInvalidClient, Description: failed}
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return credentials{}, refused
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return credentials{}, refused
	}
	rawID, rawSecret, found := strings.Cut(string(decoded), ":")
	id, errID := url.QueryUnescape(rawID)
	pass, errSecret := url.QueryUnescape(rawSecret)
	if !found || errID != nil || errSecret != nil {
		return credentials{}, refused
	}
	if form.Has("client_id") && form.Get("client_id") != id {
		return credentials{}, invalidRequest("client_id is not the authenticated client")
	}
	return credentials{method: AuthBasic, clientID: id, secret: pass}, nil
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

func assertionCredentials(form url.Values) (credentials, *AuthError) {
	if form.Get("client_assertion_type") != assertionType {
		return credentials{}, invalidRequest("client_assertion_type must be " + assertionType)
	}
	if form.Get("client_assertion") == "" {
		return credentials{}, invalidRequest("client_assertion is missing")
	}
	return credentials{method: AuthPrivateKeyJWT, clientID: form.Get("client_id"), assertion: form.Get("client_assertion")}, nil
}
