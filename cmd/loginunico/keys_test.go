package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestDataKeysRotateByPurposeAndAreListed(t *testing.T) {
	operate(t)
	before := done(t, "keys", "data", "list")
	if strings.Count(before, "\n") != 9 || strings.Count(before, "  current  ") != 8 {
		t.Fatalf("a new database has one key of each purpose:\n%s", before)
	}
	out := done(t, "keys", "data", "rotate", "contact")
	made := regexp.MustCompile(`^contact: new key ([0-9a-f]{8}), used from \S+Z\n$`).FindStringSubmatch(out)
	if made == nil {
		t.Fatalf("rotate: %s", out)
	}
	after := done(t, "keys", "data", "list")
	if !regexp.MustCompile(`contact +`+made[1]+` +current +20\S+Z\ncontact +[0-9a-f]{8} +old +-\n`).MatchString(after) || strings.Contains(before, made[1]) {
		t.Errorf("the new key leads, the old one stays:\n%s", after)
	}
	if out := done(t, "keys", "data", "rotate", "index"); !strings.HasPrefix(out, "index: new key 2, used from ") {
		t.Errorf("rotate the index: %s", out)
	}
	if out := done(t, "keys", "data", "list"); !regexp.MustCompile(`index +2 +pending +20\S+Z\nindex +1 +current +20\S+Z\n`).MatchString(out) {
		t.Errorf("the index:\n%s", out)
	}
	for _, purpose := range []string{"passwords", "legacy", ""} {
		if s := invoke(t, "keys", "data", "rotate", purpose); s.code != exitUsage || !strings.Contains(s.err, "seal identity documents contact family complement record index") {
			t.Errorf("%q: %+v", purpose, s)
		}
	}
}

func TestTheKEKChangesByItsFileAndRewrap(t *testing.T) {
	operate(t)
	path, fresh := os.Getenv("LOGINUNICO_KEK_FILE"), filepath.Join(t.TempDir(), "fresh")
	keys := done(t, "keys", "data", "list")
	if out := done(t, "keys", "data", "rewrap"); out != "nothing to rewrap\n" {
		t.Errorf("with one key: %s", out)
	}
	done(t, "kek", fresh)
	one, two := read(t, path), read(t, fresh)
	write(t, path, append(bytes.Clone(two), one...))
	if out := done(t, "keys", "data", "list"); out != keys {
		t.Errorf("with both keys, before:\n%s", out)
	}
	if out := done(t, "keys", "data", "rewrap"); out != "rewrapped 8\n" {
		t.Errorf("rewrap: %s", out)
	}
	if out := done(t, "keys", "data", "rewrap"); out != "nothing to rewrap\n" {
		t.Errorf("again: %s", out)
	}
	write(t, path, two)
	if out := done(t, "keys", "data", "list"); out != keys {
		t.Errorf("with the new key alone:\n%s", out)
	}
	write(t, path, one)
	if s := invoke(t, "keys", "data", "list"); s.code != exitFailed || s.out != "" || !strings.Contains(s.err, "key-encryption key") {
		t.Errorf("with the old key alone: %+v", s)
	}
	write(t, path, append(bytes.Clone(one), two...))
	if out := done(t, "keys", "data", "rewrap"); out != "rewrapped 8\n" {
		t.Errorf("back again: %s", out)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Every binary column is a digest or public, is sealed again, or holds what only waits. A new one must be put here, and
// where it is sealed and stays, be sealed again before `registry reseal -retire` takes its key away.
func TestEverySealedColumnIsSealedAgainOrWaits(t *testing.T) {
	db := audited(t)
	open := regexp.MustCompile(`(_hash|\.digest|\.bucket|_index|\.sha256|\.unique_key|public_key|passkey\.credential_id|webauthn_user\.handle)$|^audit_batch\.|^icp_authority\.|^crl\.|^person_certificate\.|^data_key\.wrapped$`)
	again := strings.Fields(`person.identity person.documents person.contact person.family person.complements person.declared
		source_record.content first_record.content person_override.value registry_key.sealed
		totp.secret secret_question.question channel.address not_me.address visitor.number signing_key.private_key audit_key.private_key`)
	waits := strings.Fields(`interaction.cpf interaction.registration interaction.visitor oauth_token.answers sms_message.sealed person.fields
		federation_trip.sealed federation_trip.account certificate_trip.outcome certificate_trip.kept cloud_trip.sealed
		interaction.company session.company oauth_grant.company`)
	rows, err := db.Query(t.Context(), `
		SELECT a.attrelid::regclass || '.' || a.attname
		  FROM pg_attribute a
		  JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r','p') AND NOT c.relispartition
		 WHERE a.atttypid = 'bytea'::regtype AND c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			t.Fatal(err)
		}
		if found = append(found, column); !open.MatchString(column) && !slices.Contains(again, column) && !slices.Contains(waits, column) {
			t.Errorf("%s: is it sealed, and does it stay?", column)
		}
	}
	for _, column := range slices.Concat(again, waits) {
		if !slices.Contains(found, column) {
			t.Errorf("%s is no column", column)
		}
	}
}

func TestTheKeysThatSignAreSealedAgainAndTheOldKeyMayGo(t *testing.T) {
	db := audited(t)
	done(t, "keys", "rotate", "ES256")
	kept := file(t, "roots", done(t, "audit", "seal"))
	signing := done(t, "keys", "list")
	done(t, "keys", "data", "rotate", "seal")
	first := done(t, "registry", "reseal")
	if n := strings.Count(signing, "\n"); !strings.HasSuffix(first, fmt.Sprintf(" %d keys\n", n)) { // a heading, and the audit's
		t.Errorf("%s of\n%s", first, signing)
	}
	if out := done(t, "registry", "reseal", "-retire"); out != "anew: 0 people, 0 records, 0 decisions, 0 look-ups, 0 ways in, 0 keys\n" {
		t.Errorf("again, and letters may wait: %s", out)
	}
	if _, err := db.Exec(t.Context(), `UPDATE data_key SET active_from = now() - interval '9 days', created_at = now() - interval '10 days'`); err != nil {
		t.Fatal(err)
	}
	if out := done(t, "registry", "reseal", "-retire"); !regexp.MustCompile(`seal: key [0-9a-f]{8} removed\n$`).MatchString(out) {
		t.Errorf("nine days later: %s", out)
	}
	if out := done(t, "keys", "list"); out != signing {
		t.Errorf("the signing keys, before:\n%s\nand now:\n%s", signing, out)
	}
	if out := done(t, "audit", "verify", "-roots", kept); !strings.HasPrefix(out, "in order: ") {
		t.Error(out)
	}
}
