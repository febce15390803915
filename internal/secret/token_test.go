package secret_test

import (
	"encoding/hex"
	"regexp"
	"testing"

	"github.com/loginunico/loginunico/internal/secret"
)

func TestShortTokensAre128BitsOfBase64URL(t *testing.T) {
	t.Parallel()

	if a, b := secret.ShortToken(), secret.ShortToken(); a == b || !regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`).MatchString(a) {
		t.Errorf("%q, %q", a, b)
	}
}

func TestTokensAre256BitsOfBase64URL(t *testing.T) {
	t.Parallel()

	shape, seen := regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`), map[string]bool{}
	for range 1000 {
		token := secret.Token()
		if !shape.MatchString(token) || seen[token] {
			t.Fatalf("token %q", token)
		}
		seen[token] = true
	}
}

func TestHashIsSHA256(t *testing.T) {
	t.Parallel()

	// FIPS 180-4, example "abc".
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := hex.EncodeToString(secret.Hash("abc")); got != want {
		t.Errorf("%s", got)
	}
}

func TestCodesAreSixUniformDigits(t *testing.T) {
	t.Parallel()

	shape := regexp.MustCompile(`^[0-9]{6}$`)
	var first [10]int
	const n = 20_000
	for range n {
		code := secret.Code()
		if !shape.MatchString(code) {
			t.Fatalf("code %q", code)
		}
		first[code[0]-'0']++
	}
	for digit, count := range first { // expected 2000, standard deviation 42: eight of them
		if count < 2000-340 || count > 2000+340 {
			t.Errorf("%d leads %d of %d codes", digit, count, n)
		}
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()

	if !secret.Equal([]byte("ab"), []byte("ab")) || secret.Equal([]byte("ab"), []byte("ac")) || secret.Equal([]byte("ab"), nil) {
		t.Error("wrong comparison")
	}
}
