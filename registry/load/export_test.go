package load

import "io"

// NewReader reads one stream in blocks of size bytes and records of at most limit.
func NewReader(in io.Reader, m *Mapping, size, limit int) *Reader {
	r := (&Input{paths: []string{"-"}, stdin: in, size: -1}).Reader(m)
	r.size, r.limit = size, limit
	return r
}

// ChunkFor is how large the chunks of so many records are.
var ChunkFor = chunkFor
