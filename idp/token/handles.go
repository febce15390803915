package token

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"strings"

	"github.com/google/uuid"
)

// A code, a refresh token and a jti each begin with the id of their row, and end with random bits.
// The row is found by the id, which grows with time, and counts only with the hash of the whole text:
// rows that are written together so lie together, where an index of hashes would spread them over
// all its pages, each of which a write after a checkpoint puts into the WAL whole.

const (
	secretBits = 256 // of a code or refresh token
	jtiBits    = 128 // it is no secret; RFC 7519 §4.1.7 wants it unique
)

// handle makes such a text for a row: base64url, 64 characters with 256 random bits, 43 with 128.
func handle(id uuid.UUID, bits int) string {
	raw := make([]byte, len(id)+bits/8)
	copy(raw, id[:])
	_, _ = rand.Read(raw[len(id):]) // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

// rowOf is the id in a code or refresh token; the zero one, which no row has, for any other text.
func rowOf(handle string) uuid.UUID { return idIn(handle, secretBits) }

func idIn(handle string, bits int) (id uuid.UUID) {
	if raw, err := base64.RawURLEncoding.DecodeString(handle); err == nil && len(raw) == len(id)+bits/8 {
		copy(id[:], raw)
	}
	return id
}

// rowOfAccess is the id in the jti of an access token; the zero one for any other text. The token is
// believed in nothing else: its row decides.
func rowOfAccess(access string) uuid.UUID {
	_, rest, _ := strings.Cut(access, ".")
	payload, _, _ := strings.Cut(rest, ".")
	claims, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return uuid.Nil
	}
	_, value, _ := bytes.Cut(claims, []byte(`"jti":"`)) // we wrote it, so it is written like this
	jti, _, _ := bytes.Cut(value, []byte(`"`))
	return idIn(string(jti), jtiBits)
}
