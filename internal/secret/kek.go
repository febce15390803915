package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

const (
	keySize    = 32
	maxKEKFile = 1024
)

// KEK is the key-encryption key: 32 random bytes that wrap the data keys. While it changes, it also
// has the key before it, which unwraps but wraps no more. It does not print.
type KEK struct {
	key, before [keySize]byte
	changing    bool // there is a key before it
}

// sealers are the current key's, and that of the key before it.
func (k KEK) sealers() []*sealer {
	if !k.changing {
		return []*sealer{newSealer(k.key)}
	}
	return []*sealer{newSealer(k.key), newSealer(k.before)}
}

const hidden = "[secret]"

// Format writes a placeholder for every verb.
func (KEK) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue is the placeholder.
func (KEK) LogValue() slog.Value { return slog.StringValue(hidden) }

// LoadKEK reads the key from path: 32 bytes in standard base64, one line, in a regular file that
// neither group nor others can touch (mode 0600 or 0400). A second line, while the key changes, is
// the key before it. With create, a missing file is made with a new key; two processes that start
// together end with the same one.
//
// Production passes create = false: a key made anew would hide that the old one is lost.
func LoadKEK(path string, create bool) (KEK, error) {
	kek, err := readKEK(path)
	if create && errors.Is(err, fs.ErrNotExist) {
		if err := createKEK(path); err != nil {
			return KEK{}, fmt.Errorf("key-encryption key %s: %w", path, err)
		}
		kek, err = readKEK(path)
	}
	if err != nil {
		return KEK{}, fmt.Errorf("key-encryption key %s: %w", path, err)
	}
	return kek, nil
}

func readKEK(path string) (KEK, error) {
	f, err := os.Open(path)
	if err != nil {
		return KEK{}, err
	}
	defer func() { _ = f.Close() }()
	if err := checkMode(f); err != nil {
		return KEK{}, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKEKFile))
	if err != nil {
		return KEK{}, err
	}
	return parseKEK(bytes.Fields(text))
}

func parseKEK(lines [][]byte) (kek KEK, err error) {
	if len(lines) != 1 && len(lines) != 2 {
		return kek, fmt.Errorf("want one key, or two while it changes; there are %d", len(lines))
	}
	if kek.key, err = decodeKey(lines[0]); err == nil && len(lines) == 2 {
		kek.changing = true
		kek.before, err = decodeKey(lines[1])
	}
	return kek, err
}

func decodeKey(line []byte) ([keySize]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(string(line))
	if err != nil || len(raw) != keySize {
		return [keySize]byte{}, errors.New("want 32 bytes in base64 (openssl rand -base64 32)")
	}
	return [keySize]byte(raw), nil
}

// checkMode looks at the open file, so that it cannot be exchanged between check and read.
func checkMode(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("mode is %04o: others can read it; want 0600 (chmod 600)", mode)
	}
	return nil
}

// createKEK writes a whole file beside path and links it into place: a reader never sees half a
// key, and when another process was first, its key stays.
func createKEK(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".kek-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, werr := io.WriteString(f, base64.StdEncoding.EncodeToString(randomBytes(keySize))+"\n")
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// randomBytes never fails: crypto/rand ends the process when the system has no randomness.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
