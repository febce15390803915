package idptest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"github.com/loginunico/loginunico/idp/keys"
	"github.com/loginunico/loginunico/internal/pg"
)

// rsaKey is one for all cities of a process: to find its primes takes longer than the rest of a city.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// plantKey gives a city its RSA key, as package keys would have written it. The ES256 key, which signs
// whatever does not ask for RSA, is every city's own.
func (c *City) plantKey() {
	c.t.Helper()
	private := must(rsaKey())(c.t)
	der := must(x509.MarshalPKCS8PrivateKey(private))(c.t)
	public := jose.JSONWebKey{Key: private.Public()}
	kid := base64.RawURLEncoding.EncodeToString(must(public.Thumbprint(crypto.SHA256))(c.t))
	now := c.Now()
	_, err := c.DB.Exec(c.t.Context(), `
		INSERT INTO signing_key (kid, alg, private_key, created_at, signs_from)
		VALUES (@kid, @alg, @key, @now, @now)
		ON CONFLICT DO NOTHING`,
		pg.Args{"kid": kid, "alg": keys.RS256, "key": c.Box.Seal(der, []byte("signing_key/"+kid)), "now": now})
	if err != nil {
		c.t.Fatal(err)
	}
}
