package factor

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // what lists of breached passwords are made of
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// ErrPasswordBreached: the password stands in a list of those that leaked somewhere.
var ErrPasswordBreached = &PolicyError{"password_breached"}

// ErrBreachedFile says that a file is not a sorted list of SHA-1 hashes.
var ErrBreachedFile = errors.New("breached passwords: want lines of 40 upper-case hexadecimal digits, sorted, each with :count or without")

// maxBreachedLine is more than a hash, a count and the line's end.
const maxBreachedLine = 128

// Breached is a file of passwords that have leaked, as Have I Been Pwned gives it away, sorted by
// hash: "<SHA-1 in hexadecimal>:<how often>", one a line. It is never loaded: a look-up reads some
// thirty lines. No password, and no part of its hash, leaves the machine. It is safe for concurrent
// use.
type Breached struct {
	file *os.File
	size int64
}

// OpenBreached opens such a file and reads its first and last lines. Errors: ErrBreachedFile, the
// system's.
func OpenBreached(path string) (*Breached, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("breached passwords: %w", err)
	}
	b := &Breached{file: f}
	info, err := f.Stat()
	if err == nil {
		b.size = info.Size()
		err = b.check()
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return b, nil
}

// Close lets the file go; no list has none.
func (b *Breached) Close() error {
	if b == nil {
		return nil
	}
	return b.file.Close()
}

// check finds out early that the file is something else.
func (b *Breached) check() error {
	first, _, _, err := b.line(0)
	if err != nil {
		return err
	}
	last, _, _, err := b.line(max(0, b.size-2))
	if err != nil {
		return err
	}
	if first > last {
		return ErrBreachedFile
	}
	return nil
}

// CheckPassword is the function of that name and, where the city has a list, ErrPasswordBreached: all
// that a new password must pass. A nil *Breached is no list.
func (b *Breached) CheckPassword(pw, cpf, email string) error {
	if err := CheckPassword(pw, cpf, email); err != nil || b == nil {
		return err
	}
	return b.Check(pw)
}

// Check is ErrPasswordBreached for a password on the list, as typed or as we hash it.
func (b *Breached) Check(password string) error {
	if len(password) > maxPasswordBytes {
		return nil // CheckPassword has refused it
	}
	for _, form := range []string{password, norm.NFC.String(password)} {
		n, err := b.Count(form)
		if err != nil {
			return err
		}
		if n > 0 {
			return ErrPasswordBreached
		}
	}
	return nil
}

// Count is how often a password has leaked; 0 when it is not on the list. Errors: ErrBreachedFile
// where the file is broken, the system's.
func (b *Breached) Count(password string) (int, error) {
	sum := sha1.Sum([]byte(password))
	want := strings.ToUpper(hex.EncodeToString(sum[:]))
	low, high := int64(0), b.size // the line begins in [low, high)
	for low < high {
		hash, count, at, err := b.line(low + (high-low)/2)
		if err != nil {
			return 0, err
		}
		switch {
		case hash == want:
			return count, nil
		case hash < want:
			low = at.end
		default:
			high = at.start
		}
	}
	return 0, nil
}

type place struct{ start, end int64 }

// line reads the line that a byte belongs to.
func (b *Breached) line(offset int64) (hash string, count int, at place, err error) {
	from := max(0, offset-maxBreachedLine)
	buf := make([]byte, 2*maxBreachedLine)
	n, err := b.file.ReadAt(buf, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", 0, at, fmt.Errorf("breached passwords: %w", err)
	}
	buf = buf[:n]
	here := int(offset - from)
	if here >= len(buf) {
		return "", 0, at, ErrBreachedFile
	}
	start := bytes.LastIndexByte(buf[:here], '\n') + 1
	end := bytes.IndexByte(buf[here:], '\n')
	if end < 0 {
		end = len(buf) - here
	} else {
		end++
	}
	at = place{from + int64(start), from + int64(here+end)}
	hash, count, err = parseBreached(string(bytes.TrimRight(buf[start:here+end], "\r\n")))
	return hash, count, at, err
}

// parseBreached reads "<hash>:<count>"; without a count it is 1.
func parseBreached(line string) (hash string, count int, err error) {
	hash, times, counted := strings.Cut(line, ":")
	if len(hash) != 2*sha1.Size || strings.Trim(hash, "0123456789ABCDEF") != "" {
		return "", 0, ErrBreachedFile
	}
	if !counted {
		return hash, 1, nil
	}
	if count, err = strconv.Atoi(times); err != nil || count < 0 {
		return "", 0, ErrBreachedFile
	}
	return hash, max(count, 1), nil
}
