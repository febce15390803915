package idp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/token"
)

// provider answers the token and revocation endpoints: zitadel/oidc reads the typed request and
// dispatches the grant, we decide. Everything else of the protocol is our own, because the
// library is not strict there (docs/divergences.md).
type provider struct {
	op.UnimplementedServer
	tokens *token.Service
	log    *slog.Logger
}

// newOP is the library's router behind our hardening: by the time it runs, the client is
// authenticated and rides in the context.
//
// A grant type that nobody may use is unsupported_grant_type (RFC 6749 §5.2); the library knows
// some that we do not offer, and would call the client unauthorized.
func newOP(tokens *token.Service, log *slog.Logger) http.Handler {
	library := op.RegisterServer(&provider{tokens: tokens, log: log}, op.Endpoints{
		Token: op.NewEndpoint(PathToken), Revocation: op.NewEndpoint(PathRevoke),
	}, op.WithServerCORSOptions(nil), op.WithDecoder(decoder{}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if grant := r.Form.Get("grant_type"); r.URL.Path == PathToken && grant != "" && !slices.Contains(client.Grants(), grant) {
			oauthError(w, http.StatusBadRequest, "unsupported_grant_type", "the grant types are in the discovery document")
			return
		}
		library.ServeHTTP(w, r)
	})
}

// VerifyClient hands over the client that harden authenticated.
func (p *provider) VerifyClient(ctx context.Context, _ *op.Request[op.ClientCredentials]) (op.Client, error) {
	c, ok := ctx.Value(clientKey{}).(*client.Client)
	if !ok {
		return nil, op.NewStatusError(oidc.ErrInvalidClient(), http.StatusUnauthorized)
	}
	return opClient{c}, nil
}

// CodeExchange is grant_type=authorization_code.
func (p *provider) CodeExchange(ctx context.Context, r *op.ClientRequest[oidc.AccessTokenRequest]) (*op.Response, error) {
	res, err := p.tokens.Exchange(ctx, r.Client.(opClient).Client, token.CodeRequest{Code: r.Data.Code, RedirectURI: r.Data.RedirectURI,
		Verifier: r.Data.CodeVerifier, Resources: r.Form["resource"]})
	return p.answer(ctx, res, err)
}

// RefreshToken is grant_type=refresh_token.
func (p *provider) RefreshToken(ctx context.Context, r *op.ClientRequest[oidc.RefreshTokenRequest]) (*op.Response, error) {
	res, err := p.tokens.Refresh(ctx, r.Client.(opClient).Client, r.Data.RefreshToken, r.Form.Get("scope"), r.Form["resource"])
	return p.answer(ctx, res, err)
}

// ClientCredentialsExchange is grant_type=client_credentials.
func (p *provider) ClientCredentialsExchange(ctx context.Context, r *op.ClientRequest[oidc.ClientCredentialsRequest]) (*op.Response, error) {
	res, err := p.tokens.Service(r.Client.(opClient).Client, r.Form.Get("scope"), r.Form["resource"])
	return p.answer(ctx, res, err)
}

// Revocation is RFC 7009.
func (p *provider) Revocation(ctx context.Context, r *op.ClientRequest[oidc.RevocationRequest]) (*op.Response, error) {
	err := p.tokens.Revoke(ctx, r.Client.(opClient).Client, r.Data.Token)
	if err != nil {
		return p.answer(ctx, nil, err)
	}
	return op.NewResponse(nil), nil
}

// answer turns our errors into the library's. One that is not OAuth's is logged and its text kept
// back, which the library would send to the client.
func (p *provider) answer(ctx context.Context, res *token.Response, err error) (*op.Response, error) {
	if err == nil {
		return op.NewResponse(res), nil
	}
	var e *token.Error
	if !errors.As(err, &e) {
		p.log.ErrorContext(ctx, "token endpoint", "error", err.Error())
		return nil, oidc.ErrServerError().WithDescription("something failed on our side")
	}
	made := map[string]func() *oidc.Error{"invalid_grant": oidc.ErrInvalidGrant, "invalid_scope": oidc.ErrInvalidScope, "invalid_target": oidc.ErrInvalidTarget}[e.Code]
	if made == nil {
		made = oidc.ErrInvalidRequest
	}
	return nil, made().WithDescription("%s", e.Description)
}
