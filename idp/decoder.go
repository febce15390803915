package idp

import (
	"fmt"
	"net/url"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

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
