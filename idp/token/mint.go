package token

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// TypeAccess is the typ header of access tokens. RFC 9068 §2.1.
const TypeAccess = "at+jwt"

// AccessAlg signs every access token: they are for our own APIs and for introspection, so no
// client chooses. RSA would cost 28 times the CPU.
const AccessAlg = "ES256"

// mint makes the answer of a redemption or rotation and what must be stored for it.
func (s *Service) mint(c *client.Client, h *holder, scope string, aud []string, nonce string, now time.Time) (*Response, newToken, error) {
	level, until := h.assess(c, now, AccessLifetime)
	if h.short(c, level) > 0 {
		return nil, newToken{}, errLevelFell
	}
	id := pg.NewID()
	access, err := s.accessToken(c, h, secret.Handle(id, secret.Unique), scope, aud, level, now, until)
	if err != nil {
		return nil, newToken{}, err
	}
	res := &Response{AccessToken: access, TokenType: "Bearer", ExpiresIn: int64(until.Sub(now) / time.Second), Scope: scope}
	stored := newToken{ID: id, AccessHash: secret.Hash(access), Scope: scope, Audience: aud, ExpiresAt: until}
	if c.HasGrant(client.GrantRefreshToken) {
		res.RefreshToken = secret.Handle(id, secret.Unguessable)
		stored.RefreshHash = secret.Hash(res.RefreshToken)
	}
	said, err := s.answers(c, h, issued{Scope: scope, Audience: aud, IssuedAt: now, AccessExpiresAt: until}, now)
	if err != nil {
		return nil, newToken{}, err
	}
	stored.Answers = s.seal(said, stored.AccessHash)
	if len(said.userinfo) > 0 { // the scope holds openid
		res.IDToken, err = s.idToken(c, h, access, nonce, level, now)
	}
	return res, stored, err
}

func (s *Service) accessToken(c *client.Client, h *holder, jti, scope string, aud []string, level int, now, until time.Time) (string, error) {
	claims, err := json.Marshal(accessClaims{Issuer: s.issuer, Subject: h.Subject, Audience: aud, ClientID: h.ClientID,
		Expires: until.Unix(), IssuedAt: now.Unix(), JWTID: jti, Scope: scope,
		Roles: h.office(c, s.issuer, scope, aud, level, now).Roles, assurance: h.assurance(level)})
	if err != nil {
		return "", err
	}
	return s.keys.Sign(AccessAlg, TypeAccess, claims)
}

// idToken makes the ID token by the client's algorithm. On refresh the nonce is left out and
// auth_time stays. OIDC Core §12.2.
func (s *Service) idToken(c *client.Client, h *holder, access, nonce string, level int, now time.Time) (string, error) {
	_, until := h.assess(c, now, IDTokenLifetime)
	released := h.release(c, h.IDTokenClaims, level, now)
	s.verified(c, h, h.verifiedIn(true), level, now, released)
	claims, err := merge(idTokenClaims{Issuer: s.issuer, Subject: h.Subject, Audience: h.ClientID, Expires: until.Unix(),
		IssuedAt: now.Unix(), Nonce: nonce, AtHash: atHash(access), SessionID: h.SessionID.String(), assurance: h.assurance(level)},
		released)
	if err != nil {
		return "", err
	}
	return s.keys.Sign(c.IDTokenAlg, "JWT", claims)
}

// Service answers client_credentials: a token about the client itself, signed and not stored.
//
//	resources  RFC 8707; each must be in the client's manifest; empty: the provider
//
// RFC 6749 §4.4: no refresh token; RFC 9068 §2.2: sub is the client.
func (s *Service) Service(c *client.Client, scope string, resources []string) (*Response, error) {
	for _, asked := range strings.Fields(scope) {
		if !slices.Contains(c.APIScopes, asked) {
			return nil, invalidScope("the service's manifest does not list this scope")
		}
	}
	for _, r := range resources {
		if !slices.Contains(c.Resources, r) {
			return nil, invalidTarget("the service's manifest does not list this resource")
		}
	}
	aud := resources
	if len(aud) == 0 {
		aud = []string{s.issuer}
	}
	now := s.now()
	claims, err := json.Marshal(accessClaims{Issuer: s.issuer, Subject: c.ID, Audience: aud, ClientID: c.ID,
		Expires: now.Add(AccessLifetime).Unix(), IssuedAt: now.Unix(), JWTID: secret.Token(), Scope: scope})
	if err != nil {
		return nil, err
	}
	access, err := s.keys.Sign(AccessAlg, TypeAccess, claims)
	return &Response{AccessToken: access, TokenType: "Bearer", ExpiresIn: int64(AccessLifetime / time.Second), Scope: scope}, err
}

// verifies checks a PKCE verifier against its S256 challenge. RFC 7636 §4.6.
func verifies(challenge, verifier string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}
