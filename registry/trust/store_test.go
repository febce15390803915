package trust_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry/trust"
)

func TestEvidenceIsRevokedNeverChanged(t *testing.T) {
	t.Parallel()

	db, ctx, person := testpg.New(t), t.Context(), pg.NewID()
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	want := trust.Evidence{Kind: trust.RegistryMatch, Source: "registry", Method: "desk", Verifier: "carla", VerifiedAt: at,
		ExpiresAt: at.AddDate(1, 0, 0), Attributes: map[string]any{"score": 0.97}}
	for _, e := range []trust.Evidence{{Kind: trust.SelfDeclared, Source: "self", Method: "mail_code", Verifier: "loginunico", VerifiedAt: at}, want} {
		if err := (trust.Lifetimes{}).Record(ctx, db, person, e); err != nil {
			t.Fatal(err)
		}
	}
	all, err := trust.Of(ctx, db, person)
	if err != nil || len(all) != 2 || all[1].Method != want.Method || !all[1].ExpiresAt.Equal(want.ExpiresAt) || all[1].Attributes["score"] != 0.97 {
		t.Fatalf("%+v %v", all, err)
	}
	if level := trust.Level(all, at); level != 3 {
		t.Errorf("level %d", level)
	}
	hour := at.Add(time.Hour)
	for _, later := range []time.Time{hour, hour.Add(time.Hour)} { // the second changes nothing
		if ended, err := trust.Revoke(ctx, db, person, all[1].ID, "moved away", "operator", later); err != nil || ended != later.Equal(hour) {
			t.Fatalf("ended by this call: %v, %v", ended, err)
		}
	}
	if all, err = trust.Of(ctx, db, person); err != nil || !all[1].RevokedAt.Equal(hour) {
		t.Fatalf("%+v %v", all, err)
	}
	if before, after := trust.Level(all, hour.Add(-time.Second)), trust.Level(all, hour); before != 3 || after != 1 {
		t.Errorf("level %d before the revocation and %d after it", before, after)
	}
	for _, statement := range []string{
		`UPDATE evidence SET kind = 'icp_certificate'`, `DELETE FROM evidence`,
		`UPDATE evidence SET revoked_at = 'infinity', revoked_reason = 'x', revoked_by = 'x' WHERE revoked_at IS NOT NULL`, `UPDATE evidence SET revoked_at = NULL, revoked_reason = NULL, revoked_by = NULL`,
		`UPDATE evidence SET revoked_at = now(), revoked_reason = 'x', revoked_by = 'x', verifier = 'x' WHERE revoked_at IS NULL`,
	} {
		_, err := db.Exec(ctx, statement)
		if pgErr, ok := err.(*pgconn.PgError); !ok || pgErr.Code != "23000" {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func TestEvidenceThroughAJoinIsThatOfTheTable(t *testing.T) {
	t.Parallel()

	db, ctx, person := testpg.New(t), t.Context(), pg.NewID()
	if _, err := db.Exec(ctx, `INSERT INTO person (id, created_at, updated_at) VALUES ($1, now(), now())`, person); err != nil {
		t.Fatal(err)
	}
	carried := func() []trust.Evidence {
		var c trust.Columns
		if err := db.QueryRow(ctx, `SELECT evidence FROM known_person WHERE id = $1`, person).Scan(c.Targets()...); err != nil {
			t.Fatal(err)
		}
		all, err := c.Evidence()
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if all := carried(); len(all) != 0 {
		t.Fatalf("evidence of nobody: %+v", all)
	}
	at := time.Date(1999, 12, 31, 23, 59, 59, 123456000, time.UTC)
	for _, e := range []trust.Evidence{{Kind: trust.SelfDeclared, Source: "", VerifiedAt: at},
		{Kind: trust.ICPCertificate, Source: "AC da Vila Esperança", VerifiedAt: at.AddDate(27, 0, 0), ExpiresAt: at.AddDate(30, 0, 0)}} {
		if err := (trust.Lifetimes{}).Record(ctx, db, person, e); err != nil {
			t.Fatal(err)
		}
	}
	all, err := trust.Of(ctx, db, person)
	if err == nil {
		_, err = trust.Revoke(ctx, db, person, all[1].ID, "lost", "operator", at.AddDate(28, 0, 0))
	}
	if err != nil {
		t.Fatal(err)
	}
	if all, err = trust.Of(ctx, db, person); err != nil {
		t.Fatal(err)
	}
	for i, got := range carried() {
		want := trust.Evidence{Kind: all[i].Kind, Source: all[i].Source, VerifiedAt: all[i].VerifiedAt, ExpiresAt: all[i].ExpiresAt, RevokedAt: all[i].RevokedAt}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, in the table %+v", got, want)
		}
	}
	if all[1].RevokedAt.IsZero() || len(carried()) != 2 {
		t.Error("nothing was compared")
	}
}

func TestTheTablesRefuseEvidenceThatCannotBe(t *testing.T) {
	t.Parallel()

	db, at := testpg.New(t), time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for name, e := range map[string]trust.Evidence{
		"an unknown kind":      {Kind: "rumour", VerifiedAt: at},
		"over before it began": {Kind: trust.GovBR, VerifiedAt: at, ExpiresAt: at},
	} {
		if err := (trust.Lifetimes{}).Record(t.Context(), db, pg.NewID(), e); err == nil {
			t.Errorf("%s was kept", name)
		}
	}
}
