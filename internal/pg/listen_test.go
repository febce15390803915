package pg_test

import (
	"context"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

func TestListenHearsNotificationsAndRefreshesAfterALostConnection(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	heard, ended := make(chan string, 16), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(ended)
		pg.Listen(ctx, db, "Keys of today", func(payload string) { heard <- payload })
	}()
	exec := func(sql string) {
		t.Helper()
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}

	want(t, heard, "") // connected
	exec(`SELECT pg_notify('Keys of today', 'rotated')`)
	want(t, heard, "rotated")
	exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND datname = current_database()`)
	want(t, heard, "") // connected again
	exec(`SELECT pg_notify('Keys of today', 'again')`)
	want(t, heard, "again")

	cancel()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("Listen outlives its context")
	}
}

func want(t *testing.T, heard <-chan string, payload string) {
	t.Helper()
	select {
	case got := <-heard:
		if got != payload {
			t.Fatalf("heard %q, want %q", got, payload)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("never heard %q", payload)
	}
}

func TestListenStaysConnectedThroughSilence(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	heard := make(chan string, 16)
	go pg.ListenQuiet(t.Context(), db, "quiet", 5*time.Millisecond, func(payload string) { heard <- payload })
	want(t, heard, "")
	eventually(t, func() bool { // several pings later
		var n int
		err := db.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = '-- ping'`).Scan(&n)
		return err == nil && n == 1
	})
	if _, err := db.Exec(t.Context(), `SELECT pg_notify('quiet', 'still here')`); err != nil {
		t.Fatal(err)
	}
	want(t, heard, "still here") // and no "" before it: the connection is the first one
}
