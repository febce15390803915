package pg_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

func TestArgsGiveWhatPgxGives(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	const sql = `SELECT @b::text || @a || '@a' /* @a */ || @b || "n" FROM (SELECT @a::text AS n) x`
	for _, values := range []map[string]any{{"a": "1", "b": "2"}, {"a": "x", "b": "y"}} { // the second time from memory
		var ours, theirs string
		if err := db.QueryRow(t.Context(), sql, pg.Args(values)).Scan(&ours); err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRow(t.Context(), sql, pgx.NamedArgs(values)).Scan(&theirs); err != nil || ours != theirs {
			t.Fatal(ours, theirs, err)
		}
	}
}

func TestMissingArgumentIsAnErrorAndIsNotRemembered(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	const sql = `SELECT @present::int + @missing`
	var sum int
	err := db.QueryRow(t.Context(), sql, pg.Args{"present": 1}).Scan(&sum)
	if err == nil || !strings.Contains(err.Error(), "missing") {
		t.Fatal(err)
	}
	if err := db.QueryRow(t.Context(), sql, pg.Args{"present": 1, "missing": 2}).Scan(&sum); err != nil || sum != 3 {
		t.Fatal(sum, err)
	}
}
