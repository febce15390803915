package idptest

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"unicode"

	"golang.org/x/crypto/argon2"

	"github.com/loginunico/loginunico/idp/factor"
)

// Main runs a package's tests and then searches everything the cities logged, at debug level, for
// what must never be there. Every package that starts cities has a TestMain that calls it.
func Main(m *testing.M) {
	slog.SetDefault(logger()) // libraries log there
	code := m.Run()
	if found := leaks(); len(found) > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: the log holds %d personal values or secrets, in:\n%s\n", len(found), strings.Join(found, "\n"))
		code = 1
	}
	os.Exit(code)
}

// logger keeps every line. Times and durations are left out: among so many digits any six of a mail
// code are found by chance.
func logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if k := a.Value.Kind(); k == slog.KindTime || k == slog.KindDuration {
				return slog.Attr{}
			}
			return a
		}}))
}

// leaks returns the log lines that hold a value some test used. Values are found by their first
// bytes, so that the search reads the log once, however many values there are.
func leaks() []string {
	byStart := map[[shortest]byte][]string{}
	for _, v := range used.all() {
		start := [shortest]byte([]byte(v))
		byStart[start] = append(byStart[start], v)
	}
	var lines []string
	for line := range bytes.Lines(logs.bytes()) {
		if holds(line, byStart) {
			lines = append(lines, string(line))
		}
	}
	return lines
}

func holds(line []byte, byStart map[[shortest]byte][]string) bool {
	for i := range len(line) - shortest + 1 {
		for _, v := range byStart[[shortest]byte(line[i:])] {
			if bytes.HasPrefix(line[i:], []byte(v)) && (len(v) > shortest || alone(line, i, i+len(v))) {
				return true
			}
		}
	}
	return false
}

// alone says whether a match is a word of its own. The shortest values, mail codes, must be: their
// digits also stand inside request ids.
func alone(line []byte, from, to int) bool {
	word := func(i int) bool {
		return i >= 0 && i < len(line) && (unicode.IsLetter(rune(line[i])) || unicode.IsDigit(rune(line[i])))
	}
	return !word(from-1) && !word(to)
}

// shortest is the length of values from which on they are searched for: shorter ones are words
// that any log may hold.
const shortest = 6

// buffer is the log of every city in this process.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.b.Bytes())
}

var logs buffer

// values are what must not be logged: as sent, and for a CPF its digits and its usual form too.
type values struct {
	mu  sync.Mutex
	set map[string]bool
}

func (v *values) add(all ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.set == nil {
		v.set = map[string]bool{}
	}
	for _, s := range all {
		for _, form := range []string{s, strings.NewReplacer(".", "", "-", "").Replace(s)} {
			if len(form) >= shortest {
				v.set[form] = true
			}
		}
	}
}

func (v *values) all() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := make([]string, 0, len(v.set))
	for s := range v.set {
		list = append(list, s)
	}
	return list
}

var used values

// cheapHash is a hash of [Password] with 8 KiB and one pass, which the provider verifies as any other:
// a real one costs 20 ms at each sign-in, and more than twice that under the race detector.
var cheapHash = sync.OnceValue(func() string {
	salt, b64 := []byte("a salt of 16 byt"), base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version, b64(salt), b64(argon2.IDKey([]byte(Password), salt, 1, 8, 1, 32)))
})

// realHash is one that costs what the provider's own do.
var realHash = sync.OnceValues(func() (string, error) { return factor.NewHasher(1).Hash(context.Background(), Password) })

// passwordHash is what people of this city have.
func (c *City) passwordHash() string {
	c.t.Helper()
	if !c.realHashes {
		return cheapHash()
	}
	hash, err := realHash()
	if err != nil {
		c.t.Fatal(err)
	}
	return hash
}
