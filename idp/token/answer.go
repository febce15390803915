package token

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry/staff"
)

// ErrInvalidToken answers every token that does not count, whatever the reason. RFC 6750 §3.1.
var ErrInvalidToken = &Error{"invalid_token", "the access token is unknown, expired or revoked"}

// ErrScope answers a token that counts but was not issued for this. RFC 6750 §3.1.
var ErrScope = &Error{"insufficient_scope", "the access token was issued without the scope openid"}

// Clients finds a service by its client_id.
type Clients interface {
	Get(id string) (*client.Client, bool)
}

// Userinfo returns the claims an access token may see now, as JSON, or signed when the client's
// manifest says userinfo_alg. An ID token, a refresh token or a client_credentials token is no
// access token of a person and is refused. OIDC Core §5.3.
//
// Errors: ErrInvalidToken, ErrScope.
func (s *Service) Userinfo(ctx context.Context, clients Clients, access string) (body []byte, signed bool, err error) {
	a, c, err := s.about(ctx, clients, access)
	switch {
	case err != nil:
		return nil, false, err
	case !slices.Contains(a.audience, s.issuer):
		return nil, false, ErrInvalidToken
	case a.needed > 0:
		return nil, false, &ShortError{a.needed}
	case len(a.userinfo) == 0:
		return nil, false, ErrScope
	case c.UserinfoAlg == "":
		return a.userinfo, false, nil
	}
	token, err := s.keys.Sign(c.UserinfoAlg, "JWT", a.userinfo)
	return []byte(token), true, err
}

// userinfo is the fixed part of the answer; iss and aud only when it is signed (§5.3.2).
type userinfo struct {
	Subject  string `json:"sub"`
	Issuer   string `json:"iss,omitempty"`
	Audience string `json:"aud,omitempty"`
	*assurance
}

// within drops the claims whose scope a refresh narrowed away; those asked by the claims
// parameter alone, without their scope, stay.
func (h *holder) within(scope string) []string {
	if scope == h.Scope {
		return h.Claims
	}
	kept := []string{}
	now, before := strings.Fields(scope), strings.Fields(h.Scope)
	for _, name := range h.Claims {
		if of := client.ScopeOf(name); slices.Contains(now, of) || !slices.Contains(before, of) {
			kept = append(kept, name)
		}
	}
	return kept
}

// Introspection is the answer about one token. RFC 7662 §2.2; inactive is {"active":false} alone.
type Introspection struct {
	Active   bool     `json:"active"`
	Issuer   string   `json:"iss,omitempty"`
	Subject  string   `json:"sub,omitempty"`
	Audience audience `json:"aud,omitempty"`
	ClientID string   `json:"client_id,omitempty"`
	Scope    string   `json:"scope,omitempty"`
	Type     string   `json:"token_type,omitempty"`
	Expires  int64    `json:"exp,omitempty"`
	IssuedAt int64    `json:"iat,omitempty"`

	Roles      []staff.Role `json:"roles,omitempty"`
	Department string       `json:"department,omitempty"`
	*assurance
}

// Introspect tells an authenticated client about a token that was issued to it or for it, as JSON;
// any other token is inactive, so that a client cannot go fishing. RFC 7662 §4.
func (s *Service) Introspect(ctx context.Context, clients Clients, c *client.Client, token string) ([]byte, error) {
	if !strings.Contains(token, ".") {
		return encoded(s.introspectRefresh(ctx, c, token, s.now()))
	}
	a, _, err := s.about(ctx, clients, token)
	switch {
	case err == ErrInvalidToken:
		return encoded(s.introspectSigned(ctx, c, token, s.now()))
	case err != nil:
		return nil, err
	case !mayAsk(c, a.clientID, a.audience):
		return encoded(Introspection{}, nil)
	}
	return a.introspection, nil
}

func encoded(in Introspection, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(in)
}

func mayAsk(c *client.Client, owner string, aud []string) bool {
	return owner == c.ID || (c.ResourceURI != "" && slices.Contains(aud, c.ResourceURI))
}

func (s *Service) introspectRefresh(ctx context.Context, c *client.Client, token string, now time.Time) (Introspection, error) {
	h, t, err := holderByRefresh(ctx, s.db, s.box, rowOf(token), secret.Hash(token))
	if pg.NoRows(err) || (err == nil && (h.ClientID != c.ID || t.RefreshUsedAt != nil || !h.live(now))) {
		return Introspection{}, nil
	}
	if err != nil {
		return Introspection{}, err
	}
	return Introspection{Active: true, Issuer: s.issuer, Subject: h.Subject, ClientID: h.ClientID, Scope: h.Scope,
		Expires: h.ExpiresAt.Unix(), IssuedAt: t.IssuedAt.Unix()}, nil
}

// introspectSigned answers for client_credentials tokens, which are no rows: by their signature
// and the list of revoked ones.
func (s *Service) introspectSigned(ctx context.Context, c *client.Client, token string, now time.Time) (Introspection, error) {
	in, jti, ok := s.signed(token, now)
	if !ok || !mayAsk(c, in.ClientID, in.Audience) {
		return Introspection{}, nil
	}
	revoked, err := signedRevoked(ctx, s.db, secret.Hash(jti))
	if err != nil || revoked {
		return Introspection{}, err
	}
	in.Active, in.Type = true, "Bearer"
	return in, nil
}

// signed reads a client_credentials token: ours, not expired, about a client and no person. Its
// name is its jti, because its text is not unique: (r, n-s) is a second ECDSA signature of the same
// token, and base64url leaves bits of the last character unused.
func (s *Service) signed(token string, now time.Time) (in Introspection, jti string, ok bool) {
	payload, _, err := s.keys.Verify(token, TypeAccess)
	if err != nil {
		return in, "", false
	}
	var claims struct {
		JWTID    string       `json:"jti"`
		ClientID string       `json:"client_id"`
		Sub      string       `json:"sub"`
		Iss      string       `json:"iss"`
		Audience stringOrList `json:"aud"`
		Scope    string       `json:"scope"`
		Exp, Iat int64
		AuthTime int64 `json:"auth_time"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Sub != claims.ClientID || claims.AuthTime != 0 ||
		claims.Iss != s.issuer || now.Unix() >= claims.Exp {
		return in, "", false
	}
	return Introspection{Issuer: claims.Iss, Subject: claims.Sub, Audience: audience(claims.Audience), ClientID: claims.ClientID,
		Scope: claims.Scope, Expires: claims.Exp, IssuedAt: claims.Iat}, claims.JWTID, true
}

// stringOrList reads aud, which is a string or an array (RFC 7519 §4.1.3).
type stringOrList []string

func (l *stringOrList) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = []string{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// Revoke ends a client's own token. Nothing is said about tokens that are unknown or another
// client's. RFC 7009 §2.1–2.2.
func (s *Service) Revoke(ctx context.Context, c *client.Client, token string) error {
	now := s.now()
	if in, jti, ok := s.signed(token, now); ok {
		if in.ClientID != c.ID {
			return nil
		}
		return revokeSigned(ctx, s.shared.Writes, secret.Hash(jti), time.Unix(in.Expires, 0))
	}
	id := rowOf(token)
	if id == uuid.Nil {
		id = rowOfAccess(token)
	}
	return revokeOwn(ctx, s.shared.Writes, c.ID, id, secret.Hash(token), now)
}
