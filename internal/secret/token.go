package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"math/big"
)

var codes = big.NewInt(1_000_000)

// Token is 256 random bits in base64url, 43 characters: codes, refresh tokens, client secrets,
// cookies. Store its Hash.
func Token() string { return base64.RawURLEncoding.EncodeToString(randomBytes(32)) }

// ShortToken is 128 random bits in base64url, 22 characters: for a link that must fit a text message,
// and that expires. Store its Hash.
func ShortToken() string { return base64.RawURLEncoding.EncodeToString(randomBytes(16)) }

// Hash is SHA-256, 32 bytes. That suffices for what Token made, which nobody can guess; a password
// or a six-digit code needs more (idp/factor).
func Hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Code is six uniformly random digits, leading zeros kept.
func Code() string {
	n, err := rand.Int(rand.Reader, codes)
	if err != nil {
		panic(err) // crypto/rand's reader does not fail
	}
	return fmt.Sprintf("%06d", n.Int64())
}

// Equal compares in time that depends on the lengths alone.
func Equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
