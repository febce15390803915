package load

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/loginunico/loginunico/registry/record"
)

// maxRaw is how much of a rejected record is shown.
const maxRaw = 4 << 10

// Parser reads the records of blocks. It is for one goroutine and reuses its memory.
type Parser struct {
	normal   record.Normalizer
	fallback time.Time // since when a record is so that does not say it

	decoding decoding
	columns  columns
	scratch  []byte
	joined   []byte // columns that are one value together
	pieces   [8][]byte
	lastDay  [3]int // the record before came from this day, mostly
	lastTime time.Time

	parsed Parsed
	reject Reject
}

// NewParser makes a parser.
//
//	effective  since when a record is so whose source does not say it
//	now        the day of the load: births, deaths and effective dates do not lie behind it
func NewParser(effective, now time.Time) *Parser {
	return &Parser{normal: record.At(now), fallback: effective}
}

// Parse calls record or reject for each record of a block, in their order, until one returns an
// error, which it returns.
func (p *Parser) Parse(b *Block, record func(*Parsed) error, reject func(*Reject) error) error {
	p.parsed.File, p.reject.File = b.File, b.File
	if b.Fault != "" {
		p.reject.Line = b.First
		p.refuse(Inconsistent, b.Fault, 0)
		return reject(p.rejected(b.Data))
	}
	g := b.File.plan.grammar
	line := b.First
	for data := b.Data; len(data) > 0; {
		end, next, _ := g.recordEnd(data, true)
		if raw := trimLine(data[:end]); len(raw) > 0 || end > g.limit {
			p.parsed.Line, p.reject.Line = line, line
			if err := p.each(b.File.plan, raw, end > g.limit, record, reject); err != nil {
				return err
			}
		}
		line += lines(data[:next], end)
		data = data[next:]
	}
	return nil
}

// lines counts the line ends of a record; nearly always there is one, at end.
func lines(data []byte, end int) int64 {
	if end == len(data) {
		return int64(bytes.Count(data, newline))
	}
	return 1 + int64(bytes.Count(data[:end], newline))
}

func (p *Parser) each(plan *plan, raw []byte, long bool, record func(*Parsed) error, reject func(*Reject) error) error {
	if long {
		p.refuse(Inconsistent, LineLong, 0)
	} else if p.one(plan, raw) {
		return record(&p.parsed)
	}
	return reject(p.rejected(raw))
}

// refuse notes why the record at hand is rejected, and is false.
func (p *Parser) refuse(outcome Outcome, code string, field record.Field) bool {
	p.reject.Outcome, p.reject.Code, p.reject.Field = outcome, code, field
	return false
}

// rejected completes the reject with its text.
func (p *Parser) rejected(raw []byte) *Reject {
	plan := p.reject.File.plan
	raw = raw[:min(len(raw), maxRaw, plan.grammar.limit)]
	text, ok := p.decoding.utf8(raw, plan.m.Encoding)
	if !ok {
		text = bytes.ToValidUTF8(text, []byte("\uFFFD"))
	}
	p.reject.Raw = text
	return &p.reject
}

// one reads a record into p.parsed; false when it is rejected.
func (p *Parser) one(plan *plan, raw []byte) bool {
	if bytes.IndexByte(raw, 0) >= 0 {
		return p.refuse(Inconsistent, NULByte, 0)
	}
	text, ok := p.decoding.utf8(raw, plan.m.Encoding)
	if !ok {
		return p.refuse(Inconsistent, Undecodable, 0)
	}
	if !p.columns.split(text, plan.grammar) {
		return p.refuse(Inconsistent, QuoteOpen, 0)
	}
	if !plan.fits(p.columns.list) {
		return p.refuse(Inconsistent, ColumnCount, 0)
	}
	if !p.key(plan) {
		return p.refuse(Inconsistent, KeyEmpty, 0)
	}
	p.parsed.Dropped = p.parsed.Dropped[:0]
	p.joined = p.joined[:0]
	content := record.Begin(p.parsed.Content[:0], 0, p.effective(plan))
	content, ok = p.identify(plan, content)
	p.parsed.Content = content
	return ok && p.values(plan)
}

// fits says whether a record has the right number of columns. Many systems end each line with a
// separator, which makes one more, empty.
func (p *plan) fits(list [][]byte) bool {
	n := len(list)
	if p.grammar.columns == 0 {
		return n >= p.least
	}
	return n == p.grammar.columns || n == p.grammar.columns+1 && len(list[n-1]) == 0
}

// key builds the canonical key; false when each of its columns is empty.
func (p *Parser) key(plan *plan) bool {
	key, some := p.parsed.Key[:0], false
	for _, at := range plan.key {
		part := bytes.TrimSpace(p.columns.list[at])
		some = some || len(part) > 0
		key = binary.AppendUvarint(key, uint64(len(part)))
		key = append(key, part...)
	}
	p.parsed.Key = key
	return some
}

// effective is since when the record is so.
func (p *Parser) effective(plan *plan) time.Time {
	p.parsed.Dated = false
	if plan.effective < 0 {
		return p.fallback
	}
	raw := bytes.TrimSpace(p.columns.list[plan.effective])
	if len(raw) == 0 {
		return p.fallback
	}
	y, m, d, err := p.normal.Dates(plan.m.Effective.Layout).Day(raw)
	if err != nil {
		p.parsed.Dropped = append(p.parsed.Dropped, EffectiveInvalid)
		return p.fallback
	}
	p.parsed.Dated = true
	if day := [3]int{y, m, d}; day != p.lastDay {
		p.lastDay, p.lastTime = day, time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	}
	return p.lastTime
}
