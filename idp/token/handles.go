package token

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/secret"
)

// rowOf is the id in a code or refresh token; the zero one, which no row has, for any other text.
func rowOf(handle string) uuid.UUID { return secret.HandleID(handle, secret.Unguessable) }

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
	return secret.HandleID(string(jti), secret.Unique)
}
