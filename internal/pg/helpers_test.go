package pg_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

func TestLockHasOneHolderPerDomainAndKey(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	free := func(domain, key string) (free bool) {
		t.Helper()
		err := db.QueryRow(t.Context(), `SELECT pg_try_advisory_xact_lock(hashtextextended($2, hashtext($1)))`, domain, key).Scan(&free)
		if err != nil {
			t.Fatal(err)
		}
		return free
	}
	err := pg.InTx(t.Context(), db, func(tx pg.Tx) error {
		if err := pg.Lock(t.Context(), tx, "consent", "maria"); err != nil {
			return err
		}
		if free("consent", "maria") || !free("consent", "ana") || !free("claim", "maria") {
			t.Error("want exactly consent of maria locked")
		}
		return nil
	})
	if err != nil || !free("consent", "maria") {
		t.Fatalf("the lock outlived its transaction, or: %v", err)
	}
}

func TestKindsOfErrorsAreTold(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	none := db.QueryRow(t.Context(), `SELECT 1 WHERE false`).Scan(new(int))
	_, twice := db.Exec(t.Context(), `CREATE TABLE one (n int UNIQUE); INSERT INTO one VALUES (1), (1)`, pgx.QueryExecModeSimpleProtocol)
	other := errors.New("other")
	for _, c := range []struct {
		err            error
		noRows, unique bool
	}{{none, true, false}, {twice, false, true}, {other, false, false}, {nil, false, false}} {
		if pg.NoRows(c.err) != c.noRows || pg.Unique(c.err) != c.unique {
			t.Errorf("%v: NoRows %v, Unique %v", c.err, pg.NoRows(c.err), pg.Unique(c.err))
		}
	}
}
