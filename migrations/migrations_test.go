package migrations_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/migrations"
)

func TestUpAppliesEverythingOnceAndCheckAgrees(t *testing.T) {
	t.Parallel()

	url, pool := empty(t)
	if err := migrations.Check(t.Context(), pool); !errors.Is(err, migrations.ErrPending) {
		t.Fatalf("Check before Up = %v, want ErrPending", err)
	}
	applied, err := migrations.Up(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(applied, "\n"); !strings.HasPrefix(all, "0001_provider.sql\n") || !strings.Contains(all, "\nriver 001 ") {
		t.Fatalf("applied:\n%s", all)
	}
	if err := migrations.Check(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	if again, err := migrations.Up(t.Context(), url); err != nil || len(again) != 0 {
		t.Fatalf("second Up = %v, %v; want nothing", again, err)
	}
}

func TestTwoUpsAtOnceApplyEachFileOnce(t *testing.T) {
	t.Parallel()

	url, pool := empty(t)
	var mu sync.Mutex
	count := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			applied, err := migrations.Up(t.Context(), url)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			for _, name := range applied {
				count[name]++
			}
		})
	}
	wg.Wait()
	for name, n := range count {
		if n != 1 {
			t.Errorf("%s applied %d times", name, n)
		}
	}
	if err := migrations.Check(t.Context(), pool); err != nil {
		t.Error(err)
	}
}

func TestCheckTellsWhatIsWrong(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		name, change string
		want         error
	}{
		{"a migration of a later release", `INSERT INTO schema_migration SELECT max(version) + 1, '9999_later.sql', sha256('x'), now() FROM schema_migration`, migrations.ErrNewer},
		{"later job tables", `INSERT INTO river_migration (line, version) SELECT 'main', max(version) + 1 FROM river_migration`, migrations.ErrNewer},
		{"an edited file", `UPDATE schema_migration SET sha256 = sha256('edited') WHERE version = 1`, migrations.ErrDirty},
		{"an unfinished file", `UPDATE schema_migration SET applied_at = NULL WHERE version = 1`, migrations.ErrDirty},
		{"earlier job tables", `DELETE FROM river_migration WHERE version = (SELECT max(version) FROM river_migration)`, migrations.ErrPending},
		{"no job tables", `DROP TABLE river_migration`, migrations.ErrPending},
		{"a missing migration", `DELETE FROM schema_migration WHERE version = (SELECT max(version) FROM schema_migration)`, migrations.ErrPending},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, pool := empty(t)
			if _, err := migrations.Up(t.Context(), url); err != nil {
				t.Fatal(err)
			}
			if _, err := pool.Exec(t.Context(), c.change); err != nil {
				t.Fatal(err)
			}
			if err := migrations.Check(t.Context(), pool); !errors.Is(err, c.want) {
				t.Fatalf("Check = %v, want %v", err, c.want)
			}
			if errors.Is(c.want, migrations.ErrPending) {
				return
			}
			if applied, err := migrations.Up(t.Context(), url); len(applied) > 0 || (err == nil && c.name != "later job tables") {
				t.Fatalf("Up = %v, %v; want it refused", applied, err)
			}
		})
	}
}

func TestFailedFileLeavesNothingAndKeepsThoseBefore(t *testing.T) {
	t.Parallel()

	_, pool := empty(t)
	dir := fstest.MapFS{
		"0001_good.sql": {Data: []byte("CREATE TABLE good (n int); INSERT INTO good VALUES (1);")},
		"0002_bad.sql":  {Data: []byte("CREATE TABLE bad (n int); INSERT INTO nowhere VALUES (1);")},
	}
	applied, err := migrations.UpFrom(t.Context(), pool, dir)
	if err == nil || !strings.Contains(err.Error(), "0002_bad.sql") || len(applied) != 1 {
		t.Fatalf("up = %v, %v", applied, err)
	}
	if !exists(t, pool, "good") || exists(t, pool, "bad") {
		t.Fatal("want table good and no table bad")
	}
	dir["0002_bad.sql"].Data = []byte("CREATE TABLE bad (n int)")
	if applied, err := migrations.UpFrom(t.Context(), pool, dir); err != nil || applied[0] != "0002_bad.sql" {
		t.Fatalf("up after the repair = %v, %v", applied, err)
	}
}

func TestFileOutsideATransaction(t *testing.T) {
	t.Parallel()

	_, pool := empty(t)
	dir := fstest.MapFS{
		"0001_t.sql":     {Data: []byte("CREATE TABLE t (n int)")},
		"0002_index.sql": {Data: []byte("-- no transaction\nCREATE INDEX CONCURRENTLY t_n ON t (n)")},
	}
	if _, err := migrations.UpFrom(t.Context(), pool, dir); err != nil || !exists(t, pool, "t_n") {
		t.Fatalf("up: %v, index there: %v", err, exists(t, pool, "t_n"))
	}
	dir["0003_wrong.sql"] = &fstest.MapFile{Data: []byte("-- no transaction\nCREATE INDEX CONCURRENTLY t_m ON t (m)")}
	if _, err := migrations.UpFrom(t.Context(), pool, dir); err == nil {
		t.Fatal("an index on a missing column was made")
	}
	if _, err := migrations.UpFrom(t.Context(), pool, dir); !errors.Is(err, migrations.ErrDirty) {
		t.Fatalf("after one that stopped half-way: %v, want ErrDirty", err)
	}
}

func TestNumbersMustFollowOneAnother(t *testing.T) {
	t.Parallel()

	for _, names := range [][]string{{"0002_a.sql"}, {"0001_a.sql", "0003_b.sql"}, {"0001_a.sql", "0001_b.sql"}, {"first.sql"}} {
		dir := fstest.MapFS{}
		for _, n := range names {
			dir[n] = &fstest.MapFile{}
		}
		if files, err := migrations.Read(dir); err == nil {
			t.Errorf("%v were read as %v", names, files)
		}
	}
}

func exists(t *testing.T, db pg.DB, relation string) (there bool) {
	t.Helper()
	if err := db.QueryRow(context.Background(), `SELECT to_regclass($1) IS NOT NULL`, relation).Scan(&there); err != nil {
		t.Fatal(err)
	}
	return there
}

// empty returns a database without tables, by its address and as a pool.
func empty(t *testing.T) (string, *pg.Pool) {
	t.Helper()
	url := testpg.Empty(t)
	cfg, err := pg.Config(url, 4)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pg.OpenConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return url, pool
}
