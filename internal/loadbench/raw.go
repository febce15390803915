package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/text/encoding/charmap"

	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/registry/load"
)

// rawCopy is the floor: the same files, each as it is into a table of text columns, one connection
// per worker. What COPY would refuse was taken out before and the rest is UTF-8 already, so that
// PostgreSQL does nothing but store.
func (b *bench) rawCopy(ctx context.Context) (row, error) {
	type file struct{ path, table, separator string }
	var files []file
	for _, name := range demo.Sources() {
		m, err := load.ParseMapping(name, demo.Mapping(name))
		if err != nil {
			return row{}, err
		}
		path := filepath.Join(b.dir, name+".raw")
		columns, err := clean(filepath.Join(b.dir, "first", name+".csv"), path, m)
		if err != nil {
			return row{}, err
		}
		if _, err := b.db.Exec(ctx, "CREATE TABLE raw_"+name+" (c"+strings.Join(numbers(columns), " text, c")+" text)"); err != nil {
			return row{}, err
		}
		files = append(files, file{path, "raw_" + name, string(m.Separator)})
	}
	var tables []string
	for _, f := range files {
		tables = append(tables, f.table)
	}
	copyAll := func(ctx context.Context, connections int) (int64, error) {
		var total int64
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(connections)
		counts := make([]int64, len(files))
		for i, f := range files {
			group.Go(func() error {
				in, err := os.Open(f.path)
				if err != nil {
					return err
				}
				defer func() { _ = in.Close() }()
				conn, err := b.db.Acquire(ctx)
				if err != nil {
					return err
				}
				defer conn.Release()
				sql := fmt.Sprintf("COPY %s FROM STDIN (DELIMITER E'\\x%02x')", f.table, f.separator[0])
				tag, err := conn.Conn().PgConn().CopyFrom(ctx, in, sql)
				counts[i] = tag.RowsAffected()
				return err
			})
		}
		err := group.Wait()
		for _, n := range counts {
			total += n
		}
		return total, err
	}
	one, err := b.step(ctx, "raw COPY, 1 connection", func() (int64, error) { return copyAll(ctx, 1) })
	if err != nil {
		return one, err
	}
	if _, err := b.db.Exec(ctx, "TRUNCATE "+strings.Join(tables, ", ")); err != nil {
		return one, err
	}
	r, err := b.step(ctx, fmt.Sprintf("raw COPY, %d connections", b.connections()), func() (int64, error) { return copyAll(ctx, b.connections()) })
	if err != nil {
		return r, err
	}
	for _, f := range files {
		if _, err := b.db.Exec(ctx, "DROP TABLE "+f.table); err != nil {
			return r, err
		}
		if err := os.Remove(f.path); err != nil {
			return r, err
		}
	}
	b.rows = append(b.rows, one, r)
	return r, nil
}

func numbers(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint(i + 1)
	}
	return all
}

// clean writes the lines of a file that have as many columns as its header, in UTF-8 and without
// what text COPY would read as more than itself.
func clean(from, to string, m *load.Mapping) (columns int, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	var text io.Reader = in
	switch m.Encoding {
	case load.Latin1:
		text = charmap.ISO8859_1.NewDecoder().Reader(in)
	case load.Windows1252:
		text = charmap.Windows1252.NewDecoder().Reader(in)
	}
	w, lines := bufio.NewWriterSize(out, 1<<20), bufio.NewScanner(text)
	lines.Buffer(make([]byte, 1<<20), 4<<20)
	for lines.Scan() {
		line := bytes.ReplaceAll(bytes.TrimRight(bytes.ToValidUTF8(lines.Bytes(), nil), "\r"), []byte(`\`), []byte("/"))
		line = bytes.ReplaceAll(line, []byte{0}, nil)
		n := 1 + bytes.Count(line, []byte{m.Separator})
		if columns == 0 {
			columns = n
			continue
		}
		if n == columns {
			_, _ = w.Write(append(line, '\n')) // Flush tells
		}
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	return columns, out.Close()
}
