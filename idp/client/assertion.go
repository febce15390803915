package client

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loginunico/loginunico/internal/secret"
)

const (
	maxAssertion  = 8 << 10          // bytes of a compact JWS
	maxJTI        = 256              // bytes
	maxAhead      = 10 * time.Minute // how far in the future exp may lie
	leeway        = time.Minute      // for clocks that disagree
	maxCandidates = 4                // keys tried for an assertion without kid
)

var assertionAlgs = []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.RS256, jose.EdDSA}

// assertion is the payload of a client assertion, RFC 7523 §3. Times are seconds since 1970.
type assertion struct {
	Issuer   string          `json:"iss"`
	Subject  string          `json:"sub"`
	Audience json.RawMessage `json:"aud"`
	Expires  *float64        `json:"exp"`
	Before   *float64        `json:"nbf"`
	Issued   *float64        `json:"iat"`
	ID       string          `json:"jti"`
}

// byAssertion authenticates by private_key_jwt. Until the signature holds, every fault gets the same
// answer; after it, the service's developer is told what is wrong.
func (a *Authenticator) byAssertion(ctx context.Context, cred credentials) (*Client, error) {
	c, claims, ok := a.verifyAssertion(cred)
	if !ok {
		return nil, &AuthError{Code: CodeInvalidClient, Description: failed}
	}
	if wrong := claims.check(c.ID, a.audiences, a.now()); wrong != "" {
		return nil, &AuthError{Code: CodeInvalidClient, Description: "client_assertion: " + wrong}
	}
	expires := time.Unix(int64(*claims.Expires), 0).Add(leeway + time.Second)
	first, err := useAssertion(ctx, a.db, c.ID, secret.Hash(claims.ID), expires.UTC())
	if err != nil {
		return nil, fmt.Errorf("assertion of %s: %w", c.ID, err)
	}
	if !first {
		return nil, &AuthError{Code: CodeInvalidClient, Description: "client_assertion: jti was used before"}
	}
	return c, nil
}

// verifyAssertion finds the client that the assertion names and checks the signature with its keys.
func (a *Authenticator) verifyAssertion(cred credentials) (*Client, *assertion, bool) {
	if len(cred.assertion) > maxAssertion {
		return nil, nil, false
	}
	jws, err := jose.ParseSignedCompact(cred.assertion, assertionAlgs)
	if err != nil || !assertionTyp(jws) {
		return nil, nil, false
	}
	var named assertion
	if json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &named) != nil || cred.clientID != "" && cred.clientID != named.Issuer {
		return nil, nil, false
	}
	c, ok := a.registry.Get(named.Issuer)
	if !ok || c.Auth != AuthPrivateKeyJWT {
		return nil, nil, false
	}
	for _, key := range candidates(c.JWKS, jws.Signatures[0].Protected) {
		if _, err := jws.Verify(key); err == nil {
			return c, &named, true // the payload that was verified is the one that was read
		}
	}
	return nil, nil, false
}

// assertionTyp refuses JWTs made for something else: RFC 8725 §3.11.
func assertionTyp(jws *jose.JSONWebSignature) bool {
	typ, present := jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType]
	if !present {
		return true
	}
	text, _ := typ.(string)
	return strings.EqualFold(text, "JWT") || strings.EqualFold(text, "client-authentication+jwt")
}

// candidates are the keys that may have made a signature: the one of its kid, or without a kid those
// that suit its algorithm.
func candidates(set jose.JSONWebKeySet, header jose.Header) []any {
	var keys []any
	for _, k := range set.Keys {
		named := header.KeyID == "" || k.KeyID == header.KeyID
		suits := hasAlg(algsOf(k.Key), header.Algorithm) && (k.Algorithm == "" || k.Algorithm == header.Algorithm)
		if named && suits && len(keys) < maxCandidates {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

// check says what is wrong with the claims; "" when nothing is. RFC 7523 §3 items 1 to 7.
func (c *assertion) check(clientID string, audiences []string, now time.Time) string {
	seconds := float64(now.UnixMilli()) / 1000
	switch {
	case c.Issuer != clientID || c.Subject != clientID:
		return "iss and sub must both be the client_id"
	case !slices.Contains(audiences, single(c.Audience)):
		return "aud must be the issuer or the token endpoint, and nothing else"
	case c.Expires == nil:
		return "exp is missing"
	case *c.Expires <= seconds-leeway.Seconds():
		return "exp has passed"
	case *c.Expires > seconds+(maxAhead+leeway).Seconds():
		return "exp is more than 10 minutes ahead"
	case c.Before != nil && *c.Before > seconds+leeway.Seconds():
		return "nbf lies ahead"
	case c.Issued != nil && *c.Issued > seconds+leeway.Seconds():
		return "iat lies ahead"
	case c.ID == "" || len(c.ID) > maxJTI:
		return "jti must have 1 to 256 characters"
	}
	return ""
}

// single is the audience when it is one text, alone or in an array; "" otherwise. Several audiences
// would let one of them use the assertion at another.
func single(aud json.RawMessage) string {
	var one string
	if json.Unmarshal(aud, &one) == nil {
		return one
	}
	var list []string
	if json.Unmarshal(aud, &list) == nil && len(list) == 1 {
		return list[0]
	}
	return ""
}

// Sweep forgets assertions that could not be used again anyway, and returns how many. For a job.
func (a *Authenticator) Sweep(ctx context.Context) (int64, error) {
	return deleteUsedAssertions(ctx, a.db, a.now())
}
