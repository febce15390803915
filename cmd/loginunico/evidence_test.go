package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/registry/trust"
)

// proven gives Maria of the town evidence of levels 1 and 3, and returns her id.
func proven(t *testing.T) (id string) {
	t.Helper()
	err := manage(t.Context(), func(s *stack) error {
		p, err := s.people.ByCPF(t.Context(), s.db, "52998224725")
		id = p.ID.String()
		for _, kind := range []trust.Kind{trust.SelfDeclared, trust.RegistryMatch} {
			if err == nil {
				err = s.people.Lifetimes.Record(t.Context(), s.db, p.ID, trust.Evidence{Kind: kind, Source: "test", Method: "test", Verifier: "test", VerifiedAt: time.Now()})
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestEvidenceIsListedAndRevokedByCommand(t *testing.T) {
	town(t)
	maria := proven(t)
	who := []string{"-cpf", "529.982.247-25", "-reason", "protocolo 77", "-actor", "paulo"}
	command := func(verb string, more ...string) []string {
		return append(append([]string{"evidence", verb}, who...), more...)
	}
	list := done(t, command("list")...)
	m := regexp.MustCompile(`(?m)^(\S{36}) +registry_match +3 .* live$`).FindStringSubmatch(list)
	if m == nil || !strings.HasPrefix(list, "level 3 since ") {
		t.Fatalf("%s", list)
	}
	if out := done(t, command("revoke", m[1])...); out != "revoked; the level is 1\n" {
		t.Errorf("%q", out)
	}
	if out := done(t, command("revoke", m[1])...); out != "was revoked before\n" {
		t.Errorf("again: %q", out)
	}
	if list := done(t, command("list")...); !strings.HasPrefix(list, "level 1 since ") || !strings.Contains(list, `by operator:paulo: "protocolo 77"`) {
		t.Errorf("%s", list)
	}
	if out := done(t, "evidence", "list", "-id", maria, "-reason", "x", "-as-of", "2020-01-01"); out != "level 0\nID  KIND  LEVEL  SOURCE  METHOD  VERIFIER  SINCE  UNTIL  STATE\n" {
		t.Errorf("before there was any: %q", out)
	}
	if trail := done(t, "audit", "verify"); !strings.Contains(trail, "events wait for their batch") {
		t.Errorf("%s", trail)
	}
	for name, args := range map[string][]string{
		"without a reason": {"evidence", "list", "-cpf", "529.982.247-25"},
		"of nobody":        {"evidence", "list", "-reason", "x"},
		"without an id":    command("revoke"),
		"a false id":       command("revoke", "7"),
	} {
		if out := invoke(t, args...); out.code != exitUsage {
			t.Errorf("%s: %+v", name, out)
		}
	}
	for name, args := range map[string][]string{
		"somebody else's": {"evidence", "revoke", "-cpf", "111.444.777-35", "-reason", "x", m[1]},
		"nobody's":        command("revoke", maria),
	} {
		if out := invoke(t, args...); out.code != exitFailed || !strings.Contains(out.err, "no evidence of that ID") {
			t.Errorf("%s: %+v", name, out)
		}
	}
}
