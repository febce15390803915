package revocation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// held is a list that this process can ask.
type held struct {
	*List
	sum [32]byte
	ca  string
}

// Load reads what points there are and opens their lists; those that this process has are left. It is
// called at start and when PostgreSQL tells that crl has changed.
//
// A list that another has replaced is not closed: who asks it now goes on, and the file is closed
// when nobody can any more.
func (s *Service) Load(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	all, err := statuses(ctx, s.db)
	if err != nil {
		return err
	}
	lists, keep := map[pointID]held{}, map[string]bool{}
	for _, st := range all {
		if st.Sum == nil {
			continue
		}
		h, err := s.held(ctx, pointID(st.Point), [32]byte(st.Sum), st.CA)
		if err != nil {
			return fmt.Errorf("list of %s: %w", st.CA, err)
		}
		lists[pointID(st.Point)] = h
		keep[filename(pointID(st.Point), h.sum)] = true
	}
	s.mu.Lock()
	s.lists = lists
	s.mu.Unlock()
	return s.tidy(keep)
}

// held is the list of a point as this process has it already, or has it on its disk, or reads it.
func (s *Service) held(ctx context.Context, id pointID, sum [32]byte, ca string) (held, error) {
	s.mu.Lock()
	h, ok := s.lists[id]
	s.mu.Unlock()
	if ok && h.sum == sum {
		return h, nil
	}
	if l, err := openFile(filepath.Join(s.dir, filename(id, sum)), id, sum); err == nil {
		return held{l, sum, ca}, nil
	}
	compact, now, err := compactOf(ctx, s.db, id[:])
	if err != nil {
		return held{}, err
	}
	sum = [32]byte(now) // it may have changed again
	if sha256.Sum256(compact) != sum {
		return held{}, errList
	}
	path := filepath.Join(s.dir, filename(id, sum))
	if err := writeFile(path, compact); err != nil {
		return held{}, err
	}
	l, err := openFile(path, id, sum)
	return held{l, sum, ca}, err
}

func filename(id pointID, sum [32]byte) string { return fmt.Sprintf("%s-%x.crl", id, sum[:8]) }

// writeFile writes a file whole or not at all.
func writeFile(path string, body []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "list-*.part")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone once renamed
	if _, err := f.Write(body); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// openFile opens a copy and sees that it is what PostgreSQL has: nobody else's file counts, and
// neither does one that a crash has cut.
func openFile(path string, id pointID, sum [32]byte) (*List, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	size, err := io.Copy(h, f)
	if err == nil && !bytes.Equal(h.Sum(nil), sum[:]) {
		err = errList
	}
	var l *List
	if err == nil {
		l, err = openList(f, size, id)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return l, nil
}

// tidy removes the files of lists that were replaced.
func (s *Service) tidy(keep map[string]bool) error {
	files, err := filepath.Glob(filepath.Join(s.dir, "*.crl"))
	if err != nil {
		return err
	}
	for _, path := range files {
		if !keep[filepath.Base(path)] {
			if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
	}
	return nil
}
