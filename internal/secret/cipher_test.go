package secret_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
)

func TestAClassOpensItsOwnValuesAlone(t *testing.T) {
	t.Parallel()

	box := open(t, testpg.New(t), newKEK(t))
	for _, p := range secret.Classes() {
		sealed := box.Class(p).Seal([]byte("x"), nil)
		for _, other := range secret.Classes() {
			_, err := box.Class(other).Open(sealed, nil)
			if p == other && err != nil || p != other && !errors.Is(err, secret.ErrSealed) {
				t.Errorf("sealed as %s, opened as %s: %v", p, other, err)
			}
		}
	}
}

func TestAppendSealIsSealWithoutAllocating(t *testing.T) {
	t.Parallel()

	c := open(t, testpg.New(t), newKEK(t)).Class(secret.Contact)
	plain, aad := []byte("+55 11 91234-5678"), []byte("person/1")
	out := c.AppendSeal([]byte("before"), plain, aad)
	sealed, found := bytes.CutPrefix(out, []byte("before"))
	if !found || len(sealed) != len(plain)+secret.Overhead || !c.Current(sealed) || bytes.Contains(sealed, plain) {
		t.Fatalf("%x", out)
	}
	mustOpen(t, c, sealed, aad, plain)
	if _, err := c.Open(sealed, []byte("person/2")); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("another row's: %v", err)
	}
	if bytes.Equal(sealed, c.AppendSeal(nil, plain, aad)) {
		t.Error("the same value seals alike twice")
	}
	mustOpen(t, c, c.AppendSeal(nil, nil, aad), aad, nil)
}

func TestClassesAndIndexersDoNotPrint(t *testing.T) {
	t.Parallel()

	box := open(t, testpg.New(t), newKEK(t))
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, nil))
	for _, v := range []any{box, box.Class(secret.Family), box.Indexer("cpf")} {
		log.Info("m", "v", v)
		_, _ = fmt.Fprintf(&out, "%v %+v %#v %x\n", v, v, v, v)
	}
	if n := strings.Count(out.String(), "[secret]"); n != 15 {
		t.Errorf("%d placeholders in\n%s", n, out.String())
	}
}

func TestWhatIsNoClassPanics(t *testing.T) {
	t.Parallel()

	box := open(t, testpg.New(t), newKEK(t))
	for _, p := range []secret.Purpose{secret.Index, "legacy", "passwords", ""} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is a class", p)
				}
			}()
			box.Class(p)
		}()
	}
}

func TestADatabaseThatLacksAPurposeGetsIt(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	sealed := open(t, db, kek).Class(secret.Contact).Seal([]byte("x"), nil)
	if _, err := db.Exec(t.Context(), `DELETE FROM data_key WHERE purpose = 'family'`); err != nil {
		t.Fatal(err)
	}
	box := open(t, db, kek)
	mustOpen(t, box.Class(secret.Contact), sealed, nil, []byte("x"))
	mustOpen(t, box.Class(secret.Family), box.Class(secret.Family).Seal([]byte("y"), nil), nil, []byte("y"))
}

func TestKeysThatLeaveTheDatabaseStayInMemory(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	box := open(t, db, kek)
	sealed, index := box.Seal([]byte("x"), nil), box.Index("d", []byte("v"))
	if _, err := db.Exec(t.Context(), `DELETE FROM data_key`); err != nil {
		t.Fatal(err)
	}
	if err := box.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("reloaded nothing: %v", err)
	}
	mustOpen(t, box, sealed, nil, []byte("x"))
	if !bytes.Equal(index, box.Index("d", []byte("v"))) {
		t.Error("the index changed")
	}
}

func TestIndexerIsIndexWithoutAllocating(t *testing.T) {
	t.Parallel()

	box := open(t, testpg.New(t), newKEK(t))
	x := box.Indexer("person.cpf")
	for _, v := range []string{"", "52998224725", strings.Repeat("x", 1000)} {
		got := x.Sum([]byte("before"), []byte(v))
		if want := append([]byte("before"), box.Index("person.cpf", []byte(v))...); !bytes.Equal(got, want) || len(got) != 38 {
			t.Errorf("%.20q: %x, want %x", v, got, want)
		}
	}
	if x.Version() != box.IndexVersion() {
		t.Errorf("version %d", x.Version())
	}
}

func TestNoncesAreNeverHandedOutTwice(t *testing.T) {
	t.Parallel()

	seen, mu, done := map[string]bool{}, sync.Mutex{}, sync.WaitGroup{}
	box := open(t, testpg.New(t), newKEK(t))
	for range 8 {
		done.Go(func() {
			mine := make([]string, 0, 2000)
			for range 2000 {
				sealed := box.Class(secret.Record).AppendSeal(nil, nil, nil)
				mine = append(mine, string(sealed[5:17]))
			}
			mu.Lock()
			defer mu.Unlock()
			for _, nonce := range mine {
				if seen[nonce] || nonce == string(make([]byte, 12)) {
					t.Error("a nonce came twice, or was wiped before")
				}
				seen[nonce] = true
			}
		})
	}
	done.Wait()
}
