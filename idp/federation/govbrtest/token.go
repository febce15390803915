package govbrtest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
)

const keyID = "rsa1"

var (
	ringMu sync.Mutex
	ring   []*rsa.PrivateKey // shared by all servers of a process: keys are slow to make
)

// key is the one after so many changes.
func key(n int) *rsa.PrivateKey {
	ringMu.Lock()
	defer ringMu.Unlock()
	for len(ring) <= n {
		ring = append(ring, newKey())
	}
	return ring[n]
}

// Sign signs a payload with the current key, under any header that go-jose lets through.
func (s *Server) Sign(alg jose.SignatureAlgorithm, payload []byte) string {
	s.mu.Lock()
	k := key(s.keys)
	s.mu.Unlock()
	return sign(alg, k, payload)
}

func sign(alg jose.SignatureAlgorithm, k *rsa.PrivateKey, payload []byte) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: k, KeyID: keyID}}, nil)
	if err != nil {
		panic(err) // an algorithm of RSA and an RSA key
	}
	object, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

// keySet is what /jwk says: no "use", the algorithm RS256 whatever it signs with.
func (s *Server) keySet() any {
	public := key(s.keys).PublicKey
	return map[string]any{"keys": []any{map[string]string{"kty": "RSA", "kid": keyID, "alg": "RS256",
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
		"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes())}}}
}

func (s *Server) issuer() string {
	if s.modes.NoSlash {
		return s.Base
	}
	return s.Base + "/"
}

// accessClaims are those of the access token, which is a JWT too.
func (s *Server) accessClaims(r request, p *Person) map[string]any {
	now := s.Now()
	claims := map[string]any{"aud": r.clientID, "sub": p.CPF, "scope": r.scope, "amr": p.amr(), "iss": s.issuer(),
		"exp": now.Unix() + 3600, "iat": now.Unix(), "preferred_username": p.CPF, "jti": uuid.NewString()}
	if p.CNPJ != "" {
		claims["cnpj"] = p.CNPJ
	}
	if s.modes.AccessToken != nil {
		s.modes.AccessToken(claims)
	}
	return claims
}

// idClaims are those of the ID token: strings for booleans, an array for the scope, the kid inside.
func (s *Server) idClaims(r request, p *Person) map[string]any {
	now := s.Now()
	claims := map[string]any{"sub": p.CPF, "preferred_username": p.CPF, "name": p.Name, "amr": p.amr(), "profile": s.Profile,
		"picture": s.Base + "/userinfo/picture", "kid": keyID, "iss": s.issuer(), "aud": r.clientID, "nonce": r.nonce, "scope": r.scope,
		"auth_time": r.authTime.Unix(), "iat": now.Unix(), "exp": now.Unix() + 600, "jti": uuid.NewString()}
	if s.modes.HyphenSub {
		claims["sub"] = p.CPF[:9] + "-" + p.CPF[9:]
	}
	p.contact(claims, "true")
	if p.CNPJ != "" {
		claims["cnpj"], claims["cnpj_certificate_name"] = p.CNPJ, p.CNPJName
	}
	if r.has("govbr_confiabilidades_idtoken") && !s.modes.NoReliability {
		claims["reliability_info"] = map[string]any{"level": p.Level, "reliabilities": p.sealList("updatedAt")}
	}
	if s.modes.IDToken != nil {
		s.modes.IDToken(claims)
	}
	return claims
}

// contact adds what gov.br has verified; what it has not is left out.
func (p *Person) contact(claims map[string]any, verified any) {
	if p.SocialName != "" {
		claims["social_name"] = p.SocialName
	}
	if p.Email != "" {
		claims["email"], claims["email_verified"] = p.Email, verified
	}
	if p.Phone != "" {
		claims["phone_number"], claims["phone_number_verified"] = p.Phone, verified
	}
}

func (p *Person) amr() []string {
	if len(p.AMR) == 0 {
		return []string{"passwd", "captcha"}
	}
	return p.AMR
}

func (p *Person) sealList(dated string) []map[string]string {
	list := []map[string]string{}
	for _, seal := range p.Seals {
		list = append(list, map[string]string{"id": seal.ID, dated: seal.At.In(brasilia).Format(layout)})
	}
	return list
}

// code is long: an encrypted JWT that only gov.br reads.
func (s *Server) code() string {
	crypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: s.codeTo}, nil)
	if err != nil {
		panic(err) // a key of 32 bytes
	}
	object, err := crypter.Encrypt([]byte(strings.Repeat(uuid.NewString(), 8)))
	if err != nil {
		panic(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

func asJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings and numbers
	}
	return text
}

// OtherKey is a key that no gov.br has signed with, for who forges.
func OtherKey() *rsa.PrivateKey { return otherKey() }

var otherKey = sync.OnceValue(newKey)

func newKey() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // only without a source of randomness
	}
	return k
}
