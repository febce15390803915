package federation

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The algorithms of gov.br; every other one, and none, is refused before a key is looked at.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS512}

const (
	mostToken = 32 << 10 // bytes of an ID token; with all seals it has some 4
	skew      = time.Minute
	oldest    = 15 * time.Minute // an ID token comes from its own request; the manual says 60 s, its example 600
)

// idClaims are what we read of an ID token. Unknown members and values will come, and are left alone.
type idClaims struct {
	Issuer      string       `json:"iss"`
	Audience    texts        `json:"aud"`
	Expires     int64        `json:"exp"`
	IssuedAt    int64        `json:"iat"`
	AuthTime    int64        `json:"auth_time"`
	Nonce       string       `json:"nonce"`
	Subject     string       `json:"sub"`
	Username    string       `json:"preferred_username"`
	Name        string       `json:"name"`
	SocialName  string       `json:"social_name"`
	Email       string       `json:"email"`
	EmailOK     truth        `json:"email_verified"`
	Phone       string       `json:"phone_number"`
	PhoneOK     truth        `json:"phone_number_verified"`
	Methods     texts        `json:"amr"`
	CNPJ        string       `json:"cnpj"`
	CNPJName    string       `json:"cnpj_certificate_name"`
	Reliability *reliability `json:"reliability_info"`
}

type reliability struct {
	Level string `json:"level"`
	Seals []struct {
		ID        number `json:"id"`
		UpdatedAt string `json:"updatedAt"`
	} `json:"reliabilities"`
}

// verify checks the ID token of a trip. OpenID Connect Core §3.1.3.7, in that order.
//
// Errors: ErrRefused, ErrUnavailable when keys could not be had.
func (c *Connector) verify(ctx context.Context, token, nonce string) (claims idClaims, err error) {
	if len(token) > mostToken {
		return claims, because(ErrRefused, errors.New("the ID token is too large"))
	}
	object, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return claims, because(ErrRefused, errors.New("no JWS of RS256 or RS512"))
	}
	payload, err := c.keys.verify(ctx, object, object.Signatures[0].Header.KeyID)
	if err != nil {
		return claims, err
	}
	if json.Unmarshal(payload, &claims) != nil {
		return claims, because(ErrRefused, errors.New("the claims do not parse"))
	}
	return claims, c.check(claims, nonce)
}

// check compares the claims with the request that they answer.
func (c *Connector) check(claims idClaims, nonce string) error {
	now := c.now()
	for _, rule := range []struct {
		holds bool
		what  string
	}{
		{strings.TrimSuffix(claims.Issuer, "/") == c.settings.Issuer, "issuer"}, // with and without its slash
		{len(claims.Audience) == 1 && claims.Audience[0] == c.settings.ClientID, "audience"},
		{now.Before(time.Unix(claims.Expires, 0).Add(skew)), "expired"},
		{!time.Unix(claims.IssuedAt, 0).After(now.Add(skew)), "issued in the future"},
		{now.Sub(time.Unix(claims.IssuedAt, 0)) < oldest, "issued long ago"},
		{claims.AuthTime <= claims.IssuedAt+int64(skew/time.Second), "signed in after it was issued"},
		{nonce != "" && subtle.ConstantTimeCompare([]byte(claims.Nonce), []byte(nonce)) == 1, "nonce"},
	} {
		if !rule.holds {
			return because(ErrRefused, errors.New("ID token: "+rule.what))
		}
	}
	return nil
}

// truth is a boolean, which ID tokens have as a string and userinfo as one.
type truth bool

// UnmarshalJSON never fails: what is neither is false.
func (t *truth) UnmarshalJSON(b []byte) error {
	*t = string(b) == "true" || string(b) == `"true"`
	return nil
}

// texts is a string or several.
type texts []string

// UnmarshalJSON reads "a" and ["a","b"].
func (t *texts) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// number is an identifier of digits, as a string or as a number.
type number string

// UnmarshalJSON keeps what it cannot read as "".
func (n *number) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if _, err := strconv.ParseUint(text, 10, 32); err == nil {
		*n = number(text)
	}
	return nil
}
