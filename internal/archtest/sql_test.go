package archtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/testpg"
)

func TestEveryStatementPreparesOnTheMigratedSchema(t *testing.T) {
	t.Parallel()

	found, faults := statements(project(t))
	for _, fault := range faults {
		t.Error(fault)
	}
	if len(found) < 20 {
		t.Fatalf("found %d statements; the stores have more", len(found))
	}
	conn := connect(t)
	for _, st := range found {
		if err := prepare(t.Context(), conn, st); err != nil {
			t.Error(err)
		}
	}
}

func TestWrongStatementsAreFound(t *testing.T) {
	t.Parallel()

	store := parse(t, "consent/store.go", `package consent
		const columns = "id, " + more
		const more = "expires_at"
		func f() {
			db.Query(ctx, "SELECT "+columns+" FROM session WHERE id = @id AND secret_hash = @hash", args)
			b.Queue("SELECT no_such_column FROM session")
			db.Exec(ctx, fmt.Sprintf("DELETE FROM %s", table))
			one(ctx, db, "UPDATE session SET no_such_column = $1", 1)
			one(ctx, db, "a text that is no SQL")
			db.Exec(ctx, text)
		}`)
	service := parse(t, "consent/service.go", `package consent
		func g() {
			db.Exec(ctx, "DELETE FROM session")
			url.Query(); r.Query("page", "next")
		}`)
	found, faults := statements([]source{store, service})

	if len(faults) != 2 || !strings.HasPrefix(faults[0], "consent/store.go:7: SQL must be a literal") || !strings.HasPrefix(faults[1], "consent/service.go:3: SQL belongs") {
		t.Errorf("faults: %q", faults)
	}
	conn := connect(t)
	var refused []string
	for _, st := range found {
		if err := prepare(t.Context(), conn, st); err != nil {
			refused = append(refused, st.at)
		}
	}
	if len(found) != 5 || !slices.Equal(refused, []string{"consent/store.go:6", "consent/store.go:7", "consent/store.go:8"}) {
		t.Errorf("found %v, refused %v", found, refused)
	}
}

func connect(t *testing.T) *pgx.Conn {
	t.Helper()
	pooled, err := testpg.New(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pooled.Release)
	return pooled.Conn()
}
