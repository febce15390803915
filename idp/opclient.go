package idp

import (
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
