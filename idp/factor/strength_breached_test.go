package factor_test

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/factor"
)

// leaked writes a file as it is given away: sorted, with counts.
func leaked(t *testing.T, end string, passwords ...string) string {
	t.Helper()
	lines := make([]string, len(passwords))
	for i, p := range passwords {
		lines[i] = fmt.Sprintf("%X:%d", sha1.Sum([]byte(p)), i+1)
	}
	slices.Sort(lines)
	return write(t, strings.Join(lines, end)+end)
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pwned.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *factor.Breached {
	t.Helper()
	b, err := factor.OpenBreached(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestEveryLeakedPasswordIsFoundAndNoOther(t *testing.T) {
	t.Parallel()

	for _, size := range []int{1, 2, 3, 17, 1000} {
		for _, end := range []string{"\n", "\r\n"} {
			passwords := make([]string, size)
			for i := range passwords {
				passwords[i] = fmt.Sprint("senha número ", i)
			}
			b := open(t, leaked(t, end, passwords...))
			for i, p := range passwords {
				if n, err := b.Count(p); n != i+1 || err != nil {
					t.Fatalf("of %d: %q leaked %d times, %v", size, p, n, err)
				}
				if n, err := b.Count(p + "x"); n != 0 || err != nil {
					t.Fatalf("of %d: %q leaked %d times, %v", size, p+"x", n, err)
				}
			}
		}
	}
}

func TestALeakedPasswordIsRefusedHoweverItsAccentsAreTyped(t *testing.T) {
	t.Parallel()

	b := open(t, leaked(t, "\r\n", "café com leite", "outra", "mais uma"))
	for password, want := range map[string]error{"café com leite": factor.ErrPasswordBreached, "cafe\u0301 com leite": factor.ErrPasswordBreached,
		"coruja no telhado": nil, strings.Repeat("a", 5000): nil} {
		if err := b.Check(password); !errors.Is(err, want) {
			t.Errorf("%.20q: %v", password, err)
		}
	}
}

func TestAListWithoutCountsOrALastLineEndIsRead(t *testing.T) {
	t.Parallel()

	path := leaked(t, "\n", "um", "dois", "três")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var bare []string
	for line := range strings.Lines(string(text)) {
		bare = append(bare, line[:40])
	}
	b := open(t, write(t, strings.Join(bare, "\n")))
	for _, p := range []string{"um", "dois", "três"} {
		if n, err := b.Count(p); n != 1 || err != nil {
			t.Errorf("%q: %d, %v", p, n, err)
		}
	}
}

func TestAFileThatIsNoSuchListIsRefused(t *testing.T) {
	t.Parallel()

	hash := fmt.Sprintf("%X", sha1.Sum([]byte("x")))
	for name, text := range map[string]string{
		"empty": "", "passwords": "123456\n654321\n", "small letters": strings.ToLower(hash) + ":1\n", "another hash": hash + hash + ":1\n",
		"unsorted": strings.Repeat("F", 40) + ":1\n" + strings.Repeat("0", 40) + ":1\n", "no number": hash + ":many\n", "one long line": strings.Repeat(hash, 100),
	} {
		if b, err := factor.OpenBreached(write(t, text)); !errors.Is(err, factor.ErrBreachedFile) {
			t.Errorf("%s: %v, %v", name, b, err)
		}
	}
	if _, err := factor.OpenBreached(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func BenchmarkBreached(b *testing.B) {
	var text strings.Builder
	for i := range 1 << 20 {
		fmt.Fprintf(&text, "%040X:1\n", i*7919)
	}
	path := filepath.Join(b.TempDir(), "pwned.txt")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	list, err := factor.OpenBreached(path)
	if err != nil {
		b.Fatal(err)
	}
	defer list.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := list.Count("coruja no telhado"); err != nil {
			b.Fatal(err)
		}
	}
}
