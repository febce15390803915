package secret

import (
	"encoding/base64"

	"github.com/google/uuid"
)

// Random bits of a handle: of what nobody may guess, and of what is only to be unique.
const (
	Unguessable = 256
	Unique      = 128 // a jti, which is no secret: RFC 7519 §4.1.7
)

// Handle is a text that leads to a row: its id, then random bits, in base64url; 64 characters with
// Unguessable, 43 with Unique. Codes, refresh tokens and cookies of sessions are such texts.
//
// The row is found by the id, which grows with time, and counts only with the [Hash] of the whole
// text: rows that are written together so lie together, where an index of hashes would spread them over
// all its pages, each of which a write after a checkpoint puts into the WAL whole.
func Handle(id uuid.UUID, bits int) string {
	return base64.RawURLEncoding.EncodeToString(append(id[:], randomBytes(bits/8)...))
}

// HandleID is the id in a handle; the zero one, which no row has, for any other text.
func HandleID(handle string, bits int) (id uuid.UUID) {
	if raw, err := base64.RawURLEncoding.DecodeString(handle); err == nil && len(raw) == len(id)+bits/8 {
		copy(id[:], raw)
	}
	return id
}
