package secret_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
)

func TestTheKEKChangesWhileProcessesRun(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	a, b := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	before, changing, after := kekOf(t, a), kekOf(t, b, a), kekOf(t, b)
	behind := open(t, db, before)    // its file has not changed
	running := open(t, db, changing) // this one's had both keys when it started
	rotate(t, db, before, secret.Index)
	sealed, index := running.Seal([]byte("x"), nil), running.Index("d", []byte("v"))

	if n, err := secret.Rewrap(t.Context(), db, before, after); err != nil || n != len(secret.Classes())+2 {
		t.Fatalf("rewrapped %d, %v", n, err)
	}
	if n, err := secret.Rewrap(t.Context(), db, before, after); err != nil || n != 0 {
		t.Errorf("again: %d, %v", n, err)
	}
	if _, err := secret.Open(t.Context(), db, before); !errors.Is(err, secret.ErrWrongKEK) {
		t.Errorf("the old KEK opens: %v", err)
	}
	if err := behind.Reload(t.Context()); !errors.Is(err, secret.ErrWrongKEK) {
		t.Errorf("reloaded with the old KEK: %v", err)
	}
	mustOpen(t, behind, sealed, nil, []byte("x"))

	rotate(t, db, after, secret.General)
	next := open(t, db, after)
	mustOpen(t, next, sealed, nil, []byte("x"))
	mustOpen(t, running, next.Seal([]byte("y"), nil), nil, []byte("y"))
	if !bytes.Equal(next.Index("d", []byte("v")), index) {
		t.Error("the index changed with the KEK")
	}
	if _, err := behind.Open(next.Seal([]byte("y"), nil), nil); !errors.Is(err, secret.ErrSealed) || !errors.Is(err, secret.ErrWrongKEK) {
		t.Errorf("a process with the old KEK must say why it cannot: %v", err)
	}
}

func TestRewrappingUnderAWrongKEKChangesNothing(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	open(t, db, kek)
	if n, err := secret.Rewrap(t.Context(), db, newKEK(t), newKEK(t)); !errors.Is(err, secret.ErrWrongKEK) || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	open(t, db, kek)
}

func TestAnOldDatabaseIsRewrappedToo(t *testing.T) {
	t.Parallel()

	db, kek := oldDatabase(t)
	fresh := newKEK(t)
	if n, err := secret.Rewrap(t.Context(), db, kek, fresh); err != nil || n != 2 {
		t.Fatalf("%d, %v", n, err)
	}
	mustOpen(t, open(t, db, fresh), unhex(oldValue), oldAAD, oldPlain)
}
