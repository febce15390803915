package consent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

var at = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func grant(t *testing.T, db *pg.Pool, d consent.Decision, now time.Time) consent.Record {
	t.Helper()
	var r consent.Record
	err := pg.InTx(t.Context(), db, func(tx pg.Tx) (err error) {
		r, err = consent.Grant(t.Context(), tx, d, now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func revoke(t *testing.T, db *pg.Pool, person uuid.UUID, client string) error {
	t.Helper()
	return pg.InTx(t.Context(), db, func(tx pg.Tx) error {
		return consent.Revoke(t.Context(), tx, person, client, "pt-BR", at.Add(time.Hour))
	})
}

func decision(person uuid.UUID, client string, claims ...string) consent.Decision {
	d := consent.Decision{PersonID: person, ClientID: client, Shown: claims, Allowed: claims, Purposes: map[string]string{},
		Bases: map[string]string{}, ManifestVersion: 3, TextShown: "Portal pede", Language: "es"}
	for _, c := range claims {
		d.Purposes[c], d.Bases[c] = "porque "+c, "consent"
	}
	return d
}

func TestTheLatestDecisionIsTheState(t *testing.T) {
	t.Parallel()

	db, ctx, person := testpg.New(t), t.Context(), pg.NewID()
	if r, err := consent.Latest(ctx, db, person, "portal"); r != nil || err != nil {
		t.Fatalf("nobody decided yet: %v %v", r, err)
	}
	if err := revoke(t, db, person, "portal"); !errors.Is(err, consent.ErrNotGranted) {
		t.Errorf("nothing to revoke: %v", err)
	}
	grant(t, db, decision(person, "portal", "name"), at)
	grant(t, db, decision(person, "saude", "cns"), at.Add(time.Minute))
	grant(t, db, decision(pg.NewID(), "portal", "cpf"), at) // somebody else's
	grant(t, db, decision(person, "portal", "email"), at.Add(2*time.Minute))
	r, err := consent.Latest(ctx, db, person, "portal")
	if err != nil || !slices.Equal(r.Claims, []string{"email", "name"}) || r.Purposes["email"] != "porque email" || r.Bases["email"] != "consent" ||
		r.TextShown != "Portal pede" || r.Language != "es" || r.ManifestVersion != 3 || !r.DecidedAt.Equal(at.Add(2*time.Minute)) {
		t.Fatalf("%+v %v", r, err)
	}
	live, err := consent.Live(ctx, db, person)
	if err != nil || len(live) != 2 || live[0].ClientID != "portal" || live[1].ClientID != "saude" || !live[0].Since.Equal(at) {
		t.Fatalf("%+v %v", live, err)
	}
	if err := revoke(t, db, person, "portal"); err != nil {
		t.Fatal(err)
	}
	if err := revoke(t, db, person, "portal"); !errors.Is(err, consent.ErrNotGranted) {
		t.Errorf("revoked twice: %v", err)
	}
	if live, err = consent.Live(ctx, db, person); err != nil || len(live) != 1 || live[0].ClientID != "saude" {
		t.Errorf("%+v %v", live, err)
	}
	if r, err = consent.Latest(ctx, db, person, "portal"); err != nil || r.Kind != consent.Revoked || len(r.Claims) != 0 {
		t.Errorf("%+v %v", r, err)
	}
	again := at.Add(time.Hour)
	if r := grant(t, db, decision(person, "portal", "name"), again); !slices.Equal(r.Claims, []string{"name"}) {
		t.Errorf("after a revocation %v came back", r.Claims)
	}
	if live, err = consent.Live(ctx, db, person); err != nil || len(live) != 2 || !live[0].Since.Equal(again) {
		t.Errorf("authorized anew, and yet since %v %v", live, err)
	}
}

func TestDecisionsAreNeverChanged(t *testing.T) {
	t.Parallel()

	db, person := testpg.New(t), pg.NewID()
	grant(t, db, decision(person, "portal", "name"), at)
	for _, statement := range []string{`UPDATE consent SET claims = '{}'`, `DELETE FROM consent`} {
		_, err := db.Exec(t.Context(), statement)
		if pgErr, ok := err.(*pgconn.PgError); !ok || pgErr.Code != "23000" {
			t.Errorf("%s: %v", statement, err)
		}
	}
	for name, wrong := range map[string]string{
		"allows what was not offered": `'granted', '{name,cpf}', '{name}'`,
		"a revocation that allows":    `'revoked', '{name}', '{name}'`,
	} {
		_, err := db.Exec(t.Context(), `
			INSERT INTO consent (person_id, client_id, id, kind, claims, offered, offline, purposes, bases, manifest_version, text_shown, language, decided_at)
			VALUES ($1, 'portal', $2, `+wrong+`, false, '{}', '{}', 1, '', 'pt-BR', now())`, person, pg.NewID())
		if pgErr, ok := err.(*pgconn.PgError); !ok || pgErr.Code != "23514" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTwoGrantsAtOnceKeepBoth(t *testing.T) {
	t.Parallel()

	db, person := testpg.New(t), pg.NewID()
	claims := []string{"name", "email", "cpf", "rg", "nis", "cns", "gender", "address"}
	done := make(chan error)
	for _, c := range claims {
		go func() {
			done <- pg.InTx(t.Context(), db, func(tx pg.Tx) error {
				_, err := consent.Grant(t.Context(), tx, decision(person, "portal", c), time.Now())
				return err
			})
		}()
	}
	for range claims {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	r, err := consent.Latest(t.Context(), db, person, "portal")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(claims)
	slices.Sort(r.Claims)
	if !slices.Equal(r.Claims, claims) {
		t.Errorf("kept %v", r.Claims)
	}
}

// explaining runs a query after asking for its plan.
type explaining struct {
	pg.DB
	plan []byte
}

func (e *explaining) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := e.QueryRow(ctx, "EXPLAIN (ANALYZE, BUFFERS, FORMAT json) "+sql, args...).Scan(&e.plan); err != nil {
		return nil, err
	}
	return e.DB.Query(ctx, sql, args...)
}

// TestTheLatestDecisionCostsTheSameAfterThousands reads the plan of the statement as it is run
// with 2,000 past decisions of one person: one step down the index, and one row.
func TestTheLatestDecisionCostsTheSameAfterThousands(t *testing.T) {
	t.Parallel()

	db, ctx, person := testpg.New(t), t.Context(), pg.NewID()
	_, err := db.Exec(ctx, `
		INSERT INTO consent (person_id, client_id, id, kind, claims, offered, offline, purposes, bases, manifest_version, text_shown, language, decided_at)
		SELECT $1, 'portal', gen_random_uuid(), 'granted', '{name}', '{name}', false, '{}', '{}', 1, repeat('texto ', 100), 'pt-BR', now()
		  FROM generate_series(1, 2000)`, person)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(ctx, `ANALYZE consent`); err != nil {
		t.Fatal(err)
	}
	explained := &explaining{DB: db}
	if r, err := consent.Latest(ctx, explained, person, "portal"); err != nil || r == nil {
		t.Fatal(r, err)
	}
	type node struct {
		NodeType string  `json:"Node Type"`
		Rows     float64 `json:"Actual Rows"`
		Hit      int     `json:"Shared Hit Blocks"`
		Read     int     `json:"Shared Read Blocks"`
		Plans    []node  `json:"Plans"`
	}
	var all []struct{ Plan node }
	if err := json.Unmarshal(explained.plan, &all); err != nil {
		t.Fatal(err)
	}
	top := all[0].Plan
	if len(top.Plans) != 1 || top.Plans[0].NodeType != "Index Scan" || top.Plans[0].Rows != 1 || top.Hit+top.Read > 8 {
		t.Errorf("read %d pages by %s", top.Hit+top.Read, fmt.Sprint(top))
	}
}
