package pg_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/testpg"
)

func TestPlanMadeOnAnEmptyTableGoesByItsIndex(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	conn, err := db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, statement := range []string{`CREATE TABLE hot (id int PRIMARY KEY, n int)`, `VACUUM (ANALYZE) hot`,
		`PREPARE by_id (int) AS SELECT n FROM hot WHERE id = $1`} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	rows, _ := conn.Query(t.Context(), `EXPLAIN EXECUTE by_id (1)`)
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || !strings.Contains(strings.Join(plan, "\n"), "hot_pkey") {
		t.Fatal(plan, err)
	}
}
