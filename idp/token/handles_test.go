package token

import (
	"encoding/base64"
	"testing"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/secret"
)

func TestAnAccessTokenLeadsToItsRowAndNoOtherTextToAny(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0198f3a2-0000-7000-8000-000000000001")
	jti := secret.Handle(id, secret.Unique)
	jwt := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".sig"
	}
	for name, c := range map[string]struct {
		access string
		want   uuid.UUID
	}{
		"an access token":        {jwt(`{"sub":"a","jti":"` + jti + `","scope":"openid"}`), id},
		"a quoted jti before it": {jwt(`{"sub":"\"jti\":\"x","jti":"` + jti + `"}`), id},
		"a JWT without jti":      {jwt(`{}`), uuid.Nil},
		"a jti without end":      {jwt(`{"jti":"`), uuid.Nil},
		"no JWT":                 {secret.Handle(id, secret.Unguessable), uuid.Nil},
		"empty":                  {"", uuid.Nil},
	} {
		if got := rowOfAccess(c.access); got != c.want {
			t.Errorf("%s leads to %s", name, got)
		}
	}
}
