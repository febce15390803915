package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
)

// rejectsHeader is the first line of a file of rejected records: CSV, UTF-8, RFC 4180 quotes.
const rejectsHeader = "file;line;outcome;field;reason;raw\n"

// RejectBatch collects the rejects of one block. It is for one goroutine.
type RejectBatch struct{ text []byte }

// Add copies a reject into the batch.
func (b *RejectBatch) Add(r *Reject) {
	b.text = appendQuoted(b.text, []byte(r.File.Name))
	b.text = append(b.text, ';')
	b.text = strconv.AppendInt(b.text, r.Line, 10)
	b.text = append(append(b.text, ';'), r.Outcome...)
	b.text = append(b.text, ';')
	if r.Field.Valid() {
		b.text = append(b.text, r.Field.String()...)
	}
	b.text = append(append(b.text, ';'), r.Code...)
	b.text = append(b.text, ';')
	b.text = append(appendQuoted(b.text, r.Raw), '\n')
}

func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	for at := bytes.IndexByte(text, '"'); at >= 0; at = bytes.IndexByte(text, '"') {
		dst = append(append(dst, text[:at+1]...), '"')
		text = text[at+1:]
	}
	return append(append(dst, text...), '"')
}

// Mark is how far a file of rejects has come.
type Mark struct {
	Seq   int64 // blocks written, from the first on
	Bytes int64 // length of the file with them
}

// Rejects writes the rejected records of a load, which are personal data, to a file only its owner
// may read. Several workers may use it.
type Rejects struct {
	mu      sync.Mutex
	file    *os.File
	out     *bufio.Writer
	mark    Mark
	waiting map[int64][]byte // blocks done before one that comes first in the file
	err     error
}

// CreateRejects begins a file, or goes on with one at a mark of an earlier run; what that run wrote
// behind the mark is cut off.
func CreateRejects(path string, from Mark) (*Rejects, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	r := &Rejects{file: file, out: bufio.NewWriterSize(file, 64<<10), mark: from, waiting: map[int64][]byte{}}
	if err := r.begin(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return r, nil
}

func (r *Rejects) begin() error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	if r.mark.Bytes > info.Size() {
		return fmt.Errorf("%s has %d bytes; the load it belongs to wrote %d", r.file.Name(), info.Size(), r.mark.Bytes)
	}
	if err := errors.Join(r.file.Chmod(0o600), r.file.Truncate(r.mark.Bytes)); err != nil {
		return err
	}
	if _, err := r.file.Seek(r.mark.Bytes, io.SeekStart); err != nil {
		return err
	}
	if r.mark.Bytes == 0 {
		r.write([]byte(rejectsHeader))
	}
	return r.err
}

// Write takes the batch of a block and empties it. Every block must be written, those without rejects
// too, since the file has them in their order: a batch waits in memory for the blocks before it.
func (r *Rejects) Write(seq int64, b *RejectBatch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case seq < r.mark.Seq:
		return fmt.Errorf("block %d was written before", seq)
	case seq > r.mark.Seq:
		r.waiting[seq] = bytes.Clone(b.text)
		b.text = b.text[:0]
		return r.err
	}
	r.write(b.text)
	b.text = b.text[:0]
	r.mark.Seq++
	for text, ok := r.waiting[r.mark.Seq]; ok; text, ok = r.waiting[r.mark.Seq] {
		delete(r.waiting, r.mark.Seq)
		r.write(text)
		r.mark.Seq++
	}
	return r.err
}

func (r *Rejects) write(text []byte) {
	if r.err != nil {
		return
	}
	n, err := r.out.Write(text)
	r.mark.Bytes += int64(n)
	r.err = err
}

// Sync puts on disk what was written in order and says how far that is: what a load notes when it
// commits, to go on from there.
func (r *Rejects) Sync() (Mark, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = r.out.Flush()
	}
	if r.err == nil {
		r.err = r.file.Sync()
	}
	return r.mark, r.err
}

// Close writes everything and closes the file. Blocks that still wait for one before them are lost;
// that is an error.
func (r *Rejects) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lost error
	if len(r.waiting) > 0 {
		lost = fmt.Errorf("block %d was never written; %d behind it are lost", r.mark.Seq, len(r.waiting))
	}
	return errors.Join(r.err, lost, r.out.Flush(), r.file.Close())
}
