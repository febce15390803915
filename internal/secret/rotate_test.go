package secret_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
)

func open(t testing.TB, db *pg.Pool, kek secret.KEK) *secret.Box {
	t.Helper()
	box, err := secret.Open(t.Context(), db, kek)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func rotate(t testing.TB, db *pg.Pool, kek secret.KEK, p secret.Purpose) secret.DataKey {
	t.Helper()
	k, err := secret.Rotate(t.Context(), db, kek, p)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func reload(t testing.TB, box *secret.Box) {
	t.Helper()
	if err := box.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// age makes every key two hours older.
func age(t testing.TB, db *pg.Pool) {
	t.Helper()
	if _, err := db.Exec(t.Context(), `UPDATE data_key SET active_from = active_from - interval '2 hours'`); err != nil {
		t.Fatal(err)
	}
}

type opener interface {
	Open(sealed, aad []byte) ([]byte, error)
}

func mustOpen(t testing.TB, with opener, sealed, aad, want []byte) {
	t.Helper()
	if got, err := with.Open(sealed, aad); err != nil || !bytes.Equal(got, want) {
		t.Errorf("opened %q, %v; want %q", got, err, want)
	}
}

func TestProcessOpensWhatAKeySealedThatItHasNotHeardOf(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	deaf, quick := open(t, db, kek), open(t, db, kek)
	for _, p := range secret.Classes() {
		before := quick.Class(p).Seal([]byte("before"), []byte("a"))
		rotate(t, db, kek, p)
		reload(t, quick)
		after := quick.Class(p).Seal([]byte("after"), []byte("a"))
		if quick.Class(p).Current(before) || !quick.Class(p).Current(after) || bytes.Equal(before[:5], after[:5]) {
			t.Errorf("%s: the new key does not seal", p)
		}
		mustOpen(t, deaf.Class(p), after, []byte("a"), []byte("after"))
		mustOpen(t, deaf.Class(p), before, []byte("a"), []byte("before"))
		if !deaf.Class(p).Current(after) {
			t.Errorf("%s: it has met the new key and seals with the old one", p)
		}
	}
}

func TestUnknownKeyIsFoundWhileThePoolIsTaken(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	deaf, quick := open(t, db, kek), open(t, db, kek)
	rotate(t, db, kek, secret.General)
	reload(t, quick)
	sealed := quick.Seal([]byte("x"), nil)
	for range db.Config().MaxConns {
		conn, err := db.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
	}
	mustOpen(t, deaf, sealed, nil, []byte("x"))
	reload(t, quick) // it would keep values waiting
}

func TestRotationsUnderLoadLoseNoValue(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	sealed, done := make(chan []byte, 64), make(chan struct{})
	var sealers, openers sync.WaitGroup
	for i := range 3 {
		box := open(t, db, kek)
		if i > 0 { // the first hears nothing
			go pg.Listen(t.Context(), db, "loginunico", func(string) { _ = box.Reload(t.Context()) })
		}
		sealers.Go(func() {
			for {
				select {
				case <-done:
					return
				case sealed <- box.Class(secret.Contact).AppendSeal(nil, []byte("value"), []byte("row")):
				}
			}
		})
		openers.Go(func() {
			for value := range sealed {
				mustOpen(t, box.Class(secret.Contact), value, []byte("row"), []byte("value"))
			}
		})
	}
	for range 20 {
		rotate(t, db, kek, secret.Contact)
	}
	close(done)
	sealers.Wait()
	close(sealed)
	openers.Wait()
}

func TestTwoRotationsAtOnceMakeTwoKeys(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	open(t, db, kek)
	made := make([]secret.DataKey, 16)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() { made[i] = rotate(t, db, kek, []secret.Purpose{secret.Record, secret.Index}[i%2]) })
	}
	wg.Wait()
	all, err := secret.List(t.Context(), db, kek)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range made {
		n := 0
		for _, have := range all {
			if have.Purpose == k.Purpose && have.ID == k.ID {
				n++
			}
		}
		if n != 1 {
			t.Errorf("key %s of %s is there %d times", k.Name(), k.Purpose, n)
		}
	}
}

func TestANewKeyIsNotifiedToEveryProcess(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	open(t, db, kek)
	heard := make(chan string, 8)
	go pg.Listen(t.Context(), db, "loginunico", func(table string) { heard <- table })
	<-heard // it listens
	rotate(t, db, kek, secret.Family)
	if table := <-heard; table != "data_key" {
		t.Errorf("heard %q", table)
	}
}

func TestOnlyOldKeysRetire(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	box := open(t, db, kek)
	first := listed(t, db, kek, secret.Documents)[0]
	value := box.Class(secret.Documents).Seal([]byte("x"), nil)
	second := rotate(t, db, kek, secret.Documents)
	retire := func(p secret.Purpose, id uint32) error { return secret.Retire(t.Context(), db, kek, p, id) }
	for _, c := range []struct {
		name    string
		purpose secret.Purpose
		id      uint32
		want    error
	}{
		{"the current key", secret.Documents, second.ID, secret.ErrKeyInUse},
		{"its predecessor at once", secret.Documents, first.ID, secret.ErrTooSoon},
		{"an unknown key", secret.Documents, first.ID ^ second.ID ^ 1, secret.ErrNoKey},
		{"a legacy key of a database without", secret.General, secret.LegacyID, secret.ErrNoKey},
		{"a purpose there is not", "passwords", 1, secret.ErrPurpose},
		{"the legacy row by its name", "legacy", 0, secret.ErrPurpose},
	} {
		if err := retire(c.purpose, c.id); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	age(t, db)
	if err := retire(secret.Documents, first.ID); err != nil {
		t.Fatal(err)
	}
	if left := listed(t, db, kek, secret.Documents); len(left) != 1 || left[0].ID != second.ID || left[0].State != secret.Current {
		t.Errorf("left: %+v", left)
	}
	reload(t, box)
	if _, err := box.Class(secret.Documents).Open(value, nil); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("opened by a key that is gone: %v", err)
	}
}

func listed(t *testing.T, db *pg.Pool, kek secret.KEK, p secret.Purpose) []secret.DataKey {
	t.Helper()
	all, err := secret.List(t.Context(), db, kek)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(k secret.DataKey) bool { return k.Purpose != p })
}

func TestAnIndexVersionIsKnownBeforeItIsUsed(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	box := open(t, db, kek)
	value := []byte("52998224725")
	one := box.Index("cpf", value)
	made := rotate(t, db, kek, secret.Index)
	if made.State != secret.Pending || time.Until(made.From) < secret.IndexDelay-time.Minute {
		t.Errorf("made %+v", made)
	}
	reload(t, box)
	if got := box.Index("cpf", value); box.IndexVersion() != 1 || !slices.Equal(box.IndexVersions(), []int16{2, 1}) || !bytes.Equal(got, one) {
		t.Errorf("used already: %d of %v", box.IndexVersion(), box.IndexVersions())
	}
	two := box.IndexAt(2, "cpf", value)
	if err := secret.Retire(t.Context(), db, kek, secret.Index, 2); !errors.Is(err, secret.ErrKeyInUse) {
		t.Errorf("retired while pending: %v", err)
	}
	age(t, db)
	reload(t, box)
	if got := box.Index("cpf", value); box.IndexVersion() != 2 || !bytes.Equal(got, two) || bytes.Equal(one, two) {
		t.Errorf("not used: %d of %v", box.IndexVersion(), box.IndexVersions())
	}
	if !bytes.Equal(box.IndexAt(1, "cpf", value), one) || box.IndexAt(3, "cpf", value) != nil {
		t.Error("version 1 must stay as it was, and version 3 equal nothing")
	}
	if err := secret.Retire(t.Context(), db, kek, secret.Index, 1); err != nil {
		t.Fatal(err)
	}
	reload(t, box)
	if !slices.Equal(box.IndexVersions(), []int16{2}) || box.IndexAt(1, "cpf", value) != nil {
		t.Errorf("left: %v", box.IndexVersions())
	}
}

func TestStatesOfKeysAreListed(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	open(t, db, kek)
	rotate(t, db, kek, secret.Index)
	age(t, db)
	rotate(t, db, kek, secret.Index)
	rotate(t, db, kek, secret.Identity)
	var got []string
	for _, p := range []secret.Purpose{secret.Index, secret.Identity, secret.Contact} {
		for _, k := range listed(t, db, kek, p) {
			got = append(got, fmt.Sprintf("%s %s %v", p, k.State, k.From.IsZero()))
			if k.Name() == "" || k.Name() == "legacy" {
				t.Errorf("name %q", k.Name())
			}
		}
	}
	want := []string{"index pending false", "index current false", "index old true", "identity current false", "identity old true", "contact current false"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if _, err := secret.Rotate(t.Context(), db, kek, "legacy"); !errors.Is(err, secret.ErrPurpose) {
		t.Errorf("rotated what has no keyset: %v", err)
	}
}
