package testpg_test

import (
	"testing"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/migrations"
)

func TestEachTestHasItsOwnMigratedDatabase(t *testing.T) {
	t.Parallel()

	a, b := testpg.New(t), testpg.New(t)
	for _, db := range []*pg.Pool{a, b} {
		if err := migrations.Check(t.Context(), db); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Exec(t.Context(), `CREATE TABLE only_here (n int)`); err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := b.QueryRow(t.Context(), `SELECT to_regclass('only_here') IS NOT NULL`).Scan(&there); err != nil || there {
		t.Fatalf("the other database sees the table: %v, %v", there, err)
	}
}
