package token

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestATokenLeadsToItsRowAndNothingElseToAny(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0198f3a2-0000-7000-8000-000000000001")
	code, jti := handle(id, secretBits), handle(id, jtiBits)
	if len(code) != 64 || len(jti) != 43 || code == handle(id, secretBits) {
		t.Errorf("%q %q", code, jti)
	}
	jwt := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".sig"
	}
	for name, c := range map[string]struct {
		got, want uuid.UUID
	}{
		"a code":                       {rowOf(code), id},
		"an access token":              {rowOfAccess(jwt(`{"sub":"a","jti":"` + jti + `","scope":"openid"}`)), id},
		"a quoted jti before it":       {rowOfAccess(jwt(`{"sub":"\"jti\":\"x","jti":"` + jti + `"}`)), id},
		"a code cut short":             {rowOf(code[:60]), uuid.Nil},
		"a code with more behind it":   {rowOf(code + "AAAA"), uuid.Nil},
		"a jti where a code should be": {rowOf(jti), uuid.Nil},
		"no base64url":                 {rowOf(strings.Repeat("+", 64)), uuid.Nil},
		"nothing":                      {rowOf(""), uuid.Nil},
		"a JWT without jti":            {rowOfAccess(jwt(`{}`)), uuid.Nil},
		"a jti without end":            {rowOfAccess(jwt(`{"jti":"`)), uuid.Nil},
		"no JWT":                       {rowOfAccess(code), uuid.Nil},
		"empty":                        {rowOfAccess(""), uuid.Nil},
	} {
		if c.got != c.want {
			t.Errorf("%s leads to %s", name, c.got)
		}
	}
}
