package pg_test

import (
	"context"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

// The race detector is what fails here.
func TestACopyThatBrokeOffLeavesItsMemoryToWhoStillReadsIt(t *testing.T) {
	t.Parallel()
	db := testpg.New(t)
	if _, err := db.Exec(t.Context(), `CREATE TABLE heap (value bytea)`); err != nil {
		t.Fatal(err)
	}
	var rows pg.Copy
	value := make([]byte, 1<<20)
	fill := func(n int) {
		for range n {
			rows.Row(1)
			rows.Bytes(value)
		}
	}
	broke := 0
	for patience := time.Millisecond; patience < 9*time.Millisecond; patience += 2 * time.Millisecond {
		fill(16)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err := pg.InTx(ctx, db, func(tx pg.Tx) error { return rows.Send(ctx, tx, `COPY heap (value) FROM STDIN (FORMAT binary)`) })
		cancel()
		if err != nil {
			broke++
		}
		if !rows.Empty() {
			t.Fatal("rows are left")
		}
	}
	if broke == 0 {
		t.Error("no COPY broke off")
	}
	fill(1)
	if err := pg.InTx(t.Context(), db, func(tx pg.Tx) error {
		return rows.Send(t.Context(), tx, `COPY heap (value) FROM STDIN (FORMAT binary)`)
	}); err != nil {
		t.Error(err)
	}
}
