package generate

import (
	"bytes"
	"compress/gzip"
	"strconv"
)

// perChunk households are written at a time: some 9,000 records, a megabyte and a half.
const perChunk = 1600

// files of a run: the sources by index, and the truth behind them.
const (
	truthFile = companies + 1
	outputs   = truthFile + 1
)

// chunk is what some households leave in each file.
type chunk struct {
	out     [outputs][]byte
	records [companies + 1]int64
	people  int64
	total   int64
}

// writer makes chunks; each worker has one, with its buffers.
type writer struct {
	plan
	lines [companies + 1]line
	truth []byte
	house [household]person
	seen  view
	zip   *gzip.Writer
}

func newWriter(p plan) *writer {
	w := &writer{plan: p}
	for i, s := range sources {
		w.lines[i] = line{city: p.city, base: s, quoted: s.quotesAll}
	}
	if p.gzip {
		w.zip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one there is
	}
	return w
}

// fill writes the households from … to-1, up to limit records.
func (w *writer) fill(c *chunk, from, to uint64, limit int64) {
	*c = chunk{out: c.out}
	for i := range w.lines {
		w.lines[i].b = c.out[i][:0]
	}
	w.truth = c.out[truthFile][:0]
	for h := from; h < to && c.total < limit; h++ {
		w.household(c, h, limit)
	}
	for i := range w.lines {
		c.out[i] = w.packed(w.lines[i].b, sources[i].utf16)
	}
	c.out[truthFile] = w.packed(w.truth, false)
}

// packed is the chunk of a file as it is written. Compressed, it is a gzip member of its own: a file
// may be several behind each other (RFC 1952 §2.2), so that they are made apart.
func (w *writer) packed(b []byte, wide bool) []byte {
	if wide {
		b = utf16Of(make([]byte, 0, 2*len(b)), b)
	}
	if w.zip == nil || len(b) == 0 {
		return b
	}
	var out bytes.Buffer
	w.zip.Reset(&out)
	_, _ = w.zip.Write(b) // a buffer takes everything
	_ = w.zip.Close()
	return out.Bytes()
}

func (w *writer) household(c *chunk, h uint64, limit int64) {
	var news [household]news
	if w.delta > 0 && !w.newsOf(h, &news) {
		return
	}
	w.people(&w.house, h)
	for i := range w.house {
		if p := &w.house[i]; p.birth != 0 && news[i] != absent {
			c.people++
			w.person(c, p, news[i], limit)
		}
	}
	if news[0] != absent && c.total < limit && w.company(&w.seen, &w.house, news[0]) {
		w.record(c)
	}
}

// person writes the records of one person, in every base that has them.
func (w *writer) person(c *chunk, p *person, n news, limit int64) {
	if n == died && p.death != 0 {
		n = seen
	}
	r := mixed(w.seed, p.n, 'S')
	set := w.bases[at(p.child)][r.next()>>52]
	if p.cpf == noCPF && set&1 != 0 { // the Receita has nobody without a CPF
		set = set&^1 | 2
	}
	for i := range companies {
		if set>>i&1 == 0 {
			continue
		}
		for again := range 1 + uint64(at(r.chance(sources[i].twice))) {
			if c.total == limit {
				return
			}
			w.see(&w.seen, p, sources[i], again, n)
			w.record(c)
		}
	}
}

func (w *writer) record(c *chunk) {
	i := w.seen.base.index
	c.records[i]++
	c.total++
	if !w.wanted[i] {
		return
	}
	w.lines[i].write(&w.seen)
	if w.wanted[truthFile] {
		w.tell(&w.seen)
	}
}

const truthHeader = "person;source;key;number;given;line\n"

// tell writes the truth of a record. The key is the source's columns, with a slash between them.
func (w *writer) tell(v *view) {
	var number [14]byte
	digitsInto(number[:11], v.cpf)
	length := 11
	switch v.base.index {
	case companies:
		number, length = cnpjOf(w.offset%100_000_000, v.n/household), 14
		w.truth = append(w.truth, 'e')
	default:
		if v.cpf == noCPF {
			length = 0
		}
	}
	b := append(append(strconv.AppendUint(w.truth, v.n, 10), ';'), v.base.name...)
	l := line{b: append(b, ';'), base: v.base}
	for i, put := range v.base.keys {
		if i > 0 {
			l.b = append(l.b, '/')
		}
		put(&l, v)
	}
	b = append(append(append(l.b, ';'), number[:length]...), ';')
	w.truth = append(append(append(append(b, v.given...), ';'), v.line...), '\n')
}
