package secret_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
)

func newKEK(t testing.TB) secret.KEK {
	t.Helper()
	kek, err := secret.LoadKEK(filepath.Join(t.TempDir(), "kek"), true)
	if err != nil {
		t.Fatal(err)
	}
	return kek
}

func TestSealedValueOpensWithItsAADAlone(t *testing.T) {
	t.Parallel()

	box, err := secret.Open(t.Context(), testpg.New(t), newKEK(t))
	if err != nil {
		t.Fatal(err)
	}
	plain, aad := []byte("529.982.247-25"), []byte("person.fields/1")
	sealed := box.Seal(plain, aad)
	if bytes.Contains(sealed, plain) || len(sealed) != len(plain)+secret.Overhead {
		t.Errorf("sealed % x", sealed)
	}
	if got, err := box.Open(sealed, aad); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opened %q, %v", got, err)
	}
	if bytes.Equal(sealed, box.Seal(plain, aad)) {
		t.Error("the same value seals alike twice")
	}
	for name, try := range map[string]struct{ sealed, aad []byte }{
		"other aad":     {sealed, []byte("person.fields/2")},
		"no aad":        {sealed, nil},
		"cut":           {sealed[:len(sealed)-1], aad},
		"other version": {append([]byte{2}, sealed[1:]...), aad},
		"empty":         {nil, aad},
	} {
		if _, err := box.Open(try.sealed, try.aad); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := box.Open(changed, aad); !errors.Is(err, secret.ErrSealed) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

func TestProcessesThatStartTogetherShareTheDataKeys(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	boxes := make([]*secret.Box, 8)
	var wg sync.WaitGroup
	for i := range boxes {
		wg.Go(func() {
			var err error
			if boxes[i], err = secret.Open(t.Context(), db, kek); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	sealed := boxes[0].Seal([]byte("x"), nil)
	for i, b := range boxes {
		if _, err := b.Open(sealed, nil); err != nil {
			t.Errorf("box %d cannot open what box 0 sealed", i)
		}
		if !bytes.Equal(b.Index("d", []byte("v")), boxes[0].Index("d", []byte("v"))) {
			t.Errorf("box %d indexes otherwise", i)
		}
	}
}

func TestWrongKEKIsSaidClearly(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	if _, err := secret.Open(t.Context(), db, newKEK(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.Open(t.Context(), db, newKEK(t)); !errors.Is(err, secret.ErrWrongKEK) {
		t.Errorf("error %v", err)
	}
}

func TestExchangedDataKeysAreRefused(t *testing.T) {
	t.Parallel()

	db, kek := testpg.New(t), newKEK(t)
	if _, err := secret.Open(t.Context(), db, kek); err != nil {
		t.Fatal(err)
	}
	const exchange = `UPDATE data_key a SET wrapped = b.wrapped FROM data_key b WHERE b.purpose <> a.purpose`
	if _, err := db.Exec(t.Context(), exchange); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.Open(t.Context(), db, kek); !errors.Is(err, secret.ErrWrongKEK) {
		t.Errorf("error %v", err)
	}
}

func TestIndexSeparatesDomainsAndKeys(t *testing.T) {
	t.Parallel()

	first, err := secret.Open(t.Context(), testpg.New(t), newKEK(t))
	if err != nil {
		t.Fatal(err)
	}
	second, err := secret.Open(t.Context(), testpg.New(t), newKEK(t))
	if err != nil {
		t.Fatal(err)
	}
	v := first.Index("ab", []byte("c"))
	if len(v) != 32 || !bytes.Equal(v, first.Index("ab", []byte("c"))) {
		t.Errorf("% x", v)
	}
	for name, other := range map[string][]byte{
		"domain": first.Index("a", []byte("bc")), "value": first.Index("ab", []byte("d")), "key": second.Index("ab", []byte("c")),
	} {
		if bytes.Equal(v, other) {
			t.Errorf("same index across %s", name)
		}
	}
}

func FuzzOpenGarbage(f *testing.F) {
	box, err := secret.Open(f.Context(), testpg.New(f), newKEK(f))
	if err != nil {
		f.Fatal(err)
	}
	good := box.Seal([]byte("x"), []byte("aad"))
	f.Add(good, []byte("other"))
	f.Add(good[:13], []byte("aad"))
	f.Add([]byte{}, []byte{})
	f.Add([]byte{1}, []byte("aad"))
	f.Add(unhex(oldValue), oldAAD)
	f.Add(append(bytes.Clone(good[:4]), make([]byte, 40)...), []byte("aad"))
	f.Fuzz(func(t *testing.T, sealed, aad []byte) {
		if bytes.Equal(sealed, good) && string(aad) == "aad" {
			return // mutated back into the one pair that does open
		}
		if plain, err := box.Open(sealed, aad); !errors.Is(err, secret.ErrSealed) || plain != nil {
			t.Fatalf("garbage opened: %q, %v", plain, err)
		}
	})
}
