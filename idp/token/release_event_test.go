package token

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestAReleaseRestsOnTheDecisionsBeforeIt(t *testing.T) {
	t.Parallel()

	at := func(minute int) time.Time { return time.Date(2026, 11, 21, 12, minute, 0, 0, time.UTC) }
	first, second, later := uuid.New(), uuid.New(), uuid.New()
	decisions := []decision{
		{id: first, at: at(0), manifest: 1, bases: map[string]string{"name": "public_policy", "email": "consent"}, purposes: map[string]string{"name": "a", "email": "b"}},
		{id: second, at: at(2), manifest: 2, bases: map[string]string{"email": "contract"}, purposes: map[string]string{"email": "c"}},
		{id: later, at: at(9), manifest: 3, bases: map[string]string{"name": "consent"}, purposes: map[string]string{"name": "d"}},
	}
	r := release{grantedAt: at(3)}
	r.token.IssuedAt = at(5)
	r.Claims = []string{"name", "email"}
	e := r.event(decisions)
	if e.Detail["consent"] != second.String() || e.Detail["manifest"] != "2" {
		t.Errorf("rests on %v", e.Detail)
	}
	if e.Detail["basis.public_policy"] != "name" || e.Detail["basis.contract"] != "email" || e.LegalBasis != "contract,public_policy" || e.Purpose != "c; a" {
		t.Errorf("%+v", e)
	}
	if e := r.event(nil); e.Detail["consent"] != "" || e.LegalBasis != "" || e.Purpose != "" {
		t.Errorf("without decisions: %+v", e)
	}
}
