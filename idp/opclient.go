package idp

import (
	"fmt"
	"net/url"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/token"
)

// opClient shows our client to the library, which asks for its grant types and method.
type opClient struct{ *client.Client }

func (c opClient) GetID() string                    { return c.ID }
func (c opClient) RedirectURIs() []string           { return c.Manifest.RedirectURIs }
func (c opClient) PostLogoutRedirectURIs() []string { return c.Manifest.PostLogoutRedirectURIs }
func (c opClient) AuthMethod() oidc.AuthMethod      { return oidc.AuthMethod(c.Auth) }
func (c opClient) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c opClient) LoginURL(string) string              { return "" }
func (c opClient) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
func (c opClient) IDTokenLifetime() time.Duration      { return token.IDTokenLifetime }
func (c opClient) DevMode() bool                       { return false }
func (c opClient) IsScopeAllowed(string) bool          { return true }
func (c opClient) IDTokenUserinfoClaimsAssertion() bool {
	return false
}
func (c opClient) ClockSkew() time.Duration { return 0 }
func (c opClient) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(s []string) []string { return s }
}
func (c opClient) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(s []string) []string { return s }
}

func (c opClient) ApplicationType() op.ApplicationType {
	if c.Auth == client.AuthNone {
		return op.ApplicationTypeNative
	}
	return op.ApplicationTypeWeb
}

func (c opClient) GrantTypes() []oidc.GrantType {
	grants := make([]oidc.GrantType, len(c.Grants))
	for i, g := range c.Grants {
		grants[i] = oidc.GrantType(g)
	}
	return grants
}

// decoder fills the library's requests with what [provider] reads of them. The library's own fills
// every field by reflection, twice for each request.
//
// harden has let through no parameter twice, and has taken the credentials out.
type decoder struct{}

// Decode reads a form into one of the requests of our endpoints.
func (decoder) Decode(dst any, form map[string][]string) error {
	get := url.Values(form).Get
	switch r := dst.(type) {
	case *op.ClientCredentials:
		r.ClientID = get("client_id")
	case *oidc.AccessTokenRequest:
		r.Code, r.RedirectURI, r.CodeVerifier = get("code"), get("redirect_uri"), get("code_verifier")
	case *oidc.RefreshTokenRequest:
		r.RefreshToken = get("refresh_token")
	case *oidc.ClientCredentialsRequest: // the scope is read from the form
	case *oidc.RevocationRequest:
		r.Token = get("token")
	default:
		return fmt.Errorf("no endpoint of ours takes %T", dst)
	}
	return nil
}
