package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// partial is where rejects stand until all records were read: a load that was killed leaves such a
// file, and the next one of the same name begins it anew.
func partial(path string) string { return path + ".partial" }

// keepRejects gives the finished file of rejects its name and returns it: path, or, where another
// load's rejects lie there, path with a number: fazenda.csv.rejected.2.csv. The same load made again
// finds its file as it is. Without rejects there is no file, and the name is "".
func keepRejects(path string) (string, error) {
	if info, err := os.Stat(partial(path)); err != nil || info.Size() == int64(len(rejectsHeader)) {
		return "", errors.Join(err, os.Remove(partial(path)))
	}
	for n := 1; ; n++ {
		name := numbered(path, n)
		claimed, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL, 0o600) // nobody else gets the name now
		if err == nil {
			return name, errors.Join(claimed.Close(), os.Rename(partial(path), name))
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		if same, err := sameBytes(partial(path), name); err != nil || same {
			return name, errors.Join(err, os.Remove(partial(path)))
		}
	}
}

func numbered(path string, n int) string {
	if n == 1 {
		return path
	}
	end := filepath.Ext(path)
	return fmt.Sprintf("%s.%d%s", strings.TrimSuffix(path, end), n, end)
}

func sameBytes(a, b string) (bool, error) {
	x, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer func() { _ = x.Close() }()
	y, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer func() { _ = y.Close() }()
	for bx, by := make([]byte, 64<<10), make([]byte, 64<<10); ; {
		n, errX := io.ReadFull(x, bx)
		m, errY := io.ReadFull(y, by)
		if !bytes.Equal(bx[:n], by[:m]) {
			return false, nil
		}
		if errX != nil || errY != nil {
			return ended(errX) && ended(errY), nil
		}
	}
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
