package rp

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// discovery finds the provider's endpoints and keys when they are first needed. A failure is
// not remembered: the next request tries again.
type discovery struct {
	issuer string
	client *http.Client

	mu    sync.Mutex
	found *provider
}

// provider is what discovery says, with the parts go-oidc does not keep.
type provider struct {
	*oidc.Provider
	EndSession  string   `json:"end_session_endpoint"`
	IssReturned bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	Scopes      []string `json:"scopes_supported"`
	Verifiable  []string `json:"claims_in_verified_claims_supported"` // OpenID Connect for Identity Assurance §8
}

func (d *discovery) get() (*provider, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.found != nil {
		return d.found, nil
	}
	// Not the request's context: the provider keeps it for fetching keys later on.
	op, err := oidc.NewProvider(oidc.ClientContext(context.Background(), d.client), d.issuer)
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	p := &provider{Provider: op}
	if err := op.Claims(p); err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	d.found = p
	return p, nil
}

// oauth is the OAuth side of a service: where to go, who we are, what we ask for.
func (a *app) oauth(p *provider, s Service) *oauth2.Config {
	endpoint := p.Endpoint()
	// Only the registered method is accepted, so say which instead of letting the library guess.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if s.AuthMethod != "client_secret_basic" {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	scopes := slices.Clone(s.Scopes)
	if slices.Contains(p.Scopes, oidc.ScopeOfflineAccess) {
		scopes = append(scopes, oidc.ScopeOfflineAccess) // a refresh token, where the provider wants to be asked
	}
	return &oauth2.Config{ClientID: s.ID, ClientSecret: s.Secret, Endpoint: endpoint,
		RedirectURL: a.BaseURL + "/" + s.ID + "/callback", Scopes: scopes}
}

// verifier checks signature, algorithm, iss, aud and exp of what the provider signs for us.
// Naming the one algorithm we registered closes the door on all others.
func (a *app) verifier(p *provider, s Service) *oidc.IDTokenVerifier {
	return p.Verifier(&oidc.Config{ClientID: s.ID, SupportedSigningAlgs: []string{s.SigningAlg}, Now: a.Now})
}

// toProvider makes a context that reaches the provider with our HTTP client.
func (a *app) toProvider(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, a.HTTPClient)
}
