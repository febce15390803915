package idp

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/idp/ida"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/registry/trust"
)

// Paths of the protocol; services find them by discovery.
const (
	PathToken      = "/oauth/token"
	PathRevoke     = "/oauth/revoke"
	PathIntrospect = "/oauth/introspect"
	PathUserinfo   = "/userinfo"
	PathJWKS       = "/.well-known/jwks.json"
	pathDiscovery  = "/.well-known/openid-configuration"
	pathMetadata   = "/.well-known/oauth-authorization-server"
	pathResource   = "/.well-known/oauth-protected-resource"
)

// metadata is OpenID Connect Discovery 1.0 §3, RFC 8414 §2 and OpenID Connect for Identity Assurance
// 1.0 §8 in one document: what we say is the
// same to both, so it is encoded once and served as bytes.
func metadata(issuer string, verified ida.Settings) ([]byte, error) {
	methods := []string{client.AuthBasic, client.AuthPost, client.AuthPrivateKeyJWT, client.AuthNone}
	confidential := methods[:3]
	algs := []string{client.ES256, client.RS256}
	assertion := []string{"ES256", "PS256", "RS256", "EdDSA"}
	scopes := append([]string{client.ScopeOpenID, client.ScopeOffline}, client.Scopes()...)
	claims := []string{"sub", "iss", "aud", "exp", "iat", "nonce", "at_hash", "sid", "acr", "amr", "auth_time", "trust_level", "verified_claims"}
	for _, s := range client.Scopes() {
		claims = append(claims, client.ClaimsOf(s)...)
	}
	said := map[string]any{
		"issuer": issuer, "authorization_endpoint": issuer + flow.PathAuthorize, "token_endpoint": issuer + PathToken,
		"userinfo_endpoint": issuer + PathUserinfo, "jwks_uri": issuer + PathJWKS, "revocation_endpoint": issuer + PathRevoke,
		"introspection_endpoint": issuer + PathIntrospect, "end_session_endpoint": issuer + session.PathEnd,
		"scopes_supported": scopes, "claims_supported": slices.Compact(claims), "claim_types_supported": []string{"normal"},
		"response_types_supported": []string{"code"}, "response_modes_supported": []string{"query", "fragment", "form_post"},
		"grant_types_supported":    client.Grants(),
		"subject_types_supported":  []string{client.SubjectPairwise, client.SubjectPublic},
		"prompt_values_supported":  []string{"none", "login", "consent", "select_account"},
		"acr_values_supported":     trust.ACRValues(),
		"ui_locales_supported":     []string{"pt-BR", "es", "en"},
		"claims_locales_supported": []string{"pt-BR", "es", "en"},

		"id_token_signing_alg_values_supported": algs, "userinfo_signing_alg_values_supported": algs,
		"token_endpoint_auth_methods_supported":                    methods,
		"token_endpoint_auth_signing_alg_values_supported":         assertion,
		"revocation_endpoint_auth_methods_supported":               methods,
		"revocation_endpoint_auth_signing_alg_values_supported":    assertion,
		"introspection_endpoint_auth_methods_supported":            confidential,
		"introspection_endpoint_auth_signing_alg_values_supported": assertion,
		"code_challenge_methods_supported":                         []string{"S256"},

		"authorization_response_iss_parameter_supported": true, "claims_parameter_supported": true,
		"request_parameter_supported": false, "request_uri_parameter_supported": false, "require_request_uri_registration": false,
		"backchannel_logout_supported": true, "backchannel_logout_session_supported": true,
		"op_policy_uri": issuer + "/privacidade",
	}
	maps.Copy(said, verified.Metadata())
	return json.Marshal(said)
}

// resourceMetadata describes the one protected resource the provider itself is: userinfo, for
// tokens whose audience is the issuer. RFC 9728 §2.
func resourceMetadata(issuer string) ([]byte, error) {
	return json.Marshal(map[string]any{
		"resource": issuer, "authorization_servers": []string{issuer}, "scopes_supported": append([]string{client.ScopeOpenID}, client.Scopes()...),
		"bearer_methods_supported": []string{"header", "body"}, "resource_signing_alg_values_supported": []string{client.ES256, client.RS256},
		"resource_policy_uri": issuer + "/privacidade",
	})
}

// public serves bytes that anybody may read from anywhere, for maxAge seconds.
func public(body func() []byte, maxAge string) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Cache-Control", "public, max-age="+maxAge)
		h.Set("Access-Control-Allow-Origin", "*")
		return c.Blob(http.StatusOK, "application/json", body())
	}
}
