package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
)

// audited is an operator's environment whose audit has an event of the day before yesterday.
func audited(t *testing.T) *pg.Pool {
	t.Helper()
	operate(t)
	db, err := pg.Open(t.Context(), os.Getenv("LOGINUNICO_DATABASE_URL"), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	recordEvent(t, db)
	return db
}

func recordEvent(t *testing.T, db *pg.Pool) {
	t.Helper()
	w, err := audit.NewWriter(t.Context(), db, slog.New(slog.DiscardHandler), func() time.Time { return time.Now().AddDate(0, 0, -2) })
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Record(context.Background(), audit.Event{Actor: audit.Actor{Kind: audit.System, ID: "test"}, Action: "test.begin"}); err != nil {
		t.Fatal(err)
	}
}

func TestAuditIsSealedHandedOutAndVerified(t *testing.T) {
	audited(t)
	sealed := done(t, "audit", "seal")
	if strings.Count(sealed, "\n") != 4 || !strings.Contains(sealed, ": up to batch 1, hash ") {
		t.Fatalf("two days, two lines each:\n%s", sealed)
	}
	if again := done(t, "audit", "seal"); again != "# nothing to seal\n" {
		t.Errorf("sealed twice: %s", again)
	}
	roots := done(t, "audit", "roots")
	if roots != sealed {
		t.Errorf("handed out:\n%s\nsealed:\n%s", roots, sealed)
	}
	if out := done(t, "audit", "verify", "-roots", file(t, "roots", roots)); !strings.HasPrefix(out, "in order: batches 1 to 1 with 1 events,") ||
		!strings.Contains(out, "2 signed roots, the last of ") || !strings.HasSuffix(out, "; 2 roots kept elsewhere\n") {
		t.Error(out)
	}
	if out := done(t, "audit", "verify", "-from", time.Now().UTC().Format(time.DateOnly)); out != "in order: no batch\n" {
		t.Error(out)
	}
}

func TestTamperedAuditFailsByName(t *testing.T) {
	db := audited(t)
	kept := file(t, "roots", done(t, "audit", "seal"))
	for _, sql := range []string{`ALTER TABLE audit_batch DISABLE TRIGGER USER`, `UPDATE audit_batch SET hash = sha256('')`} {
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if s := invoke(t, "audit", "verify", "-roots", kept); s.code != exitFailed || s.out != "" || s.err != "loginunico audit: batch 1: is not what was written\n" {
		t.Errorf("%+v", s)
	}
}

func TestAuditKeysArePublicAndRotate(t *testing.T) {
	audited(t)
	done(t, "audit", "seal")
	var one, two jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(done(t, "audit", "keys")), &one); err != nil || len(one.Keys) != 1 || !one.Keys[0].IsPublic() {
		t.Fatal(one, err)
	}
	if err := json.Unmarshal([]byte(done(t, "audit", "keys", "-rotate")), &two); err != nil || len(two.Keys) != 2 || two.Keys[1].KeyID != one.Keys[0].KeyID {
		t.Fatal(two, err)
	}
}

func TestAuditUsageIsTold(t *testing.T) {
	operate(t)
	for _, args := range [][]string{{}, {"x"}, {"verify", "-from", "yesterday"}, {"verify", "x"}, {"roots", "-x"}, {"seal", "x"}, {"keys", "x"}} {
		if s := invoke(t, append([]string{"audit"}, args...)...); s.code != exitUsage || !strings.Contains(s.err, "Usage: loginunico audit") {
			t.Errorf("%v: %+v", args, s)
		}
	}
	for _, args := range [][]string{{"-h"}, {"verify", "-h"}, {"keys", "--help"}} {
		if out := done(t, append([]string{"audit"}, args...)...); !strings.Contains(out, "Exit codes: 0 done") {
			t.Errorf("%v: %s", args, out)
		}
	}
	for _, text := range []string{"", "# a comment\n"} {
		if s := invoke(t, "audit", "verify", "-roots", file(t, "roots", text)); s.code != exitFailed || !strings.Contains(s.err, "has no root") {
			t.Errorf("%q: %+v", text, s)
		}
	}
	if s := invoke(t, "audit", "verify", "-roots", file(t, "roots", "no root\n")); s.code != exitFailed || !strings.Contains(s.err, "root of line 1: is no signed root") {
		t.Errorf("%+v", s)
	}
}
