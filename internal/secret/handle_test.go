package secret_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/secret"
)

func TestAHandleLeadsToItsRowAndNoOtherTextToAny(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0198f3a2-0000-7000-8000-000000000001")
	code, jti := secret.Handle(id, secret.Unguessable), secret.Handle(id, secret.Unique)
	if len(code) != 64 || len(jti) != 43 || code == secret.Handle(id, secret.Unguessable) {
		t.Errorf("%q %q", code, jti)
	}
	for name, c := range map[string]struct {
		text string
		bits int
		want uuid.UUID
	}{
		"a handle":                  {code, secret.Unguessable, id},
		"a jti":                     {jti, secret.Unique, id},
		"cut short":                 {code[:60], secret.Unguessable, uuid.Nil},
		"more behind it":            {code + "AAAA", secret.Unguessable, uuid.Nil},
		"a jti for a handle":        {jti, secret.Unguessable, uuid.Nil},
		"a handle for a jti":        {code, secret.Unique, uuid.Nil},
		"random bits without a row": {secret.Token(), secret.Unguessable, uuid.Nil},
		"no base64url":              {strings.Repeat("+", 64), secret.Unguessable, uuid.Nil},
		"nothing":                   {"", secret.Unguessable, uuid.Nil},
	} {
		if got := secret.HandleID(c.text, c.bits); got != c.want {
			t.Errorf("%s leads to %s", name, got)
		}
	}
}
