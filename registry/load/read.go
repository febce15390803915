package load

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// File is one of the files of a load.
type File struct {
	Name  string // without folder; "-" for standard input
	Index int    // its place among them, from 0
	plan  *plan
}

// Block is a piece of a file that begins and ends with a record.
type Block struct {
	File  *File
	Seq   int64  // place among the blocks of all files, from 0; the same in every run over the same files
	First int64  // physical line of the first record, from 1
	Data  []byte // in the source's encoding; UTF-16 comes as UTF-8
	Fault string // not "": the block is one record that cannot be read, and Data its beginning
}

// Input is what one load reads.
type Input struct {
	paths []string
	stdin io.Reader
	size  int64
	read  atomic.Int64
}

// Open finds the files of a path: one file, each *.csv, *.csv.gz and *.txt of a directory in the order
// of their names, or stdin for "-". It opens none of them yet.
func Open(path string, stdin io.Reader) (*Input, error) {
	if path == "-" {
		return &Input{paths: []string{path}, stdin: stdin, size: -1}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return &Input{paths: []string{path}, size: info.Size()}, nil
	}
	return openDirectory(path)
}

func openDirectory(path string) (*Input, error) {
	in := &Input{}
	entries, err := os.ReadDir(path) // by name
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if !isData(entry.Name()) {
			continue
		}
		full := filepath.Join(path, entry.Name())
		info, err := os.Stat(full)
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			in.paths = append(in.paths, full)
			in.size += info.Size()
		}
	}
	if len(in.paths) == 0 {
		return nil, fmt.Errorf("%s: no *.csv, *.csv.gz or *.txt in it", path)
	}
	return in, nil
}

// isData leaves out what a load before may have rejected into the same directory.
func isData(name string) bool {
	name = strings.ToLower(name)
	if strings.Contains(name, ".rejected.") {
		return false
	}
	return slices.ContainsFunc([]string{".csv", ".csv.gz", ".txt"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

// Size is how many bytes there are to read, compressed as they are; -1 when nobody knows.
func (in *Input) Size() int64 { return in.size }

// Done is how many of them have been read. It may be called at any time from anywhere.
func (in *Input) Done() int64 { return in.read.Load() }

// Reader cuts an input into blocks. It is for one goroutine.
type Reader struct {
	in    *Input
	m     *Mapping
	size  int // of a block
	limit int // of a record
	next  int // file
	seq   int64
	file  *File
	open  *stream
	split *splitter
}

// Reader starts at the first file.
func (in *Input) Reader(m *Mapping) *Reader {
	return &Reader{in: in, m: m, size: blockSize, limit: MaxRecord}
}

// Next fills b, whose memory it reuses, with the next block. After the last it returns io.EOF; any
// other error names the file and ends the load: it cannot be read, or lacks columns of the mapping.
func (r *Reader) Next(b *Block) error {
	for {
		if r.open == nil {
			if r.next == len(r.in.paths) {
				return io.EOF
			}
			if err := r.openNext(); err != nil {
				return fmt.Errorf("%s: %w", r.in.paths[r.next], errors.Join(err, r.Close()))
			}
		}
		err := r.split.next(b)
		if err == nil {
			b.File, b.Seq = r.file, r.seq
			r.seq++
			return nil
		}
		if !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: line %d: %w", r.in.paths[r.next], r.split.line, err)
		}
		if err := r.Close(); err != nil {
			return err
		}
		r.next++
	}
}

// Close closes the file that is open, if one is.
func (r *Reader) Close() error {
	if r.open == nil {
		return nil
	}
	s := r.open
	r.open = nil
	return s.close()
}

// openNext opens a file and reads its header.
func (r *Reader) openNext() (err error) {
	path := r.in.paths[r.next]
	if r.open, err = openStream(path, r.in, r.m.Encoding); err != nil {
		return err
	}
	r.file = &File{Name: filepath.Base(path), Index: r.next}
	r.split = &splitter{in: r.open, size: r.size, line: 1, grammar: grammar{separator: r.m.Separator, quote: r.m.Quote, limit: r.limit}}
	var header []string
	if r.m.Header {
		if header, err = r.header(); err != nil {
			return err
		}
	}
	if r.file.plan, err = r.m.bind(header); err != nil {
		return err
	}
	r.file.plan.grammar.limit = r.limit
	r.split.grammar = r.file.plan.grammar
	return nil
}

// header takes the first record that is not blank off the stream.
func (r *Reader) header() ([]string, error) {
	s := r.split
	for {
		end, next, ok := s.grammar.recordEnd(s.rest, s.eof)
		switch {
		case end > s.grammar.limit || !ok && len(s.rest) > s.grammar.limit:
			return nil, fmt.Errorf("the header has more than %d bytes", s.grammar.limit)
		case !ok:
			if err := s.more(); err != nil {
				return nil, err
			}
		case len(trimLine(s.rest[:end])) > 0:
			names, err := columnNames(trimLine(s.rest[:end]), s.grammar, r.m.Encoding)
			s.take(next)
			return names, err
		case next == 0:
			return nil, errors.New("is empty; the mapping says that it has a header")
		default:
			s.take(next)
		}
	}
}

// more reads on behind rest.
func (s *splitter) more() error {
	b := Block{Data: s.rest}
	err := s.fill(&b, len(s.rest)+min(s.size, sniffed))
	s.rest = b.Data
	return err
}

// take drops n bytes that were dealt with.
func (s *splitter) take(n int) {
	for _, c := range s.rest[:n] {
		if c == '\n' {
			s.line++
		}
	}
	s.rest = append(s.rest[:0], s.rest[n:]...)
}

func columnNames(raw []byte, g grammar, e Encoding) ([]string, error) {
	var d decoding
	text, ok := d.utf8(raw, e)
	if !ok {
		return nil, fmt.Errorf("the header is not %s", e)
	}
	var c columns
	if !c.split(text, g) {
		return nil, errors.New("the header has a quote that is not closed")
	}
	if len(c.list) > maxColumns {
		return nil, fmt.Errorf("the header has %d columns; at most %d", len(c.list), maxColumns)
	}
	names := make([]string, len(c.list))
	for i, name := range c.list {
		names[i] = string(name)
	}
	return names, nil
}
