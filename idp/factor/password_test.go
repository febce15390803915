package factor

import (
	"context"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/argon2"
)

const owl = "coruja no telhado"

func TestHashVerifiesOnlyItsOwnPassword(t *testing.T) {
	t.Parallel()

	h := NewHasher(2)
	stored := mustHash(t, h, owl)
	for _, c := range []struct {
		name, password string
		want           bool
	}{
		{"the same password", owl, true},
		{"another case", "Coruja no telhado", false},
		{"one letter less", owl[:len(owl)-1], false},
		{"empty", "", false},
		{"the password and a tail beyond the limit", owl + strings.Repeat(" ", maxPasswordBytes), false},
	} {
		got, err := h.Verify(t.Context(), stored, c.password)
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

func TestHashIsPHCWithOWASPCosts(t *testing.T) {
	t.Parallel()

	h := NewHasher(1)
	a, b := mustHash(t, h, owl), mustHash(t, h, owl)
	if !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash is %q", a)
	}
	if a == b {
		t.Error("two hashes of one password are equal: the salt is not random")
	}
	if h.NeedsRehash(a) {
		t.Error("a fresh hash needs a rehash")
	}
}

// The first three are vectors of the reference implementation's test suite (argon2id, v=19).
func TestVerifyAcceptsOtherCostsAndAsksForRehash(t *testing.T) {
	t.Parallel()

	h := NewHasher(1)
	for _, c := range []struct{ phc, password string }{
		{"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"},
		{"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password"},
		{"$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg", "password"},
	} {
		ok, err := h.Verify(t.Context(), c.phc, c.password)
		if err != nil || !ok {
			t.Errorf("%s: %v, %v", c.phc, ok, err)
		}
		if !h.NeedsRehash(c.phc) {
			t.Errorf("%s: costs differ from today's, yet no rehash", c.phc)
		}
	}
}

// The library itself: RFC 9106's parameters cannot be reached without secret and associated
// data, so this vector is the reference implementation's m=65536, t=2, p=1.
func TestArgon2idVector(t *testing.T) {
	t.Parallel()

	got := hex.EncodeToString(argon2.IDKey([]byte("password"), []byte("somesalt"), 2, 65536, 1, 32))
	if want := "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"; got != want {
		t.Errorf("key is %s, want %s", got, want)
	}
}

func TestMalformedHashIsRefused(t *testing.T) {
	t.Parallel()

	const salt, key = "c29tZXNhbHRzb21lc2FsdA", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	h := NewHasher(1)
	for name, s := range map[string]string{
		"other function":   "$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + key,
		"other version":    "$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + key,
		"no version":       "$argon2id$m=19456,t=2,p=1$" + salt + "$" + key,
		"leading zero":     "$argon2id$v=19$m=019456,t=2,p=1$" + salt + "$" + key,
		"too much memory":  "$argon2id$v=19$m=65537,t=2,p=1$" + salt + "$" + key,
		"too many passes":  "$argon2id$v=19$m=19456,t=11,p=1$" + salt + "$" + key,
		"too many threads": "$argon2id$v=19$m=19456,t=2,p=5$" + salt + "$" + key,
		"no passes":        "$argon2id$v=19$m=19456,t=0,p=1$" + salt + "$" + key,
		"no threads":       "$argon2id$v=19$m=19456,t=2,p=0$" + salt + "$" + key,
		"thread overflow":  "$argon2id$v=19$m=19456,t=2,p=257$" + salt + "$" + key,
		"short salt":       "$argon2id$v=19$m=19456,t=2,p=1$c29t$" + key,
		"short key":        "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$c29t",
		"padding":          "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "==$" + key,
		"no key":           "$argon2id$v=19$m=19456,t=2,p=1$" + salt,
		"a further part":   "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key + "$" + key,
		"space after":      "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key + " ",
		"bcrypt":           "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		"endless":          "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + strings.Repeat("A", 4096),
	} {
		if ok, err := h.Verify(t.Context(), s, "password"); ok || !errors.Is(err, ErrHash) {
			t.Errorf("%s: %v, %v; want ErrHash", name, ok, err)
		}
		if !h.NeedsRehash(s) {
			t.Errorf("%s: needs no rehash", name)
		}
	}
}

// Counts the work instead of timing it: both accounts go through one derivation of equal cost.
func TestUnknownAccountCostsTheSame(t *testing.T) {
	t.Parallel()

	type work struct {
		passes, memory uint32
		threads        uint8
		salt, key      int
	}
	h := NewHasher(1)
	stored := mustHash(t, h, owl)
	var done []work
	h.derive = func(pw, salt []byte, passes, memory uint32, threads uint8, key uint32) []byte {
		done = append(done, work{passes, memory, threads, len(salt), int(key)})
		return argon2.IDKey(pw, salt, passes, memory, threads, key)
	}
	for _, phc := range []string{stored, ""} {
		if ok, err := h.Verify(t.Context(), phc, "not the password"); ok || err != nil {
			t.Fatalf("verify %q: %v, %v", phc, ok, err)
		}
	}
	if len(done) != 2 || done[0] != done[1] {
		t.Errorf("work of a known and an unknown account: %+v", done)
	}
}

// The dummy's key is all zeros; even a password that derived to it would not be let in.
func TestUnknownAccountNeverMatches(t *testing.T) {
	t.Parallel()

	h := NewHasher(1)
	h.derive = func(_, _ []byte, _, _ uint32, _ uint8, key uint32) []byte { return make([]byte, key) }
	if ok, err := h.Verify(t.Context(), "", "x"); ok || err != nil {
		t.Errorf("unknown account: %v, %v", ok, err)
	}
}

func TestComposedAndDecomposedPasswordsAreOne(t *testing.T) {
	t.Parallel()

	h := NewHasher(1)
	stored := mustHash(t, h, "cora\u00e7\u00e3o de le\u00e3o")
	ok, err := h.Verify(t.Context(), stored, "corac\u0327a\u0303o de lea\u0303o")
	if err != nil || !ok {
		t.Errorf("decomposed form: %v, %v", ok, err)
	}
}

func TestFullQueueIsBusyAndDrainsAfterwards(t *testing.T) {
	t.Parallel()

	h := NewHasher(1)
	started, release := make(chan struct{}, cap(h.queue)), make(chan struct{})
	var hashed atomic.Int32
	h.derive = func(_, _ []byte, _, _ uint32, _ uint8, key uint32) []byte {
		started <- struct{}{}
		<-release
		hashed.Add(1)
		return make([]byte, key)
	}
	results := make(chan error, cap(h.queue))
	for range cap(h.queue) {
		go func() {
			_, err := h.Hash(context.Background(), owl)
			results <- err
		}()
	}
	<-started
	for len(h.queue) < cap(h.queue) { // every goroutine is in the queue, one of them hashes
		runtime.Gosched()
	}
	if _, err := h.Hash(t.Context(), owl); !errors.Is(err, ErrBusy) {
		t.Errorf("beyond the queue: %v, want ErrBusy", err)
	}
	if got := len(h.slots); got != 1 {
		t.Errorf("%d hash at once, want 1", got)
	}
	close(release)
	for range cap(h.queue) {
		if err := <-results; err != nil {
			t.Errorf("queued hash: %v", err)
		}
	}
	if int(hashed.Load()) != cap(h.queue) || len(h.queue) != 0 || len(h.slots) != 0 {
		t.Errorf("%d hashed, %d queued, %d hashing", hashed.Load(), len(h.queue), len(h.slots))
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()

	h := NewHasher(1)
	h.slots <- struct{}{} // the only worker is taken
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := h.Hash(ctx, owl)
		result <- err
	}()
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("waiting: %v, want the context's error", err)
	}
	if len(h.queue) != 0 {
		t.Error("the one who left is still in the queue")
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	f.Add("$argon2id$v=19$m=1,t=1,p=1$$")
	f.Add("$argon2id$")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err == nil && (p.String() != s || p.memory > 64*1024 || p.passes > 10) {
			t.Errorf("%q was read as %+v", s, p)
		}
	})
}

func mustHash(t *testing.T, h *Hasher, password string) string {
	t.Helper()
	stored, err := h.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}
