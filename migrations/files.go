package migrations

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed *.sql
var embedded embed.FS

// file is one migration. Sum is the SHA-256 of its text.
type file struct {
	Version int
	Name    string // "0001_provider.sql"
	SQL     string
	Sum     [sha256.Size]byte
}

// alone says that the file's single statement refuses to run inside a transaction.
func (f file) alone() bool { return strings.HasPrefix(f.SQL, "-- no transaction\n") }

// read returns the migrations of dir by version. Errors: a name without a number, a gap or a
// repetition in the numbers, which must be 1, 2, 3 …
func read(dir fs.FS) ([]file, error) {
	names, err := fs.Glob(dir, "*.sql") // sorted
	if err != nil {
		return nil, err
	}
	files := make([]file, 0, len(names))
	for i, name := range names {
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s: want number %04d", name, i+1)
		}
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		files = append(files, file{version, name, string(text), sha256.Sum256(text)})
	}
	return files, nil
}

// Hash names the whole schema this binary makes: 12 hexadecimal digits that change with any file
// and with River's version of its tables.
func Hash() (string, error) {
	files, err := read(embedded)
	if err != nil {
		return "", err
	}
	wanted, err := riverWanted()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, f := range files {
		h.Write(f.Sum[:])
	}
	fmt.Fprintf(h, "river %d", wanted)
	return hex.EncodeToString(h.Sum(nil)[:6]), nil
}
