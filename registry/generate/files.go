package generate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Files writes the sources to dir, which is made where it is missing: receita.csv … and truth.csv.
// A file that is there already is an error, since it may be a city's own; what a failed run has
// begun is removed.
//
// Errors: ErrOptions, fs.ErrExist, the context's, those of writing.
func Files(ctx context.Context, dir string, o Options) (rep Report, err error) {
	p, err := o.plan()
	if err != nil {
		return rep, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return rep, err
	}
	var out [outputs]io.Writer
	var files []*os.File
	defer func() {
		for _, f := range files {
			err = errors.Join(err, f.Close())
		}
		for _, f := range files {
			if err != nil {
				_ = os.Remove(f.Name())
			}
		}
	}()
	for i := range out {
		if !p.wanted[i] {
			continue
		}
		f, err := os.OpenFile(filepath.Join(dir, p.fileName(i)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return rep, err
		}
		files = append(files, f)
		out[i] = f
	}
	return p.writeTo(ctx, out)
}

func (p plan) fileName(i int) string {
	name := "truth"
	if i < truthFile {
		name = sources[i].name
	}
	if p.gzip {
		return name + ".csv.gz"
	}
	return name + ".csv"
}

// writeTo writes headers and chunks.
func (p plan) writeTo(ctx context.Context, out [outputs]io.Writer) (Report, error) {
	w := newWriter(p)
	for i, o := range out {
		if o == nil {
			continue
		}
		head, wide := []byte(truthHeader), false
		if i < truthFile {
			head, wide = header(sources[i]), sources[i].utf16
		}
		if _, err := o.Write(w.packed(head, wide)); err != nil {
			return Report{}, err
		}
	}
	rep, err := p.run(ctx, out)
	if err != nil {
		return rep, fmt.Errorf("after %d records: %w", rep.Records, err)
	}
	return rep, nil
}

// header is a file's first line; empty for a source that writes none.
func header(s *source) []byte {
	var b bytes.Buffer
	b.WriteString(s.mark)
	for i, c := range s.columns {
		if i > 0 {
			b.WriteByte(s.separator)
		}
		if s.quotesAll {
			fmt.Fprintf(&b, `"%s"`, c.head)
		} else {
			b.WriteString(c.head)
		}
	}
	b.WriteString(s.newline)
	if !s.header {
		b.Reset()
		b.WriteString(s.mark)
	}
	return b.Bytes()
}
