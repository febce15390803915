package idptest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/loginunico/loginunico/idp/factor"
)

// Main runs a package's tests and then searches everything the cities logged, at debug level, for
// what must never be there. Every package that starts cities has a TestMain that calls it.
func Main(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))) // libraries log there
	code := m.Run()
	if found := leaks(); len(found) > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: the log holds %d personal values or secrets, in:\n%s\n", len(found), strings.Join(found, "\n"))
		code = 1
	}
	os.Exit(code)
}

// leaks returns the log lines that hold a value some test used.
func leaks() []string {
	var lines []string
	values := used.all()
	for line := range bytes.Lines(logs.bytes()) {
		for _, v := range values {
			if bytes.Contains(line, []byte(v)) {
				lines = append(lines, string(line))
				break
			}
		}
	}
	return lines
}

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
		if len(s) >= 6 { // shorter values are words that any log may hold
			v.set[s] = true
			v.set[strings.NewReplacer(".", "", "-", "").Replace(s)] = true
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

// passwordHash hashes [Password] once per process: making people must not cost 20 ms each.
func passwordHash(t testing.TB) string {
	t.Helper()
	hashOnce.Do(func() { hash, hashErr = factor.NewHasher(1).Hash(context.Background(), Password) })
	if hashErr != nil {
		t.Fatal(hashErr)
	}
	return hash
}

var (
	hashOnce sync.Once
	hash     string
	hashErr  error
)
